import { join } from "node:path"
import type {
  Alert,
  AlertGroup,
  AlertRound,
  AlertStore,
  GroupMemory,
  QueuedAlert,
} from "../alert.ts"
import { systemClock } from "../clock.ts"
import type { Clock } from "../ports.ts"
import { DIGEST_BYTES, digestKey, readTime, TIME_BYTES, timeKey } from "./keys.ts"
import { countEntries, keysOf, openEnvironment, type Table } from "./lmdb.ts"

export interface AlertStoreOptions {
  /** Whom each alert is to reach; what waits for one that is not among them goes on waiting. */
  readonly targets: readonly string[]
  /** Alerts that may wait for one target; beyond it the oldest go. Default 10,000. */
  readonly waitingMax?: number
  readonly clock?: Pick<Clock, "nowMs">
}

const WAITING_MAX = 10_000
/** What one group remembers; beyond it everything is new. */
const REMEMBERED_MAX = 100_000
/** Rows that one transaction removes: it keeps the writers waiting, so it is short. */
const FORGET_ROWS_MAX = 500
const NOTHING = Buffer.alloc(0)

/** Opens `alerts.mdb` in `directory`, creating it where it is missing. */
export function openAlertStore(directory: string, options: AlertStoreOptions): AlertStore {
  return new AlertFile(directory, options)
}

class AlertFile implements AlertStore {
  readonly #environment
  /** By digest of the key. */
  readonly #groups: Table
  /** Keys: digest of the group's id, digest of what is remembered. */
  readonly #remembered: Table
  readonly #outboxes: ReadonlyMap<string, Outbox>
  readonly #clock: Pick<Clock, "nowMs">
  readonly #rememberedBy = new Map<string, number>()
  #forgetting: Promise<void>

  constructor(directory: string, options: AlertStoreOptions) {
    const { targets, waitingMax = WAITING_MAX, clock = systemClock } = options
    this.#clock = clock
    this.#environment = openEnvironment(join(directory, "alerts.mdb"), 8)
    this.#groups = this.#environment.table("groups")
    this.#remembered = this.#environment.table("remembered")
    const outbox = (name: string) => new Outbox(this.#environment.table(`to_${name}`), waitingMax)
    this.#outboxes = new Map(targets.map((name) => [name, outbox(name)]))
    this.#forgetting = this.#forgetClosed().catch(() => undefined)
  }

  groups(): readonly AlertGroup[] {
    // written by this or an earlier version, by the owner of the file alone
    return Array.from(
      this.#groups.getRange(),
      ({ value }) => JSON.parse(value.toString()) as AlertGroup,
    )
  }

  async round(work: Parameters<AlertStore["round"]>[0]): Promise<AlertRound> {
    const queuedMs = this.#clock.nowMs()
    const round = await this.#environment.write(() => {
      const memory = new Memory(this.#remembered, this.#rememberedBy)
      const made = work(memory)
      memory.keep()
      for (const group of made.groups) void this.#groups.put(digestKey(group.key), toJson(group))
      for (const { key } of made.closed) void this.#groups.remove(digestKey(key))
      for (const outbox of this.#outboxes.values()) {
        for (const alert of made.alerts) outbox.add({ alert, queuedMs })
      }
      return made
    })
    for (const { id } of round.closed) this.#forgetInBackground(id)
    return round
  }

  next(target: string): QueuedAlert | undefined {
    return this.#outboxes.get(target)?.first()
  }

  async settle(target: string, eventId: string): Promise<void> {
    await this.#environment.write(() => this.#outboxes.get(target)?.remove(eventId))
  }

  waiting(target: string): number {
    return this.#outboxes.get(target)?.size() ?? 0
  }

  get dropped(): number {
    return [...this.#outboxes.values()].reduce((sum, { dropped }) => sum + dropped, 0)
  }

  async close(): Promise<void> {
    await this.#forgetting
    await this.#environment.close()
  }

  #forgetInBackground(groupId: string): void {
    this.#rememberedBy.delete(groupId)
    const forget = () => this.#forget(digestKey(groupId))
    // what stays is forgotten at the next opening
    this.#forgetting = this.#forgetting.then(forget).catch(() => undefined)
  }

  /** What a crash left of groups that are over. */
  async #forgetClosed(): Promise<void> {
    const open = new Set(this.groups().map(({ id }) => digestKey(id).toString("hex")))
    let after: Buffer | undefined = NOTHING
    while (after !== undefined) {
      const [key]: readonly Buffer[] = keysOf(this.#remembered, { start: after, limit: 1 })
      if (key === undefined) return
      const group = key.subarray(0, DIGEST_BYTES)
      if (!open.has(group.toString("hex"))) await this.#forget(group)
      after = endOf(group)
    }
  }

