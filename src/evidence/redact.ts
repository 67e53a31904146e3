/** Longer texts are cut here before anything else: nobody shows more of a payload. */
export const REDACTED_CHARS_MAX = 65_536
const PLACE_CHARS_MAX = 512
const MASK = "[redacted]"
/** Stands for one character of a secret until it is shown: a private-use character, which says nothing. */
const MASKED = "\uE000"
const MASKED_RUN = /\uE000{1,65536}/g

const SECRET_WORD =
  "pass(?:word|wd|phrase|code)?|pwd|secret|token|jwt|api[_-]?key|access[_-]?key|private[_-]?key|" +
  "client[_-]?secret|credentials?|auth|authorization|session(?:[_-]?id)?|sess|sid|csrf|xsrf|otp|cvv"

/** What forms add to a secret's name: `password_confirmation`, `password2`, `token_id`. */
const NAME_TAIL =
  "(?:[_-]?(?:id|hash|value|confirm(?:ation|ed)?|again|repeat|verify|new|old|\\d{1,3}))?s?"
/** A name that ends in a secret word: `user_password`, `X-Api-Key`, `PHPSESSID`. */
const SECRET_NAME = new RegExp(`(?:${SECRET_WORD}|remember[_-]?me)${NAME_TAIL}$`, "i")
/** Session cookies that end in a digest of their site. */
const SITE_COOKIE = /^(?:wordpress_(?:logged_in|sec)|remember_web|aspsessionid)/i
/** A bar between their parts is no sign of an attack. */
const SITE_COOKIE_VALUE = /^(?:[\w|.-]|%7c){1,2048}$/i
/** Steps of a path that say nothing of what they hold: an index, `$`, `password.value`. */
const MEANINGLESS_STEP = /^(?:\d{0,6}|\$|value|text|data)$/i
const DIGEST_SCHEME = /^digest\s{1,4}\w{1,32}\s{0,4}="/i
const SECRET_HEADERS = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie"])

/** Percent-encoded space, quotes, brackets, separators. */
const ENCODED_SYNTAX = "(?:20|2[2789c]|3[bce]|5c|60|7[bcd]|0[0ad])"
/** What may stand between a name and its separator: spaces, a bracket, characters nobody sees. */
const NAME_END =
  "(?:[\\s\\]\\u0000-\\u0008\\u000e-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2060]|%5d|%[01][0-9a-f]|%7f){0,8}"
