import { expect, test } from "bun:test"
import { sessionFromCaptures } from "../../../src/evidence/read-session.ts"
import { toEvidenceDocument } from "../../../src/ml/sessions/evidence-document.ts"
import { FEATURE_TABLE } from "../../../src/ml/sessions/feature-table.ts"
import { featurize } from "../../../src/ml/sessions/featurize.ts"
import { generateSessions } from "../../../src/ml/sessions/generate-sessions.ts"

// Goal: no skew between training and serving. The forest is trained on sessions as generated and
// serves sessions as read from evidence: what it reads must be the same in both. Method: write
// each session as evidence, read it back, compare. Payload features are not its business.
test("featurize gives a session read back from its evidence the features it was generated with", () => {
  const mix = { benign: 1, attack: 1, anomalous: 1 }
  const behavioural = FEATURE_TABLE.filter(({ group }) => group !== "payload")
  for (const { session } of generateSessions({ seed: 21, count: 150, mix })) {
    const captures: unknown = JSON.parse(JSON.stringify(toEvidenceDocument(session)))
    const read = sessionFromCaptures(session.sessionId, captures)
    const served = featurize({ ...read, context: session.context })
    const trained = featurize(session)
    for (const { name } of behavioural) expect(served[name], name).toBe(trained[name] ?? Number.NaN)
  }
})
