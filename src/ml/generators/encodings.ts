import type { Random } from "../random.ts"
import { mixCase, oneOf } from "./grammar.ts"

/**
 * The same text as a client, a proxy or an attacker would encode it. Applied to benign text too:
 * encoding alone must not be what a model goes by.
 *
 * Written from RFC 3986 (percent), RFC 3629 (overlong forms), RFC 4648 (base64, base16), the HTML
 * standard (character references) and ECMA-262 (escapes).
 */
export function encode(random: Random, text: string): string {
  return oneOf(random, [
    () => percent(text),
    () => percent(text).replaceAll("%20", "+"),
    () => percent(percent(text)),
    () => percentAll(text),
    () => percentAll(percentAll(text)),
    () => everyCharacter(text, (code) => `%u${hexadecimal(code, 4)}`),
    () => everyCharacter(text, (code) => `\\u${hexadecimal(code, 4)}`),
    () => everyByte(text, (byte) => `\\x${hexadecimal(byte, 2)}`),
    () => everyByte(text, (byte) => `\\${byte.toString(8).padStart(3, "0")}`),
    () => everyCharacter(text, (code) => `&#${code};`),
    () => everyCharacter(text, (code) => `&#x${code.toString(16)};`),
    () => JSON.stringify(text).slice(1, -1),
    () => escapeEntities(text),
    () => fullWidth(text),
    () => mixCase(random, text),
    () => overlong(text),
    () => btoa(String.fromCharCode(...new TextEncoder().encode(text))),
    () => `${random.pick(["", "0x"])}${everyByte(text, (byte) => hexadecimal(byte, 2))}`,
    () => text.replaceAll(" ", random.pick(["/**/", "\t", "\n", "  ", "\r\n", "\f", "\u00a0"])),
    () => text.split("").join("\0"),
    () => text.replaceAll(/\s/g, "/**/"),
    (r) => text.replace(/.(?=.)/g, (character) => (r.chance(0.15) ? `${character}\0` : character)),
    (r) => someEscaped(r, text),
    (r) => someEscaped(r, text),
  ])
}

function percent(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function percentAll(text: string): string {
  return everyByte(text, (byte) => `%${hexadecimal(byte, 2)}`)
}

function everyByte(text: string, spell: (byte: number) => string): string {
  return Array.from(new TextEncoder().encode(text), spell).join("")
}

function everyCharacter(text: string, spell: (code: number) => string): string {
  return text
    .split("")
    .map((unit) => spell(unit.charCodeAt(0)))
    .join("")
}

function hexadecimal(code: number, width: number): string {
  return code.toString(16).padStart(width, "0")
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

/** Punctuation in two bytes where one would do. */
function overlong(text: string): string {
  return text.replace(/[!-/:-@[-`{-~]/g, (character) => {
    const code = character.charCodeAt(0)
    return `%${hexadecimal(0xc0 | (code >> 6), 2)}%${hexadecimal(0x80 | (code & 0x3f), 2)}`
  })
}

function someEscaped(random: Random, text: string): string {
  return text.replace(/[^\w\s]/g, (character) =>
    random.chance(0.5) ? percentAll(character) : character,
  )
}
