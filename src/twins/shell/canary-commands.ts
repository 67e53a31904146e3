import { RECORDER_SCRIPT } from "./recorder-script.ts"

/**
 * What a canary command needs to do anything at all. The real one would fail at once, or only copy
 * its input, where that is missing; so `cats & more` and `; find out` are no effect.
 *
 * - `alone`: nothing; operands, where there are any, must be options or match `operands`.
 * - `report`: no operands, where the payload is no prose, as these are English words as well; or an
 *   option, or an operand that matches `operands`.
 * - `file`: a path among the operands, or a file as standard input.
 * - `host`: an address among the operands, or an option.
 * - `number`: a number first.
 * - `script`: an option, a path, or a script as standard input.
 * - `shell`: as `script`, or no operand at all.
 * - `wrapper`: an option; what it wraps is a command of its own.
 * - `word`: an operand that matches `operands`, or an option.
 * - `anything`: any operand, where the payload is no prose.
 */
export type EffectRule =
  | "alone"
  | "report"
  | "file"
  | "host"
  | "number"
  | "script"
  | "shell"
  | "wrapper"
  | "word"
  | "anything"

export interface CanaryCommand {
  readonly name: string
  readonly rule: EffectRule
  readonly operands?: RegExp
}

const ACCOUNTS = /^(?:-|root|www-data|nobody|daemon|mysql|postgres|admin|ubuntu|[0-9]+)$/
const SERVICES =
  /^(?:status|start|stop|restart|reload|enable|disable|list-units|list-unit-files|daemon-reload)$/

const NAMES_BY_RULE: Readonly<Record<EffectRule, string>> = {
  alone: [
    "whoami hostname uname pwd uptime ls df du dmesg env printenv ifconfig netstat ss arp",
    "iptables lscpu lsblk lsmod lspci lsusb nproc tty logname hostid lastlog vmstat iostat pstree",
    "dmidecode lsb_release blkid fdisk ipcs",
  ].join(" "),
  report: "date who w users groups last free mount top route reboot halt poweroff cal finger",
  file: [
    "cat tac nl head tail more less od xxd hexdump strings sort uniq cut rev wc tr sed grep egrep",
    "fgrep find locate stat file rm rmdir cp mv ln chmod chown chgrp dd tar gzip gunzip zip unzip",
    "base64 base32 md5sum sha1sum sha256sum sha512sum cksum vi vim vimdiff view nano pico emacs ed ex",
    "gcc cc make diff cmp comm paste fold fmt join split csplit truncate shred install mknod chroot",
    "chattr lsattr readlink realpath basename dirname zcat zgrep zless bzip2 bunzip2 xz cpio rar 7z",
    "ldd nm objdump readelf iconv jq column visudo insmod modprobe lsof fuser",
  ].join(" "),
  host: [
    "curl wget nc ncat netcat telnet ssh scp ftp tftp rsync socat nslookup dig host ping ping6",
    "traceroute nmap sendmail mail lynx",
    "w3m links sftp whois mtr tracepath arping hping3 rsh rlogin ftpget tcpdump axel aria2c",
    "redis-cli mongo smbclient ldapsearch",
  ].join(" "),
  number: "sleep usleep kill seq expr factor",
  script:
    "python python2 python3 perl ruby php node lua java awk gawk mawk tclsh gdb openssl mysql psql sqlite3",
  shell: "sh bash dash ash zsh ksh csh rbash",
  wrapper:
    "nohup nice time timeout xargs setsid sudo doas stdbuf watch strace crontab at screen tmux",
  word: "",
  anything: [
    "touch mkdir tee mkfifo useradd adduser userdel echo printf killall pkill pgrep pidof setenforce",
  ].join(" "),
}

/** No package managers and tools of developers: documentation quotes those between backticks. */
const BY_WORD: readonly CanaryCommand[] = [
  { name: "id", rule: "alone", operands: ACCOUNTS },
  { name: "getent", rule: "word", operands: /^(?:passwd|group|hosts|shadow|services)$/ },
  { name: "ps", rule: "alone", operands: /^[aefjuxw]{1,6}$/ },
  { name: "ip", rule: "word", operands: /^(?:a|ad|addr|address|r|route|l|link|n|neigh)$/ },
  { name: "su", rule: "report", operands: ACCOUNTS },
  { name: "init", rule: "word", operands: /^[0-6sS]$/ },
  { name: "passwd", rule: "word", operands: ACCOUNTS },
  { name: "service", rule: "word", operands: SERVICES },
  { name: "systemctl", rule: "word", operands: SERVICES },
  { name: "shutdown", rule: "word", operands: /^now$/ },
  { name: "busybox", rule: "word", operands: /^[a-z0-9]+$/ },
  { name: "which", rule: "word", operands: /^(?:curl|wget|nc|python3?|perl|php|bash|gcc)$/ },
  { name: "whereis", rule: "word", operands: /^(?:curl|wget|nc|python3?|perl|php|bash|gcc)$/ },
]

/** Every command that PATH holds in a command twin, each of them a recorder. */
export const CANARY_COMMANDS: readonly CanaryCommand[] = [
  ...Object.entries(NAMES_BY_RULE).flatMap(([rule, names]) =>
    names
      .split(" ")
      .filter((name) => name !== "")
      .map((name) => ({ name, rule: rule as EffectRule })),
  ),
  ...BY_WORD,
]

/**
 * Where a command lies beside `/usr/bin`, as on a system that keeps `/bin` apart: a payload names it
 * by its path, or by a glob such as `/???/c?t`, which has to find this one first.
 */
const ALSO_IN: Readonly<Record<string, string>> = {
  "/bin": [
    "ash bash busybox cat chgrp chmod chown cp csh dash date dd df dmesg echo ed grep egrep fgrep",
    "gunzip gzip hostname ip kill ln ls lsblk lsmod mkdir mount mv nano nc netcat netstat ping",
    "ping6 ps pwd rm rmdir sed sh sleep ss stat su systemctl tar touch uname which zsh",
  ].join(" "),
  "/sbin": "ifconfig ip route iptables init reboot halt poweroff shutdown",
  "/usr/sbin": "arp iptables sendmail service useradd adduser",
}

/** The PATH of a command twin. */
export const CANARY_FOLDERS = ["/usr/bin", ...Object.keys(ALSO_IN)]

export interface CanaryFile {
  /** Absolute, in the image. */
  readonly path: string
  readonly mode: number
  readonly content: string
}

/**
 * The canary commands as files of the image, each a copy of one script. They need the shells at
 * `SHELL_PATHS`, and `/bin` and `/usr/bin` to be two folders.
 */
export function canaryFiles(): readonly CanaryFile[] {
  const everywhere = CANARY_COMMANDS.map(({ name }) => `/usr/bin/${name}`)
  const besides = Object.entries(ALSO_IN).flatMap(([folder, names]) =>
    names.split(" ").map((name) => `${folder}/${name}`),
  )
  return [...everywhere, ...besides].map((path) => {
    return { path, mode: 0o555, content: RECORDER_SCRIPT }
  })
}
