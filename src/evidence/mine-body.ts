import type { HarEntry } from "./har.ts"
import { mineFields } from "./mine-fields.ts"
import { mineJson, mineJsonFragment } from "./mine-json.ts"
import { mineMultipart } from "./mine-multipart.ts"
import type { PayloadCollector } from "./payload-collector.ts"
import { splitFields } from "./request-target.ts"

const JSON_START = /^[\s\ufeff]{0,64}[{[]/
const FORM_START = /^[\w.%+\-[\]$]{1,128}=/

/**
 * Mines a request's body by what it looks like. The announced type only breaks a tie: one producer
 * calls every body `application/octet-stream`.
 */
export function mineBody(entry: HarEntry, collector: PayloadCollector): void {
  mineFields(entry.bodyParams, { place: "form", kind: "param" }, collector)
  const { body } = entry.request
  if (body === "") return
  if (body.startsWith("--") && mineMultipart(body, collector)) return
  if (JSON_START.test(body) || entry.mimeType.includes("json")) {
    mineJsonText(body, collector)
  } else if (FORM_START.test(body) || entry.mimeType.includes("x-www-form-urlencoded")) {
    mineFields(splitFields(body, "&"), { place: "form", kind: "param" }, collector)
  } else {
    collector.add(body, "body", "body")
  }
}

/** A body that does not parse may be a cut of one that did: its strings are still mined. */
function mineJsonText(body: string, collector: PayloadCollector): void {
  const value = tryParse(body)
  if (value !== undefined) {
    mineJson(value, collector)
    return
  }
  collector.add(body, "body", "body")
  mineJsonFragment(body, collector)
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
