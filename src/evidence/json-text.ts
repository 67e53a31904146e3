import { MalformedError } from "../errors.ts"
import { JsonScanner } from "./json-scanner.ts"

const UTF8 = new TextDecoder("utf-8", { fatal: true })

/**
 * Decodes a document: UTF-8, a byte order mark is dropped.
 * @throws MalformedError for any other encoding
 */
export function decodeUtf8(bytes: Uint8Array, field: string): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw new MalformedError(field, "UTF-8")
  }
}

/**
 * Parses JSON as Python reads it: NaN and Infinity are accepted, here as null.
 * @throws MalformedError named `field`
 */
export function parseJson(text: string, field: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return parsePythonJson(text, field)
  }
}

function parsePythonJson(text: string, field: string): unknown {
  try {
    return JSON.parse(new JsonScanner(text, "null").document())
  } catch {
    throw new MalformedError(field, "one JSON value")
  }
}
