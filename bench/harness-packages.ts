import { toEvidenceDocument } from "../src/ml/sessions/evidence-document.ts"
import { generateSessions } from "../src/ml/sessions/generate-sessions.ts"

export interface EvidencePackage {
  readonly sessionId: string
  /** An evidence document whose manifest verifies. */
  readonly bytes: Uint8Array
}

const SEED = 20_261_124
/** What a honeypot sees more of than a shop does. */
const MIX = { benign: 2, attack: 2, anomalous: 1 }

/** Seeded evidence packages, the same on every machine. */
export function evidencePackages(count: number): readonly EvidencePackage[] {
  const encoder = new TextEncoder()
  return Array.from(generateSessions({ seed: SEED, count, mix: MIX }), ({ session }, index) => {
    const sessionId = `${session.sessionId}-${index}`
    const document = toEvidenceDocument({ ...session, sessionId })
    return { sessionId, bytes: encoder.encode(JSON.stringify(document)) }
  })
}
