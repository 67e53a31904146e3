import type { Random } from "../random.ts"
import { fileName, localPath } from "./benign-paths.ts"
import {
  digits,
  type Grammar,
  hexDigits,
  hostName,
  identifier,
  ipAddress,
  oneOf,
} from "./grammar.ts"
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

/** What people and programs put into a parameter, a form field or a search box. */
export const BENIGN_VALUES: readonly Grammar[] = [
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
  marks,
  choice,
  localPath,
  singleLetter,
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
]

/** What is typed to see whether a field works at all. */
export function singleLetter(random: Random): string {
  return random.pick([..."abcdefghijklmnopqrstuvwxyzx"])
}

export function number(random: Random): string {
  return oneOf(random, [
    (r) => String(r.below(10 ** r.between(1, 9))),
    (r) => (r.next() * 10 ** r.between(0, 6)).toFixed(r.between(0, 6)),
    (r) => `-${r.below(1000)}`,
    (r) => `${r.between(1, 999)},${digits(r, 3)}.${digits(r, 2)}`,
    (r) => `${r.below(100)}%`,
    (r) => `${r.below(10)}e-${r.below(10)}`,
    (r) => `0x${hexDigits(r, 4)}`,
    (r) => `#${hexDigits(r, 6)}`,
    (r) => `${r.between(0, 9)}/${r.between(0, 9)}`,
    (r) =>
      `${r.between(1, 999)}${r.pick(["'", " ", ".", "\u00a0", "_"])}${digits(r, 3)}${r.pick(["", ",00", ".00"])}`,
    (r) => r.pick(["Infinity", "-Infinity", "NaN", "1e100", "+1", "0.0", "-0", ".5", "1.", "1,5"]),
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

export function dateTime(random: Random): string {
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

export function token(random: Random): string {
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

export function postalAddress(random: Random): string {
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
    "select union drop insert update delete table from where order script alert cat ls ping id sleep echo exec host find sort kill who whoami root admin etc passwd windows system cmd shell and or not null true bash perl python php node java git curl wget date time history env set net echo type more less cut join head tail top nice wait test true false kill watch tree sort diff patch make mail route file image object style link form input button video prompt confirm document cookie window".split(
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

/** Faces, ellipses and other marks that people write alone or behind a word. */
function marks(random: Random): string {
  const mark = random.pick([
    ...[
      ":)",
      ";)",
      ":-)",
      ";-)",
      ":P",
      ">_<",
      "<3",
      "^_^",
      "\\o/",
      "(y)",
      "=)",
      "xD",
      "->",
      "<-",
      "-->",
    ],
    ...[
      "...",
      "....",
      "!!!",
      "???",
      "--",
      "---",
      "***",
      "===",
      "~",
      "//",
      "/",
      "#1",
      "&",
      "@",
      "%",
      "$",
    ],
    ...[
      "(1)(2)",
      "[x]",
      "( )",
      "{}",
      "[]",
      "||",
      "| |",
      "+++",
      ",",
      ";",
      "..",
      "`",
      "<>",
      "''",
      '""',
    ],
  ])
  return random.pick([
    mark,
    mark,
    `${mark} ${mark}`,
    `${word(random)} ${mark}`,
    `${sentence(random)} ${mark}`,
  ])
}

/** The logic of everyday speech, sums and searches. */
function choice(random: Random): string {
  const [left, right] = [random.below(20), random.below(20)]
  return random.pick([
    `${left} or ${right} ${word(random)}`,
    `${word(random)} and ${word(random)} or ${word(random)}`,
    `${word(random)} or ${word(random)}?`,
    `${left}+${right}=${left + right}`,
    `${left} + ${right} = ${left + right}`,
    `${left} x ${right}`,
    `${word(random)} < ${left} && ${word(random)} > ${right}`,
    `either ${word(random)} & ${word(random)}, or ${left} of ${right}`,
  ])
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
