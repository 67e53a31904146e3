import { decodeForm } from "../form-encoding.ts"
import { SHELL_PATHS, type ShellName } from "./recorder-script.ts"

/** A command line as a careless program builds it, with the payload in its place. */
export interface ShellTemplate {
  /** `<shell>/<context>`, with `/url-decoded` behind it where the program decodes once more. */
  readonly name: string
  readonly shell: ShellName
  readonly isUrlDecoded: boolean
  /** With `@` where the payload goes. */
  readonly line: string
  /** The canary command of the line itself. */
  readonly command: string
  /** Without a match of this, a payload cannot leave the quotes that it stands in. */
  readonly leaves: RegExp
}

const ANYTHING = /^/
const LEAVES_SINGLE = /['\0]/
const LEAVES_DOUBLE = /["$`\\\0]/
const LEAVES_DOCUMENT = /[$`\\\n\0]/

type Context = Pick<ShellTemplate, "line" | "command" | "leaves">

/** Each quoting context twice: behind a command that succeeds, and behind one that fails. */
const CONTEXTS: Readonly<Record<string, Context>> = {
  bare: context("ping -c1 @"),
  "bare-failing": context("cat /nonexistent/@"),
  single: context("ping -c1 '@'", LEAVES_SINGLE),
  "single-failing": context("cat '/nonexistent/@'", LEAVES_SINGLE),
  double: context('ping -c1 "@"', LEAVES_DOUBLE),
  "double-failing": context('cat "/nonexistent/@"', LEAVES_DOUBLE),
  backticks: { ...context("echo `ping -c1 @`"), command: "ping" },
  "backticks-failing": { ...context("echo `cat /nonexistent/@`"), command: "cat" },
  "here-document": context("cat <<EOF\n@\nEOF", LEAVES_DOCUMENT),
  "here-document-failing": context("cat /nonexistent <<EOF\n@\nEOF", LEAVES_DOCUMENT),
  grep: context("grep @ access.log"),
  "grep-failing": context("grep '@' /nonexistent.log", LEAVES_SINGLE),
  find: context("find . -name @ -print"),
  "find-failing": context('find /nonexistent -name "@" -print', LEAVES_DOUBLE),
  tar: context("tar cf /dev/null access.log @ 2>/dev/null"),
  "tar-failing": context("tar cf /dev/null -C /nonexistent @ 2>/dev/null"),
}

function context(line: string, leaves = ANYTHING): Context {
  const [command = ""] = line.split(" ", 1)
  return { line, command, leaves }
}

export const SHELL_TEMPLATES: readonly ShellTemplate[] = [false, true].flatMap((isUrlDecoded) =>
  (Object.keys(SHELL_PATHS) as ShellName[]).flatMap((shell) =>
    Object.entries(CONTEXTS).map(([name, parts]) => {
      const suffix = isUrlDecoded ? "/url-decoded" : ""
      return { name: `${shell}/${name}${suffix}`, shell, isUrlDecoded, ...parts }
    }),
  ),
)

/** The words of the line itself: in front of the payload, and behind it. */
export function ownWords({ line }: ShellTemplate): {
  readonly before: readonly string[]
  readonly behind: readonly string[]
} {
  const [before = [], behind = []] = line
    .split("@")
    .map((part) => part.split(/[\s`'"]+/).filter((word) => word !== ""))
  return { before, behind }
}

/** The payload as the program has it when it builds the line. */
export function valueIn({ isUrlDecoded }: ShellTemplate, payload: string): string {
  return isUrlDecoded ? decodeForm(payload) : payload
}

/** The line as the shell gets it: a program written in C passes nothing behind a NUL on. */
export function fillTemplate(template: ShellTemplate, payload: string): string {
  const filled = template.line.replace("@", () => valueIn(template, payload))
  const [line = ""] = filled.split("\0", 1)
  return line
}
