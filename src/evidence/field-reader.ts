import { MalformedError } from "../errors.ts"

export type JsonObject = Readonly<Record<string, unknown>>

/** Longest identifier (event id, session id, source) that is read, in characters. */
export const ID_CHARS_MAX = 512

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/**
 * Reads typed fields of one JSON object. null counts as absent; a wrong type is a MalformedError
 * that names the field by its dotted path; unknown fields are nobody's business.
 */
export class FieldReader {
  readonly #object: JsonObject
  readonly #path: string

  /** @param path of the object itself, "" for the top level */
  constructor(value: unknown, path: string) {
    if (!isJsonObject(value)) throw new MalformedError(path || "document", "an object")
    this.#object = value
    this.#path = path
  }

  /** An own member: `__proto__` and its like never reach the prototype. */
  #member(name: string): unknown {
    const value = Object.hasOwn(this.#object, name) ? this.#object[name] : undefined
    return value === null ? undefined : value
  }

  path(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`
  }

  has(name: string): boolean {
    return this.#member(name) !== undefined
  }

  text(name: string): string | undefined {
    const value = this.#member(name)
    if (value === undefined || typeof value === "string") return value
    throw new MalformedError(this.path(name), "a string")
  }

  requiredText(name: string): string {
    const value = this.text(name)
    if (value === undefined) throw new MalformedError(this.path(name), "a string")
    return value
  }

  /** A required identifier: 1 to ID_CHARS_MAX characters. */
  id(name: string): string {
    const value = this.requiredText(name)
    if (value.length > 0 && value.length <= ID_CHARS_MAX) return value
    throw new MalformedError(this.path(name), `1 to ${ID_CHARS_MAX} characters`)
  }

  /** A finite number. */
  number(name: string): number | undefined {
    const value = this.#member(name)
    if (value === undefined) return undefined
    if (typeof value === "number" && Number.isFinite(value)) return value
    throw new MalformedError(this.path(name), "a finite number")
  }

  flag(name: string): boolean | undefined {
    const value = this.#member(name)
    if (value === undefined || typeof value === "boolean") return value
    throw new MalformedError(this.path(name), "true or false")
  }

  /** 64 hex digits, given back in lower case. */
  sha256(name: string): string | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (/^[0-9a-fA-F]{64}$/.test(value)) return value.toLowerCase()
    throw new MalformedError(this.path(name), "64 hex digits")
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.#member(name)
    if (value === undefined || Array.isArray(value)) return value
    throw new MalformedError(this.path(name), "an array")
  }

  /** A member object; an absent one reads as empty. */
  object(name: string): FieldReader {
    return new FieldReader(this.#member(name) ?? {}, this.path(name))
  }

  keys(): readonly string[] {
    return Object.keys(this.#object)
  }

  value(name: string): unknown {
    return this.#member(name)
  }
}
