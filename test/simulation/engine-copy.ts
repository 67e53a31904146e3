import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { EngineModules } from "./member.ts"
import type { WorldOptions } from "./world.ts"

const STREAM = join(import.meta.dir, "../../src/stream")
const ERRORS = join(import.meta.dir, "../../src/errors.ts")

export interface WorldMutation {
  readonly name: string
  readonly breaks: string
  readonly world: Partial<WorldOptions>
}

/** Breaks of what the engine's promises rest on outside it. */
export const WORLD_MUTATIONS: readonly WorldMutation[] = [
  {
    name: "no-fencing",
    breaks: "the broker takes the transaction of an owner that has been replaced",
    world: { fences: false },
  },
  {
    name: "no-dedupe",
    breaks: "the store overwrites what an event was first given",
    world: { isStoreIdempotent: false },
  },
]

/** A deliberate break of the engine: `text` must stand in `file` exactly once. */
export interface Mutation {
  readonly name: string
  readonly breaks: string
  readonly file: string
  readonly text: string
  readonly instead: string
}

/** Each breaks one promise; the simulation must notice every one of them. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "commit-before-sinks",
    breaks: "the offset is committed before the sinks have acknowledged",
    file: "stream/partition.ts",
    text: "    this.#inFlight += 1\n    return journey",
    instead:
      "    this.#watermark.finish(journey.ticket)\n    this.#inFlight += 1\n    return journey",
  },
  {
    name: "highest-finished",
    breaks: "the watermark is the highest finished offset, not the lowest unfinished one",
    file: "stream/watermark.ts",
    text: "    ticket.finished = true\n",
    instead:
      "    ticket.finished = true\n    if (ticket.offset > (this.#passed ?? -1n)) this.#passed = ticket.offset\n",
  },
  {
    name: "no-lanes",
    breaks: "records of one key run at once",
    file: "stream/partition.ts",
    text: "if (key !== null && this.#lanes.has(key)) {",
    instead: "if (key !== null && this.#lanes.size > 1e9) {",
  },
  {
    name: "staged-beside-letter",
    breaks: "what a failed record had staged goes out beside its dead letter",
    file: "stream/engine.ts",
    text: "journey.staged = undefined",
    instead: "void journey.staged",
  },
  {
    name: "never-resume",
    breaks: "a partition that was held at its source stays held",
    file: "stream/engine.ts",
    text: "if (partition.release()) partition.source.resume(partition.id)",
    instead: "partition.release()",
  },
  {
    name: "outbox-emptied-early",
    breaks: "messages are forgotten before they were sent",
    file: "stream/partition.ts",
    text: "    await work({",
    instead: "    this.#forgetSent(messages)\n    await work({",
  },
  {
    name: "outbox-kept",
    breaks: "messages stay after they were sent",
    file: "stream/partition.ts",
    text: "this.#outbox.splice(0, messages.length)",
    instead: "this.#outbox.slice(0, messages.length)",
  },
  {
    name: "publisher-not-awaited",
    breaks: "the offset is committed while the messages before it are still being published",
    file: "stream/delivery.ts",
    text: "await this.#parts.publisher?.publish(progress.messages)",
    instead: "this.#parts.publisher?.publish(progress.messages).catch(() => undefined)",
  },
  {
    name: "lost-partition-kept",
    breaks: "a partition whose transaction may have succeeded is committed again",
    file: "stream/delivery.ts",
    text: "if (!(error instanceof PartitionLostError)) return",
    instead: "if (error instanceof PartitionLostError) return",
  },
  {
    name: "give-up-on-letters",
    breaks: "a record that was abandoned before its dead letter was written counts as finished",
    file: "stream/engine.ts",
    text: 'if (journey.signal.aborted) return "abandoned"',
    instead: 'if (journey.signal.aborted) return "dead_letter"',
  },
  {
    name: "impatient-sinks",
    breaks: "a sink that is down for a while gets no second try",
    file: "stream/execute.ts",
    text: "attemptsMax: Number.POSITIVE_INFINITY",
    instead: "attemptsMax: 1",
  },
]

/** The engine as it is, or a copy of src/stream with one break in it. */
export async function loadEngine(mutation?: Mutation): Promise<EngineModules> {
  if (mutation === undefined) return importEngine(STREAM)
  const copy = mkdtempSync(join(tmpdir(), "sentinel-mutation-"))
  try {
    // the errors stay the same classes, so that `instanceof` means the same in the copy
    writeFileSync(join(copy, "errors.ts"), `export * from ${JSON.stringify(ERRORS)}\n`)
    cpSync(STREAM, join(copy, "stream"), { recursive: true })
    breakFile(join(copy, mutation.file), mutation)
    return await importEngine(join(copy, "stream"))
  } finally {
    rmSync(copy, { recursive: true })
  }
}

async function importEngine(directory: string): Promise<EngineModules> {
  const { Engine } = await import(join(directory, "engine.ts"))
  const { Dataflow } = await import(join(directory, "dataflow.ts"))
  return { Engine, Dataflow }
}

/** @throws Error when the text to replace is not there exactly once: the break would be none */
function breakFile(path: string, { name, file, text, instead }: Mutation): void {
  const parts = readFileSync(path, "utf8").split(text)
  if (parts.length !== 2) throw new Error(`mutation ${name}: its text is not in ${file} once`)
  writeFileSync(path, parts.join(instead))
}
