import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { MalformedError, RuleUnknownError, TooLargeError } from "../errors.ts"
import type { RuleStore } from "../ports/rules.ts"
import { RULE_STATES, type RuleState, type StoredRule } from "../rule.ts"
import { scanNewestFirst } from "./index-scan.ts"
import { checkLimit, digestKey, TIME_BYTES, timeKey } from "./keys.ts"
import { countEntries, keysOf, openEnvironment, type Table } from "./lmdb.ts"

/** Rules that are kept; beyond it the oldest goes of those that are not decided, or over. */
const RULES_MAX = 10_000
const RULE_BYTES_MAX = 262_144
const NOTHING = Buffer.alloc(0)
const INSTANCE = Buffer.from("instance")
/** States in which Gatekeeper has nothing of a rule, in the order in which they may be forgotten. */
const FORGETTABLE = ["logged_only", "replaced", "expired", "rejected", "pending_review"] as const

/** Opens `rules.mdb` in `directory`, creating it where it is missing. */
export function openRuleStore(directory: string): RuleStore {
  return new RuleFile(directory)
}

class RuleFile implements RuleStore {
  readonly #environment
  /** By digest of the rule id. */
  readonly #rules: Table
  /** Keys: time of creation, digest. */
  readonly #byTime: Table
  /** Keys: number of the state, time of creation, digest. */
  readonly #byState: Table
  readonly #about: Table

  constructor(directory: string) {
    this.#environment = openEnvironment(join(directory, "rules.mdb"), 4)
    this.#rules = this.#environment.table("rules")
    this.#byTime = this.#environment.table("by_time")
    this.#byState = this.#environment.table("by_state")
    this.#about = this.#environment.table("about")
  }

  async add(stored: StoredRule): Promise<StoredRule> {
    const id = digestKey(stored.rule.rule_id)
    const value = encode(stored)
    return await this.#environment.write(() => {
      const held = this.#read(id)
      if (held !== undefined) return held
      this.#write(id, stored, value)
      if (countEntries(this.#rules) > RULES_MAX) this.#forgetOne()
      return stored
    })
  }

  async update(
    ruleId: string,
    change: (held: StoredRule) => StoredRule | undefined,
  ): Promise<StoredRule> {
    const id = digestKey(ruleId)
    return await this.#environment.write(() => {
      const held = this.#read(id)
      if (held === undefined) throw new RuleUnknownError()
      const changed = change(held)
      if (changed === undefined) return held
      const value = encode(changed)
      this.#remove(id)
      this.#write(id, changed, value)
      return changed
    })
  }

  get(ruleId: string): StoredRule | undefined {
    return this.#read(digestKey(ruleId))
  }

  query({ state, limit, cursor }: Parameters<RuleStore["query"]>[0]) {
    return scanNewestFirst({
      index: state === undefined ? this.#byTime : this.#byState,
      prefix: state === undefined ? NOTHING : statePrefix(state),
      since: NOTHING,
      limit: checkLimit(limit),
      cursor,
      load: (id) => {
        const item = this.#read(id)
        return item && { item, bytes: JSON.stringify(item).length }
      },
    })
  }

  counts(): Readonly<Record<RuleState, number>> {
    const count = (state: RuleState) => this.#idsIn(state, RULES_MAX).length
    const counts = RULE_STATES.map((state) => [state, count(state)] as const)
    return Object.fromEntries(counts) as Record<RuleState, number>
  }

  inStates(states: readonly RuleState[]): readonly StoredRule[] {
    return states.flatMap((state) =>
      this.#idsIn(state, RULES_MAX).flatMap((id) => this.#read(id) ?? []),
    )
  }

  async instanceId(): Promise<string> {
    const known = this.#about.get(INSTANCE)
    if (known !== undefined) return known.toString()
    return await this.#environment.write(() => {
      const held = this.#about.get(INSTANCE)?.toString() ?? randomUUID()
      void this.#about.put(INSTANCE, Buffer.from(held))
      return held
    })
  }

  close(): Promise<void> {
    return this.#environment.close()
  }

  #write(id: Buffer, stored: StoredRule, value: Buffer): void {
    void this.#rules.put(id, value)
    void this.#byTime.put(timeEntry(stored, id), NOTHING)
    void this.#byState.put(
      Buffer.concat([statePrefix(stored.state), timeEntry(stored, id)]),
      NOTHING,
    )
  }

  #forgetOne(): void {
    const oldest = FORGETTABLE.flatMap((state) => this.#idsIn(state, 1))[0]
    if (oldest !== undefined) this.#remove(oldest)
  }

  /** Oldest first. */
  #idsIn(state: RuleState, limit: number): readonly Buffer[] {
    const start = statePrefix(state)
    const end = Buffer.of((start[0] ?? 0) + 1)
    const keys = keysOf(this.#byState, { start, end, limit })
    return keys.map((key) => key.subarray(1 + TIME_BYTES))
  }

  #remove(id: Buffer): void {
    const stored = this.#read(id)
    if (stored === undefined) return
    void this.#rules.remove(id)
    void this.#byTime.remove(timeEntry(stored, id))
    void this.#byState.remove(Buffer.concat([statePrefix(stored.state), timeEntry(stored, id)]))
  }

  #read(id: Buffer): StoredRule | undefined {
    const value = this.#rules.get(id)
    // written by this or an earlier version, by the owner of the file alone
    return value && (JSON.parse(value.toString()) as StoredRule)
  }
}

/** @throws TooLargeError */
function encode(stored: StoredRule): Buffer {
  const value = Buffer.from(JSON.stringify(stored))
  if (value.length > RULE_BYTES_MAX) throw new TooLargeError("rule", RULE_BYTES_MAX)
  return value
}

function timeEntry({ rule }: StoredRule, id: Buffer): Buffer {
  return Buffer.concat([timeKey(Date.parse(rule.created_at)), id])
}

function statePrefix(state: RuleState): Buffer {
  const index = RULE_STATES.indexOf(state)
  if (index < 0) throw new MalformedError("state", "a state of a rule")
  return Buffer.of(index)
}
