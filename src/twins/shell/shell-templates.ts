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
  /** The canary commands of the line itself. */
  readonly commands: readonly string[]
}

/** Each quoting context twice: behind a command that succeeds, and behind one that fails. */
const CONTEXTS: Readonly<Record<string, readonly [line: string, ...commands: string[]]>> = {
  bare: ["ping -c1 @", "ping"],
  "bare-failing": ["cat /nonexistent/@", "cat"],
  single: ["ping -c1 '@'", "ping"],
  "single-failing": ["cat '/nonexistent/@'", "cat"],
  double: ['ping -c1 "@"', "ping"],
  "double-failing": ['cat "/nonexistent/@"', "cat"],
  backticks: ["echo `ping -c1 @`", "ping"],
  "backticks-failing": ["echo `cat /nonexistent/@`", "cat"],
  "here-document": ["cat <<EOF\n@\nEOF", "cat"],
  "here-document-failing": ["cat /nonexistent <<EOF\n@\nEOF", "cat"],
  grep: ["grep @ access.log", "grep"],
  "grep-failing": ["grep '@' /nonexistent.log", "grep"],
  find: ["find . -name @ -print", "find"],
  "find-failing": ['find /nonexistent -name "@" -print', "find"],
  tar: ["tar cf /dev/null @", "tar"],
  "tar-failing": ["tar cf /dev/null -C /nonexistent @", "tar"],
}

export const SHELL_TEMPLATES: readonly ShellTemplate[] = [false, true].flatMap((isUrlDecoded) =>
  (Object.keys(SHELL_PATHS) as ShellName[]).flatMap((shell) =>
    Object.entries(CONTEXTS).map(([context, [line, ...commands]]) => {
      const name = `${shell}/${context}${isUrlDecoded ? "/url-decoded" : ""}`
      return { name, shell, isUrlDecoded, line, commands }
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

/** The line as the shell gets it: a program written in C passes nothing behind a NUL on. */
export function fillTemplate(template: ShellTemplate, payload: string): string {
  const value = template.isUrlDecoded ? decodeForm(payload) : payload
  const [line = ""] = template.line.replace("@", () => value).split("\0", 1)
  return line
}
