import type { Alert, AlertGroup, AlertOccurrence, GroupMemory } from "../../src/alert.ts"
import { alertDocument } from "../../src/alerts/alert-document.ts"
import { foldOccurrence } from "../../src/alerts/group-occurrences.ts"

/** A verdict of a scanner, with the fields that a test is about. */
export function someOccurrence(fields: Partial<AlertOccurrence> = {}): AlertOccurrence {
  return {
    word: "simulate",
    id: "event-1",
    sessionId: "session-1",
    attacker: "203.0.113.9",
    campaign: { name: "sqlmap", by: "tool" },
    score: 0.9,
    severity: undefined,
    techniques: ["T1190"],
    ...fields,
  }
}

/** Remembers in memory. */
export function setMemory(): GroupMemory {
  const known = new Set<string>()
  return {
    isNew(groupId, thing) {
      const isNew = !known.has(`${groupId} ${thing}`)
      known.add(`${groupId} ${thing}`)
      return isNew
    },
  }
}

/** The group that one occurrence opens. */
export function someGroup(fields: Partial<AlertOccurrence> = {}, nowMs = 0): AlertGroup {
  const folding = { open: new Map(), memory: setMemory(), nowMs, attackersMax: 5 }
  const change = foldOccurrence(someOccurrence(fields), folding)
  if (change === undefined) throw new Error("nothing was opened")
  return change.group
}

export function someAlert(fields: Partial<Alert> = {}): Alert {
  return { ...alertDocument(someGroup(), "opened"), ...fields }
}
