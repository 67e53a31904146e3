import { describe, expect, test } from "bun:test"
import { CANARY_COMMANDS } from "../../../src/twins/shell/canary-commands.ts"
import {
  fillTemplate,
  ownWords,
  SHELL_TEMPLATES,
  type ShellTemplate,
} from "../../../src/twins/shell/shell-templates.ts"

function named(name: string): ShellTemplate {
  const template = SHELL_TEMPLATES.find((one) => one.name === name)
  if (template === undefined) throw new Error(`no template ${name}`)
  return template
}

describe("SHELL_TEMPLATES", () => {
  test("have names of their own, and commands that are canaries", () => {
    expect(new Set(SHELL_TEMPLATES.map(({ name }) => name)).size).toBe(SHELL_TEMPLATES.length)
    const canaries = new Set(CANARY_COMMANDS.map(({ name }) => name))
    const unknown = SHELL_TEMPLATES.map(({ command }) => command).filter(
      (name) => !canaries.has(name),
    )
    expect(unknown).toEqual([])
  })
})

describe("fillTemplate", () => {
  test("puts the payload in as it is, dollar signs and all", () => {
    expect(fillTemplate(named("dash/single"), "$&$1'")).toBe("ping -c1 '$&$1''")
  })

  test("ends at a NUL, as a program written in C does", () => {
    expect(fillTemplate(named("bash/grep"), "a\0b")).toBe("grep a")
  })

  test("decodes a form value once where the program does", () => {
    const template = named("dash/bare/url-decoded")
    expect(fillTemplate(template, "%0aid+-u%20%253B%zz%c3%a9")).toBe("ping -c1 \nid -u %3B%zzé")
  })
})

test("ownWords are those of the line, on either side of the payload", () => {
  expect(ownWords(named("dash/find-failing"))).toEqual({
    before: ["find", "/nonexistent", "-name"],
    behind: ["-print"],
  })
})
