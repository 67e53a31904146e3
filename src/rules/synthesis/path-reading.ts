import { CharacterSet } from "../pattern/character-set.ts"
import {
  digitByDigit,
  encoded,
  encodedByte,
  encodedCaseless,
  encodedLiteral,
} from "../pattern/encoded.ts"
import { choice, NOTHING, optional, type Pattern, repeat, sequence } from "../pattern/pattern.ts"
import type { Atom, Reading, Step } from "./atom.ts"
import { slashlessStart, valueStart } from "./value-start.ts"

const TOKENS_MAX = 24
const RUN_MAX = 3
const NAME_MAX = 12
const SEGMENTS_MAX = 12
const DETOUR_MAX = 3
const BETWEEN_MAX = 2
const PERCENT = "%(?:25){0,2}"
/** Dots and slashes, encoded up to three times, digit by digit, or overlong (see below). */
const DOT = String.raw`(?:\.|${PERCENT}(?:2|%32)(?:e|%[46]5)|${PERCENT}c0${PERCENT}ae|${PERCENT}e0${PERCENT}80${PERCENT}ae)`
const SLASH = String.raw`(?:[/\\]|${PERCENT}(?:2|%32)(?:f|%[46]6)|${PERCENT}(?:5|%35)(?:c|%[46]3)|${PERCENT}c[01]${PERCENT}(?:af|9c)|${PERCENT}e0${PERCENT}8[01]${PERCENT}(?:af|9c))`
const TOKEN = new RegExp(
  String.raw`(?<device>\\\\[?.]\\)|(?<climb>(?:${DOT}{2,4}${SLASH}{1,4}(?:${DOT}${SLASH}{1,4})?){1,64})|(?<scheme>[a-z][a-z0-9.+-]{0,15}:(?=[/\\]))|(?<separator>${SLASH})|(?<nul>${PERCENT}00|\0)|(?<name>[\w.-]+)`,
  "gi",
)

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
/** Overlong forms in UTF-8 (RFC 3629, section 10). */
const overlongDot = overlong(["c0", "ae"], ["e0", "80", "ae"])
const dot = choice(encoded(CharacterSet.of(".")), digitByDigit("2e"), overlongDot)
const slash = choice(
  encoded(CharacterSet.of("/\\")),
  overlong(["c0", "af"], ["c1", "9c"], ["e0", "80", "af"]),
)
const separator = choice(slash, digitByDigit("2f"), digitByDigit("5c"))
const run = repeat(separator, { min: 1, max: RUN_MAX })
const inSegment = encoded(NAME.union(CharacterSet.of(".")))
/** A folder, the folder itself or a step up, with the slashes behind it. */
const segment = sequence(
  choice(repeat(inSegment, { min: 1, max: NAME_MAX }), repeat(overlongDot, { min: 1, max: 4 })),
  repeat(slash, { min: 1, max: 2 }),
)
/** One that leads no step up. */
const down = sequence(
  choice(sequence(encoded(NAME), repeat(inSegment, { min: 0, max: NAME_MAX - 1 })), dot),
  run,
)
const up = sequence(repeat(dot, { min: 2, max: 4 }), run)
/** Slashes, with the folder itself (`/./`) among them. */
const separators = sequence(run, repeat(sequence(dot, run), { min: 0, max: 2 }))
const folder = repeat(encoded(NAME), { min: 1, max: NAME_MAX })
const pathStart: Atom = {
  ...valueStart,
  ladder: valueStart.ladder.toSpliced(1, 0, {
    pattern: slashlessStart,
    evidence: 1,
  }),
}

function overlong(...forms: readonly (readonly string[])[]): Pattern {
  return choice(...forms.map((bytes) => sequence(...bytes.map(encodedByte))))
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
  return { atoms: [pathStart, ...started(atoms)], limits: [] }
}

/** Before its first name an attacker may put folders that he leaves again. */
function started([first, ...rest]: readonly Atom[]): readonly Atom[] {
  if (first === undefined) return []
  const before = first.name === "climb" ? upTo(DETOUR_MAX, down) : upTo(SEGMENTS_MAX, segment)
  return [{ ...first, gap: sequence(optional(run), before) }, ...rest]
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
  const count = climb.match(/[/\\]|(?:2f|5c|af|9c)/gi)?.length ?? 1
  return [3, 2, 1]
    .filter((steps) => steps <= count)
    .map((steps) => ({ pattern: climbOf(steps), evidence: steps + 1, core: up }))
}

/** So many steps, with folders that are left again between them, then any segments. */
function climbOf(steps: number): Pattern {
  const further = Array.from({ length: steps - 1 }, () => sequence(upTo(BETWEEN_MAX, down), up))
  return sequence(up, ...further, upTo(SEGMENTS_MAX, segment))
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
