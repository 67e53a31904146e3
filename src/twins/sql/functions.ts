import type { Session } from "./schema.ts"
import type { Dialect } from "./tokens.ts"

/** How a call that takes time is written: as one that reports itself, or as one that takes time. */
export type DelayMode = "report" | "burn"

export interface Traps {
  /** Begins the message of an error that reports a delay; no payload knows it. */
  readonly delayMark: string
  readonly delayMode: DelayMode
  readonly session: Session
  readonly dialect: Dialect
}

/** Steps of a counting loop for a second of delay, and at most: about 0.5 ms and 5 ms. */
const BURN_STEPS_PER_SECOND = 5_000
const BURN_STEPS_MAX = 50_000
/** Calls that cost time by their size: what counts as a second, so that small ones are none. */
const PER_SECOND = { benchmark: 2_000_000, blobBytes: 20_000_000 } as const
const REPEAT_MAX = 1_000

/** SQL text of the arguments in, SQL text out; undefined = SQLite has a function of this shape. */
type Rewrite = (args: readonly string[], traps: Traps) => string | undefined

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A scalar subquery, since SQLite computes a constant call even where its branch is not taken. */
function lazily(expression: string): string {
  return `(SELECT ${expression} FROM twin_once)`
}

/** Fails when it is evaluated, with the value in its message, as the call does where it is known. */
function errorWith(value: string): string {
  return lazily(`json_extract('{}', '~' || (${value}))`)
}

/** `seconds`: SQL text of a number. */
export function delayOf(seconds: string, traps: Traps): string {
  if (traps.delayMode === "report") {
    const report = `json_extract('{}', ${quoted(traps.delayMark)} || (${seconds}))`
    return lazily(`CASE WHEN (${seconds}) > 0 THEN ${report} ELSE 0 END`)
  }
  const steps = `min(${BURN_STEPS_MAX}, ${BURN_STEPS_PER_SECOND} * coalesce(${seconds}, 0))`
  return `(WITH RECURSIVE burn(step, last) AS (SELECT 0, ${steps} FROM twin_once
    UNION ALL SELECT step + 1, last FROM burn WHERE step < last) SELECT 0 * max(step) FROM burn)`
}

/** A conversion that fails with the text that is no number, as PostgreSQL and T-SQL do. */
function numberOf(value: string): string {
  return `(SELECT CASE WHEN typeof(v) = 'text' AND trim(v) GLOB '*[^-+.0-9]*'
    THEN json_extract('{}', '~' || v) ELSE CAST(v AS NUMERIC) END FROM (SELECT ${value} AS v))`
}

const NUMERIC_TYPE =
  /^(?:big|small|tiny)?int(?:eger|[248])?$|^(?:numeric|decimal|float\d?|real|money|double)\b/i
const argument = (args: readonly string[], index: number) => args[index] ?? "NULL"
const constant = (text: string) => () => text
const ofSession = (field: keyof Session) => (_: readonly string[], traps: Traps) =>
  quoted(traps.session[field])
const renamed = (name: string) => (args: readonly string[]) => `${name}(${args.join(", ")})`
const leaks = (index: number) => (args: readonly string[]) =>
  args.length > index ? errorWith(argument(args, index)) : undefined
const delays = (index: number) => (args: readonly string[], traps: Traps) =>
  delayOf(argument(args, index), traps)
const delaysBySize =
  (index: number, perSecond: number): Rewrite =>
  (args, traps) =>
    delayOf(`(${argument(args, index)}) / ${perSecond}`, traps)

function cast(args: readonly string[], traps: Traps): string | undefined {
  const [, value, type] =
    /^([\s\S]*) AS ([a-z]\w*)(?: [a-z]\w*)?(?: \([^()]*\))?$/i.exec(args[0] ?? "") ?? []
  if (value === undefined || type === undefined) return undefined
  return traps.dialect === "mysql" ? `CAST(${value} AS ${mysqlType(type)})` : castTo(value, type)
}

function mysqlType(type: string): string {
  return /^(?:un)?signed|^dec|^num|int|^float|^double|^real/i.test(type) ? "NUMERIC" : "TEXT"
}

export function castTo(value: string, type: string): string {
  return NUMERIC_TYPE.test(type) ? numberOf(value) : `CAST(${value} AS TEXT)`
}

/** CONVERT(value USING charset), CONVERT(value, type) of MySQL, CONVERT(type, value) of T-SQL. */
function convert(args: readonly string[], traps: Traps): string | undefined {
  const [first = "NULL", second] = args
  if (second === undefined) return first.replace(/ USING \w+$/i, "")
  if (traps.dialect === "mysql") return `CAST(${first} AS ${mysqlType(second)})`
  return castTo(second, first.trim().split(" ")[0] ?? "")
}

