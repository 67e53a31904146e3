import type { PayloadKind } from "../../events.ts"
import {
  digits,
  type Grammar,
  hexDigits,
  hostName,
  identifier,
  ipAddress,
  oneOf,
} from "./grammar.ts"
import type { Random } from "./random.ts"
import {
  companyName,
  familyName,
  foreignPhrase,
  personName,
  sentence,
  slug,
  word,
  words,
} from "./vocabulary.ts"

/** What ordinary people and programs send in a single field, by the kind of place it stands in. */
export const BENIGN_FIELDS: Readonly<Record<PayloadKind, readonly Grammar[]>> = {
  param: [
    personName,
    personName,
    companyName,
    familyName,
    searchQuery,
    searchQuery,
    word,
    number,
    number,
    email,
    phone,
    dateTime,
    token,
    postalAddress,
    foreignPhrase,
    sentence,
    url,
    fileName,
    price,
    measurement,
    coordinate,
    keyword,
    keyword,
    keyword,
    list,
    ipAddress,
    hostName,
    greeting,
    sortOrder,
    (r) =>
      r.pick([
        "true",
        "false",
        "yes",
        "no",
        "on",
        "null",
        "none",
        "all",
        "asc",
        "desc",
        "en-US",
        "de",
        "",
        "0",
        "-1",
        "N/A",
        "select",
        "Submit",
        "undefined",
        "*",
        "-",
        "?",
      ]),
  ],
  path: [urlPath, urlPath, urlPath, fileName, slug, token, number],
  header: [userAgent, userAgent, accept, url, ipAddress, etag, dateTime, token],
  cookie: [cookie, cookie, token, analyticsId],
  body: [sentence, paragraph, foreignPhrase, postalAddress, message],
  request: [queryString, queryString, queryString, analyticsQuery, requestLine],
}

function number(random: Random): string {
  return oneOf(random, [
    (r) => String(r.below(10 ** r.between(1, 9))),
    (r) => (r.next() * 10 ** r.between(0, 6)).toFixed(r.between(0, 6)),
    (r) => `-${r.below(1000)}`,
    (r) => `${r.between(1, 999)},${digits(r, 3)}.${digits(r, 2)}`,
    (r) => `${r.below(100)}%`,
    (r) => `${r.below(10)}e-${r.below(10)}`,
    (r) => `0x${hexDigits(r, 4)}`,
    (r) => `#${hexDigits(r, 6)}`,
    (r) => `${r.between(1, 9)}/${r.between(1, 9)}`,
  ])
}

function email(random: Random): string {
  const host = `${identifier(random)}.${random.pick(["com", "org", "de", "co.uk", "io"])}`
  return `${random.pick([slug, identifier])(random)}${random.pick(["", `+${word(random)}`, `.${identifier(random)}`, "o'brien"])}@${host}`
}

function phone(random: Random): string {
  return random.pick([
    `+${random.between(1, 99)} ${digits(random, 3)} ${digits(random, 7)}`,
    `(${digits(random, 3)}) ${digits(random, 3)}-${digits(random, 4)}`,
    `${digits(random, 3)}-${digits(random, 4)} ext. ${digits(random, 3)}`,
    `0${digits(random, 4)}/${digits(random, 6)}`,
  ])
}

function dateTime(random: Random): string {
  const [year, month, day] = [
    random.between(1950, 2035),
    random.between(10, 12),
    random.between(10, 28),
  ]
  const time = `${random.between(10, 23)}:${random.between(10, 59)}`
  return random.pick([
    `${year}-${month}-${day}`,
    `${year}-${month}-${day}T${time}:00Z`,
    `${day}/${month}/${year} ${time}`,
    `Tue, ${day} Nov ${year} ${time}:00 GMT`,
    `${year}-${month}-${day}..${year}-${month}-${day + 1}`,
    `${digits(random, 10)}`,
    time,
  ])
}

function token(random: Random): string {
  return oneOf(random, [
    (r) => hexDigits(r, r.pick([8, 16, 32, 40, 64])),
    (r) =>
      `${hexDigits(r, 8)}-${hexDigits(r, 4)}-4${hexDigits(r, 3)}-a${hexDigits(r, 3)}-${hexDigits(r, 12)}`,
    (r) => base64(r, r.between(6, 60)),
    (r) => `eyJ${base64(r, 30)}.${base64(r, 60)}.${base64(r, 32)}`.replaceAll("=", ""),
    (r) =>
      r.many(r.between(6, 24), () =>
        r.pick([..."ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789_-"]),
      ),
    (r) => `${identifier(r).toUpperCase()}-${digits(r, 6)}`,
    password,
  ])
}

function base64(random: Random, bytes: number): string {
  return btoa(random.many(bytes, () => String.fromCharCode(random.below(256))))
}

/** People choose punctuation in passwords. */
function password(random: Random): string {
  return random.many(random.between(8, 16), () =>
    random.pick([..."abcdefghijkmnpqrstuvwxyzABCDEFGH23456789!$%&*#@?-_+=.^~"]),
  )
}

