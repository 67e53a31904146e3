import type { DeadLetter, DeadLetterState, StoredDeadLetter } from "../stream/types.ts"

/** What became of a letter since it was written; the letter itself is never changed. */
export type RedriveRow = Pick<
  StoredDeadLetter,
  "state" | "redrives" | "redrivenAtMs" | "settledAtMs" | "lastFailure"
>

const NEVER_REDRIVEN: RedriveRow = { state: "open", redrives: 0 }

export function encodeRedrive(row: RedriveRow): Buffer {
  return Buffer.from(JSON.stringify(row))
}

export function decodeRedrive(bytes: Buffer | undefined): RedriveRow {
  // written by encodeRedrive of this or an earlier version, by the owner of the file alone
  return bytes === undefined ? NEVER_REDRIVEN : (JSON.parse(bytes.toString()) as RedriveRow)
}

export function redriven(row: RedriveRow, nowMs: number): RedriveRow {
  return { state: "redriven", redrives: row.redrives + 1, redrivenAtMs: nowMs }
}

/** Only a letter that was put back can settle: any other failure of its bytes is a redelivery. */
export function settled(
  row: RedriveRow,
  state: Extract<DeadLetterState, "resolved" | "failed_again">,
  fields: { nowMs: number; letter?: DeadLetter },
): RedriveRow | undefined {
  if (row.state === "open" || row.state === "resolved") return undefined
  const { record: _, ...failure } = fields.letter ?? { record: undefined }
  const lastFailure = fields.letter && { lastFailure: failure as Omit<DeadLetter, "record"> }
  return { ...row, state, settledAtMs: fields.nowMs, ...lastFailure }
}
