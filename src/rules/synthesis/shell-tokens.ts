const TOKENS_MAX = 24
const WORD_CHARACTERS_MAX = 40
/** Quotes that hold what a shell would act on are those of the command line around the attack. */
const TOKEN =
  /(?<opening>\$\(|[<>]\(|`)|(?<separator>\|\||&&|[;|&\n\r])|(?<redirection>[<>]{1,3})|(?<word>(?:[\w./:@%?*+=,~!^[\]{}-]|\\.|'[^'\s;|&`()]{0,80}'|"[^"\s;|&`()]{0,80}"|\$'[^']{0,80}'|\$[@*0-9\w{}]{1,16})+)/g
/** The variable that holds blanks, with what ends its name. */
const IFS = /\$(?:IFS|\{IFS\})(?:\$[@*0-9])?/g
/** `{cat,/etc/passwd}`, two words in bash. */
const BRACES = /(?<![$\w])\{([^\s{},]{1,80}(?:,[^\s{},]{0,80}){1,8})\}/g
/** Words behind which a command stands (POSIX.1-2024, Shell Command Language, 2.4). */
const RESERVED = new Set("if then else elif while until do ! time exec nohup".split(" "))

export interface ShellToken {
  readonly kind: "opening" | "separator" | "redirection" | "reserved" | "command" | "argument"
  /** As it stands; of a word, what quote removal leaves of it. */
  readonly text: string
}

/** The words and operators of a command line, at most 24, without quotes that merely disguise. */
export function shellTokens(payload: string): readonly ShellToken[] {
  const tokens: ShellToken[] = []
  for (const { groups = {} } of withBlanks(payload).matchAll(TOKEN)) {
    if (tokens.length >= TOKENS_MAX) break
    tokens.push(tokenOf(groups, tokens.at(-1)?.kind))
  }
  return tokens
}

function withBlanks(payload: string): string {
  return payload.replace(IFS, " ").replace(BRACES, (_, words: string) => words.replaceAll(",", " "))
}

type Groups = Readonly<Record<string, string | undefined>>

function tokenOf(groups: Groups, before: ShellToken["kind"] | undefined): ShellToken {
  const { opening, separator, redirection } = groups
  if (opening !== undefined) return { kind: "opening", text: opening }
  if (separator !== undefined) return { kind: "separator", text: separator }
  if (redirection !== undefined) return { kind: "redirection", text: redirection }
  const text = plainWord(groups.word ?? "")
  if (before === "command" || before === "argument" || before === "redirection") {
    return { kind: "argument", text }
  }
  return { kind: RESERVED.has(text) ? "reserved" : "command", text }
}

/** The word after quote removal and expansion, as far as it can be told without a shell. */
function plainWord(word: string): string {
  return word
    .replace(/\$'([^']*)'/g, (_, escaped: string) => unescapeAnsi(escaped))
    .replace(/\\(.)/g, "$1")
    .replace(/['"]|\$[@*0-9]|\$\{\w{1,8}\}/g, "")
    .slice(0, WORD_CHARACTERS_MAX)
}

function unescapeAnsi(text: string): string {
  return text.replace(/\\x([0-9a-f]{1,2})|\\([0-7]{1,3})/gi, (_, hex?: string, octal?: string) =>
    String.fromCharCode(
      hex === undefined ? Number.parseInt(octal ?? "", 8) : Number.parseInt(hex, 16),
    ),
  )
}
