import type { PayloadKind } from "../../events.ts"
import type { MappedText } from "./mapped-text.ts"

/** One field of a text that holds several: what stood in it, and where. */
export interface Field {
  readonly kind: PayloadKind
  /** Of a parameter, cookie, header or JSON member, as it stood; at most 64 characters. */
  readonly name: string | undefined
  /** The value without its place's own quoting: JSON strings unescaped, an outer layer decoded. */
  readonly text: string
  /** Character offsets of the value in the whole text, end exclusive. */
  readonly start: number
  readonly end: number
  /** The value again: it knows of each character where it stood in the whole text. */
  readonly source: MappedText
}

/** Fields of one text that are told apart; what lies beyond is judged with the whole only. */
export const FIELDS_MAX = 256
/** Structures within structures (a query in a JSON string in a form) that are opened. */
export const DEPTH_MAX = 4
