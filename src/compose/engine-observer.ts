import type { RejectedFile } from "../connectors/inbox-source.ts"
import { VERDICT_TOPIC } from "../connectors/kafka-sink.ts"
import type { Verdict, VerdictWord } from "../events.ts"
import type { Logger } from "../log.ts"
import type { ModelInfo } from "../ports.ts"
import type { DeadLetter, EngineObserver, SourceRecord } from "../stream/types.ts"
import type { Telemetry } from "../telemetry.ts"
import { EngineMeter } from "./engine-meter.ts"
import type { Models } from "./models.ts"

/** Operators whose work on evidence existing dashboards count, and the word they know it by. */
const EVIDENCE_OPERATIONS: ReadonlyMap<string, string> = new Map([
  ["fetch_evidence", "fetch"],
  ["verify_integrity", "verify"],
  ["record_verdict", "store"],
])

export interface EngineCounts {
  readonly verdicts: Record<VerdictWord, number>
  deadLetters: number
}

export interface ObservedEngine {
  readonly observer: EngineObserver
  readonly counts: EngineCounts
  readonly meter: EngineMeter
  readonly onRecorded: (verdict: Verdict) => void
  /** For files of the inbox that never became records. */
  readonly onRejected: (file: RejectedFile) => void
}

interface ObserverParts {
  readonly telemetry: Telemetry
  readonly models: Models
  readonly log: Logger
  /** Told of each record that went through. */
  readonly onDone?: (record: SourceRecord) => void
}

/** Counts for GET stats, every event of the engine on to the metrics, and dead letters to the log. */
export function observeEngine({ telemetry, models, log, onDone }: ObserverParts): ObservedEngine {
  const counts: EngineCounts = {
    verdicts: { simulate: 0, tag: 0, benign: 0 },
    deadLetters: 0,
  }
  // asked each time: the payload model may be another one by then
  const inferences = new Map<string, { readonly info: ModelInfo }>([
    ["classify_payloads", models.classifier],
    ["score_anomaly", models.anomaly],
  ])
  const meter = new EngineMeter()
  const observer: EngineObserver = {
    operatorDone(operator, outcome, seconds) {
      telemetry.operatorDone(operator, outcome, seconds)
      meter.count(operator, outcome, seconds)
      const model = inferences.get(operator)
      if (model !== undefined) telemetry.inferred(model.info.modelId, seconds)
      const operation = EVIDENCE_OPERATIONS.get(operator)
      if (operation !== undefined) telemetry.evidenceOperation(operation, outcome)
      if (operator === "publish_verdict") {
        telemetry.kafkaMessage(VERDICT_TOPIC, outcome === "ok" ? "produced" : "failed")
      }
    },
    retried: telemetry.retried,
    deadLettered(letter) {
      counts.deadLetters += 1
      telemetry.deadLettered(letter)
      logDeadLetter(log, letter)
    },
    recordDone(record, outcome, seconds) {
      telemetry.recordDone(record, outcome, seconds)
      if (outcome === "done") onDone?.(record)
      if (record.topic !== "inbox") telemetry.kafkaMessage(record.topic, "consumed")
    },
    batched: telemetry.batched,
    committed: telemetry.committed,
    transacted(partition, messages) {
      telemetry.transacted(partition)
      for (const { topic } of messages) {
        telemetry.kafkaMessage(topic, "produced")
        // a staged sink is not called: its transaction is what it has done
        if (topic === VERDICT_TOPIC) meter.count("publish_verdict", "ok", 0)
      }
    },
    partitionChanged: telemetry.partitionChanged,
  }
  const onRecorded = ({ verdict }: Verdict) => {
    counts.verdicts[verdict] += 1
    telemetry.verdictReached(verdict)
  }
  const onRejected = ({ file, code, message }: RejectedFile) => {
    telemetry.evidenceOperation("inbox", "failed")
    log.warn("a file of the inbox is refused", { file, code, reason: message })
  }
  return { observer, counts, meter, onRecorded, onRejected }
}

/** `INTERNAL` is a bug of ours, and louder. */
function logDeadLetter(
  log: Logger,
  { code, operator, message, attempts, record }: DeadLetter,
): void {
  const { topic, partition, headers } = record
  const place = { topic, partition, offset: Number(record.offset), file: headers.file }
  const write = code === "INTERNAL" ? log.error : log.warn
  write("dead letter", { code, operator, reason: message, attempts, ...place })
}

export const observeNothing: EngineObserver = {
  operatorDone: () => undefined,
  retried: () => undefined,
  deadLettered: () => undefined,
  recordDone: () => undefined,
  committed: () => undefined,
}
