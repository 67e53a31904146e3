import { SIMULATED_CLASSES, type SimulatedClass, type TwinRequest } from "../twin-protocol.ts"

const LIMITS = {
  idCharactersMax: 128,
  locationCharactersMax: 4_096,
  templatesMax: 256,
  templateCharactersMax: 128,
  budgetMsMax: 300_000,
} as const

/** Either a request or what is wrong with it; the words name the field and echo nothing. */
export type ParsedRequest = { readonly request: TwinRequest } | { readonly problem: string }

/** Reads one line of `twin serve`; total. Unknown members are dropped. */
export function parseTwinRequest(line: string): ParsedRequest {
  const value = parseObject(line)
  if (value === undefined) return { problem: "the line is no JSON object" }
  for (const [field, isValid] of Object.entries(FIELDS)) {
    if (!isValid(value[field])) return { problem: `${field} is missing or out of its range` }
  }
  return { request: requestOf(value) }
}

export function isSimulatedClass(value: unknown): value is SimulatedClass {
  return SIMULATED_CLASSES.some((known) => known === value)
}

const FIELDS: Readonly<Record<keyof TwinRequest, (value: unknown) => boolean>> = {
  id: (value) => isText(value, LIMITS.idCharactersMax),
  class: isSimulatedClass,
  payload: (value) => typeof value === "string",
  location: (value) => isText(value, LIMITS.locationCharactersMax),
  canary: (value) => typeof value === "string" && /^[0-9a-f]{32}$/.test(value),
  templates: (value) => value === undefined || areTemplates(value),
  budgetMs: (value) => typeof value === "number" && value > 0 && value <= LIMITS.budgetMsMax,
}

function requestOf(value: Readonly<Record<string, unknown>>): TwinRequest {
  const {
    id,
    class: payloadClass,
    payload,
    location,
    canary,
    templates,
    budgetMs,
  } = value as unknown as TwinRequest
  const request = { id, class: payloadClass, payload, location, canary, budgetMs }
  return templates === undefined ? request : { ...request, templates }
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

function isText(value: unknown, charactersMax: number): boolean {
  return typeof value === "string" && value.length <= charactersMax
}

function areTemplates(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > LIMITS.templatesMax) return false
  return value.every((name) => isText(name, LIMITS.templateCharactersMax))
}
