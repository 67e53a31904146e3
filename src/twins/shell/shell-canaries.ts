import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { RECORDER } from "./recorder-script.ts"

/** What a payload may find, run or give away, random per run. */
export interface ShellCanaries {
  /** Proves that a record or a line of the trace was written by the recorder or the shell. */
  readonly nonce: string
  /** Texts that no output may hold. */
  readonly secrets: readonly string[]
  /** The one of them that only the environment holds. */
  readonly variableSecret: string
  /** In the working directory of a program: name -> content. */
  readonly files: ReadonlyMap<string, string>
  /** The environment of a program, but for PATH. */
  readonly variables: Readonly<Record<string, string>>
}

/** Lays the files that stand for `/etc` out under `rootDirectory`. */
export function plantShellCanaries(canary: string, rootDirectory: string): ShellCanaries {
  // Derived, so that what leaks a secret has not leaked the proof as well
  const nonce = new Bun.CryptoHasher("sha256").update(`nonce ${canary}`).digest("hex").slice(0, 32)
  const [fileSecret, variableSecret] = [`file-${canary}`, `variable-${canary}`]
  const passwd = `root:x:0:0:${fileSecret}:/root:/bin/bash\nwww-data:x:33:33::/var/www:/bin/sh\n`
  for (const path of ["etc/passwd", "etc/shadow", "etc/hosts", "proc/self/environ"]) {
    mkdirSync(dirname(join(rootDirectory, path)), { recursive: true })
    writeFileSync(join(rootDirectory, path), passwd)
  }
  return {
    nonce,
    secrets: [fileSecret, variableSecret],
    variableSecret,
    files: new Map([
      ["config.php", `<?php $password = "${fileSecret}";\n`],
      ["access.log", "192.0.2.7 GET /index.php 200\n"],
    ]),
    variables: {
      [RECORDER.nonceVariable]: nonce,
      [RECORDER.rootVariable]: rootDirectory,
      DATABASE_PASSWORD: variableSecret,
      HOME: "/var/www",
      USER: "www-data",
      LANG: "C",
    },
  }
}
