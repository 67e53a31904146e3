/** What JSON leaves as it is and a terminal may obey or show in another order: C1, bidirectional marks. */
const UNPRINTABLE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/**
 * One JSON line, its newline included, that a terminal can show: the texts in it may be an
 * attacker's. Any JSON parser reads the same value back.
 */
export function jsonLine(value: unknown): string {
  const escaped = (character: string) =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  return `${JSON.stringify(value).replace(UNPRINTABLE, escaped)}\n`
}