function postalAddress(random: Random): string {
  return `${random.between(1, 999)} ${familyName(random)} ${random.pick(["St.", "Street", "Ave", "Road", "Blvd", "Lane"])}${random.pick(["", ", Apt #4", " (rear)", ", Unit 3/B", "; ring twice", " - 2nd floor"])}, ${familyName(random)}${random.pick([" ", "\n", ", "])}${digits(random, 5)}`
}

/** Searches: quotes, operators and the words of query languages, meant as words. */
function searchQuery(random: Random): string {
  return oneOf(random, [
    (r) => words(r, r.between(1, 5)),
    (r) => `"${words(r, r.between(1, 4))}"`,
    (r) => `"${words(r, 2)}" ${r.pick(["AND", "OR", "NOT", "-"])} ${word(r)}`,
    (r) =>
      `${word(r)} ${r.pick(["&", "and", "or", "vs", "+", "/", "|", "=", "in", "by", "from", "where"])} ${word(r)}`,
    (r) => `how to ${words(r, r.between(2, 6))}?`,
    (r) =>
      `${r.pick(["C++", "C#", "node.js", ".NET", "SQL", "bash", "HTML", "javascript"])} ${words(r, 2)}`,
    (r) => `${word(r)}:${word(r)} ${word(r)}`,
    (r) => `site:${identifier(r)}.com ${words(r, 2)}`,
    (r) => `${word(r)}*`,
    (r) => `${familyName(r)}'s ${words(r, 2)}`,
    (r) => `best ${word(r)} < $${r.between(5, 500)}`,
    (r) => `${r.between(1, 99)}" ${word(r)}`,
    (r) => `${r.between(4, 7)}'${r.between(0, 11)}" ${word(r)}`,
  ])
}

/** Words of SQL, shells and markup that people use with their ordinary meaning. */
function keyword(random: Random): string {
  const risky = random.pick(
    "select union drop insert update delete table from where order script alert cat ls ping id sleep echo exec host find sort kill who whoami root admin etc passwd windows system cmd shell and or not null true".split(
      " ",
    ),
  )
  return random.pick([
    risky,
    `${risky} ${word(random)}`,
    `${word(random)} ${risky}`,
    `${word(random)} ${risky} ${words(random, 2)}`,
    `${risky.toUpperCase()}`,
    `please ${risky} ${words(random, 3)}`,
    `${risky} your ${word(random)}`,
    `${words(random, 2)} ${risky} ${words(random, 2)}.`,
    `${risky}-${word(random)}`,
  ])
}

function greeting(random: Random): string {
  const opening = random.pick([
    "hello",
    "Hello",
    "hi",
    "test",
    "good morning",
    "thanks",
    "dear",
    "ok",
  ])
  return random.pick([opening, `${opening} ${word(random)}`, `${opening}, ${personName(random)}!`])
}

function price(random: Random): string {
  return `${random.pick(["$", "€", "£", "USD "])}${random.between(1, 999)}${random.pick(["", ".99", " - $50", " & up", "+", " (incl. VAT)", "/mo", "; no tax"])}`
}

function measurement(random: Random): string {
  return `${random.between(1, 400)}${random.pick(["cm", " x 30 cm", '"', "'", "°C", "px", "em", "kg (net)", "%", " m/s"])}`
}

function coordinate(random: Random): string {
  return `${random.between(-90, 90)}.${digits(random, 5)},${random.between(-180, 180)}.${digits(random, 5)}`
}

function list(random: Random): string {
  return random.many(
    random.between(2, 8),
    () => random.pick([word, (r: Random) => digits(r, 3)])(random),
    random.pick([",", ", ", ";", "|", " | ", "; ", "/", "&"]),
  )
}

function sortOrder(random: Random): string {
  return `${random.pick(["created_at", "name", "price", "user.id", "updated"])}${random.pick([" desc", ":asc", ",desc", " DESC", "-", ""])}`
}

function fileName(random: Random): string {
  const base = random.pick([
    slug,
    identifier,
    (r: Random) => `${familyName(r)}'s ${word(r)} (${r.between(1, 9)})`,
    (r: Random) => `${word(r)} & ${word(r)}`,
  ])(random)
  return `${random.pick(["", "", "images/", "C:\\Users\\me\\Documents\\", "/home/me/", "./", "../img/", "docs/2024/", "~/"])}${base}.${random.pick(["jpg", "png", "pdf", "docx", "tar.gz", "csv", "txt", "html", "js", "css", "php", "log", "conf"])}`
}

function urlPath(random: Random): string {
  const segments = random.many(
    random.between(1, 5),
    () => random.pick([slug, word, (r: Random) => digits(r, 4), identifier])(random),
    "/",
  )
  const end = random.pick([
    "",
    "/",
    ".html",
    ".php",
    ".json",
    ".js",
    ".css?v=3",
    ".min.js",
    "/index.html",
    `?page=${random.below(9)}`,
    "#top",
    "%20x",
    ".jpg",
    "@2x.png",
  ])
  return `${random.pick(["/", "", "/api/v1/", "/static/", "/wp-content/", "/~user/", "/cgi-bin/"])}${segments}${end}`
}

