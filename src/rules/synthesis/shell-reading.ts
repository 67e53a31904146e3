import { CharacterSet } from "../pattern/character-set.ts"
import { encoded, encodedByte, encodedLiteral } from "../pattern/encoded.ts"
import {
  characters,
  choice,
  literal,
  NOTHING,
  optional,
  type Pattern,
  repeat,
  sequence,
} from "../pattern/pattern.ts"
import type { Atom, Reading, Step } from "./atom.ts"
import { type ShellToken, shellTokens } from "./shell-tokens.ts"
import { fieldEnd, fieldStarts, strictStart, valueStart } from "./value-start.ts"

const GAP_MAX = 6
const ARGUMENTS_MAX = 48
const PREFIX_MAX = 64
const PREFIX_WORD_MAX = 32
const GLOB_MAX = 24
const ESCAPED_AT_MAX = 12
const VARIABLE_MAX = 12

/** Programs of POSIX, GNU and Linux, and those with which an attacker fetches the rest. */
const COMMANDS = new Set(
  (
    "whoami uname ls pwd ps env ifconfig netstat curl wget nc ncat netcat bash sh dash zsh ksh csh fish python python2 " +
    "python3 perl ruby php nslookup dig telnet ssh scp sftp chmod chown rm rmdir mkdir printf base64 base32 tac nl awk " +
    "gawk sed xargs tee socat busybox hostname crontab id cat ping ping6 sleep touch eval ftpget tftp ftp chattr useradd " +
    "usermod adduser userdel lsof ss df du mount umount dmesg lscpu lsblk od xxd hexdump getent expr dd cp mv ln mkfifo " +
    "mknod openssl node lua gcc cc w wc tr grep egrep fgrep zgrep cd sudo su chpasswd chroot nohup setsid ldd nm strings " +
    "nproc uptime pgrep pkill killall printenv iptables ip6tables ufw arp traceroute tcpdump nmap sysctl systemctl " +
    "journalctl dpkg apt yum rpm pip npm gdb strace rev shuf seq readlink realpath basename dirname md5sum sha1sum " +
    "sha256sum cksum gzip gunzip zcat bzip2 xz tar zip unzip rsync lynx w3m mysql psql sqlite3 docker kubectl ed vi vim " +
    "nano stty logname groups uniq sendmail whois lastlog runuser unlink usleep ifup iwconfig modprobe lsmod " +
    "tty diff comm cmp lsattr lsusb lspci findmnt blkid fdisk vmstat iostat pstree fuser umask unshare visudo passwd " +
    "gpasswd groupadd ssh-keygen ethtool dhclient hostnamectl loginctl mktemp truncate tmux tclsh java javac git npx " +
    "aria2c elinks redis-cli mysqldump pg_dump ldapsearch smbclient"
  ).split(" "),
)
/** Programs whose names are words of English as well. */
const COMMON_WORDS = new Set(
  (
    "more less head tail find host ip echo kill date time let test cut sort file who last users top free paste fold " +
    "mail screen link split join look script at watch arch export set source exec stat halt reboot install history " +
    "jobs read type which wall write pr route split dir service"
  ).split(" "),
)
const COMMON_EVIDENCE = 2
const SENSITIVE = /\/etc\/(?:passwd|shadow|hosts)|\/proc\/self|\/dev\/tcp|\/bin\/(?:ba|da|z)?sh/

