import type {
  ReportAttempt,
  SimulatedClass,
  Twin,
  TwinAnswer,
  TwinAttempt,
} from "../twin-protocol.ts"
import { encodeLine, readLines, writeBytes, writeLine } from "./lines.ts"
import { loadTwin } from "./load-twin.ts"
import { parseTwinRequest } from "./twin-request.ts"

const STDOUT = 1

/**
 * What the child of `twin serve` writes: nothing counts without the nonce of its request, which no
 * program that a payload starts is given.
 */
export interface TwinMessage {
  readonly nonce: string
  readonly attempt?: TwinAttempt
  readonly answer?: TwinAnswer
}

/**
 * `twin run CLASS`: a ready line, one request, one answer. A request of `twin serve` carries a
 * `nonce` beside its fields and is answered with messages instead.
 */
export async function runTwin(twinClass: SimulatedClass, workDirectory: string): Promise<void> {
  const twin = await loadTwin(twinClass)
  await twin.prepare?.()
  writeLine(STDOUT, { ready: true, class: twinClass })
  for await (const line of readLines(Bun.stdin.stream())) {
    await answerLine(twin, line ?? "", workDirectory)
    return
  }
}

async function answerLine(twin: Twin, line: string, workDirectory: string): Promise<void> {
  const parsed = parseTwinRequest(line)
  if ("problem" in parsed) return writeLine(STDOUT, { error: parsed.problem })
  if (parsed.request.class !== twin.class) {
    return writeLine(STDOUT, { error: "class is not the one of this twin" })
  }
  const nonce = nonceOf(line)
  const report = nonce === undefined ? undefined : reporter(nonce)
  const answer = await twin.run(parsed.request, workDirectory, report)
  writeLine(STDOUT, nonce === undefined ? answer : { nonce, answer })
}

function reporter(nonce: string): ReportAttempt {
  return (attempt) => {
    const line = encodeLine({ nonce, attempt })
    return () => writeBytes(STDOUT, line)
  }
}

function nonceOf(line: string): string | undefined {
  const { nonce } = JSON.parse(line) as { nonce?: unknown }
  return typeof nonce === "string" ? nonce : undefined
}
