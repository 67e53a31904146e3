import { CharacterSet } from "../pattern/character-set.ts"
import { encoded, encodedByte, encodedCaseless, encodedLiteral } from "../pattern/encoded.ts"
import { choice, NOTHING, optional, type Pattern, repeat, sequence } from "../pattern/pattern.ts"
import type { Atom, Reading, Step } from "./atom.ts"
import { valueStart } from "./value-start.ts"

const TOKENS_MAX = 24
const RUN_MAX = 4
const NAME_MAX = 16
const DETOUR_MAX = 4
const TOKEN =
  /(?<device>\\\\[?.]\\)|(?<climb>(?:(?:\.|%(?:25){0,2}2e|%(?:25){0,2}c0%(?:25){0,2}ae){2,4}(?:[/\\]|%(?:25){0,2}(?:2f|5c)|%(?:25){0,2}c[01]%(?:25){0,2}(?:af|9c)){1,4}){1,64})|(?<scheme>[a-z][a-z0-9.+-]{1,15}:\/{1,3})|(?<separator>[/\\]|%(?:25){0,2}(?:2f|5c)|%(?:25){0,2}c[01]%(?:25){0,2}(?:af|9c))|(?<nul>%(?:25){0,2}00|\0)|(?<name>[\w.-]+)/gi

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

const NAME = CharacterSet.of("_-")
  .union(CharacterSet.range(0x30, 0x39))
  .union(CharacterSet.range(0x61, 0x7a).withBothCases())
/** Dots and slashes, and their overlong forms in UTF-8 (RFC 3629, section 10). */
const dot = choice(encoded(CharacterSet.of(".")), sequence(encodedByte("c0"), encodedByte("ae")))
const separator = choice(
  encoded(CharacterSet.of("/\\")),
  sequence(encodedByte("c0"), encodedByte("af")),
  sequence(encodedByte("c1"), encodedByte("9c")),
)
const run = repeat(separator, { min: 1, max: RUN_MAX })
/** Separators, with the folder itself (`/./`) among them. */
const separators = sequence(run, optional(sequence(dot, run)))
const folder = repeat(encoded(NAME), { min: 1, max: NAME_MAX })
const up = sequence(repeat(dot, { min: 2, max: 4 }), separators)
/** What an attacker may put before a climb: folders that it leaves again, the folder itself. */
const detour = repeat(
  sequence(repeat(encoded(NAME.union(CharacterSet.of("."))), { min: 1, max: NAME_MAX }), run),
  { min: 0, max: DETOUR_MAX },
)
const climbing = sequence(optional(sequence(folder, separators)), up)

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
  return { atoms: [valueStart, ...rooted(atoms, payload)], limits: [] }
}

/** An absolute path has a separator of its own between the start of the value and its first name. */
function rooted([first, ...rest]: readonly Atom[], payload: string): readonly Atom[] {
  if (first === undefined) return []
  const isAbsolute = /^[/\\]/.test(payload)
  const gap = first.name === "climb" ? detour : NOTHING
  return [{ ...first, gap: isAbsolute ? sequence(separators, gap) : gap }, ...rest]
}

type Groups = Readonly<Record<string, string | undefined>>

function nameOf(groups: Groups): string {
  return Object.keys(groups).find((name) => groups[name] !== undefined) ?? ""
}

function ladderOf({ device, climb, scheme, nul, name }: Groups): readonly Step[] {
  if (device !== undefined) return [{ pattern: encodedLiteral(device), evidence: 3 }]
  if (climb !== undefined) return climbLadder(climb)
  if (scheme !== undefined) return [{ pattern: encodedCaseless(scheme), evidence: 3 }]
  if (nul !== undefined) return [{ pattern: encodedByte("00"), evidence: 3 }]
  return name === undefined ? [] : nameLadder(name)
}

function climbLadder(climb: string): readonly Step[] {
  const count = climb.match(/[/\\]|(?:2f|5c|af|9c)/gi)?.length ?? 1
  return [3, 2, 1]
    .filter((steps) => steps <= count)
    .map((steps) => ({ pattern: climbOf(steps), evidence: steps + 1, core: up }))
}

/** The last steps of a climb: a search finds them wherever it began. */
function climbOf(steps: number): Pattern {
  const above = steps - 1
  return above === 0 ? up : sequence(up, repeat(climbing, { min: above, max: above }))
}

function nameLadder(name: string): readonly Step[] {
  const isSensitive = SENSITIVE.has(name.toLowerCase())
  const exact = {
    pattern: encodedCaseless(name),
    evidence: isSensitive ? 3 : Math.min(2.5, name.length / 4),
  }
  return isSensitive ? [exact] : [exact, { pattern: folder, evidence: 0, isLong: true }]
}
