import {
  SIMULATED_CLASSES,
  TWIN_EFFECTS,
  TWIN_LIMITS,
  type TwinAnswer,
  type TwinRequest,
} from "../twin-protocol.ts"

/**
 * Reads what came out of a sandbox as an answer to `request`; total.
 *
 * Nothing in it is believed beyond its shape: ids and classes must be those asked for, lists and
 * texts within the limits of the protocol. Anything else is undefined, as if it had said nothing.
 */
export function readAnswer(line: string | undefined, request: TwinRequest): TwinAnswer | undefined {
  const value = parse(line)
  if (!isRecord(value) || value["id"] !== request.id || value["class"] !== request.class) {
    return undefined
  }
  const { attempts, controlAttempts, templatesTried, inconclusive } = value
  if (!areAttempts(attempts) || !areAttempts(controlAttempts)) return undefined
  if (!isCount(templatesTried) || !isInconclusive(inconclusive)) return undefined
  return {
    ...{ id: request.id, class: request.class, attempts, templatesTried, controlAttempts },
    ...(inconclusive !== undefined && { inconclusive }),
  } as TwinAnswer
}

const INCONCLUSIVE = ["dialect", "platform", "too_large", "budget_exceeded", "control_failed"]
const NAME_CHARACTERS_MAX = 128
const EFFECTS_MAX = TWIN_EFFECTS.length * SIMULATED_CLASSES.length

function areAttempts(value: unknown): boolean {
  return Array.isArray(value) && value.length <= TWIN_LIMITS.attemptsMax && value.every(isAttempt)
}

function isAttempt(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { template, program, effects } = value
  if (!isText(template, NAME_CHARACTERS_MAX)) return false
  if (!isText(program, TWIN_LIMITS.programCharactersMax)) return false
  return Array.isArray(effects) && effects.length <= EFFECTS_MAX && effects.every(isEffect)
}

function isEffect(value: unknown): boolean {
  if (!isRecord(value) || !isText(value["detail"], TWIN_LIMITS.detailCharactersMax)) return false
  return TWIN_EFFECTS.some((kind) => kind === value["kind"])
}

function isText(value: unknown, charactersMax: number): boolean {
  return typeof value === "string" && value.length <= charactersMax
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 10_000
}

function isInconclusive(value: unknown): boolean {
  return value === undefined || INCONCLUSIVE.some((reason) => reason === value)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function parse(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? "")
  } catch {
    return undefined
  }
}
