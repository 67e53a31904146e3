import type { Random } from "../random.ts"

/** Writes one sentence of a language; all choices come from the random numbers. */
export type Grammar = (random: Random) => string

/** One of the alternatives, written out. */
export function oneOf(random: Random, alternatives: readonly Grammar[]): string {
  return random.pick(alternatives)(random)
}

/** Every letter in a random case. */
export function mixCase(random: Random, text: string): string {
  return text.replace(/[a-z]/gi, (letter) =>
    random.chance(0.5) ? letter.toUpperCase() : letter.toLowerCase(),
  )
}

/** A name of letters, such as a table, a variable or a host would have. */
export function identifier(random: Random): string {
  return random.many(random.between(3, 8), () => random.pick([..."abcdefghijklmnoprstuvwxyz"]))
}

export function digits(random: Random, count: number): string {
  return random.many(count, () => String(random.below(10)))
}

export function hexDigits(random: Random, count: number): string {
  return random.many(count, () => random.below(16).toString(16))
}

export function ipAddress(random: Random): string {
  return random.many(4, () => String(random.below(256)), ".")
}

/** Hosts of the ranges reserved for documentation and use by nobody (RFC 2606), and addresses. */
export function hostName(random: Random): string {
  if (random.chance(0.3)) return ipAddress(random)
  const top = random.pick([
    "com",
    "net",
    "org",
    "io",
    "co",
    "test",
    "example",
    "local",
    "xyz",
    "ru",
  ])
  return `${random.chance(0.3) ? `${identifier(random)}.` : ""}${identifier(random)}.${top}`
}
