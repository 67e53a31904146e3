import {
  TWIN_LIMITS,
  type Twin,
  type TwinAnswer,
  type TwinAttempt,
  type TwinEffect,
  type TwinEffectKind,
  type TwinInconclusive,
  type TwinRequest,
} from "../../twin-protocol.ts"
import { decodeForm, isFormEncoded } from "../form-encoding.ts"
import { inspectPage, openPage, type ScriptOrigin } from "./page.ts"
import type { PageSurface } from "./page-surface.ts"
import { fillPage, PAGE_TEMPLATES, type PageTemplate } from "./page-templates.ts"

const CONTROL_VALUE = "example"
const EFFECTS_MAX = 8
const KINDS: Readonly<Record<ScriptOrigin, TwinEffectKind>> = {
  script: "script_run",
  handler: "handler_reachable",
}

type Report = (attempt: TwinAttempt) => void

/** What the control did, run while the process waits for its one request. */
let control: Promise<readonly TwinAttempt[]> | undefined

/**
 * Puts a payload into pages, in each context that HTML and script have, and opens them in jsdom.
 *
 * Only for a process that is used once, inside a sandbox: scripts really run.
 */
export const domTwin: Twin = {
  class: "xss",
  templates: PAGE_TEMPLATES.map(({ name }) => name),
  async prepare() {
    ignoreErrorsOfPages()
    control ??= openControl()
    await control
  },
  async run(request, _workDirectory, report) {
    if (Buffer.byteLength(request.payload) > TWIN_LIMITS.payloadBytesMax) {
      return answer(request, { tried: 0, attempts: [], control: [], inconclusive: "too_large" })
    }
    await domTwin.prepare?.()
    const controlAttempts = (await control) ?? []
    if (controlAttempts.length > 0) {
      return answer(request, {
        ...{ tried: 0, attempts: [], control: controlAttempts, inconclusive: "control_failed" },
      })
    }
    return answer(request, await simulate(request, report))
  },
}

interface Findings {
  readonly tried: number
  readonly attempts: readonly TwinAttempt[]
  readonly control: readonly TwinAttempt[]
  readonly inconclusive?: TwinInconclusive
}

async function simulate(request: TwinRequest, report: Report | undefined): Promise<Findings> {
  const deadlineMs = Date.now() + request.budgetMs
  const chosen = PAGE_TEMPLATES.filter(
    ({ name, isUrlDecoded }) =>
      (request.templates?.includes(name) ?? true) &&
      (!isUrlDecoded || isFormEncoded(request.payload)),
  )
  const attempts: TwinAttempt[] = []
  let tried = 0
  for (const templates of [chosen.filter(isRaw), chosen.filter((one) => !isRaw(one))]) {
    if (attempts.length > 0) break
    for (const template of templates) {
      if (Date.now() > deadlineMs) break
      tried += 1
      attempts.push(...(await tryTemplate(template, request, report)))
    }
  }
  const isCut = attempts.length === 0 && Date.now() > deadlineMs
  return { tried, attempts, control: [], ...(isCut ? { inconclusive: "budget_exceeded" } : {}) }
}

/** Every template is opened: what a run may leave out, because its markup is harmless, is not here. */
async function openControl(): Promise<readonly TwinAttempt[]> {
  const attempts: TwinAttempt[] = []
  for (const template of PAGE_TEMPLATES.filter(isRaw)) {
    const markup = fillPage(template, CONTROL_VALUE)
    attempts.push(...(await openTemplate(markup, { template, canary: "control" })))
  }
  return attempts
}

/** An attempt, or none where the page has no script that the payload could have touched. */
async function tryTemplate(
  template: PageTemplate,
  { payload, canary }: TwinRequest,
  report: Report | undefined,
): Promise<readonly TwinAttempt[]> {
  const value = template.isUrlDecoded ? decodeForm(payload) : payload
  const markup = fillPage(template, value)
  const canRun = template.leaves?.test(value) ?? isActive(inspectPage(markup))
  return canRun ? openTemplate(markup, { template, canary, ...(report && { report }) }) : []
}

/** Whether a page could run more than the script that every template begins with. */
function isActive(surface: PageSurface, ownScripts = 1): boolean {
  const { handlers, links, remoteScripts, codes, scripts, frames, hasNoScript } = surface
  const hasCode = [handlers, links, remoteScripts, codes].some((list) => list.length > 0)
  return (
    hasNoScript ||
    hasCode ||
    scripts > ownScripts ||
    frames.some((frame) => isActive(inspectPage(frame), 0))
  )
}

interface Opening {
  readonly template: PageTemplate
  readonly canary: string
  readonly report?: Report
}

/** Reports at the first effect: a script that goes on for ever has had it by then. */
async function openTemplate(
  markup: string,
  { template, canary, report }: Opening,
): Promise<readonly TwinAttempt[]> {
  const effects: TwinEffect[] = []
  const program = markup.slice(0, TWIN_LIMITS.programCharactersMax)
  const attempt = { template: template.name, program, effects }
  await openPage(markup, {
    cookie: canary,
    onScript(origin, what) {
      const effect = toEffect(origin, what)
      if (effects.length >= EFFECTS_MAX || effects.some((one) => one.detail === effect.detail))
        return
      effects.push(effect)
      if (effects.length === 1) report?.(attempt)
    },
  })
  return effects.length === 0 ? [] : [attempt]
}

function toEffect(origin: ScriptOrigin, what: string): TwinEffect {
  return { kind: KINDS[origin], detail: what.slice(0, TWIN_LIMITS.detailCharactersMax) }
}

function isRaw({ isUrlDecoded }: PageTemplate): boolean {
  return !isUrlDecoded
}

/** What a page throws or rejects behind our back must not end the process. */
function ignoreErrorsOfPages(): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    if (process.listenerCount(event) === 0) process.on(event, () => {})
  }
}

function answer(request: TwinRequest, { tried, attempts, control, ...rest }: Findings): TwinAnswer {
  const strongest = ({ effects }: TwinAttempt) =>
    effects.some(({ kind }) => kind === "script_run") ? 0 : 1
  const sorted = [...attempts].sort((one, other) => strongest(one) - strongest(other))
  return {
    id: request.id,
    class: "xss",
    attempts: sorted.slice(0, TWIN_LIMITS.attemptsMax),
    templatesTried: tried,
    controlAttempts: control,
    ...(rest.inconclusive === undefined ? {} : { inconclusive: rest.inconclusive }),
  }
}
