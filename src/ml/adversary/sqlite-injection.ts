import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { identifier, oneOf } from "../generators/grammar.ts"
import { Random } from "../random.ts"

/** How a text leaves the place it was put into, and how it makes the rest of the query harmless. */
const BREAKOUTS = [
  ...[
    ["1", "-- "],
    ["1", ""],
    ["1)", "-- "],
    ["1))", "-- "],
  ],
  ...[
    ["'", "-- "],
    ["x'", "--"],
    ["')", "-- "],
    ["'))", "--"],
  ],
  ...[
    ['"', "-- "],
    ['")', "-- "],
    ["%'", "-- "],
    ["-1", "/*"],
  ],
] as const

/**
 * Injections into queries of SQLite, most of which have an effect there: the grammars of training
 * speak the dialects of other engines, which cannot be checked without them.
 *
 * @see https://sqlite.org/lang_expr.html, https://sqlite.org/lang_select.html
 */
export function* sqliteInjections(options: {
  readonly seed: number
  readonly count: number
}): Generator<LabelledPayload> {
  const random = new Random(options.seed)
  for (let index = 0; index < options.count; index++) {
    const [before, after] = random.pick(BREAKOUTS)
    const body = oneOf(random, [always, unionRows, blind, unionRows, blind])
    const text = `${before} ${body} ${after}`.trim()
    yield { text, label: "sql_injection", source: "generated/sqlite", kind: "param" }
  }
}

function always(random: Random): string {
  const [number, name] = [random.between(1, 999), identifier(random)]
  return random.pick([
    `or ${number}=${number}`,
    `or '${name}'='${name}'`,
    "or true",
    `or ${number} between ${number - 1} and ${number + 1}`,
    `or name like '%${random.pick([..."abcol"])}%'`,
    `or id > ${random.below(3)}`,
    "or exists(select 1 from users)",
    "or not false order by id desc",
  ])
}

function unionRows(random: Random): string {
  const table = random.pick(["users", "products", "sqlite_master", "users limit 1"])
  const column = random.pick(["name", "sqlite_version()", "1", "null", "group_concat(name)"])
  const others = Array.from({ length: random.below(4) }, () =>
    random.pick(["null", "1", "2", `'${identifier(random)}'`, "char(65,66)"]),
  )
  const columns = [...others.slice(0, 1), column, ...others.slice(1)].join(",")
  return `union ${random.pick(["", "all "])}select ${columns} from ${table}`
}

function blind(random: Random): string {
  const from = random.between(1, 3)
  const secret = `(select ${random.pick(["name", "secret", "password"])} from users where id=${from})`
  return random.pick([
    `or substr(${secret},1,1)>'${random.pick([..."aghmz"])}'`,
    `or unicode(substr(${secret},1,1))>${random.between(60, 110)}`,
    `or length(${secret})>${random.below(4)}`,
    `or (select count(*) from sqlite_master)>${random.below(3)}`,
    `or case when ${secret} is not null then 1 else 0 end`,
    `or ${secret} like '${random.pick([..."abcps"])}%'`,
  ])
}
