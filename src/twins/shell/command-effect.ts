import { CANARY_COMMANDS, type CanaryCommand, type EffectRule } from "./canary-commands.ts"

/** A command as it was started, after every expansion. */
export interface StartedCommand {
  readonly name: string
  readonly arguments: readonly string[]
  readonly input: "file" | "pipe" | "none"
}

const BUILTINS: readonly CanaryCommand[] = [
  { name: "pwd", rule: "alone" },
  { name: "echo", rule: "anything" },
  { name: "printf", rule: "anything" },
  { name: ".", rule: "file" },
  { name: "source", rule: "file" },
  { name: "kill", rule: "number" },
  { name: "ulimit", rule: "word" },
  { name: "type", rule: "word", operands: /^(?:curl|wget|nc|python3?|perl|php|bash|gcc)$/ },
  { name: "command", rule: "word" },
]
/** A program where payloads lay one down before they start it: it is granted to be there. */
const DROPPED_PROGRAM = /^(?:\/(?:var\/)?tmp\/|\/dev\/shm\/|\.\/)[\w.-]{1,64}$/
const CANARIES_BY_NAME = byName(CANARY_COMMANDS)
const BUILTINS_BY_NAME = byName(BUILTINS)

function byName(commands: readonly CanaryCommand[]): ReadonlyMap<string, CanaryCommand> {
  return new Map(commands.map((command) => [command.name, command]))
}

/** Whether the real command would have done something, or failed at once. */
export function canaryHasEffect(started: StartedCommand, isProse: boolean): boolean {
  return hasEffect(CANARIES_BY_NAME.get(started.name), started, isProse)
}

/** The same of what only the trace shows; what but changes the shell's own state is no effect. */
export function tracedHasEffect(started: StartedCommand, isProse: boolean): boolean {
  if (DROPPED_PROGRAM.test(started.name)) return !isProse
  if (started.name === "set") return started.arguments.some((word) => /^\+[a-z]*x/.test(word))
  return hasEffect(BUILTINS_BY_NAME.get(started.name), started, isProse)
}

/** What the rules look at. */
interface CommandLine {
  readonly words: readonly string[]
  readonly operands: readonly string[]
  readonly hasOption: boolean
  readonly hasPath: boolean
  readonly hasKnownOperand: boolean
  /** Every operand is a path or a known one. */
  readonly hasOnlyKnown: boolean
  readonly input: StartedCommand["input"]
  readonly isProse: boolean
}

const RULES: Readonly<Record<EffectRule, (line: CommandLine) => boolean>> = {
  alone: ({ hasOnlyKnown }) => hasOnlyKnown,
  report: ({ operands, hasOption, hasKnownOperand, isProse }) =>
    hasOption || hasKnownOperand || (operands.length === 0 && !isProse),
  file: ({ operands, hasOption, hasPath, input }) =>
    input === "file" || hasPath || (hasOption && operands.length > 0),
  host: ({ operands, hasOption }) => operands.some(isAddress) || (hasOption && operands.length > 0),
  number: ({ words, operands, hasOption }) =>
    (hasOption && operands.length > 0) ||
    (words.length > 0 && words.every((word) => NUMBER.test(word))),
  script: ({ operands, hasOption, hasPath, input, isProse }) =>
    hasOption ||
    hasPath ||
    operands.some(isProgram) ||
    input === "file" ||
    (input === "pipe" && !isProse),
  shell: ({ operands, hasOption, hasPath, input, isProse }) =>
    hasOption || hasPath || input === "file" || (operands.length === 0 && !isProse),
  wrapper: ({ hasOption }) => hasOption,
  word: ({ hasOption, hasKnownOperand }) => hasOption || hasKnownOperand,
  anything: ({ words, hasPath, isProse }) => words.length > 0 && (hasPath || !isProse),
}
const NUMBER = /^[-+*/%\d.]+[smhd]?$/

function hasEffect(
  command: CanaryCommand | undefined,
  { arguments: words, input }: StartedCommand,
  isProse: boolean,
): boolean {
  if (command === undefined) return false
  const operands = words.filter((word) => !isOption(word))
  const isKnown = (word: string) => command.operands?.test(word) === true
  return RULES[command.rule]({
    words,
    operands,
    hasOption: operands.length < words.length,
    hasPath: operands.some(isPath),
    hasKnownOperand: operands.some(isKnown),
    hasOnlyKnown: operands.every((word) => isPath(word) || isKnown(word)),
    input,
    isProse,
  })
}

function isOption(word: string): boolean {
  return /^(?:-{1,2}[A-Za-z0-9?]|\+[%A-Z])/.test(word)
}

/** Of a form that prose has not: `/x`, `./x`, `~`, `*`, `of=/x`, `a/b.c`, `name.ext`. */
function isPath(word: string): boolean {
  return /^(?:\.{0,2}\/|~|\.{1,2}$|[*?])|^[^.]*\/.*\.|^\S*[\w-]\.[A-Za-z]\w{0,4}$|^\.\w|^\w+=[./~]/.test(
    word,
  )
}

/** The text of a program, as awk takes it. */
function isProgram(word: string): boolean {
  return /[{(;]/.test(word)
}

function isAddress(word: string): boolean {
  if (word === "localhost" || /^[\w.-]+@[\w.-]+|^[\w.@-]+:[\w./~-]/.test(word)) return true
  return /^(?:\w+:)?\/\/|^[\w@-]+(?:\.[\w@-]+)+|\w:\d|^::/.test(word)
}

/**
 * Whether a text may be a sentence or a list of words, by its punctuation: people set a blank behind
 * a semicolon, and do not begin with one.
 *
 * Commands that do something whatever stands behind them (`echo`, `touch`), and English words that
 * need nothing (`date`, `who`), count only in what is no prose.
 */
export function isProse(payload: string): boolean {
  const beginsWithWord = /^\s*[\p{L}\p{N}]/u.test(payload)
  const isPacked = /&&|\|\||[;|&`(\n](?=[a-z/$])|\$\{?[A-Z]|\$\(|`/.test(payload)
  const isOneWordBefore =
    /^\S+\s*;\s*[^\s;|&]+\s+[^\s;|&]|^\S*[\d.]\S*\s*[;|&\n]|^\s*\w{1,2}\s*;/.test(payload)
  const breaksQuotes = /['"]\s*[;|&\n]/.test(payload)
  return beginsWithWord && !isPacked && !isOneWordBefore && !breaksQuotes
}
