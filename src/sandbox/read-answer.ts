import {
  TWIN_EFFECTS,
  TWIN_LIMITS,
  type TwinAnswer,
  type TwinAttempt,
  type TwinEffect,
  type TwinInconclusive,
  type TwinRequest,
} from "../twin-protocol.ts"

const INCONCLUSIVE: readonly TwinInconclusive[] = [
  ...(["dialect", "platform", "too_large", "budget_exceeded", "control_failed"] as const),
]
const NAME_CHARACTERS_MAX = 128
const EFFECTS_MAX = 64
const TEMPLATES_MAX = 10_000

/**
 * Reads what came out of a sandbox as an answer to `request`; total.
 *
 * Nothing in it is believed beyond its shape: id and class must be those asked for, lists and texts
 * within the limits of the protocol, and nothing else is taken over. Otherwise it is undefined, as
 * if the twin had said nothing.
 */
export function readAnswer(line: string | undefined, request: TwinRequest): TwinAnswer | undefined {
  const fields = recordOf(parse(line))
  const { id, class: twinClass } = fields
  if (id !== request.id || twinClass !== request.class) return undefined
  const attempts = listOf(fields.attempts, TWIN_LIMITS.attemptsMax, attemptOf)
  const controlAttempts = listOf(fields.controlAttempts, TWIN_LIMITS.attemptsMax, attemptOf)
  const templatesTried = countOf(fields.templatesTried)
  const inconclusive = INCONCLUSIVE.find((reason) => reason === fields.inconclusive)
  if (attempts === undefined || controlAttempts === undefined) return undefined
  if (templatesTried === undefined || inconclusive !== fields.inconclusive) return undefined
  const answer = { id: request.id, class: request.class, attempts, templatesTried, controlAttempts }
  return inconclusive === undefined ? answer : { ...answer, inconclusive }
}

function attemptOf(value: unknown): TwinAttempt | undefined {
  const fields = recordOf(value)
  const template = textOf(fields.template, NAME_CHARACTERS_MAX)
  const program = textOf(fields.program, TWIN_LIMITS.programCharactersMax)
  const effects = listOf(fields.effects, EFFECTS_MAX, effectOf)
  if (template === undefined || program === undefined || effects === undefined) return undefined
  return { template, program, effects }
}

function effectOf(value: unknown): TwinEffect | undefined {
  const fields = recordOf(value)
  const kind = TWIN_EFFECTS.find((known) => known === fields.kind)
  const detail = textOf(fields.detail, TWIN_LIMITS.detailCharactersMax)
  return kind === undefined || detail === undefined ? undefined : { kind, detail }
}

/** All or nothing: one member that is not understood spoils the list. */
function listOf<T>(
  value: unknown,
  lengthMax: number,
  read: (member: unknown) => T | undefined,
): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > lengthMax) return undefined
  const members = value.map(read).filter((member) => member !== undefined)
  return members.length === value.length ? members : undefined
}

function textOf(value: unknown, charactersMax: number): string | undefined {
  return typeof value === "string" && value.length <= charactersMax ? value : undefined
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" &&
    Number.isInteger(value) &&
    value >= 0 &&
    value <= TEMPLATES_MAX
    ? value
    : undefined
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {}
}

function parse(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? "")
  } catch {
    return undefined
  }
}