const LETTERS = CharacterSet.range(0x61, 0x7a).withBothCases()
const WORD = LETTERS.union(CharacterSet.range(0x30, 0x39)).union(CharacterSet.of("_./:@-"))
const operators = repeat(encoded(CharacterSet.of(";|&")), { min: 1, max: 2 })
const newlineInJson = sequence(literal("\\"), characters(CharacterSet.of("nr")))
/** Newlines behind the first character are blanks. */
const separators = sequence(
  choice(encoded(CharacterSet.of(";|&\n\r")), newlineInJson),
  repeat(encoded(CharacterSet.of(";|&")), { min: 0, max: 2 }),
)
const opening = choice(
  encoded(CharacterSet.of("`")),
  sequence(encoded(CharacterSet.of("$<>")), encoded(CharacterSet.of("("))),
)
const dollar = encoded(CharacterSet.of("$"))
const openBrace = encoded(CharacterSet.of("{"))
const closeBrace = encoded(CharacterSet.of("}"))
/** Positional parameters, of which an injected command line has none. */
const emptyParameter = choice(
  characters(CharacterSet.of("*0123456789")),
  encoded(CharacterSet.of("@")),
)
const SMALL = CharacterSet.range(0x61, 0x7a)
/** Its name does not begin as IFS does. */
const unsetVariable = sequence(
  openBrace,
  choice(
    repeat(characters(SMALL), { min: 1, max: VARIABLE_MAX }),
    characters(CharacterSet.range(0x41, 0x5a)),
  ),
  closeBrace,
)
/** Blanks, and the variable that holds them. */
const blank = choice(
  encoded(CharacterSet.of(" \t\n\r+")),
  sequence(literal("\\"), characters(CharacterSet.of("nrt"))),
  sequence(
    dollar,
    optional(openBrace),
    literal("IFS"),
    optional(closeBrace),
    optional(sequence(dollar, emptyParameter)),
  ),
)
const gap = repeat(blank, { min: 0, max: GAP_MAX })
const space = repeat(blank, { min: 1, max: GAP_MAX })
/** What expansion takes out of a word again: $@ $* $1 ${x} $(). */
const emptyExpansion = sequence(dollar, choice(emptyParameter, unsetVariable, encodedLiteral("()")))
/** With what quote removal takes out: '' "" \\. */
const nothing = choice(encoded(CharacterSet.of("'\"\\")), emptyExpansion)
/** Two of them, where JSON writes each in two characters. */
const nothings = repeat(nothing, { min: 0, max: 4 })
/** What ends the name of a command that stands alone: not the `=` of a parameter so called. */
const commandEnd = sequence(
  nothings,
  choice(blank, encoded(CharacterSet.of(";|&`<>(){}#")), encodedByte("00")),
)
/** Where a value ends, and its command line with it: at the next field, the headers or a comment. */
const valueEnd = sequence(
  repeat(choice(blank, encoded(CharacterSet.of(";|)`"))), { min: 0, max: GAP_MAX }),
  fieldEnd,
)
/** What stands between a command and its arguments. */
const argumentsStart = sequence(nothings, choice(blank, encoded(CharacterSet.of("<>"))))
/** A word in escapes, `$'\\x69\\144'`: nobody who is honest writes so. */
const escapedWord = sequence(
  repeat(encoded(WORD), { min: 0, max: ESCAPED_AT_MAX }),
  encodedLiteral("$'"),
  repeat(encodedLiteral("\\"), { min: 1, max: 2 }),
  encoded(CharacterSet.of("x01")),
)
const small = characters(SMALL)
const smalls = repeat(small, { min: 1, max: ESCAPED_AT_MAX })
/** After a backslash none that JSON or a text of lines escapes so. */
const notEscaped = characters(SMALL.without(CharacterSet.of("nrtfbu")))
const backslash = choice(literal("\\"), literal("\\\\"), encodedByte("5c"))
/** Any word that is written to be read by a shell alone: `c''at`, `c$@at`, `$'\143at'`, `c\at`. */
const disguises: readonly (readonly Atom[])[] = [
  sequence(smalls, choice(twice("'"), twice('"'), literal('\\"\\"')), small),
  sequence(smalls, emptyExpansion, small),
  escapedWord,
  sequence(smalls, backslash, notEscaped),
].map((pattern) => [
  { name: "separator", ladder: [{ pattern: choice(separators, opening), evidence: 1.5 }], gap },
  { name: "disguise", ladder: [{ pattern, evidence: 4.5 }], gap },
])

