/** Values that a shell has of its own; every other variable is unset, hence empty. */
const VARIABLES: Readonly<Record<string, string>> = { IFS: " ", HOME: "/root", PWD: "/srv" }

/** Files that globs are resolved against: a glob counts only where it means exactly one of them. */
const FILES = [
  ...["cat", "ls", "id", "nc", "sh", "bash", "ping", "curl", "wget", "uname", "sleep", "echo"].map(
    (name) => `/bin/${name}`,
  ),
  ...["whoami", "python3", "perl", "head", "tail", "nslookup", "tac", "more"].map(
    (name) => `/usr/bin/${name}`,
  ),
  ...["passwd", "shadow", "hosts", "group", "issue", "hostname", "os-release"].map(
    (name) => `/etc/${name}`,
  ),
] as const

const SUBSTITUTIONS_DEPTH_MAX = 4
/** `$'id'`, `{cat,/etc/passwd}`, `sh<<<id`: words of bash that dash takes for others. */
const OF_BASH = /\$'|<<<|\{[^\s{},]*,/
/** Of cmd.exe and PowerShell: other quoting, so another check than this one. */
const WINDOWS =
  /%\w+%|\^|[A-Za-z]:\\|\b(?:powershell|cmd|dir|type|net|ipconfig|tasklist|systeminfo|certutil|ver|timeout|findstr|wmic|reg|start|iex|invoke-\w+|get-\w+)\b/i

/**
 * The simple commands that a shell runs when the text stands unquoted behind a program's own
 * argument, each word after quote removal and expansion; undefined where it adds none to it, is
 * not well-formed, or is of another shell.
 *
 * @see POSIX.1-2024, Shell Command Language, 2.2 Quoting and 2.6 Word Expansions
 */
export function injectedCommands(text: string): string | undefined {
  if (WINDOWS.test(text)) return undefined
  const reader = new ShellReader(`tool ${text}`, 0)
  const commands = reader.read()
  const isInjected = commands !== undefined && commands.length > 1
  return isInjected ? JSON.stringify(commands.slice(1)) : undefined
}

/** True for a text that bash alone reads as it is meant here: dash, the usual `/bin/sh`, does not. */
export function needsBash(text: string): boolean {
  return OF_BASH.test(text)
}

type Command = readonly string[]

/** One pass over a command line: words, separators, quotes, expansions. */
class ShellReader {
  readonly #text: string
  readonly #depth: number
  readonly #commands: string[][] = [[]]
  readonly #substituted: Command[] = []
  #at = 0
  #parentheses = 0
  #word = ""
  #isWord = false
  #isGlob = false
  #isQuoted = false
  #isBroken = false
  /** The present command has a word, or is a subshell. */
  #isBegun = false
  /** Behind `|`, `&&`, `||` or `(` a command must follow. */
  #isAwaited = false

  constructor(text: string, depth: number) {
    this.#text = text
    this.#depth = depth
  }