/** MySQL finds a key of the group twice and says which: rand(0) gives 0, 1, 1 in that order. */
function concat(args: readonly string[]): string | undefined {
  return args.some((part) => /\btwin_rand\b/.test(part))
    ? errorWith(`concat(${args.map((part) => part.replace(/\btwin_rand\b/g, "1")).join(", ")})`)
    : undefined
}

function elt(args: readonly string[]): string {
  const [index = "NULL", ...values] = args
  const whens = values.map((value, at) => `WHEN ${at + 1} THEN ${value}`)
  return whens.length === 0 ? "NULL" : `CASE ${index} ${whens.join(" ")} END`
}

function substring(args: readonly string[]): string {
  const ranged = /^([\s\S]*) FROM ([\s\S]*?)(?: FOR ([\s\S]*))?$/i.exec(args[0] ?? "")
  const parts = args.length === 1 && ranged !== null ? ranged.slice(1) : args
  return `substr(${parts.filter((part) => part !== undefined).join(", ")})`
}

/** What SQLite has under no name. Names are lower case; a call of another dialect is no less exact. */
const FUNCTIONS: Readonly<Record<string, Rewrite>> = {
  ascii: renamed("unicode"),
  ord: renamed("unicode"),
  chr: renamed("char"),
  nchar: renamed("char"),
  mid: renamed("substr"),
  substring,
  substr: substring,
  left: (args) => `substr(${argument(args, 0)}, 1, ${argument(args, 1)})`,
  right: (args) => `substr(${argument(args, 0)}, -(${argument(args, 1)}))`,
  len: renamed("length"),
  datalength: renamed("length"),
  char_length: renamed("length"),
  character_length: renamed("length"),
  bit_length: (args) => `(8 * length(${argument(args, 0)}))`,
  lcase: renamed("lower"),
  ucase: renamed("upper"),
  locate: (args) => `instr(${argument(args, 1)}, ${argument(args, 0)})`,
  charindex: (args) => `instr(${argument(args, 1)}, ${argument(args, 0)})`,
  strpos: renamed("instr"),
  position: ([first = "NULL"]) => {
    const [, needle = "NULL", text = "NULL"] = /^([\s\S]*?) IN ([\s\S]*)$/i.exec(first) ?? []
    return `instr(${text}, ${needle})`
  },
  repeat: ([text = "NULL", count = "0"]) =>
    `replace(hex(zeroblob(min(${REPEAT_MAX}, ${count}))), '00', ${text})`,
  replicate: ([text = "NULL", count = "0"]) =>
    `replace(hex(zeroblob(min(${REPEAT_MAX}, ${count}))), '00', ${text})`,
  space: ([count = "0"]) => `replace(hex(zeroblob(min(${REPEAT_MAX}, ${count}))), '00', ' ')`,
  str: (args) => `CAST(${argument(args, 0)} AS TEXT)`,
  to_char: (args) => `CAST(${argument(args, 0)} AS TEXT)`,
  elt,
  if: renamed("iif"),
  nvl: renamed("ifnull"),
  isnull: (args) =>
    args.length === 1 ? `(${argument(args, 0)} IS NULL)` : `ifnull(${args.join(", ")})`,
  concat,
  make_set: (args) =>
    args.length === 2 ? `iif((${argument(args, 0)}) & 1, ${argument(args, 1)}, '')` : undefined,
  concat_ws: (args) => concat(args.slice(1)),
  array_to_string: (args) => argument(args, 0),
  row: (args) => `(${args.join(", ")})`,
  cast,
  try_cast: (args) => args[0]?.replace(/ AS [a-z]\w*$/i, ""),
  convert,
  to_number: (args) => numberOf(argument(args, 0)),
  md5: ([text = ""]) => hashOf("md5", text),
  sha1: ([text = ""]) => hashOf("sha1", text),
  sha: ([text = ""]) => hashOf("sha1", text),
  now: constant("'2024-01-01 00:00:00'"),
  sysdate: constant("'2024-01-01 00:00:00'"),
  getdate: constant("'2024-01-01 00:00:00'"),
  curdate: constant("'2024-01-01'"),
  random: constant("1"),
  rand: constant("twin_rand"),
  connection_id: constant("7"),
  pg_backend_pid: constant("7"),
  last_insert_id: constant("0"),
  row_count: constant("0"),
  uuid: constant("'00000000-0000-0000-0000-000000000000'"),
  load_file: constant("(SELECT content FROM twin_files)"),
  pg_read_file: constant("(SELECT content FROM twin_files)"),
  pg_ls_dir: constant("(SELECT content FROM twin_files)"),

  version: ofSession("version"),
  sqlite_version: ofSession("version"),
  database: ofSession("database"),
  schema: ofSession("database"),
  db_name: ofSession("database"),
  current_database: ofSession("database"),
  current_schema: ofSession("database"),
  user: ofSession("user"),
  current_user: ofSession("user"),
  session_user: ofSession("user"),
  system_user: ofSession("user"),
  user_name: ofSession("user"),
  suser_name: ofSession("user"),
  suser_sname: ofSession("user"),
  host_name: ofSession("user"),

  sleep: delays(0),
  pg_sleep: delays(0),
  pg_sleep_for: (args, traps) => delayOf(`CAST(${argument(args, 0)} AS NUMERIC)`, traps),
  "dbms_lock.sleep": delays(0),
  "dbms_session.sleep": delays(0),
  "dbms_pipe.receive_message": delays(1),
  get_lock: () => "1",
  generate_series: delaysBySize(1, PER_SECOND.benchmark),
  benchmark: delaysBySize(0, PER_SECOND.benchmark),
  randomblob: delaysBySize(0, PER_SECOND.blobBytes),
  zeroblob: delaysBySize(0, PER_SECOND.blobBytes),

  extractvalue: leaks(1),
  updatexml: leaks(1),
  gtid_subset: leaks(0),
  gtid_subtract: leaks(0),
  json_keys: leaks(0),
  st_latfromgeohash: leaks(0),
  st_longfromgeohash: leaks(0),
  st_pointfromgeohash: leaks(0),
  geometrycollection: leaks(0),
  polygon: leaks(0),
  multipoint: leaks(0),
  multilinestring: leaks(0),
  multipolygon: leaks(0),
  linestring: leaks(0),
  name_const: leaks(0),
  exp: ([value = ""]) => (value.startsWith("~") ? errorWith(value.slice(1)) : undefined),
  xmltype: leaks(0),
  query_to_xml: leaks(0),
  "utl_inaddr.get_host_name": leaks(0),
  "utl_inaddr.get_host_address": leaks(0),
  "ctxsys.drithsx.sn": leaks(1),
  "dbms_utility.sqlid_to_sqlhash": leaks(0),
  "ordsys.ord_dicom.getmappingxpath": leaks(0),
}

