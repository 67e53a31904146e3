import type { Clock } from "../../ports.ts"
import { RuleRefusedError } from "../../rules/rule-refused-error.ts"
import type { Exploit } from "./covering-rule.ts"

const REMEMBERED_MS = 3_600_000
const REMEMBERED_MAX = 1_000

/**
 * Remembers for an hour for which exploits no rule could be made: a scanner sends the same one in
 * each of its sessions, and to find out takes a sandbox many seconds.
 */
export class Refusals {
  readonly #clock: Pick<Clock, "nowMs">
  /** Until when, by digest; the oldest first. */
  readonly #untilMs = new Map<string, number>()

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock
  }

  /** @throws RuleRefusedError, that of `make` or without asking it, where it refused a while ago */
  async recall<T>(exploit: Exploit, make: () => Promise<T>): Promise<T> {
    const key = digest(exploit)
    if ((this.#untilMs.get(key) ?? 0) > this.#clock.nowMs()) {
      throw new RuleRefusedError("none could be made within the last hour")
    }
    try {
      return await make()
    } catch (error) {
      if (error instanceof RuleRefusedError) this.#remember(key)
      throw error
    }
  }

  #remember(key: string): void {
    this.#untilMs.delete(key)
    this.#untilMs.set(key, this.#clock.nowMs() + REMEMBERED_MS)
    for (const oldest of this.#untilMs.keys()) {
      if (this.#untilMs.size <= REMEMBERED_MAX) break
      this.#untilMs.delete(oldest)
    }
  }
}

function digest({ class: attack, value, location }: Exploit): string {
  const text = JSON.stringify([attack, value, location])
  return new Bun.CryptoHasher("sha256").update(text).digest("hex")
}
