import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import type { TwinAnswer, TwinRequest } from "../../src/twin-protocol.ts"
import { canaryFiles } from "../../src/twins/shell/canary-commands.ts"
import { SHELL_PATHS } from "../../src/twins/shell/recorder-script.ts"
import { requireService } from "./services.ts"

const ROOT = resolve(import.meta.dir, "../..")
const HOST_LIBRARIES = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"]
const BUN = "/opt/bun"
const SERVER = join(import.meta.dir, "twin-server.ts")
const PROGRAM = join(ROOT, "src/twins/main.ts")

/** A twin in a bubblewrap sandbox that is used for one file of tests. */
export interface IsolatedTwin {
  run(request: Partial<TwinRequest> & { readonly payload: string }): Promise<TwinAnswer>
  close(): Promise<void>
}

/**
 * Runs the twins' sources inside bubblewrap: no network, no capabilities, the host read-only and its
 * programs out of reach. Undefined where bubblewrap is not installed: the test is to be skipped.
 *
 * `program` is the one of the image, with a child for each request; else one process answers all.
 */
export async function startIsolatedTwin(
  twinClass: TwinRequest["class"],
  { program = false } = {},
): Promise<IsolatedTwin | undefined> {
  const bubblewrap = await requireService("bubblewrap")
  if (bubblewrap === undefined) return undefined
  const image = buildRoot()
  const served = program ? [PROGRAM, "serve", "--alone", twinClass] : [SERVER, twinClass]
  const child = Bun.spawn([bubblewrap.binary, ...isolation(image), BUN, ...served], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    env: {},
  })
  const lines = readLines(child.stdout)
  if (program) await lines.next()
  return {
    async run(request) {
      child.stdin.write(`${JSON.stringify({ ...DEFAULTS, class: twinClass, ...request })}\n`)
      await child.stdin.flush()
      const { value } = await lines.next()
      return JSON.parse(value ?? "null")
    },
    async close() {
      child.kill("SIGKILL")
      await child.exited
      rmSync(image, { recursive: true, force: true })
    },
  }
}

const DEFAULTS = {
  ...{ id: "1", location: "query:q" },
  ...{ canary: "00112233445566778899aabbccddeeff", budgetMs: 10_000 },
} as const

function buildRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "sentinel-twin-"))
  for (const { path, mode, content } of canaryFiles()) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    chmodSync(file, mode)
  }
  for (const folder of ["opt/canary/shells", "etc"])
    mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")
  for (const path of Object.values(SHELL_PATHS)) writeFileSync(join(root, path), "")
  writeFileSync(join(root, BUN), "")
  return root
}

function isolation(root: string): readonly string[] {
  const shells = Object.entries(SHELL_PATHS).flatMap(([name, path]) => [
    ...["--ro-bind", Bun.which(name) ?? `/bin/${name}`, path],
  ])
  const libraries = HOST_LIBRARIES.filter((path) => existsSync(path))
  return [
    ...["--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"],
    ...["--uid", "10001", "--gid", "10001"],
    ...["--bind", root, "/"],
    ...libraries.flatMap((path) => ["--ro-bind", path, path]),
    ...shells,
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    // behind the empty /tmp, for the repository may lie in it
    ...["--ro-bind", process.execPath, BUN, "--ro-bind", ROOT, ROOT, "--remount-ro", "/"],
    ...["--setenv", "HOME", "/tmp", "--chdir", "/tmp", "--"],
  ]
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = ""
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split("\n")
    rest = lines.pop() ?? ""
    yield* lines
  }
}