/** Of a literal only: SQLite has no digests. */
function hashOf(algorithm: "md5" | "sha1", text: string): string | undefined {
  const literal = /^'((?:[^']|'')*)'$|^(\d+)$/.exec(text)
  if (literal === null) return undefined
  const value = (literal[1] ?? literal[2] ?? "").replaceAll("''", "'")
  return quoted(new Bun.CryptoHasher(algorithm).update(value).digest("hex"))
}

/** What SQLite has itself, and must not do as it is told. */
const NATIVE: ReadonlySet<string> = new Set([
  ...["randomblob", "zeroblob", "random", "sqlite_version"],
])

/** How a call of the dialect is written in SQLite; undefined where it is written as it is. */
export function rewriteOf(name: string, dialect: Dialect): Rewrite | undefined {
  if (dialect === "sqlite" && !NATIVE.has(name)) return undefined
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
}

/** Calls that other engines have and that nothing here is exact for. */
const FOREIGN_CALLS =
  /^(?:regexp\w*|conv|bin|oct|ascii_char|aes_\w+|des_\w+|compress|uncompress|lpad|rpad|reverse|insert|field|find_in_set|export_set|make_set|interval|soundex|stuff|patindex|quotename|parsename|openrowset|openquery|opendatasource|fn_\w+|object_id|object_name|col_name|has_dbaccess|is_srvrolemember|serverproperty|xp_\w+|lo_\w+|pg_\w+|dblink\w*|current_setting|set_config|regexp_\w+|string_to_array|unnest|encode|decode|to_hex|convert_from|database_to_xml|table_to_xml|utl_[\w.]+|dbms_[\w.]+|httpuritype|sys_context|userenv|xmltype|extractvalue|dump|rawtohex|httpuritype|wm_concat|listagg|translate|is_\w+_lock|master_pos_wait|release_lock|st_\w+|sys\.\w+)$/i

/** Whether the name of an unknown function is one of another engine. */
export function isForeignCall(name: string): boolean {
  return FOREIGN_CALLS.test(name)
}

/** Values of the server by their name, with its `@@`; others are NULL. */
export function serverVariable(variable: string, session: Session): string {
  const name = variable.replace(/^@@(?:(?:global|session|local)\.)?/i, "")
  if (/^version(?:_comment)?$/i.test(name)) return quoted(session.version)
  if (/^(?:hostname|servername|datadir|basedir|tmpdir|version_compile_os)$/i.test(name)) {
    return quoted(session.user)
  }
  return "NULL"
}
