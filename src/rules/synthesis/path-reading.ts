import { CharacterSet } from "../pattern/character-set.ts"
import {
  digitByDigit,
  encoded,
  encodedByte,
  encodedCaseless,
  encodedLiteral,
} from "../pattern/encoded.ts"
import {
  anyOf,
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
import { fieldEnd, slashlessStart, valueStart } from "./value-start.ts"

const TOKENS_MAX = 24
/** JSON writes each backslash as two. */
const RUN_MAX = 8
const SEPARATORS_MAX = 12
const NAME_MAX = 12
const PARAMETER_MAX = 12
const DETOUR_MAX = 3
const BETWEEN_MAX = 2
/** Characters of folders between a climb and the names it goes down to. */
const FOLDERS_MAX = 64
const PERCENT = "%(?:25){0,2}"
/** Dots and slashes: encoded up to three times, digit by digit, overlong, wide (see below). */
const OVERLONG = `${PERCENT}(?:c0|e0|f[08c])(?:${PERCENT}80){0,4}`
const DOT = String.raw`(?:[.\u2024\uff0e]|${PERCENT}(?:2|%32)(?:e|%[46]5)|${OVERLONG}(?:${PERCENT}[6ae]e|\.)|%(?:25)?u(?:002e|2024|ff0e)|${PERCENT}ef${PERCENT}bc${PERCENT}8e)`
const SLASH = String.raw`(?:[/\\\u2044\u2215\u2216\u29f5\u29f8\uff0f\uff3c]|${PERCENT}(?:2|%32)(?:f|%[46]6)|${PERCENT}(?:5|%35)(?:c|%[46]3)|${OVERLONG}${PERCENT}[6ae]f|(?:${OVERLONG}${PERCENT}81|${PERCENT}c1)${PERCENT}[19d]c|%(?:25)?u(?:00(?:2f|5c)|2044|221[56]|ff(?:0f|3c))|${PERCENT}ef${PERCENT}bc${PERCENT}(?:8f|bc)|${PERCENT}e2${PERCENT}(?:81${PERCENT}84|88${PERCENT}9[56]))`
/** What servlet containers and readers of C strings drop between dots and slash. */
const DROPPED = `(?:;[\\w=]{0,${PARAMETER_MAX}}|${PERCENT}00)?`
const TOKEN = new RegExp(
  String.raw`(?<device>\\\\[?.]\\)|(?<climb>(?:${DOT}{2,4}${DROPPED}${SLASH}{1,4}(?:${DOT}${SLASH}{1,4})?){1,64})|(?<scheme>[a-z][a-z0-9.+-]{0,15}:(?=[/\\]))|(?<separator>${SLASH})|(?<nul>${PERCENT}00|\0)|(?<name>[\w.-]+)`,
  "gi",
)

const SLASHES = new RegExp(SLASH, "gi")

/** Files and folders that nobody asks a shop for. */
const SENSITIVE = new Set(
  (
    "etc passwd shadow hosts group proc self environ cmdline win.ini boot.ini system.ini windows system32 " +
    "config sam .ssh id_rsa authorized_keys .env .git .htpasswd .htaccess web.xml web-inf access.log error.log " +
    "root boot grub .profile .bashrc .bash_history .netrc .pgpass .aws .kube .docker fstab crontab sudoers issue group " +
    "mysql my.cnf php.ini httpd.conf nginx.conf apache2.conf sshd_config wp-config.php settings.py database.yml " +
    "inetpub repair ntuser.dat unattend.xml sysprep.xml applicationhost.config"
  ).split(" "),
)

/** Schemes of ordinary links. */
const LINKS = new Set(["http:", "https:", "ftp:", "mailto:"])

const NAME = CharacterSet.of("_-")
  .union(CharacterSet.range(0x30, 0x39))
  .union(CharacterSet.range(0x61, 0x7a).withBothCases())
const percent = sequence(literal("%"), repeat(literal("25"), { min: 0, max: 2 }))
/** Overlong forms in UTF-8, of two to six bytes (RFC 3629, section 10). */
const overlongLead = sequence(
  percent,
  choice(
    literal("c0"),
    literal("C0"),
    literal("e0"),
    literal("E0"),
    sequence(letter("f"), characters(CharacterSet.of("08cC"))),
  ),
  repeat(encodedByte("80"), { min: 0, max: 4 }),
)
const overlongDot = sequence(overlongLead, lastByte("6ae", "e"))
const overlongSlash = choice(
  sequence(
    overlongLead,
    choice(lastByte("6ae", "f"), sequence(encodedByte("81"), lastByte("19d", "c"))),
  ),
  sequence(encodedByte("c1"), lastByte("19d", "c")),
)
/** What Windows takes for a dot or a slash where its code page lacks the character. */
const wideDot = choice(codePoint("002e", "2024", "ff0e"), bytes("ef", "bc", "8e"))
const wideSlash = choice(
  codePoint("002f", "005c", "2044", "2215", "2216", "ff0f", "ff3c"),
  sequence(bytes("ef", "bc"), choice(bytes("8f"), bytes("bc"))),
  sequence(bytes("e2"), choice(bytes("81", "84"), sequence(bytes("88"), lastByte("9", "56")))),
)
const dot = choice(encoded(CharacterSet.of(".")), digitByDigit("2e"), overlongDot, wideDot)
/** Any character beyond ASCII may be a wide slash, for patterns are ASCII. */
const slash = choice(encoded(CharacterSet.of("/\\\u2215")), overlongSlash, wideSlash)
const separator = choice(slash, digitByDigit("2f"), digitByDigit("5c"))
const plainSlash = encoded(CharacterSet.of("/\\"))
const run = sequence(separator, repeat(plainSlash, { min: 0, max: RUN_MAX - 1 }))
const inSegment = encoded(NAME.union(CharacterSet.of(".")))
/** A folder that leads no step up. */
const down = sequence(
  choice(
    sequence(encoded(NAME), repeat(inSegment, { min: 0, max: NAME_MAX - 1 })),
    encoded(CharacterSet.of(".")),
  ),
  repeat(plainSlash, { min: 1, max: RUN_MAX }),
)
/** Two dots, with what servlet containers and readers of C strings drop behind them. */
const parent = sequence(
  repeat(dot, { min: 2, max: 4 }),
  optional(
    choice(
      sequence(
        encoded(CharacterSet.of(";")),
        repeat(encoded(NAME.union(CharacterSet.of("="))), { min: 0, max: PARAMETER_MAX }),
      ),
      encodedByte("00"),
    ),
  ),
)
const lastUp = sequence(parent, separator)
/** Slashes, with the folder itself (`/./`) among them. */
const separators = sequence(
  separator,
  repeat(sequence(optional(encoded(CharacterSet.of("."))), plainSlash), {
    min: 0,
    max: SEPARATORS_MAX,
  }),
)
/** A character of folders in any spelling, up and down. */
const inFolders = NAME.union(CharacterSet.of("./\\;\u2215"))
const inEscape = inFolders.union(CharacterSet.of("%"))
/** Any escape but that of a blank, behind which something else begins. */
const folderCharacter = choice(
  characters(inFolders),
  sequence(
    literal("%"),
    choice(
      sequence(characters(inEscape.without(CharacterSet.of("2"))), characters(inEscape)),
      sequence(literal("2"), characters(inEscape.without(CharacterSet.of("0")))),
    ),
  ),
)
/** To a last slash. */
const folders = optional(sequence(repeat(folderCharacter, { min: 0, max: FOLDERS_MAX }), separator))
const folder = repeat(encoded(NAME), { min: 1, max: NAME_MAX })
const pathStart: Atom = {
  ...valueStart,
  ladder: valueStart.ladder.toSpliced(1, 0, {
    pattern: slashlessStart,
    evidence: 1,
  }),
}

function bytes(...hex: readonly string[]): Pattern {
  return sequence(...hex.map(encodedByte))
}

/** A byte with one of these high digits and one of these low ones. */
function lastByte(high: string, low: string): Pattern {
  return sequence(percent, letter(high), letter(low))
}

function letter(digits: string): Pattern {
  return characters(CharacterSet.of(digits).withBothCases())
}

/** `%u002e`, as IIS reads it. */
function codePoint(...hex: readonly string[]): Pattern {
  return sequence(
    percent,
    letter("u"),
    anyOf(hex, (digits) => letter(digits)),
  )
}

/** Where a value ends, with what an attacker puts behind a name for it to be cut off again. */
const cutOff = sequence(
  choice(encoded(CharacterSet.of("\0?")), literal("\\u0000")),
  repeat(encoded(NAME.union(CharacterSet.of(".="))), { min: 0, max: NAME_MAX }),
)
const ended: Atom = {
  name: "value_end",
  ladder: [
    {
      pattern: sequence(optional(cutOff), repeat(literal(" "), { min: 0, max: 2 }), fieldEnd),
      evidence: 1.5,
    },
  ],
  gap: NOTHING,
}

/** Reads a path that leaves its folder: the climb, then the names it goes down to. */
export function readPath(payload: string): Reading {
  const atoms: Atom[] = []
  let isBehindSeparator = false
  for (const { groups = {} } of payload.matchAll(TOKEN)) {
    const ladder = ladderOf(groups)
    if (ladder.length > 0 && atoms.length < TOKENS_MAX) {
      const gap = isBehindSeparator ? separators : NOTHING
      atoms.push({ name: nameOf(groups), ladder, gap })
    }
    isBehindSeparator = groups.separator !== undefined
  }
  // one that climbs says enough, and any value may end in some name
  const isAbsolute = !atoms.some(({ name }) => name === "climb") && atoms.some(isSensitive)
  return { atoms: [pathStart, ...started(atoms), ...(isAbsolute ? [ended] : [])], limits: [] }
}

function isSensitive({ name, ladder: [first] }: Atom): boolean {
  return name === "name" && (first?.evidence ?? 0) >= 3
}

/** Before its first name an attacker may put folders that he leaves again. */
function started([first, ...rest]: readonly Atom[]): readonly Atom[] {
  if (first === undefined) return []
  const detour = sequence(optional(run), upTo(DETOUR_MAX, down))
  return [{ ...first, gap: first.name === "climb" ? detour : folders }, ...rest]
}

function upTo(max: number, part: Pattern): Pattern {
  return repeat(part, { min: 0, max })
}

type Groups = Readonly<Record<string, string | undefined>>

function nameOf(groups: Groups): string {
  return Object.keys(groups).find((name) => groups[name] !== undefined) ?? ""
}

function ladderOf({ device, climb, scheme, nul, name }: Groups): readonly Step[] {
  if (device !== undefined) return [{ pattern: encodedLiteral(device), evidence: 3 }]
  if (climb !== undefined) return climbLadder(climb)
  if (scheme !== undefined) return schemeLadder(scheme)
  if (nul !== undefined) return [{ pattern: encodedByte("00"), evidence: 3 }]
  return name === undefined ? [] : nameLadder(name)
}

/** A drive is a scheme of one letter. */
function schemeLadder(scheme: string): readonly Step[] {
  const evidence = scheme.length === 2 ? 1.5 : 3
  const isLink = LINKS.has(scheme.toLowerCase())
  return [{ pattern: encodedCaseless(scheme), evidence: isLink ? 0.5 : evidence }]
}

function climbLadder(climb: string): readonly Step[] {
  const count = climb.match(SLASHES)?.length ?? 1
  return [3, 2, 1]
    .filter((steps) => steps <= count)
    .map((steps) => ({ pattern: climbOf(steps), evidence: steps + 1, core: lastUp }))
}

/** So many steps, with folders that are left again between them, then any others. */
function climbOf(steps: number): Pattern {
  const before = Array.from({ length: steps - 1 }, () =>
    sequence(parent, run, upTo(BETWEEN_MAX, down)),
  )
  return sequence(...before, lastUp, folders)
}

function nameLadder(name: string): readonly Step[] {
  const isSensitive = SENSITIVE.has(name.toLowerCase())
  const exact = {
    pattern: encodedCaseless(name),
    evidence: isSensitive ? sensitiveEvidence(name) : Math.min(2.5, name.length / 4),
  }
  return isSensitive ? [exact] : [exact, { pattern: folder, evidence: 0, isLong: true }]
}

/** What begins with a dot is hidden: no page links to it. */
function sensitiveEvidence(name: string): number {
  return name.startsWith(".") ? 4 : 3
}
