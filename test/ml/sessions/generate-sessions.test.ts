import { describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { toEnrichment, toEvidenceDocument } from "../../../src/ml/sessions/evidence-document.ts"
import { generateSessions, POPULATIONS } from "../../../src/ml/sessions/generate-sessions.ts"

const everyone = { benign: 1, attack: 1, anomalous: 1 }

describe("generateSessions", () => {
  test("generateSessions gives the same sessions for the same seed and others for another", () => {
    const draw = (seed: number) => [...generateSessions({ seed, count: 20, mix: everyone })]
    expect(draw(3)).toEqual(draw(3))
    expect(draw(3)).not.toEqual(draw(4))
  })

  test("generateSessions draws every population of the mix and no other", () => {
    const all = [...generateSessions({ seed: 1, count: 400, mix: everyone })]
    expect(new Set(all.map(({ population }) => population)).size).toBe(
      Object.keys(POPULATIONS).length,
    )
    const benign = [...generateSessions({ seed: 1, count: 200 })]
    expect(benign.every(({ truth }) => truth === "benign")).toBe(true)
  })

  test("generateSessions gives requests in time order with the payloads of their fields", () => {
    for (const { session } of generateSessions({ seed: 9, count: 100, mix: everyone })) {
      const times = session.requests.map(({ startedMs }) => startedMs ?? 0)
      expect(times).toEqual([...times].sort((a, b) => a - b))
      for (const payload of session.payloads) {
        expect(session.requests[payload.requestIndex ?? -1]).toBeDefined()
      }
    }
  })
})

describe("toEvidenceDocument", () => {
  test("toEvidenceDocument writes a manifest with the digests that Python would compute", () => {
    const [drawn] = generateSessions({ seed: 5, count: 1 })
    if (drawn === undefined) throw new Error("one session was asked for")
    const document = toEvidenceDocument(drawn.session)
    const { checksums } = document.signed_manifest
    const plain = createHash("sha256").update(drawn.session.sessionId).digest("hex")
    expect(checksums.session_id).toBe(plain)
    if (Bun.which("python3") === null) return
    expect(checksums.har).toBe(pythonDigest(JSON.stringify(document.har)))
  })

  test("toEnrichment carries tags and meta in the contract's names", () => {
    const [drawn] = generateSessions({ seed: 5, count: 1 })
    if (drawn === undefined) throw new Error("one session was asked for")
    expect(toEnrichment(drawn.session)).toMatchObject({
      tags: drawn.session.context.tags,
      meta: { is_tor: drawn.session.context.isTor, is_vpn: drawn.session.context.isVpn },
    })
  })
})

function pythonDigest(json: string): string {
  const program =
    "import sys,json,hashlib;print(hashlib.sha256(json.dumps(json.load(sys.stdin),sort_keys=True).encode()).hexdigest())"
  const run = Bun.spawnSync(["python3", "-c", program], { stdin: Buffer.from(json) })
  return run.stdout.toString().trim()
}