function url(random: Random): string {
  return `${random.pick(["http", "https", "https"])}://${random.pick(["www.", ""])}${identifier(random)}.${random.pick(["com", "org", "net", "co.uk"])}${urlPath(random).replace(/^(?!\/)/, "/")}${random.chance(0.4) ? `?${queryString(random)}` : ""}`
}

function accept(random: Random): string {
  return random.pick([
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "*/*",
    "gzip, deflate, br",
    "en-US,en;q=0.5",
    "application/json, text/plain, */*",
    "no-cache",
    "keep-alive",
    "de-DE,de;q=0.9,en;q=0.7",
    "application/x-www-form-urlencoded; charset=UTF-8",
    "multipart/form-data; boundary=----WebKitFormBoundaryx3Yh",
    "max-age=0, must-revalidate",
    "bytes=0-1023",
    "?0",
    '"Chromium";v="124", "Not-A.Brand";v="99"',
  ])
}

function etag(random: Random): string {
  return `${random.pick(["", "W/"])}"${hexDigits(random, 12)}-${hexDigits(random, 4)}"`
}

function userAgent(random: Random): string {
  const version = `${random.between(40, 140)}.0.${random.between(1000, 9999)}.${random.between(10, 200)}`
  return random.pick([
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version} Safari/537.36`,
    `Mozilla/5.0 (X11; Linux x86_64; rv:${random.between(60, 130)}.0) Gecko/20100101 Firefox/${random.between(60, 130)}.0`,
    `Mozilla/5.0 (iPhone; CPU iPhone OS ${random.between(12, 18)}_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1`,
    `Mozilla/5.0 (compatible; ${word(random)}bot/2.1; +http://www.${identifier(random)}.com/bot.html)`,
    `curl/${random.between(7, 8)}.${random.between(10, 90)}.0`,
    `python-requests/2.${random.between(10, 32)}.0`,
    `Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; WOW64; Trident/4.0; .NET CLR 2.0.50727; ${identifier(random)})`,
    `${identifier(random)}/1.0 (${words(random, 2)}; ${identifier(random)}@example.com)`,
    `Dalvik/2.1.0 (Linux; U; Android 13; ${identifier(random)} Build/TQ3A.${digits(random, 6)})`,
  ])
}

function analyticsId(random: Random): string {
  return `GA1.${random.between(1, 3)}.${digits(random, 9)}.${digits(random, 10)}`
}

function cookie(random: Random): string {
  return random.many(
    random.between(1, 6),
    () => {
      const name = random.pick([
        "_ga",
        "_gid",
        "sessionid",
        "csrftoken",
        "lang",
        "theme",
        "PHPSESSID",
        "JSESSIONID",
        "cart",
        "consent",
        identifier(random),
      ])
      return `${name}=${random.pick([token, analyticsId, word, (r: Random) => `%7B%22${word(r)}%22%3A${r.below(99)}%7D`])(random)}`
    },
    "; ",
  )
}

/** A whole query string of ordinary traffic, its values escaped as browsers do. */
export function queryString(random: Random): string {
  return random.many(
    random.between(1, 8),
    () => {
      const name = random.pick([
        "q",
        "id",
        "page",
        "name",
        "lang",
        "sort",
        "utm_source",
        "ref",
        "category",
        "order",
        "limit",
        "from",
        "to",
        "redirect",
        "callback",
        "email",
        "title",
        "filter[name]",
        "ids[]",
        "user_id",
        "type",
        identifier(random),
        word(random),
      ])
      const value = oneOf(random, BENIGN_FIELDS.param)
      const escaped = encodeURIComponent(value)
      return `${name}=${random.chance(0.6) ? escaped.replaceAll("%20", "+") : escaped}`
    },
    "&",
  )
}

function analyticsQuery(random: Random): string {
  return `v=2&tid=G-${identifier(random).toUpperCase()}&_p=${digits(random, 9)}&cid=${digits(random, 9)}.${digits(random, 10)}&ul=en-us&sr=1920x1080&dl=${encodeURIComponent(url(random))}&dt=${encodeURIComponent(sentence(random))}&en=page_view&_et=${digits(random, 4)}&gclid=${token(random).replace(/[^\w-]/g, "")}`
}

function requestLine(random: Random): string {
  return `${random.pick(["GET", "POST", "HEAD"])} ${urlPath(random).replace(/^(?!\/)/, "/")}?${queryString(random)} HTTP/1.1`
}

function paragraph(random: Random): string {
  return random.many(random.between(2, 8), () => sentence(random), random.pick([" ", " ", "\n"]))
}

function message(random: Random): string {
  return `${random.pick(["Hi", "Hello", "Dear", "Hey"])} ${personName(random)},\n\n${paragraph(random)}\n\n${random.pick(["Thanks", "Regards", "Best", "Cheers"])},\n${personName(random)}${random.pick(["", " :)", " <3", " ;-)", "\n--\nSent from my phone", " >_<"])}`
}
