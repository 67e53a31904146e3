import { InvalidArgumentError } from "commander"
import { RULE_STATES, type RuleState } from "../rule.ts"
import { SIMULATED_CLASSES, type SimulatedClass } from "../twin-protocol.ts"

/** Values of options, refused with what was expected. */

export function parseCount(text: string): number {
  const count = Number(text)
  if (!/^\d{1,7}$/.test(text) || count < 1) {
    throw new InvalidArgumentError("Expected a whole number from 1 to 9999999.")
  }
  return count
}

export function parseHash(text: string): string {
  if (!/^[0-9a-f]{13,64}$/i.test(text)) {
    throw new InvalidArgumentError("Expected 13 to 64 hex digits.")
  }
  return text.toLowerCase()
}

export function parseShare(text: string): number {
  const share = Number(text)
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(text) || share > 100) {
    throw new InvalidArgumentError("Expected a number from 0 to 100.")
  }
  return share
}

export function parseSimulated(text: string): SimulatedClass {
  const known = SIMULATED_CLASSES.find((name) => name === text)
  if (known !== undefined) return known
  throw new InvalidArgumentError(`Expected one of ${SIMULATED_CLASSES.join(", ")}.`)
}

export function parseReason(text: string): string {
  if (text.length > 0 && text.length <= 200) return text
  throw new InvalidArgumentError("Expected 1 to 200 characters.")
}

export function parseReviewer(text: string): string {
  if (text.length > 0 && text.length <= 512) return text
  throw new InvalidArgumentError("Expected 1 to 512 characters.")
}

/** An id of one thing: it becomes a segment of a path, where nothing and dots mean another one. */
export function parseId(text: string): string {
  if (/^(?!\.{1,2}$)[!-~]{1,128}$/.test(text)) return text
  throw new InvalidArgumentError("Expected an id.")
}

export function parseRuleState(text: string): RuleState {
  const known = RULE_STATES.find((state) => state === text)
  if (known !== undefined) return known
  throw new InvalidArgumentError(`Expected one of ${RULE_STATES.join(", ")}.`)
}

export function parseErrors(text: string): number {
  if (!/^\d{1,4}$/.test(text)) {
    throw new InvalidArgumentError("Expected a whole number from 0 to 9999.")
  }
  return Number(text)
}

export function parseSeed(text: string): number {
  const seed = Number(text)
  if (!/^\d{1,10}$/.test(text) || seed > 4_294_967_295) {
    throw new InvalidArgumentError("Expected a whole number from 0 to 4294967295.")
  }
  return seed
}

export function parseTier(text: string): "linear" | "deep" {
  if (text === "linear" || text === "deep") return text
  throw new InvalidArgumentError("Expected linear or deep.")
}

export function parseModelKind(text: string): "payload" | "session" {
  if (text === "payload" || text === "session") return text
  throw new InvalidArgumentError("Expected payload or session.")
}

export function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError("Expected a port.")
}
