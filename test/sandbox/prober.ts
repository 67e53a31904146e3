import { dlopen, FFIType, read } from "bun:ffi"
import { createSocket } from "node:dgram"
import { resolve4 } from "node:dns/promises"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"

/**
 * What stands in for a twin in the isolation suite: it does whatever an attacker who owns the twin
 * could do, one line of JSON in, one out. It is compiled into an image of its own by the suite.
 */

export type Probe =
  | { readonly op: "syscall"; readonly number: number; readonly args?: readonly number[] }
  | { readonly op: "shell"; readonly script: string; readonly timeoutMs?: number }
  | {
      readonly op: "connect"
      readonly host?: string
      readonly port?: number
      readonly path?: string
    }
  | { readonly op: "udp"; readonly host: string; readonly port: number }
  | { readonly op: "resolve"; readonly name: string }
  | { readonly op: "read"; readonly path: string }
  | { readonly op: "write"; readonly path: string; readonly text: string }
  | { readonly op: "list"; readonly path: string }
  | { readonly op: "writable" }
  | { readonly op: "fill"; readonly fileBytes: number; readonly filesMax: number }
  | {
      readonly op: "crowd"
      readonly mode: "eat" | "spin"
      readonly count: number
      readonly ms: number
    }
  | { readonly op: "environment" }
  | { readonly op: "hang" }
  | { readonly op: "leave" }
  | { readonly op: "chatter" }

const DASH = "/opt/canary/shells/dash"
const TEXT_MAX = 65_536
const DIRECTORIES_MAX = 20_000
const CONNECT_MS = 2_000

const libc = dlopen("libc.so.6", {
  syscall: { args: Array.from({ length: 7 }, () => FFIType.i64), returns: FFIType.i64 },
  __errno_location: { args: [], returns: FFIType.ptr },
})

function systemCall(number: number, args: readonly number[]): object {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args
  const result = Number(libc.symbols.syscall(number, a, b, c, d, e, f))
  const address = libc.symbols.__errno_location()
  return { result, errno: result === -1 && address !== null ? read.i32(address) : 0 }
}

async function shell(script: string, timeoutMs = 5_000): Promise<object> {
  const child = Bun.spawn([DASH, "-c", script], {
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
    detached: true,
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, stdout: stdout.slice(0, TEXT_MAX), stderr: stderr.slice(0, TEXT_MAX) }
}

function tcp(target: { host?: string; port?: number; path?: string }): Promise<object> {
  return new Promise((done) => {
    const { path, host = "127.0.0.1", port = 0 } = target
    const socket = path === undefined ? connect({ host, port }) : connect({ path })
    const end = (answer: object) => {
      socket.destroy()
      done(answer)
    }
    socket.setTimeout(CONNECT_MS)
    socket.on("connect", () => end({ connected: true }))
    socket.on("timeout", () => end({ error: "timeout" }))
    socket.on("error", (error) => end({ error: codeOf(error) }))
  })
}

function udp(host: string, port: number): Promise<object> {
  return new Promise((done) => {
    try {
      const socket = createSocket("udp4")
      socket.on("error", (error) => done({ error: codeOf(error) }))
      socket.send("x", port, host, (error) =>
        done(error ? { error: codeOf(error) } : { sent: true }),
      )
    } catch (error) {
      done({ error: codeOf(error) })
    }
  })
}

async function resolveName(name: string): Promise<object> {
  const timeout = Bun.sleep(CONNECT_MS).then(() => ({ error: "timeout" }))
  const answer = resolve4(name).then(
    (addresses) => ({ addresses }),
    (error) => ({ error: codeOf(error) }),
  )
  return await Promise.race([answer, timeout])
}

/** Every directory in which a file can be made, those of other file systems included. */
function writableDirectories(): object {
  const found: string[] = []
  const open = ["/"]
  for (let seen = 0; seen < DIRECTORIES_MAX; seen++) {
    const directory = open.pop()
    if (directory === undefined) break
    if (canWrite(directory)) found.push(directory)
    open.push(...directoriesIn(directory))
  }
  return { found }
}

function canWrite(directory: string): boolean {
  const path = join(directory, "probe-file")
  try {
    writeFileSync(path, "x")
    rmSync(path)
    return true
  } catch {
    return false
  }
}

function directoriesIn(directory: string): readonly string[] {
  // a process shows the whole file system again under its own entries
  if (/^\/proc\/(\d+|self|thread-self)\/(root|cwd|task|fd)/.test(directory)) return []
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name))
  } catch {
    return []
  }
}

