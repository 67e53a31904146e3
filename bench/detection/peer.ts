import { MalformedError, UnavailableError } from "../../src/errors.ts"
import type { LabelledPayload } from "../../src/ml/evaluation/labelled-payloads.ts"

/** What a peer says of one text. */
export interface PeerJudgement {
  /** A payload class, `other_attack` or `benign`. */
  readonly class: string
  /** Higher = more like an attack, in the peer's own unit; null where it has none. */
  readonly score: number | null
  /** Wall clock of this text alone; null where it was not timed. */
  readonly microseconds: number | null
}

/** A detector of others, installed. */
export interface Peer {
  readonly name: string
  /** Program and arguments: rows as JSON lines in, as many judgements out. */
  readonly command: readonly string[]
}

/** A detector that this machine could not install, and why. */
export interface MissingPeer {
  readonly name: string
  readonly reason: string
}

const TIMEOUT_MS = 20 * 60_000
const REASON_CHARS_MAX = 200

/**
 * What the peer says of each text, in their order.
 * @throws UnavailableError where it ends early or takes longer than twenty minutes
 */
export async function judgeByPeer(
  peer: Peer,
  rows: readonly Pick<LabelledPayload, "text" | "kind">[],
): Promise<readonly PeerJudgement[]> {
  if (rows.length === 0) return []
  const lines = rows.map(({ text, kind = "param" }) =>
    JSON.stringify({ text: text.toWellFormed(), kind }),
  )
  const output = await runTool(peer.command, { input: `${lines.join("\n")}\n` })
  const judgements = output.trimEnd().split("\n").map(parseJudgement)
  if (judgements.length !== rows.length) throw new UnavailableError(peer.name)
  return judgements
}

/**
 * Runs a program to its end and gives what it printed.
 * @throws UnavailableError with the last line of its complaints as the cause
 */
export async function runTool(
  command: readonly string[],
  options: {
    readonly input?: string
    readonly cwd?: string
    readonly env?: Readonly<Record<string, string | undefined>>
  } = {},
): Promise<string> {
  const { input = "", cwd, env } = options
  const [program = ""] = command
  if (Bun.which(program) === null) throw new UnavailableError(program, `no ${program} here`)
  const child = Bun.spawn([...command], {
    stdin: new TextEncoder().encode(input),
    stdout: "pipe",
    stderr: "pipe",
    timeout: TIMEOUT_MS,
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
  })
  const [output, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) {
    const reason = complaints.trimEnd().split("\n").at(-1) ?? ""
    throw new UnavailableError(program, reason.slice(0, REASON_CHARS_MAX))
  }
  return output
}

function parseJudgement(line: string): PeerJudgement {
  const { class: name, score, us } = JSON.parse(line) as Record<string, unknown>
  if (typeof name !== "string") throw new MalformedError("judgement.class", "a string")
  return {
    class: name,
    score: typeof score === "number" ? score : null,
    microseconds: typeof us === "number" ? us : null,
  }
}
