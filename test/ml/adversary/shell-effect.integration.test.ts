import { expect, test } from "bun:test"
import { COMMAND_MUTATIONS } from "../../../src/ml/adversary/command-mutations.ts"
import { injectedCommands } from "../../../src/ml/adversary/shell-effect.ts"
import { Random } from "../../../src/ml/random.ts"

const BASH = Bun.which("bash")
const ATTACKS = [
  "; cat /etc/passwd",
  "$(id)",
  "x | tail -n 3 /etc/hosts",
  "`uname -a`",
  "& ls -l /",
  "x; id;",
]

/** The shell's own parser is the oracle; `-n` reads and runs nothing. */
test.skipIf(BASH === null)("injectedCommands accepts only what bash parses", () => {
  const random = new Random(11)
  const texts = ATTACKS.flatMap((attack) =>
    Array.from({ length: 40 }, () =>
      [1, 2, 3].reduce((text) => random.pick(COMMAND_MUTATIONS)(random, text), attack),
    ),
  ).filter((text) => injectedCommands(text) !== undefined)
  const refused = texts.filter((text) => {
    const { exitCode } = Bun.spawnSync([BASH ?? "bash", "-n", "-c", `tool ${text}`])
    return exitCode !== 0
  })
  expect(texts.length).toBeGreaterThan(100)
  expect(refused).toEqual([])
})
