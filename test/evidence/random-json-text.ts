/**
 * A random JSON text from a seed: every way to write numbers, escapes, duplicates, whitespace and
 * non-finite words; one in ten is damaged in one place.
 */
export function randomJsonText(seed: number): string {
  const random = mulberry32(seed)
  const text = new TextWriter(random).value(0)
  if (random() >= 0.1 || text.length === 0) return text
  const at = Math.floor(random() * text.length)
  return text.slice(0, at) + pick(random, DAMAGE) + text.slice(at + 1)
}

type Random = () => number

const DAMAGE = ["", ",", '"', "\\", "x", "\u0001", "}", "]", "0", " "] as const
const SPACES = ["", "", "", " ", "\n", "\t ", "\r\n"] as const
const WORDS = ["true", "false", "null", "NaN", "Infinity", "-Infinity"] as const
const KEYS = [
  "a",
  "b",
  "A",
  "",
  "é",
  "\uffff",
  "😀",
  "\\ud83d\\ude00",
  "\\ud800",
  "\\u0061",
  "a b",
] as const
const PIECES = [
  "abc",
  "' OR 1=1--",
  "<script>",
  "é",
  "ß漢字",
  "😀",
  "\\ud83d\\ude00",
  "\\ud83d",
  "\\ude00",
  "\\ud83d😀",
  "\\u00E9",
  "\\u0000",
  "\u007f",
  "\\u007F",
  "\u0080",
  "\u2028",
  "\ufeff",
  "\\/",
  "/",
  '\\"',
  "\\\\",
  "\\n",
  "\\b\\f\\r\\t",
] as const
const EDGES = [
  "0",
  "-0",
  "-0.0",
  "0.0",
  "0e0",
  "-0E-0",
  "1e400",
  "-1e400",
  "1e-400",
  "5e-324",
  "2.2250738585072014e-308",
  "1.7976931348623157e308",
  "1.7976931348623159e308",
  "9007199254740993",
  "9007199254740993.0",
  "9999999999999998.0",
  "1e15",
  "1e16",
  "1e17",
  "123456789012345680.0",
  "0.0001",
  "0.00001",
  "1e-07",
  "1e21",
  "1e22",
  "1e23",
  "1.10",
  "4.35",
  "0.1e1",
  "100e-2",
] as const

class TextWriter {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  value(depth: number): string {
    const choice = this.#random()
    const space = pick(this.#random, SPACES)
    if (depth < 4 && choice < 0.3) return space + this.#object(depth)
    if (depth < 4 && choice < 0.45) return space + this.#array(depth)
    if (choice < 0.75) return space + this.#number()
    if (choice < 0.95) return space + this.#string()
    return space + pick(this.#random, WORDS) + space
  }

  #object(depth: number): string {
    const members = this.#many(6).map(() => {
      const key = this.#random() < 0.7 ? `"${pick(this.#random, KEYS)}"` : this.#string()
      return `${pick(this.#random, SPACES)}${key}${pick(this.#random, SPACES)}:${this.value(depth + 1)}`
    })
    return `{${members.join(",")}${pick(this.#random, SPACES)}}`
  }

  #array(depth: number): string {
    const items = this.#many(5).map(() => this.value(depth + 1))
    return `[${items.join(`${pick(this.#random, SPACES)},`)}]`
  }

  #string(): string {
    return `"${this.#many(5)
      .map(() => pick(this.#random, PIECES))
      .join("")}"`
  }

  #number(): string {
    const choice = this.#random()
    if (choice < 0.3) return pick(this.#random, EDGES)
    if (choice < 0.5) return this.#anyDouble()
    const sign = this.#random() < 0.3 ? "-" : ""
    const whole = this.#random() < 0.3 ? "0" : this.#digits(25).replace(/^0+(?=.)/, "")
    const fraction = this.#random() < 0.5 ? `.${this.#digits(20)}` : ""
    const exponent = this.#random() < 0.3 ? this.#exponent() : ""
    return sign + whole + fraction + exponent
  }

  /** Any 64 bits that are a finite double, with 17 digits. */
  #anyDouble(): string {
    const bits = new DataView(new ArrayBuffer(8))
    bits.setUint32(0, Math.floor(this.#random() * 2 ** 32))
    bits.setUint32(4, Math.floor(this.#random() * 2 ** 32))
    const double = bits.getFloat64(0)
    return Number.isFinite(double) ? double.toExponential(16) : "0.5"
  }

  #exponent(): string {
    const sign = pick(this.#random, ["", "+", "-"])
    return `${pick(this.#random, ["e", "E"])}${sign}${Math.floor(this.#random() * 330)}`
  }

  #digits(countMax: number): string {
    const count = 1 + Math.floor(this.#random() * countMax)
    return Array.from({ length: count }, () => Math.floor(this.#random() * 10)).join("")
  }

  #many(countMax: number): undefined[] {
    return Array.from({ length: Math.floor(this.#random() * (countMax + 1)) })
  }
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T
}

/** Small, seeded and good enough to choose test cases. */
function mulberry32(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
