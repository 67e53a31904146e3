import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { RawRequest } from "../../src/rules/sendings.ts"

/** A session as a honeypot stores it, and its requests as a WAF would see them again. */
export interface RecordedSession {
  readonly sessionId: string
  /** The evidence document, with a manifest whose digest holds. */
  readonly bytes: Buffer
  readonly requests: readonly RawRequest[]
  /** The attack, written in another way. */
  readonly variants: readonly RawRequest[]
}

const EXAMPLES = join(import.meta.dir, "../../examples")
const HEADERS = { host: "shop.example", "user-agent": "curl/8.5" }
/** Without `union`: what a Gatekeeper blocks by itself proves no rule. */
const EXPLOIT = "' OR (SELECT password FROM users LIMIT 1) IS NOT NULL -- "
const VARIANT = "x'/**/oR\t(sElEcT/*a*/password/**/FROM users  LIMIT 1) is  not NULL -- "

/** Somebody tries one SQL injection twice. */
export function attackSession(): RecordedSession {
  const requests = [EXPLOIT, EXPLOIT].map(asRequest)
  const document = withManifest({
    ...{ session_id: "attack-1", har: { log: { version: "1.2", entries: requests.map(asEntry) } } },
    extracted_payloads: [],
  })
  return { sessionId: "attack-1", bytes: document, requests, variants: [asRequest(VARIANT)] }
}

/** The shipped example of somebody who shops. */
export function benignSession(): RecordedSession {
  const bytes = readFileSync(join(EXAMPLES, "benign-session.json"))
  const { session_id: sessionId, har } = JSON.parse(bytes.toString())
  const entries: readonly { readonly request: HarRequest }[] = har.log.entries
  return { sessionId, bytes, requests: entries.map(({ request }) => raw(request)), variants: [] }
}

interface HarRequest {
  readonly url: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly postData?: { readonly text?: string }
}

function raw({ url, headers, postData }: HarRequest): RawRequest {
  const pairs = headers.map(({ name, value }) => [name, value] as const)
  return { url, body: postData?.text ?? "", headers: Object.fromEntries(pairs) }
}

function asRequest(payload: string): RawRequest {
  const url = `https://shop.example/item?id=${encodeURIComponent(payload)}`
  return { url, body: "", headers: HEADERS }
}

function asEntry({ url, headers }: RawRequest, index: number) {
  const pairs = Object.entries(headers).map(([name, value]) => ({ name, value }))
  return {
    startedDateTime: `2026-01-02T03:04:0${index}.000Z`,
    time: 12,
    request: { method: "GET", url, httpVersion: "HTTP/1.1", headers: pairs, bodySize: 0 },
    response: {
      ...{ status: 200, statusText: "OK", headers: [], bodySize: 64 },
      content: { size: 64, mimeType: "text/html" },
    },
    timings: { send: 0, wait: 12, receive: 0 },
  }
}

/** Digests as the contract has them, by Python itself: no code of Sentinel vouches for its input. */
function withManifest(document: Readonly<Record<string, unknown>>): Buffer {
  const program = [
    "import hashlib, json, sys",
    "document = json.load(sys.stdin)",
    "digest = lambda value: hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()",
    'checksums = {name: digest(document[name]) for name in ("har", "extracted_payloads")}',
    'document["signed_manifest"] = {"algorithm": "sha256", "checksums": checksums}',
    "json.dump(document, sys.stdout)",
  ].join("\n")
  const python = Bun.spawnSync(["python3", "-c", program], {
    stdin: Buffer.from(JSON.stringify(document)),
  })
  if (!python.success) throw new Error("python3 wrote no manifest")
  return python.stdout
}
