import type {
  Alert,
  AlertGroup,
  AlertOccurrence,
  AlertRound,
  AlertStore,
  GroupMemory,
} from "../../alert.ts"
import { alertDocument } from "../../alerts/alert-document.ts"
import {
  due,
  foldOccurrence,
  type GroupChange,
  type GroupingLimits,
} from "../../alerts/group-occurrences.ts"
import type { Clock } from "../../ports.ts"

export interface AlertGroupsParts {
  readonly store: Pick<AlertStore, "groups" | "round">
  readonly clock: Pick<Clock, "nowMs">
  readonly limits: GroupingLimits
  /** Told of the alerts of each round, once they are durable. */
  readonly onRaised: (alerts: readonly Alert[]) => void
}

/** Changes `open`, and answers with how. */
type Change = (open: Map<string, AlertGroup>, memory: GroupMemory) => readonly GroupChange[]

interface Waiting {
  readonly occurrence: AlertOccurrence
  readonly kept: () => void
  readonly failed: (error: unknown) => void
}

/**
 * The open groups, and the only writer to their store. Occurrences that come while a round is being
 * written share the next one, so that a flood costs few commits.
 */
export class AlertGroups {
  readonly #parts: AlertGroupsParts
  #open: ReadonlyMap<string, AlertGroup>
  /** As many as the callers let in at once. */
  #waiting: Waiting[] = []
  #working: Promise<void> | undefined
  #rounds: Promise<unknown> = Promise.resolve()

  constructor(parts: AlertGroupsParts) {
    this.#parts = parts
    this.#open = new Map(parts.store.groups().map((group) => [group.key, group]))
  }

  get open(): number {
    return this.#open.size
  }

  /** Resolves once the occurrence, and the alert that it may bring, survive a crash. @throws UnavailableError */
  raise(occurrence: AlertOccurrence): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ occurrence, kept: resolve, failed: reject })
    this.#working ??= this.#work()
    return promise
  }

  /** Tells of what is due by now. @throws UnavailableError; the next call finds the same again */
  async tick(): Promise<void> {
    if (this.#open.size > 0) await this.#round((open) => dueChanges(open, this.#now()))
  }

  #now() {
    return { nowMs: this.#parts.clock.nowMs(), limits: this.#parts.limits }
  }

  async #work(): Promise<void> {
    // ends when nobody waits; who comes later begins anew
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0)
      const occurrences = batch.map(({ occurrence }) => occurrence)
      const fold = (open: Map<string, AlertGroup>, memory: GroupMemory) =>
        foldAll(occurrences, { open, memory, ...this.#now() })
      await this.#round(fold).then(
        () => batch.forEach(({ kept }) => void kept()),
        (error) => batch.forEach(({ failed }) => void failed(error)),
      )
    }
    this.#working = undefined
  }

  /** One after the other: each begins with what the one before left. */
  #round(change: Change): Promise<void> {
    const done = this.#rounds.then(() => this.#write(change))
    this.#rounds = done.catch(() => undefined)
    return done
  }

  async #write(change: Change): Promise<void> {
    const open = new Map(this.#open)
    const { alerts } = await this.#parts.store.round((memory) =>
      roundOf(open, change(open, memory)),
    )
    this.#open = open
    if (alerts.length > 0) this.#parts.onRaised(alerts)
  }
}

interface Folding {
  readonly open: Map<string, AlertGroup>
  readonly memory: GroupMemory
  readonly nowMs: number
  readonly limits: GroupingLimits
}

function foldAll(
  occurrences: readonly AlertOccurrence[],
  { open, memory, nowMs, limits: { attackersMax } }: Folding,
): readonly GroupChange[] {
  return occurrences.flatMap((occurrence) => {
    const change = foldOccurrence(occurrence, { open, memory, nowMs, attackersMax })
    if (change === undefined) return []
    open.set(change.group.key, change.group)
    return change
  })
}

function dueChanges(
  open: Map<string, AlertGroup>,
  { nowMs, limits }: Pick<Folding, "nowMs" | "limits">,
): readonly GroupChange[] {
  const changes = [...open.values()].flatMap((group) => due(group, nowMs, limits) ?? [])
  for (const { group, status } of changes) {
    if (status === "closed") open.delete(group.key)
    else open.set(group.key, group)
  }
  return changes
}

/** @param open as it is after the changes */
function roundOf(
  open: ReadonlyMap<string, AlertGroup>,
  changes: readonly GroupChange[],
): AlertRound {
  const keys = new Set(changes.map(({ group }) => group.key))
  return {
    groups: [...keys].flatMap((key) => open.get(key) ?? []),
    closed: changes.filter(({ status }) => status === "closed").map(({ group }) => group),
    alerts: changes.flatMap(({ group, status }) => (status ? [alertDocument(group, status)] : [])),
  }
}