/** Where the syntax of an attack begins; a secret before it is masked, the rest stays visible. */
const SYNTAX = new RegExp(`[\\s'"<>;|\`$(){}\\\\&,]|\\.\\.[/\\\\]|--|%${ENCODED_SYNTAX}`, "i")
/** A password may hold a quote or a bracket; this is what hardly any holds. */
const ATTACK =
  /['"`](?:\s|[=|&;)#+-]|%20|$)|<[a-z/!?]|[;|&]\s{0,8}[a-z/]{2}|\$[({]|\.\.[/\\]|--|\{\{|%(?:27|22|3[bc]|7c|60)|\b(?:or|and|union|select)\b\s/i

/**
 * Each is linear: repeats are bounded, and no two neighbours can match the same text. What its groups
 * `name` and `end` hold stays, the name and the separator; what follows up to the first quote, space
 * or shell character goes.
 */
const RULES: readonly RegExp[] = [
  /(?<name>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)[A-Za-z0-9+/=\s\\]{1,16384}/g,
  /(?<name>\b(?:bearer|basic|negotiate|apikey)(?:\s|\+|%20){1,4})[A-Za-z0-9._~+/=-]{8,8192}/gi,
  /(?<![\w-])eyJ[A-Za-z0-9_-]{4,8192}\.[A-Za-z0-9_-]{4,8192}(?:\.[A-Za-z0-9_-]{0,8192})?/g,
  /\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b/g,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk_live_|sk-|AIza)[A-Za-z0-9_-]{16,256}/g,
  // up to the last @: a password may hold one
  /(?<name>:\/\/[^\s/:@'"<>]{0,128}:)[^\s/'"<>]{1,256}(?<end>@)/g,
  /(?<name>authorization["']?\s{0,4}[:=]\s{0,4}["']?(?:bearer|basic|negotiate|apikey)\s{1,4})[A-Za-z0-9._~+/=-]{1,8192}/gi,
  new RegExp(
    `(?<name>(?:${SECRET_WORD})${NAME_TAIL}\\\\{0,3}["']?${NAME_END}(?:=|:|%3d|%3a)\\s{0,4}\\\\{0,3}["']?)` +
      "(?!\\[redacted\\]|\uE000)(?!(?:bearer|basic|negotiate|apikey)\\b)" +
      `(?:[^\\s'"<>;|\`$(){}\\\\&,%.]|\\.(?!\\.)|%(?!${ENCODED_SYNTAX})){1,2048}`,
    "gi",
  ),
]

/** Values that may hold spaces, since something else says where they end. */
const ENCLOSED_SECRETS: readonly RegExp[] = [
  // a JSON member
  new RegExp(
    `((?:${SECRET_WORD})${NAME_TAIL}(?:\\\\u[0-9a-f]{4}){0,4}"\\s{0,4}:\\s{0,4}")((?:[^"\\\\]|\\\\.){1,2048})(?=")`,
    "gi",
  ),
  // an XML element
  new RegExp(
    `(<[\\w.:-]{0,64}(?:${SECRET_WORD})${NAME_TAIL}(?:\\s[^<>]{0,256})?>)([^<>]{1,2048})`,
    "gi",
  ),
  // a part of a multipart body
  new RegExp(
    `(name="[^"\\r\\n]{0,64}(?:${SECRET_WORD})${NAME_TAIL}\\]?"\\r?\\n\\r?\\n)([^\\r\\n]{1,2048})`,
    "gi",
  ),
]

/**
 * Masks credentials in a payload that is shown, logged or stored: authorization values, passwords,
 * tokens, API and cloud keys, JWTs, private keys, user info of URLs, session cookies. The syntax of
 * an attack stays visible: `secret' OR 1=1--` becomes `[redacted]' OR 1=1--`.
 *
 * In: any text, cut to REDACTED_CHARS_MAX; `location` as a SessionPayload has it, whose name alone
 * can make a value secret. Linear in the text.
 */
export function redactCredentials(text: string, location?: string): string {
  return shown(maskCredentials(text, location))
}

/**
 * The same by position: answers with any stretch of the text as it may be shown, `start` and `end` in
 * UTF-16 units. A secret is hidden where it stands, whatever else of the text reads like it; of what
 * lies beyond REDACTED_CHARS_MAX nothing is shown.
 */
export function redactedStretches(
  text: string,
  location?: string,
): (start: number, end: number) => string {
  const masked = maskCredentials(text, location)
  return (start, end) => shown(masked.slice(start, end)) + (end > masked.length ? MASK : "")
}

function shown(masked: string): string {
  return masked.replace(MASKED_RUN, MASK)
}

/** The bounded text with MASKED for each character of a secret: all others keep their position. */
function maskCredentials(text: string, location: string | undefined): string {
  // a text that holds the mark already could else pass for masked
  const bounded = text.slice(0, REDACTED_CHARS_MAX).replaceAll(MASKED, "\uE001")
  if (location === undefined || !isSecretPlace(location)) return applyRules(bounded)
  const isSiteCookie = SITE_COOKIE.test(location.slice(location.indexOf(":") + 1))
  return isSiteCookie && SITE_COOKIE_VALUE.test(bounded)
    ? maskAll(bounded)
    : maskSecret(bounded, location)
}

function maskAll(text: string): string {
  return MASKED.repeat(text.length)
}

function applyRules(text: string): string {
  const mask = (_: string, name: string, value: string) => name + maskSecret(value, "")
  const enclosed = ENCLOSED_SECRETS.reduce((masked, rule) => masked.replace(rule, mask), text)
  return RULES.reduce((masked, rule) => masked.replace(rule, maskValue), enclosed)
}

/** A replacer: all of the match but its groups `name` and `end`. */
function maskValue(match: string, ...rest: readonly unknown[]): string {
  const groups = rest.at(-1) as { readonly name?: string; readonly end?: string } | string
  const { name = "", end = "" } = typeof groups === "string" ? {} : groups
  return name + maskAll(match.slice(name.length, match.length - end.length)) + end
}

function isSecretPlace(location: string): boolean {
  const place = location.slice(0, PLACE_CHARS_MAX)
  const name = visibleName(place.slice(place.indexOf(":") + 1))
  if (place.startsWith("header:") && SECRET_HEADERS.has(name.toLowerCase())) return true
  if (place.startsWith("cookie:") && SITE_COOKIE.test(name)) return true
  // `connect.sid`, `$.user.password`, `user[password]`, `password[]`: the last step decides.
  const steps = name.split(/[.[\]'"\s]{1,16}/).filter((step) => !MEANINGLESS_STEP.test(step))
  return SECRET_NAME.test((steps.at(-1) ?? "").replace(/[^\p{L}\p{N}]{1,16}$/u, ""))
}

/** The name as a person reads it: decoded, without characters that cannot be seen. */
function visibleName(name: string): string {
  const decoded = name.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return decoded
    .normalize("NFKC")
    .replace(/\p{C}|%[01][0-9a-f]/giu, "")
    .trim()
}

/** All of a plain secret; of an attack in a secret's place, what stands before its syntax. */
function maskSecret(text: string, location: string): string {
  if (text === "") return text
  if (location.toLowerCase() === "header:cookie") return maskCookies(text)
  if (DIGEST_SCHEME.test(text)) return maskQuoted(text)
  const scheme = /^(?:bearer|basic|digest|negotiate|apikey)\s{1,4}/i.exec(text)?.[0] ?? ""
  const secret = text.slice(scheme.length)
  const syntax = SYNTAX.exec(secret)
  const start = syntax === null || !ATTACK.test(secret) ? secret.length : syntax.index
  const masked = scheme + maskAll(secret.slice(0, start)) + secret.slice(start)
  return start === secret.length ? masked : applyRules(masked)
}

/** Digest authorization: names stay, quoted values go. */
function maskQuoted(text: string): string {
  return text.replace(/="([^"]{1,2048})"/g, (_, value: string) => `="${maskSecret(value, "")}"`)
}

/** A whole cookie header: the values of session-like names only. */
function maskCookies(header: string): string {
  const cookies = header.split(";").map((cookie) => {
    const equals = cookie.indexOf("=")
    const name = cookie.slice(0, Math.max(equals, 0)).trim()
    if (!isSecretPlace(`cookie:${name}`)) return applyRules(cookie)
    return cookie.slice(0, equals + 1) + maskSecret(cookie.slice(equals + 1), "cookie")
  })
  return cookies.join(";")
}
