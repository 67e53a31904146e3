import type { PayloadKind } from "../../events.ts"
import type { MappedText } from "./mapped-text.ts"

/** One field of a text that holds several: what stood in it, and where. */
export class Field {
  readonly kind: PayloadKind
  /** Of a parameter, cookie, header or JSON member, as it stood; at most 64 characters. */
  readonly name: string | undefined
  /** The value, which knows of each of its characters where it stood in the whole text. */
  readonly source: MappedText

  constructor(source: MappedText, { kind, name }: Pick<Field, "kind" | "name">) {
    this.kind = kind
    this.name = name
    this.source = source
  }

  /** The value without its place's own quoting: JSON strings unescaped, an outer layer decoded. */
  get text(): string {
    return this.source.text
  }

  /** Character offset of the value in the whole text. */
  get start(): number {
    return this.source.position(0)
  }

  /** Exclusive. */
  get end(): number {
    return this.source.position(this.text.length)
  }
}

/** Fields of one text that are told apart; what lies beyond is judged with the whole only. */
export const FIELDS_MAX = 256
/** Structures within structures (a query in a JSON string in a form) that are opened. */
export const DEPTH_MAX = 4
