import type { Session } from "../../src/events.ts"
import { digestMembers } from "../../src/evidence/digest.ts"
import { toEvidenceDocument } from "../../src/ml/sessions/evidence-document.ts"
import { generateSessions } from "../../src/ml/sessions/generate-sessions.ts"

const SEED = 20_261_125
const REQUESTS = 10
const EXTRACTED = 3
const PACKAGE_BYTES = 12 * 1_024
const PAGE = "<p>Please sign in to go on. Your session has ended.</p>\n"

/** Seeded: the first ten requests of sessions that have as many, no two alike. */
export function analysisPackages(count: number): readonly Uint8Array[] {
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