function twice(quote: string): Pattern {
  return sequence(encodedLiteral(quote), encodedLiteral(quote))
}

/** A path that a glob stands for: `/b?n/c*t`. */
const globbedPath = sequence(
  encodedLiteral("/"),
  choice(
    encoded(CharacterSet.of("?")),
    sequence(repeat(encoded(WORD), { min: 1, max: GLOB_MAX }), encoded(CharacterSet.of("?*"))),
  ),
)
/** Options may stand before it. */
const absolutePath = sequence(
  repeat(encoded(WORD.without(CharacterSet.of("/")).union(CharacterSet.of(" \t+,'\"-"))), {
    min: 0,
    max: GAP_MAX,
  }),
  encodedLiteral("/"),
)
const escapedQuote = sequence(literal("\\"), characters(CharacterSet.of("\"'\\/")))
/** What a shell takes out of a word, or reads as a blank. */
const respelt = choice(
  sequence(literal("\\"), notEscaped),
  encodedByte("5c"),
  sequence(
    dollar,
    choice(
      emptyParameter,
      unsetVariable,
      sequence(optional(openBrace), literal("IFS"), optional(closeBrace)),
    ),
  ),
)
/** Arguments of any form with what stands between them; a newline or an operator ends them. */
const argumentText = repeat(
  choice(encoded(WORD.union(CharacterSet.of(" \t+,'\"$*{}?[]#=~^!"))), escapedQuote),
  { min: 1, max: ARGUMENTS_MAX },
)
/** Between the start of a value and its first operator stands what the program expected there. */
const expected = WORD.union(CharacterSet.of("+'\",.!?()]"))
const ended: Atom = {
  name: "value_end",
  ladder: [{ pattern: valueEnd, evidence: 1.5 }],
  gap: NOTHING,
}
/** Without newlines, which end commands. */
const indent = repeat(encoded(CharacterSet.of(" \t+")), { min: 0, max: GAP_MAX })
const started: Atom = {
  ...valueStart,
  ladder: [
    { ...fieldStarts, pattern: sequence(fieldStarts.pattern, indent) },
    { pattern: startWith(expected, PREFIX_WORD_MAX), evidence: 1, isLong: true },
    {
      pattern: startWith(expected.union(CharacterSet.of(" ")), PREFIX_MAX),
      evidence: 0.5,
      isLong: true,
    },
  ],
}

function startWith(set: CharacterSet, max: number): Pattern {
  return sequence(strictStart, repeat(choice(encoded(set), escapedQuote, respelt), { min: 0, max }))
}

/** Reads an injection into a command line as the words and operators of a POSIX shell. */
export function readShell(payload: string): Reading {
  const tokens = withoutEnds(shellTokens(payload))
  const atoms = tokens.map((token, index) => {
    const [before, next] = [tokens[index - 1], tokens[index + 1]]
    const ladder = LADDERS[token.kind](token.text, next?.kind)
    const gapBefore = before === undefined ? NOTHING : gapBetween(before, token)
    return { name: token.kind, ladder, gap: gapBefore }
  })
  const isOpen = tokens.at(-1)?.kind === "argument"
  return {
    atoms: [started, ...atoms, ...(isOpen ? [ended] : [])],
    others: disguises,
    limits: ["commands of Windows shells"],
  }
}

/** Words before the first operator belong to the command line that is attacked; the last ends nothing. */
function withoutEnds(tokens: readonly ShellToken[]): readonly ShellToken[] {
  const isWord = ({ kind }: ShellToken) => kind !== "separator" && kind !== "opening"
  const first = tokens.findIndex((token) => !isWord(token))
  return tokens.slice(Math.max(0, first), tokens.findLastIndex(isWord) + 1)
}

