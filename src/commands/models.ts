import { withOperations } from "./operations.ts"
import { printable } from "./printable.ts"
import { renderTable } from "./table.ts"
import type { Terminal } from "./terminal.ts"

/** A model as the API writes it. */
interface ModelDocument {
  readonly model_id: string
  readonly trained_at: string
  readonly training_samples: number
  readonly metrics: Readonly<Record<string, number>>
  readonly can_promote: boolean
  readonly promotion_reason: string
  readonly status: string
  readonly canary_percent: number
  readonly origin: string
}

interface ComparisonDocument {
  readonly live: string
  readonly figures: Readonly<Record<string, Record<"model" | "live", number | null>>>
  readonly judged_on: Record<"model" | "live", { set: string; rows: number } | null>
  readonly warnings: readonly string[]
}

interface DetailDocument extends ModelDocument {
  readonly card: string
  readonly lineage: Readonly<Record<string, unknown>>
  readonly transitions: readonly Readonly<Record<string, unknown>>[]
  readonly compared_with_live: ComparisonDocument | null
  readonly traffic: unknown
}

interface ChangeDocument {
  readonly model_id: string
  readonly state: string
  readonly canary_percent: number
  readonly compared_with_live?: ComparisonDocument
}

export interface PromoteOptions {
  readonly percent?: number
  readonly auto?: boolean
  readonly reason?: string
}

export interface RollbackOptions {
  readonly reason?: string
  readonly deep?: boolean
}

const FIGURES = ["precision", "recall", "f1", "fpr"]
const LINEAGE_SHOWN = [
  ...["parent", "code_version", "registered_at", "seed"],
  ...["training_data_sha256", "with_collected_data"],
]

/** Lists the models at hand with their states and main figures. */
export function models(options: { json?: boolean }, terminal: Terminal): Promise<number> {
  return withOperations(terminal, async (operations) => {
    const answer = (await operations.get("/models")) as { models: readonly ModelDocument[] }
    if (options.json === true) {
      await terminal.write(`${JSON.stringify(answer)}\n`)
      return 0
    }
    const head = ["model", "state", "traffic", ...FIGURES, "origin", "promotion"]
    await terminal.write(renderTable([head, ...answer.models.map(row)]))
    return 0
  })
}

function row(model: ModelDocument): readonly string[] {
  const figures = FIGURES.map((name) => model.metrics[name]?.toFixed(4) ?? "-")
  const share = `${model.canary_percent}%`
  const promotion = model.can_promote ? "possible" : model.promotion_reason
  return [model.model_id, model.status, share, ...figures, model.origin, promotion].map(printable)
}

/** Shows one model: where it comes from, what was decided about it, what it does, and its card. */
export function showModel(
  modelId: string,
  options: { json?: boolean },
  terminal: Terminal,
): Promise<number> {
  return withOperations(terminal, async (operations) => {
    const path = `/models/${encodeURIComponent(modelId)}`
    const detail = (await operations.get(path)) as DetailDocument
    if (options.json === true) {
      await terminal.write(`${JSON.stringify(detail)}\n`)
      return 0
    }
    const rows = LINEAGE_SHOWN.map((name) => [name, printable(String(detail.lineage[name] ?? "-"))])
    const state = ["state", `${detail.status}, ${detail.canary_percent}% of the sessions`]
    await terminal.write(renderTable([state, ...rows]))
    for (const { at, from, to, percent, reason } of detail.transitions) {
      await terminal.write(printable(`${at}  ${from} -> ${to} (${percent}%): ${reason}`))
      await terminal.write("\n")
    }
    const { compared_with_live: comparison } = detail
    if (comparison !== null) await terminal.write(`\n${sideBySide(modelId, comparison)}`)
    if (detail.traffic !== null) {
      await terminal.write(`\n${JSON.stringify(detail.traffic, null, 2)}\n`)
    }
    await terminal.write(`\n${detail.card}`)
    return 0
  })
}

/** Gives a model its share of the traffic; a running server does so at once, else the next one. */
export function promoteModel(
  modelId: string,
  options: PromoteOptions,
  terminal: Terminal,
): Promise<number> {
  const { percent, auto = false, reason } = options
  const body = {
    model_id: modelId,
    // by itself it begins with the smallest share, whatever is asked for
    canary_percent: percent ?? (auto ? 1 : 100),
    auto,
    ...(reason !== undefined && { reason }),
  }
  return change("/models/promote", body, terminal)
}

/** Ends a trial, brings back the model that was live before, or takes the second tier away. */
export function rollbackModel(options: RollbackOptions, terminal: Terminal): Promise<number> {
  const { reason, deep = false } = options
  const body = { ...(reason !== undefined && { reason }), ...(deep && { tier: "deep" }) }
  return change("/models/rollback", body, terminal)
}

function change(path: string, body: object, terminal: Terminal): Promise<number> {
  return withOperations(terminal, async (operations) => {
    const changed = (await operations.post(path, body)) as ChangeDocument
    const { model_id, state, canary_percent, compared_with_live: comparison } = changed
    const when = operations.isRunning ? "now" : "from the next start"
    const has = model_id.startsWith("payload-deep/") ? "has its say in" : "answers"
    const text = `${model_id} is ${state} and ${has} ${canary_percent}% of the sessions ${when}`
    await terminal.write(`${printable(text)}\n`)
    if (comparison !== undefined) terminal.note(sideBySide(model_id, comparison))
    return 0
  })
}

/** What is registered of both, and what speaks against the model. */
function sideBySide(modelId: string, compared: ComparisonDocument): string {
  const { live, figures, judged_on: on, warnings } = compared
  const set = (judged: ComparisonDocument["judged_on"]["model"]) =>
    judged === null ? "-" : `${judged.set} (${judged.rows})`
  const rows = Object.entries(figures).map(([figure, { model, live: ofLive }]) => {
    return [figure, model?.toFixed(4) ?? "-", ofLive?.toFixed(4) ?? "-"]
  })
  const head = ["", modelId, live]
  const table = [head, ...rows, ["measured on", set(on.model), set(on.live)]]
  const said = warnings.map((warning) => `warning: ${printable(warning)}\n`)
  return `${renderTable(table.map((cells) => cells.map(printable)))}${said.join("")}`
}
