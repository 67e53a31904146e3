import { jsonLine } from "../json-line.ts"
import { type Operations, withOperations } from "./operations.ts"
import { printable, printableBytes } from "./printable.ts"
import { renderTable } from "./table.ts"
import type { Terminal } from "./terminal.ts"

export interface LetterOptions {
  readonly code?: string
  readonly since?: string
  readonly limit: number
  readonly json?: boolean
}

export interface RedriveOptions extends LetterOptions {
  readonly again?: boolean
  readonly all?: boolean
}

/** A dead letter as the API writes it. */
interface LetterDocument {
  readonly id: string
  readonly code: string
  readonly operator: string
  readonly message: string
  readonly failed_at: string
  readonly state: string
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly [field: string]: unknown
}

interface Page {
  readonly dead_letters: readonly LetterDocument[]
  readonly cursor: string | null
}

interface Report {
  readonly redriven: readonly string[]
  readonly skipped: readonly string[]
  readonly failed: readonly { id: string; code: string; message: string }[]
  readonly complete: boolean
  readonly cursor: string | null
}

/** Letters of one request: a page of large ones stays small. */
const PAGE_MAX = 100
const ID_CHARACTERS_SHOWN = 12
/** Exit code of a command line that is not understood. */
const USAGE = 2

/** Lists dead letters, newest first. */
export function listDeadLetters(options: LetterOptions, terminal: Terminal): Promise<number> {
  return withOperations(terminal, async (operations) => {
    const letters = await collect(operations, options)
    if (options.json === true) {
      for (const letter of letters) await terminal.write(jsonLine(letter))
      return 0
    }
    const rows = letters.map((letter) => [
      letter.id.slice(0, ID_CHARACTERS_SHOWN),
      ...[letter.failed_at, letter.code, letter.operator, letter.state, placeOf(letter)],
      letter.message,
    ])
    const header = ["ID", "FAILED AT", "CODE", "OPERATOR", "STATE", "FROM", "WHY"]
    const table = renderTable([header, ...rows.map((row) => row.map(printable))])
    await terminal.write(letters.length === 0 ? "no dead letters\n" : table)
    return 0
  })
}

/** Prints one letter and its original bytes, with what a terminal would obey escaped. */
export function showDeadLetter(
  id: string,
  options: { json?: boolean },
  terminal: Terminal,
): Promise<number> {
  return withOperations(terminal, async (operations) => {
    const whole = await completeId(operations, id)
    const letter = (await operations.get(`/dead-letters/${whole}`)) as LetterDocument
    if (options.json === true) {
      await terminal.write(jsonLine(letter))
      return 0
    }
    const { value_base64: value, ...fields } = letter
    const rows = Object.entries(fields).map(([name, field]) => [name, printable(shown(field))])
    const bytes = printableBytes(Buffer.from(String(value), "base64"))
    await terminal.write(`${renderTable(rows)}\n${bytes}\n`)
    return 0
  })
}

/**
 * Puts letters back where they came from: those named, or all that the filters find.
 * @returns 0; 1 if one of them could not be put back; 2 where nothing says which: all by mistake
 *   would be a flood
 */
export function redriveDeadLetters(
  ids: readonly string[],
  options: RedriveOptions,
  terminal: Terminal,
): Promise<number> {
  if (ids.length === 0 && options.all !== true && Object.keys(filters(options)).length === 0) {
    terminal.note("sentinel: redrive needs ids, --code, --since or --all\n")
    return Promise.resolve(USAGE)
  }
  return withOperations(terminal, async (operations) => {
    const named = await Promise.all(ids.map((id) => completeId(operations, id)))
    const report = await redriveAll(operations, named, options)
    if (options.json === true) await terminal.write(jsonLine(report))
    else await terminal.write(reportText(report))
    return report.failed.length > 0 ? 1 : 0
  })
}

async function collect(operations: Operations, options: LetterOptions) {
  const letters: LetterDocument[] = []
  let cursor: string | null = null
  do {
    const query: URLSearchParams = new URLSearchParams(filters(options))
    query.set("limit", String(Math.min(PAGE_MAX, options.limit - letters.length)))
    if (cursor !== null) query.set("cursor", cursor)
    const page = (await operations.get(`/dead-letters?${query}`)) as Page
    letters.push(...page.dead_letters)
    cursor = page.cursor
  } while (cursor !== null && letters.length < options.limit)
  return letters
}

function filters({ code, since }: LetterOptions): Record<string, string> {
  return { ...(code !== undefined && { code }), ...(since !== undefined && { since }) }
}

/** An id may be given by its first characters, as `list` shows it. */
async function completeId(operations: Operations, id: string): Promise<string> {
  if (!/^[0-9a-f]{6,63}$/.test(id)) return encodeURIComponent(id)
  const letters = await collect(operations, { limit: COMPLETED_MAX })
  const matching = letters.filter((letter) => letter.id.startsWith(id))
  return matching.length === 1 ? (matching[0]?.id ?? id) : id
}

/** How far back a shortened id is looked for. */
const COMPLETED_MAX = 10_000

type Counts = Pick<Report, "redriven" | "skipped" | "failed">

/** The server puts back what it can in a few seconds and says where to go on. */
async function redriveAll(
  operations: Operations,
  ids: readonly string[],
  options: RedriveOptions,
): Promise<Counts> {
  const total: { [Name in keyof Counts]: Counts[Name][number][] } = {
    ...{ redriven: [], skipped: [], failed: [] },
  }
  let left = ids.length > 0 ? ids.length : options.limit
  let cursor: string | null = null
  let waiting = ids
  do {
    const limit = Math.min(PAGE_MAX, left)
    const selection = ids.length > 0 ? { ids: waiting.slice(0, limit) } : filters(options)
    const again = options.again === true && { again: true }
    const from = cursor !== null && { cursor }
    const body = { ...selection, ...again, ...from, limit }
    const report = (await operations.post("/dead-letters/redrive", body)) as Report
    total.redriven.push(...report.redriven)
    total.skipped.push(...report.skipped)
    total.failed.push(...report.failed)
    const seen = new Set([...report.redriven, ...report.skipped])
    for (const { id } of report.failed) seen.add(id)
    waiting = waiting.filter((id) => !seen.has(id))
    left -= seen.size
    cursor = report.cursor
    const isOver = ids.length > 0 ? waiting.length === 0 : report.complete
    const isStuck = seen.size === 0 && cursor === null
    // what is not there for one letter will not be there for the next one either
    if (isOver || isStuck || report.failed.some(({ code }) => code === "UNAVAILABLE")) break
  } while (left > 0)
  return total
}

function reportText({ redriven, skipped, failed }: Counts): string {
  const lines = failed.map(({ id, code, message }) =>
    printable(`${id.slice(0, ID_CHARACTERS_SHOWN)}  ${code}: ${message}`),
  )
  const done = `${redriven.length} put back, ${failed.length} failed`
  const left = skipped.length > 0 ? `, ${skipped.length} put back before (--again repeats)` : ""
  return `${[...lines, `${done}${left}`].join("\n")}\n`
}

function placeOf({ topic, partition, offset }: LetterDocument): string {
  return `${topic}/${partition}@${offset}`
}

function shown(field: unknown): string {
  return typeof field === "string" ? field : JSON.stringify(field)
}
