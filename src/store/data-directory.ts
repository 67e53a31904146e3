import { Database } from "bun:sqlite"
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import {
  ConfigInvalidError,
  DataDirectoryInUseError,
  SentinelError,
  systemErrorCode,
} from "../errors.ts"

/** What lies where under SENTINEL_DATA_DIR. */
export interface DataDirectoryPaths {
  readonly root: string
  readonly inbox: string
  readonly done: string
  readonly failed: string
  /** verdicts.mdb and dead-letters.mdb */
  readonly store: string
  /** `<bucket>/<key>`: evidence objects where no MinIO is configured */
  readonly objects: string
  /** Where the owner answers its API workers; not created here. */
  readonly socket: string
  /** The JSONL sink. */
  readonly verdictLines: string
  /** `payload-linear/<version>` that were trained here, and registry.json */
  readonly models: string
  /** sandbox-audit.jsonl */
  readonly audit: string
  /** What a panic must find: see src/sandbox. */
  readonly sandbox: string
  /** The JSONL sink of the simulation. */
  readonly simulationLines: string
}

/** The running owner of a data directory, for commands that would talk to it. */
export interface RunningServer {
  readonly pid: number
  readonly host: string
  readonly port: number
  /** ISO 8601 */
  readonly startedAt: string
}

export interface OwnedDataDirectory {
  readonly paths: DataDirectoryPaths
  /** Says where the server listens; `findServer` answers with it until `release`. */
  announce(address: { host: string; port: number }): void
  /** Gives the directory up. The kernel does the same when the process dies, however it dies. */
  release(): void
}

const LOCK_FILE = "lock.db"
const SERVER_FILE = "server.json"
/** Longer than `findServer` ever holds the lock that it probes. */
const LOCK_WAIT_MS = 250

/** Reachable for as long as they are held: a lock that is garbage collected is a lock given up. */
const heldLocks = new Set<Database>()

export function dataDirectoryPaths(directory: string): DataDirectoryPaths {
  const root = resolve(directory)
  return {
    root,
    inbox: join(root, "inbox"),
    done: join(root, "done"),
    failed: join(root, "failed"),
    store: join(root, "store"),
    objects: join(root, "objects"),
    socket: join(root, "owner.sock"),
    verdictLines: join(root, "verdicts.jsonl"),
    models: join(root, "models"),
    audit: join(root, "audit"),
    sandbox: join(root, "sandbox"),
    simulationLines: join(root, "simulations.jsonl"),
  }
}

/**
 * Takes the data directory for this process, creating what is missing (directories 0700).
 * @throws DataDirectoryInUseError with the pid of the owner while another one holds it
 * @throws ConfigInvalidError where it cannot be made or written
 */
export function ownDataDirectory(directory: string): OwnedDataDirectory {
  const paths = dataDirectoryPaths(directory)
  const { root } = paths
  const startedAt = new Date().toISOString()
  const lock = takeDirectory(paths, startedAt)
  let released = false
  return {
    paths,
    announce: (address) => writeServerFile(root, { pid: process.pid, startedAt, ...address }),
    release() {
      if (released) return
      released = true
      rmSync(join(root, SERVER_FILE), { force: true })
      heldLocks.delete(lock)
      lock.close()
    },
  }
}

function takeDirectory(paths: DataDirectoryPaths, startedAt: string): Database {
  const { root, inbox, done, failed, store, objects, models, audit } = paths
  try {
    for (const path of [root, inbox, done, failed, store, objects, models, audit]) {
      mkdirSync(path, { recursive: true, mode: 0o700 })
    }
    const lock = lockExclusively(root)
    writeServerFile(root, { pid: process.pid, startedAt })
    return lock
  } catch (error) {
    if (error instanceof SentinelError) throw error
    const code = systemErrorCode(error)
    throw new ConfigInvalidError([
      `SENTINEL_DATA_DIR: the directory cannot be written${code === undefined ? "" : ` (${code})`}`,
    ])
  }
}

/** The server that owns the directory and has announced its address, if one is alive. */
export function findServer(directory: string): RunningServer | undefined {
  const root = resolve(directory)
  const { pid, host, port, startedAt } = readServerFile(root)
  if (pid === undefined || host === undefined || port === undefined) return undefined
  // A pid may be reused and a file may be stale; the lock is neither.
  return isLocked(root) ? { pid, host, port, startedAt: startedAt ?? "" } : undefined
}

/**
 * SQLite's exclusive transaction is a lock that the kernel holds for the process, not a file that
 * says so: kill -9 releases it.
 */
function lockExclusively(root: string): Database {
  const path = join(root, LOCK_FILE)
  const lock = new Database(path, { create: true })
  try {
    chmodSync(path, 0o600)
    lock.run(`PRAGMA busy_timeout = ${LOCK_WAIT_MS}`)
    lock.run("BEGIN EXCLUSIVE")
    heldLocks.add(lock)
    return lock
  } catch (error) {
    lock.close()
    if (isBusy(error)) throw new DataDirectoryInUseError(readServerFile(root).pid)
    throw error
  }
}

function isLocked(root: string): boolean {
  let probe: Database | undefined
  try {
    probe = new Database(join(root, LOCK_FILE), { readonly: true })
    probe.query("SELECT count(*) FROM sqlite_master").get()
    return false
  } catch (error) {
    return isBusy(error)
  } finally {
    probe?.close()
  }
}

function isBusy(error: unknown): boolean {
  return systemErrorCode(error) === "SQLITE_BUSY"
}

function writeServerFile(root: string, content: Partial<RunningServer>): void {
  const path = join(root, SERVER_FILE)
  writeFileSync(`${path}.tmp`, `${JSON.stringify(content)}\n`, { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

/** Only fields of the right type: the file may be old, cut or someone else's. */
function readServerFile(root: string): Partial<RunningServer> {
  const { pid, host, port, startedAt } = parseObject(join(root, SERVER_FILE))
  return {
    ...(typeof pid === "number" && { pid }),
    ...(typeof host === "string" && { host }),
    ...(typeof port === "number" && { port }),
    ...(typeof startedAt === "string" && { startedAt }),
  }
}

function parseObject(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"))
    return typeof value === "object" && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