/** The end of a command's name takes a blank of its own. */
function gapBetween(before: ShellToken, { kind }: ShellToken): Pattern {
  const isWord = kind === "argument" || kind === "command"
  return isWord && (before.kind === "argument" || before.kind === "reserved") ? space : gap
}

/** @param next the kind of the token behind it; undefined for the last */
type LadderOf = (text: string, next: ShellToken["kind"] | undefined) => readonly Step[]

const LADDERS: Readonly<Record<ShellToken["kind"], LadderOf>> = {
  opening: openingLadder,
  separator: separatorLadder,
  redirection: (text) => [{ pattern: encodedLiteral(text), evidence: 1 }],
  reserved: (text) => [{ pattern: sequence(disguised(text), nothings), evidence: 0.5 }],
  command: commandLadder,
  argument: argumentLadder,
}

function openingLadder(text: string): readonly Step[] {
  return [
    { pattern: encodedLiteral(text), evidence: text === "`" ? 2.5 : 3.5 },
    { pattern: opening, evidence: 3 },
  ]
}

function separatorLadder(text: string): readonly Step[] {
  return [
    { pattern: encodedLiteral(text), evidence: 1.5 },
    ...(/[;|&]/.test(text) ? [{ pattern: operators, evidence: 1.5 }] : []),
    { pattern: choice(separators, opening), evidence: 1.5 },
  ]
}

function commandLadder(word: string, next: ShellToken["kind"] | undefined): readonly Step[] {
  const evidence = commandEvidence(word.slice(word.lastIndexOf("/") + 1))
  const end = next === "argument" ? argumentsStart : commandEnd
  const spelt = disguised(word)
  // a list may end in an English word, `name;date`
  const endEvidence = evidence === COMMON_EVIDENCE ? 0.5 : 1.5
  const last = { pattern: sequence(spelt, nothings, valueEnd), evidence: evidence + endEvidence }
  return [
    ...(next === undefined ? [last] : []),
    { pattern: sequence(encodedLiteral(word), end), evidence },
    { pattern: sequence(spelt, end), evidence },
    {
      pattern: choice(sequence(spelt, end), braced(word), escapedWord, ...globbed(word)),
      evidence,
    },
  ]
}

/** `{cat,/etc/passwd}` needs no blank. */
function braced(word: string): Pattern {
  return sequence(openBrace, encodedLiteral(word), encoded(CharacterSet.of(",")))
}

/** Any absolute path with a glob in it, for a word that is one. */
function globbed(word: string): readonly Pattern[] {
  return word.startsWith("/") ? [globbedPath] : []
}

function commandEvidence(name: string): number {
  if (COMMANDS.has(name)) return 4
  return COMMON_WORDS.has(name) ? COMMON_EVIDENCE : Math.min(COMMON_EVIDENCE, name.length / 4)
}

function argumentLadder(word: string): readonly Step[] {
  const evidence = SENSITIVE.test(word) ? 3 : Math.min(1, word.length / 8)
  return [
    { pattern: encodedLiteral(word), evidence },
    { pattern: sequence(disguised(word), nothings), evidence },
    ...(word.startsWith("/") ? [{ pattern: absolutePath, evidence: 0.5, takesGaps: true }] : []),
    { pattern: argumentText, evidence: 0, takesGaps: true, isLong: true },
  ]
}

/** The word with what a shell takes out again before and between its characters. */
function disguised(word: string): Pattern {
  const opened = repeat(encoded(CharacterSet.of("'\"\\{")), { min: 0, max: 3 })
  const spelt = Array.from(word, (character) => spelling(character))
  return sequence(opened, ...spelt.flatMap((one, index) => (index === 0 ? [one] : [nothings, one])))
}

/** `/./` and `//` are `/`. */
function spelling(character: string): Pattern {
  const plain = encodedLiteral(character)
  if (character !== "/") return plain
  const again = sequence(optional(encodedLiteral(".")), plain)
  return sequence(plain, repeat(again, { min: 0, max: 2 }))
}
