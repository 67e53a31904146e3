import type { DeadLetters, RedriveFailure, RedriveReport, RedriveRequest } from "../api/parts.ts"
import { systemClock, withDeadline } from "../clock.ts"
import type { Config } from "../config.ts"
import { INBOX_TOPIC } from "../connectors/inbox-source.ts"
import { kafkaClient } from "../connectors/kafka-client.ts"
import { inboxRedrive, kafkaRedrive, type RedriveTarget } from "../connectors/redrive.ts"
import { publicError, SentinelError, UnavailableError } from "../errors.ts"
import type { Clock } from "../ports.ts"
import type { DataDirectoryPaths } from "../store/data-directory.ts"
import type { DeadLetterStore } from "../store/dead-letter-store.ts"
import type { StoredDeadLetter } from "../stream/types.ts"

export interface DeadLetterParts {
  readonly store: Pick<DeadLetterStore, "list" | "get" | "cursorAfter" | "markRedriven">
  readonly inbox: RedriveTarget
  /** Undefined where no Kafka is configured. */
  readonly kafka: RedriveTarget | undefined
  readonly clock: Clock
}

/** After this no further letter is begun: the answer says where to go on. */
const BUDGET_MS = 4_000
const SEND_TIMEOUT_MS = 4_000

/**
 * Dead letters to look at and to put back. One redrive at a time, so that two callers cannot put the
 * same letter back at once. A letter is marked after its record is durable: a crash in between may
 * put it back twice, which the flow's idempotency absorbs.
 */
export function deadLetterAccess(parts: DeadLetterParts): DeadLetters {
  let last: Promise<unknown> = Promise.resolve()
  return {
    list: (query) => parts.store.list(query),
    get: (id) => parts.store.get(id),
    redrive(request) {
      const run = last.then(() => redrive(parts, request))
      last = run.catch(() => undefined)
      return run
    },
  }
}

/** The same, with its targets as configured; connects to Kafka when a record first goes there. */
export function openDeadLetterAccess(
  { config, paths, store }: OpenParts,
  stack: AsyncDisposableStack,
): DeadLetters {
  const brokers = config.kafka?.brokers
  const kafka = brokers && kafkaRedrive(kafkaClient({ brokers, clientId: "sentinel-redrive" }))
  if (kafka !== undefined) stack.defer(() => kafka.close())
  return deadLetterAccess({ store, inbox: inboxRedrive(paths.inbox), kafka, clock: systemClock })
}

interface OpenParts {
  readonly config: Pick<Config, "kafka">
  readonly paths: Pick<DataDirectoryPaths, "inbox">
  readonly store: DeadLetterParts["store"]
}

async function redrive(parts: DeadLetterParts, request: RedriveRequest): Promise<RedriveReport> {
  const { letters, unknown, cursor } = select(parts.store, request)
  const redriven: string[] = []
  const skipped: string[] = []
  const failed: RedriveFailure[] = [...unknown]
  const deadlineMs = parts.clock.nowMs() + BUDGET_MS
  for (const [index, letter] of letters.entries()) {
    if (letter.state !== "open" && request.again !== true) skipped.push(letter.id)
    else {
      const failure = await putBack(parts, letter)
      if (failure === undefined) redriven.push(letter.id)
      else failed.push(failure)
    }
    const isOver = parts.clock.nowMs() >= deadlineMs || failed.at(-1)?.code === "UNAVAILABLE"
    if (isOver && index < letters.length - 1) {
      const rest = request.ids === undefined ? parts.store.cursorAfter(letter) : undefined
      return { redriven, skipped, failed, isComplete: false, cursor: rest }
    }
  }
  return { redriven, skipped, failed, isComplete: cursor === undefined, cursor }
}

interface Selection {
  readonly letters: readonly StoredDeadLetter[]
  readonly unknown: readonly RedriveFailure[]
  readonly cursor: string | undefined
}

function select(store: DeadLetterParts["store"], request: RedriveRequest): Selection {
  if (request.ids === undefined) {
    const { items, cursor } = store.list(request)
    return { letters: items, unknown: [], cursor }
  }
  const found = request.ids.map((id) => ({ id, letter: store.get(id) }))
  const missing = { code: "NOT_FOUND", message: "there is no such dead letter" }
  return {
    letters: found.flatMap(({ letter }) => letter ?? []),
    unknown: found.flatMap(({ id, letter }) => (letter ? [] : [{ id, ...missing }])),
    cursor: undefined,
  }
}

async function putBack(
  parts: DeadLetterParts,
  letter: StoredDeadLetter,
): Promise<RedriveFailure | undefined> {
  const { record, id } = letter
  const target = record.topic === INBOX_TOPIC ? parts.inbox : parts.kafka
  try {
    if (target === undefined)
      throw new UnavailableError("kafka (KAFKA_BOOTSTRAP_SERVERS is not set)")
    // the client repeats a request for longer than whoever called waits for an answer
    await withDeadline({ ms: SEND_TIMEOUT_MS, clock: parts.clock }, target.send(letter), () => {
      throw new UnavailableError("the origin of the record")
    })
    await parts.store.markRedriven(id)
    return undefined
  } catch (error) {
    if (!(error instanceof SentinelError)) throw error
    const { code, message } = publicError(error)
    return { id, code, message }
  }
}
