import {
  type ReportAttempt,
  TWIN_LIMITS,
  type TwinAttempt,
  type TwinEffect,
  type TwinEffectKind,
  type TwinRequest,
} from "../../twin-protocol.ts"
import { defineTwin, type Findings } from "../define-twin.ts"
import { decodeForm, isFormEncoded } from "../form-encoding.ts"
import { isHostLeft } from "./host-guard.ts"
import { FRAMES_DEPTH_MAX, inspectPage, openPage, type ScriptOrigin } from "./page.ts"
import type { PageSurface } from "./page-surface.ts"
import { fillPage, fillPages, PAGE_TEMPLATES, type PageTemplate } from "./page-templates.ts"

const CONTROL_VALUE = "example"
const EFFECTS_MAX = 8
const KINDS: Readonly<Record<ScriptOrigin, TwinEffectKind>> = {
  script: "script_run",
  handler: "handler_reachable",
}

/**
 * Puts a payload into pages, in each context that HTML and script have, and opens them in jsdom.
 *
 * Only for a process that is used once, inside a sandbox: scripts really run.
 */
export const domTwin = defineTwin({
  class: "xss",
  effects: ["script_run", "handler_reachable"],
  templates: PAGE_TEMPLATES.map(({ name }) => name),
  async prepare() {
    ignoreErrorsOfPages()
    const warm = PAGE_TEMPLATES.slice(0, 1)
    inspectPage(fillPages(warm, CONTROL_VALUE))
    await controlAll(warm, { canary: "warm" })
  },
  async simulate(request, _workDirectory, report) {
    ignoreErrorsOfPages()
    return tryTemplates(request, report)
  },
})

async function tryTemplates(
  request: TwinRequest,
  report: ReportAttempt | undefined,
): Promise<Findings> {
  const deadlineMs = Date.now() + request.budgetMs
  const templates = chooseTemplates(request)
  const attempts: TwinAttempt[] = []
  let [tried, isControlled] = [0, false]
  for (const template of templates) {
    if (isHostLeft() || isEnough(attempts, template)) break
    if (Date.now() > deadlineMs) {
      const inconclusive = attempts.length === 0 ? "budget_exceeded" : undefined
      return { tried, attempts, control: [], inconclusive }
    }
    tried += 1
    const markup = activeMarkup(template, request.payload)
    if (markup === undefined) continue
    // before the first page of the payload, which may own the process afterwards
    const control = isControlled ? [] : await controlAll(templates, request)
    if (control.length > 0) return { tried, attempts, control, inconclusive: "control_failed" }
    isControlled = true
    attempts.push(...(await openTemplate(markup, { template, canary: request.canary, report })))
  }
  return { tried, attempts, control: [] }
}

/** Whether another context could only repeat what is known. */
function isEnough(attempts: readonly TwinAttempt[], { isUrlDecoded }: PageTemplate): boolean {
  return attempts.length >= TWIN_LIMITS.provingTemplates || (isUrlDecoded && attempts.length > 0)
}

/** Those that decode come last, and only where that makes a difference. */
function chooseTemplates({ templates, payload }: TwinRequest): readonly PageTemplate[] {
  return PAGE_TEMPLATES.filter(
    ({ name, isUrlDecoded }) =>
      (templates?.includes(name) ?? true) && (!isUrlDecoded || isFormEncoded(payload)),
  )
}

/** The page, where it has a script that the payload could have touched. */
function activeMarkup(template: PageTemplate, payload: string): string | undefined {
  const value = template.isUrlDecoded ? decodeForm(payload) : payload
  const markup = fillPage(template, value)
  const canRun = template.leaves?.test(value) ?? isActive(inspectPage(markup))
  return canRun ? markup : undefined
}

/** A harmless value in all the contexts that are asked for, in one page. */
function controlAll(
  templates: readonly PageTemplate[],
  { canary }: Pick<TwinRequest, "canary">,
): Promise<readonly TwinAttempt[]> {
  return openTemplate(fillPages(templates, CONTROL_VALUE), {
    template: { name: "control" },
    canary,
  })
}

/** Whether a page could run more than the script that every template begins with. */
function isActive(surface: PageSurface, depth = 0): boolean {
  const { handlers, links, remoteScripts, codes, scripts, frames, hasNoScript } = surface
  const ownScripts = depth === 0 ? 1 : 0
  const hasCode = [handlers, links, remoteScripts, codes].some((list) => list.length > 0)
  if (hasNoScript || hasCode || scripts > ownScripts) return true
  return depth < FRAMES_DEPTH_MAX && frames.some((frame) => isActive(inspectPage(frame), depth + 1))
}

interface Opening {
  readonly template: Pick<PageTemplate, "name">
  readonly canary: string
  readonly report?: ReportAttempt | undefined
}

/**
 * Reports at the first effect: a script that goes on for ever has had it by then. The report is made
 * before the page is opened, and sent before its values are looked at: neither can be altered by it.
 */
async function openTemplate(
  markup: string,
  { template, canary, report }: Opening,
): Promise<readonly TwinAttempt[]> {
  const effects: TwinEffect[] = []
  const program = markup.slice(0, TWIN_LIMITS.programCharactersMax)
  const attempt = { template: template.name, program, effects }
  const ready = (origin: ScriptOrigin) =>
    once(report?.({ ...attempt, effects: [toEffect(origin, "the payload's code ran")] }))
  const send = { script: ready("script"), handler: ready("handler") }
  await openPage(markup, {
    cookie: canary,
    onScript(origin, describe) {
      send[origin]()
      const effect = toEffect(origin, describe())
      if (effects.length >= EFFECTS_MAX || effects.some((one) => one.detail === effect.detail))
        return
      effects.push(effect)
    },
  })
  return effects.length === 0 ? [] : [attempt]
}

function once(send: (() => void) | undefined): () => void {
  let isSent = false
  return () => {
    if (isSent) return
    send?.() // fails where the page has used up the stack; then the page fails with it
    isSent = true
  }
}

function toEffect(origin: ScriptOrigin, what: string): TwinEffect {
  return { kind: KINDS[origin], detail: what.slice(0, TWIN_LIMITS.detailCharactersMax) }
}

/** What a page throws or rejects behind our back must not end the process. */
function ignoreErrorsOfPages(): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    if (process.listenerCount(event) === 0) process.on(event, () => {})
  }
}
