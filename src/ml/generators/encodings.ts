import { mixCase, oneOf } from "./grammar.ts"
import type { Random } from "./random.ts"

/**
 * The same text as a client, a proxy or an attacker would encode it. Applied to benign text too:
 * encoding alone must not be what a model goes by.
 */
export function encode(random: Random, text: string): string {
  return oneOf(random, [
    () => encodeURIComponent(text.toWellFormed()),
    () => encodeURIComponent(text.toWellFormed()),
    () => encodeURIComponent(text.toWellFormed()).replaceAll("%20", "+"),
    () => encodeURIComponent(encodeURIComponent(text.toWellFormed())),
    () => percentAll(text),
    () => percentAll(percentAll(text)),
    () => everyCharacter(text, (code) => `%u${code.toString(16).padStart(4, "0")}`),
    () => everyCharacter(text, (code) => `\\u${code.toString(16).padStart(4, "0")}`),
    () => everyCharacter(text, (code) => `&#${code};`),
    () => everyCharacter(text, (code) => `&#x${code.toString(16)};`),
    () => JSON.stringify(text).slice(1, -1),
    () => escapeEntities(text),
    () => escapeEntities(text),
    () => fullWidth(text),
    () => mixCase(random, text),
    (r) => someEscaped(r, text),
  ])
}

function percentAll(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")
}

function everyCharacter(text: string, spell: (code: number) => string): string {
  return text
    .split("")
    .map((unit) => spell(unit.charCodeAt(0)))
    .join("")
}

function escapeEntities(text: string): string {
  const named: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  }
  return text.replace(/[&<>"']/g, (character) => named[character] ?? character)
}

function fullWidth(text: string): string {
  return text.replace(/[!-~]/g, (character) =>
    String.fromCharCode(character.charCodeAt(0) + 0xfee0),
  )
}

function someEscaped(random: Random, text: string): string {
  return text.replace(/[^\w\s]/g, (character) =>
    random.chance(0.5) ? percentAll(character) : character,
  )
}
