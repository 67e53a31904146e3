import { expect, test } from "bun:test"
import { createTelemetry } from "../src/telemetry.ts"

const promtool = Bun.which("promtool")

/** The report of `promtool check metrics` over what a busy Sentinel exposes; empty when clean. */
async function lint(text: string): Promise<string> {
  const child = Bun.spawn([promtool ?? "promtool", "check", "metrics"], {
    stdin: new Blob([text]),
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  const code = await child.exited
  return code === 0 ? `${out}${err}` : `exit ${code}: ${out}${err}`
}

test.skipIf(promtool === null && Bun.env.CI !== "true")(
  "createTelemetry passes promtool check metrics with every metric in use (needs promtool)",
  async () => {
    const counts = createTelemetry({ version: "0.0.0" })
    counts.inferred("payload-linear/1", 0.0002)
    counts.verdictReached("simulate")
    counts.cacheLookedUp("payload", false)
    counts.operatorDone("verify_integrity", "failed", 0.1)
    counts.retried("fetch_evidence", "UNAVAILABLE")
    counts.deadLettered({ code: "MALFORMED", operator: "decode_event" })
    counts.recordDone({ topic: "events", timestampMs: 0 }, "done", 0.2)
    counts.batched("classify_payloads", 8)
    counts.transacted({ topic: "events", partition: 0 })
    counts.partitionChanged({ topic: "events", partition: 0 }, "assigned")
    counts.committed({ topic: "events", partition: 0 }, 5n)
    counts.watchEngine(() => ({
      inFlight: 1,
      queueDepth: { fetch_evidence: 1 },
      lag: [{ topic: "events", partition: 0, records: 1, seconds: 2, heldRatio: 0.5 }],
      operators: [{ operator: "fetch_evidence", busy: 2, utilisation: 0.5, backpressure: 0.1 }],
      simulations: { ready: 1, leased: 2, dropped: 3 },
    }))
    counts.requested()
    counts.responded("/health", 200)
    counts.kafkaMessage("events", "consumed")
    counts.evidenceOperation("fetch", "ok")
    counts.simulated({
      ...{ verdict: "exploit_possible", class: "xss", driver: "docker", seconds: 1 },
    })
    counts.simulated({
      ...{ verdict: "inconclusive", class: "xss", driver: "docker", seconds: 1 },
      reason: "dialect",
    })
    counts.watchSandbox(() => ({
      ...{ driver: "docker", isPanicked: false, auditHead: { count: 7, hash: "ab".repeat(32) } },
      pool: { xss: { ready: 1, busy: 0, replaced: 2 } },
    }))
    counts.ruleGenerated()
    counts.ruleApplied()
    counts.close()
    expect(await lint(await counts.render())).toBe("")
    expect(await lint("bad{ 1\n")).not.toBe("")
  },
)