function fill(fileBytes: number, filesMax: number): object {
  mkdirSync("/tmp/fill")
  let files = 0
  let error = ""
  try {
    const block = Buffer.alloc(fileBytes)
    for (; files < filesMax; files++) writeFileSync(`/tmp/fill/${files}`, block)
  } catch (problem) {
    error = codeOf(problem)
  }
  rmSync("/tmp/fill", { recursive: true, force: true })
  return { files, bytes: files * fileBytes, error }
}

async function crowd(mode: string, count: number, ms: number): Promise<object> {
  const children = Array.from({ length: count }, () =>
    Bun.spawn([process.execPath, mode], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }),
  )
  await Promise.race([Promise.all(children.map((child) => child.exited)), Bun.sleep(ms)])
  for (const child of children) child.kill("SIGKILL")
  await Promise.all(children.map((child) => child.exited))
  return { signals: children.map((child) => child.signalCode ?? child.exitCode) }
}

/** Takes memory until somebody stops it. */
function eat(): never {
  const held: Uint8Array[] = []
  for (;;) held.push(new Uint8Array(16 * 1024 * 1024).fill(1))
}

function spin(): never {
  for (;;);
}

function attempt(work: () => object): object {
  try {
    return work()
  } catch (error) {
    return { error: codeOf(error) }
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code)
  return error instanceof Error ? error.name : "unknown"
}

async function answer(probe: Probe): Promise<object> {
  switch (probe.op) {
    case "syscall":
      return systemCall(probe.number, probe.args ?? [])
    case "shell":
      return await shell(probe.script, probe.timeoutMs)
    case "connect":
      return await tcp(probe)
    case "udp":
      return await udp(probe.host, probe.port)
    case "resolve":
      return await resolveName(probe.name)
    case "read":
      return attempt(() => ({
        text: readFileSync(probe.path).toString("latin1").slice(0, TEXT_MAX),
      }))
    case "write":
      return attempt(() => {
        writeFileSync(probe.path, probe.text, { mode: 0o755 })
        return { written: true }
      })
    case "list":
      return attempt(() => ({ names: readdirSync(probe.path) }))
    case "writable":
      return writableDirectories()
    case "fill":
      return fill(probe.fileBytes, probe.filesMax)
    case "crowd":
      return await crowd(probe.mode, probe.count, probe.ms)
    case "environment":
      return { names: Object.keys(process.env).sort() }
    case "hang":
      return spin()
    case "leave":
      return process.exit(3)
    // an answer and one more, as if somebody else had written it
    case "chatter":
      process.stdout.write("{}\n")
      return {}
  }
}

async function serve(): Promise<void> {
  process.stdout.write('{"ready":true}\n')
  let text = ""
  for await (const chunk of Bun.stdin.stream()) {
    text += Buffer.from(chunk).toString()
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      process.stdout.write(`${JSON.stringify(await answer(probeOf(line)))}\n`)
    }
  }
}

/** A probe as such, or as the payload of a request. */
function probeOf(line: string): Probe {
  const value = JSON.parse(line)
  return typeof value.payload === "string" ? JSON.parse(value.payload) : value
}

if (import.meta.main) {
  const mode = process.argv[2]
  if (mode === "serve") await serve()
  else if (mode === "eat") eat()
  else if (mode === "spin") spin()
}
