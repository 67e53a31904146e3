import { createAnalyzer } from "../../src/compose/analyzer.ts"
import { openModels } from "../../src/compose/models.ts"
import { readConfig } from "../../src/config.ts"
import type { Session } from "../../src/events.ts"
import { digestMembers } from "../../src/evidence/digest.ts"
import { toEvidenceDocument } from "../../src/ml/sessions/evidence-document.ts"
import { generateSessions } from "../../src/ml/sessions/generate-sessions.ts"
import { cpuMicrosecondsEach, type Row, row } from "../harness.ts"

const SEED = 20_261_125
const REQUESTS = 10
const EXTRACTED = 3
const PACKAGE_BYTES = 12 * 1_024
const COUNT = { quick: 500, full: 3_000 }
const WARM_UP = 200
const PAGE = "<p>Please sign in to go on. Your session has ended.</p>\n"

/**
 * The analysis flow, from the bytes of a package to its explained verdict, in this process and
 * without Kafka: packages of 12 KiB and ten requests, whose manifest is checked.
 */
export async function analysisRows({
  quick,
}: {
  readonly quick: boolean
}): Promise<readonly Row[]> {
  const config = readConfig({})
  const analyzer = createAnalyzer(await openModels(config), config)
  const packages = analysisPackages(WARM_UP + (quick ? COUNT.quick : COUNT.full))
  let payloads = 0
  const analyze = async (each: Uint8Array) => {
    const { verdict } = await analyzer.analyze(each)
    if (verdict.integrity !== "verified") throw new Error(`integrity ${verdict.integrity}`)
    payloads += verdict.features.n_payloads ?? 0
  }
  for (const each of packages.slice(0, WARM_UP)) await analyze(each)
  const measured = packages.slice(WARM_UP)
  payloads = 0
  const microseconds = await cpuMicrosecondsEach(measured.length, async () => {
    for (const each of measured) await analyze(each)
  })
  const bytes = measured.reduce((sum, each) => sum + each.length, 0)
  return [
    row({
      name: "analysis",
      value: 1_000_000 / microseconds,
      unit: "packages/CPU-s",
      goal: { of: "value", least: 1_500 },
    }),
    row({ name: "analysis: package size, mean", value: bytes / measured.length, unit: "bytes" }),
    row({ name: "analysis: payloads, mean", value: payloads / measured.length, unit: "payloads" }),
  ]
}

/** Seeded: the first ten requests of sessions that have as many, no two alike. */
function analysisPackages(count: number): readonly Uint8Array[] {
  const packages: Uint8Array[] = []
  const generated = generateSessions({
    seed: SEED,
    count: count * 5,
    mix: { benign: 2, attack: 2, anomalous: 1 },
  })
  for (const { session } of generated) {
    if (session.requests.length < REQUESTS) continue
    packages.push(analysisPackage(session, packages.length))
    if (packages.length === count) break
  }
  if (packages.length < count) throw new Error("too few sessions of ten requests")
  return packages
}

function analysisPackage(session: Session, index: number): Uint8Array {
  const requests = session.requests.slice(0, REQUESTS)
  const sessionId = `${session.sessionId}-${index}`
  const { har } = toEvidenceDocument({ ...session, sessionId, requests })
  const extracted = requests.slice(0, EXTRACTED).map(({ url, body }, at) => ({
    id: `payload-${at}`,
    type: "unknown",
    value: body === "" ? url : body,
    location: body === "" ? "url" : "body",
  }))
  const log = har.log as { readonly entries: readonly Entry[] }
  const evidence = { session_id: sessionId, har: { log }, extracted_payloads: extracted }
  fillUp(log.entries, PACKAGE_BYTES - JSON.stringify(signed(evidence)).length)
  return new TextEncoder().encode(JSON.stringify(signed(evidence)))
}

interface Entry {
  readonly response: { readonly content: { text?: string } }
}

/** The pages that were answered make up what is missing. */
function fillUp(entries: readonly Entry[], missing: number): void {
  const each = Math.floor(missing / entries.length)
  if (each <= 0) return
  const text = PAGE.repeat(Math.ceil(each / PAGE.length)).slice(0, each)
  for (const { response } of entries) response.content.text = text
}

function signed(evidence: Readonly<Record<string, unknown>>) {
  const digests = digestMembers(JSON.stringify(evidence), new Set(Object.keys(evidence)))
  return { ...evidence, signed_manifest: { checksums: Object.fromEntries(digests) } }
}