  /** Undefined for an open quote or substitution. */
  read(): readonly Command[] | undefined {
    while (this.#at < this.#text.length && !this.#isBroken) this.#step()
    if (this.#isQuoted || this.#parentheses !== 0) return undefined
    this.#endWord()
    if (this.#isAwaited && !this.#isBegun) this.#isBroken = true
    const own = this.#commands.filter((words) => words.length > 0)
    return this.#isBroken ? undefined : [...own, ...this.#substituted]
  }

  #step(): void {
    const character = this.#text[this.#at] ?? ""
    this.#at += 1
    if (character === '"') this.#toggleQuote()
    else if (character === "\\") this.#escape()
    else if (character === "$") this.#expand()
    else if (character === "`") this.#backticks()
    else if (this.#isQuoted) this.#append(character)
    else this.#unquoted(character)
  }

  #unquoted(character: string): void {
    if (character === "'") this.#append(this.#until("'"))
    else if (/[ \t]/.test(character)) this.#endWord()
    else if (character === "#" && !this.#isWord) this.#skipComment()
    else if (/[;|&\n()]/.test(character) && !this.#isRedirected(character))
      this.#separate(character)
    else {
      if (/[*?[]/.test(character)) this.#isGlob = true
      this.#append(character)
    }
  }

  /**
   * `&&` and `||` stay told apart from `;`: what follows them may not run. So does a pipe, but for
   * that of the program's own command.
   */
  #separate(character: string): void {
    if (character === "(" || character === ")") this.#nest(character)
    this.#endWord()
    const isDouble = /[|&]/.test(character) && this.#text[this.#at] === character
    this.#delimit(character, isDouble)
    const isOwn = this.#depth === 0 && this.#commands.length === 1
    if (isDouble) this.#at += 1
    if (isDouble || (character === "|" && !isOwn)) {
      this.#commands.push([isDouble ? character.repeat(2) : character])
    }
    this.#commands.push([])
  }

  /** Operators stand behind a command; lines may be empty. */
  #delimit(character: string, isDouble: boolean): void {
    if (/[;|&)]/.test(character) && !this.#isBegun) this.#isBroken = true
    if (character !== "\n" || this.#isBegun) {
      this.#isAwaited = isDouble || /[|(]/.test(character)
    }
    this.#isBegun = character === ")"
  }

  /** A subshell opens where a command may begin; anywhere else a parenthesis is an error. */
  #nest(character: "(" | ")"): void {
    this.#parentheses += character === "(" ? 1 : -1
    const isMisplaced = this.#isWord || (this.#commands.at(-1)?.length ?? 0) > 0
    if (this.#parentheses < 0 || (character === "(" && isMisplaced)) this.#isBroken = true
  }

  /** In `2>&1` and `>|` the character belongs to the redirection. */
  #isRedirected(character: string): boolean {
    return /[|&]/.test(character) && /[<>]/.test(this.#text[this.#at - 2] ?? "")
  }

  #toggleQuote(): void {
    this.#isQuoted = !this.#isQuoted
    this.#isWord = true
  }

  #escape(): void {
    const next = this.#text[this.#at]
    this.#at += 1
    if (next === undefined) this.#isBroken = true
    else if (next !== "\n")
      this.#append(this.#isQuoted && !/["$`\\]/.test(next) ? `\\${next}` : next)
  }

  #expand(): void {
    const rest = this.#text.slice(this.#at)
    if (rest.startsWith("(") && !rest.startsWith("((")) this.#substitute()
    else if (rest.startsWith("'") && !this.#isQuoted) this.#ansiString()
    else this.#parameter(/^(?:\{(\w+)\}|([A-Za-z_]\w*)|([0-9@*]))/.exec(rest))
  }

  #parameter(match: RegExpExecArray | null): void {
    if (match === null) {
      this.#append("$")
      return
    }
    this.#at += match[0].length
    const value = VARIABLES[match[1] ?? match[2] ?? ""] ?? ""
    if (value === " " && !this.#isQuoted) this.#endWord()
    else this.#word += value
  }

  #ansiString(): void {
    this.#at += 1
    const body = this.#until("'")
    this.#append(
      body
        .replace(/\\x([0-9a-f]{1,2})/gi, (_, code: string) => fromCode(code, 16))
        .replace(/\\([0-7]{1,3})/g, (_, code: string) => fromCode(code, 8)),
    )
  }

  #substitute(): void {
    const start = this.#at + 1
    let depth = 0
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at]
      if (character === "(") depth += 1
      if (character === ")") depth -= 1
      if (depth === 0) break
    }
    this.#run(this.#text.slice(start, this.#at))
    if (depth !== 0) this.#isBroken = true
    this.#at += 1
  }

  #backticks(): void {
    this.#run(this.#until("`"))
  }

  /** What a substitution prints is not known: its commands count, its output does not. */
  #run(text: string): void {
    this.#isWord = true
    const commands =
      this.#depth < SUBSTITUTIONS_DEPTH_MAX
        ? new ShellReader(text, this.#depth + 1).read()
        : undefined
    if (commands === undefined) this.#isBroken = true
    else this.#substituted.push(...commands)
  }

  #until(end: string): string {
    const close = this.#text.indexOf(end, this.#at)
    if (close < 0) {
      this.#isBroken = true
      return ""
    }
    const inside = this.#text.slice(this.#at, close)
    this.#at = close + 1
    return inside
  }

  #skipComment(): void {
    const end = this.#text.indexOf("\n", this.#at)
    this.#at = end < 0 ? this.#text.length : end
  }

  #append(characters: string): void {
    this.#word += characters
    this.#isWord = true
  }

  #endWord(): void {
    if (this.#word !== "" || this.#isWord) {
      this.#isBegun = true
      const words = this.#isGlob ? [resolveGlob(this.#word)] : expandBraces(this.#word)
      if (words.some((word) => word !== "")) this.#commands.at(-1)?.push(...words)
    }
    this.#word = ""
    this.#isWord = false
    this.#isGlob = false
  }
}

function fromCode(code: string, base: number): string {
  return String.fromCharCode(Number.parseInt(code, base))
}

/** `{cat,/etc/passwd}` is two words. */
function expandBraces(word: string): readonly string[] {
  const inside = /^\{([^{}]*,[^{}]*)\}$/.exec(word)?.[1]
  return inside === undefined ? [word] : inside.split(",")
}

function resolveGlob(word: string): string {
  const glob = new Bun.Glob(word)
  const matches = FILES.filter((file) => glob.match(file))
  const [only] = matches
  return matches.length === 1 && only !== undefined ? only : word
}