  async #forget(group: Buffer): Promise<void> {
    const range = { start: group, end: endOf(group), limit: FORGET_ROWS_MAX }
    for (let removed = FORGET_ROWS_MAX; removed === FORGET_ROWS_MAX; ) {
      removed = await this.#environment.write(() => {
        const keys = keysOf(this.#remembered, range)
        for (const key of keys) void this.#remembered.remove(key)
        return keys.length
      })
    }
  }
}

/** Writes nothing before `keep`: what a failing round asked is as if it had never been asked. */
class Memory implements GroupMemory {
  readonly #table: Table
  readonly #counts: Map<string, number>
  readonly #asked = new Map<string, { readonly groupId: string; readonly key: Buffer }>()

  constructor(table: Table, counts: Map<string, number>) {
    this.#table = table
    this.#counts = counts
  }

  readonly isNew = (groupId: string, thing: string): boolean => {
    const key = Buffer.concat([digestKey(groupId), digestKey(thing)])
    const name = key.toString("latin1")
    if (this.#asked.has(name) || this.#table.doesExist(key)) return false
    if ((this.#counts.get(groupId) ?? 0) < REMEMBERED_MAX) this.#asked.set(name, { groupId, key })
    return true
  }

  keep(): void {
    for (const { groupId, key } of this.#asked.values()) {
      void this.#table.put(key, NOTHING)
      this.#counts.set(groupId, (this.#counts.get(groupId) ?? 0) + 1)
    }
  }
}

/**
 * Alerts that wait for one target, oldest first. Keys: their number; values: time, then the JSON.
 * An update that still waits gives its place to the next one of its alert: after an outage nobody
 * wants each of them.
 */
class Outbox {
  readonly #table: Table
  readonly #max: number
  /** Place of the update that waits, by alert. */
  readonly #updates = new Map<string, Buffer>()
  #nextNumber = 1
  dropped = 0

  constructor(table: Table, max: number) {
    this.#table = table
    this.#max = max
    for (const { key, value } of table.getRange()) {
      this.#nextNumber = readTime(key) + 1
      this.#place(decode(value).alert, Buffer.from(key))
    }
  }

  add(queued: QueuedAlert): void {
    const { alert } = queued
    const isUpdate = alert.status === "updated"
    const place = (isUpdate ? this.#updates.get(alert.alert_id) : undefined) ?? this.#newPlace()
    this.#place(alert, place)
    void this.#table.put(place, Buffer.concat([timeKey(queued.queuedMs), toJson(alert)]))
    if (this.size() <= this.#max) return
    const [oldest] = keysOf(this.#table, { limit: 1 })
    if (oldest !== undefined) this.#removeAt(oldest)
    this.dropped += 1
  }

  first(): QueuedAlert | undefined {
    const [value] = Array.from(this.#table.getRange({ limit: 1 }), (row) => decode(row.value))
    return value
  }

  /** Only the oldest can be delivered, and it may be another one by now. */
  remove(eventId: string): void {
    const [key] = keysOf(this.#table, { limit: 1 })
    if (key !== undefined && this.first()?.alert.event_id === eventId) this.#removeAt(key)
  }

  size(): number {
    return countEntries(this.#table)
  }

  #newPlace(): Buffer {
    const place = timeKey(this.#nextNumber)
    this.#nextNumber += 1
    return place
  }

  #place({ status, alert_id }: Alert, place: Buffer): void {
    if (status === "updated") this.#updates.set(alert_id, place)
    else this.#updates.delete(alert_id)
  }

  #removeAt(place: Buffer): void {
    const value = this.#table.get(place)
    const alert = value && decode(value).alert
    if (alert !== undefined && this.#updates.get(alert.alert_id)?.equals(place) === true) {
      this.#updates.delete(alert.alert_id)
    }
    void this.#table.remove(place)
  }
}

function decode(value: Buffer): QueuedAlert {
  // written by this or an earlier version, by the owner of the file alone
  const alert = JSON.parse(value.toString("utf8", TIME_BYTES)) as Alert
  return { queuedMs: readTime(value), alert }
}

function toJson(value: AlertGroup | Alert): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** The key after all that begin with a digest. */
function endOf(group: Buffer): Buffer {
  return Buffer.concat([group, Buffer.alloc(DIGEST_BYTES + 1, 0xff)])
}
