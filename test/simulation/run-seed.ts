import { findViolations } from "./invariants.ts"
import { type EngineModules, Member, takeUnhandledRejections } from "./member.ts"
import { World, type WorldOptions } from "./world.ts"

export interface SeedOptions {
  readonly seed: number
  readonly modules: EngineModules
  readonly world?: Partial<WorldOptions>
}

export interface SeedResult {
  readonly seed: number
  readonly violations: readonly string[]
  readonly trace: readonly string[]
  readonly virtualMs: number
}

const HEAL_AT_MS = 1_500
const LIMIT_MS = 120_000

/** Runs one seed: a world of faults that heals, in which everything must then be accounted for. */
export async function runSeed({ seed, modules, world: broken }: SeedOptions): Promise<SeedResult> {
  const isTransactional = seed % 2 === 0
  const hasMessageSinks = isTransactional || seed % 4 === 1
  const world = new World({ seed, isTransactional, hasMessageSinks, ...broken })
  const group = new Group(world, modules)
  group.begin()
  world.time.after(HEAL_AT_MS, () => {
    world.isHealed = true
    world.broker.isUp = true
    world.note("the world heals")
    group.mend()
  })
  const isOver = () => world.isHealed && world.broker.isDrained
  const isDrained = await world.time.runUntil(isOver, LIMIT_MS)
  if (!isDrained) world.violations.push("the lag does not return to zero")
  const hasStopped = await group.stop()
  if (!hasStopped) world.violations.push("drain does not end")
  // the runtime reports unhandled rejections only between two turns of its event loop
  await new Promise((resolve) => setImmediate(resolve))
  const unhandled = takeUnhandledRejections()
  if (unhandled > 0) world.violations.push(`${unhandled} unhandled rejections`)
  const { elapsedMs: virtualMs } = world.time
  return { seed, violations: findViolations(world), trace: world.trace, virtualMs }
}

/** The members of the consumer group, and what happens to them. */
class Group {
  readonly #world: World
  readonly #modules: EngineModules
  #members: Member[] = []
  #born = 0
  #isOver = false

  constructor(world: World, modules: EngineModules) {
    this.#world = world
    this.#modules = modules
  }

  begin(): void {
    const { random, time } = this.#world
    for (let count = random.between(1, 3); count > 0; count -= 1) this.#join()
    for (let events = random.between(0, 8); events > 0; events -= 1) {
      time.after(random.between(1, HEAL_AT_MS - 100), () => this.#somethingHappens())
    }
  }

  /** After the faults: somebody living owns every partition, now and after each later loss. */
  mend(): void {
    const { broker, random, time } = this.#world
    if (!this.#members.some((member) => member.isAlive)) this.#join()
    const living = this.#members.filter((member) => member.isAlive)
    for (const partition of broker.input.keys()) {
      const owner = living.find(({ name }) => name === broker.owners[partition])
      if (owner?.source.partitions.includes(partition)) continue
      void random.pick(living).source.take(partition)
    }
    if (!this.#isOver) time.after(1_000, () => this.mend())
  }

  async stop(): Promise<boolean> {
    this.#isOver = true
    const living = this.#members.filter((member) => member.isAlive)
    let stopped = 0
    for (const { engine } of living) void engine.drain(1_000).then(() => (stopped += 1))
    return this.#world.time.runUntil(() => stopped === living.length, 2 * LIMIT_MS)
  }

  #somethingHappens(): void {
    const { random, broker, time } = this.#world
    const event = random.pick(["kill", "kill", "join", "leave", "outage", "jump"] as const)
    this.#world.note(event)
    if (event === "kill") this.#kill()
    else if (event === "join") this.#join()
    else if (event === "leave") this.#leave()
    else if (event === "jump") time.jump(random.between(-60_000, 60_000))
    else {
      broker.isUp = false
      time.after(random.between(10, 400), () => {
        broker.isUp = true
      })
    }
  }

  #join(): void {
    this.#born += 1
    const member = new Member(`member-${this.#born}`, this.#world, this.#modules)
    this.#members.push(member)
    void member.engine.start()
    void this.#rebalance()
  }

  /** Somebody takes over after the session timeout; a process that was killed is started again. */
  #kill(): void {
    const living = this.#members.filter((member) => member.isAlive)
    if (living.length === 0) return
    this.#world.random.pick(living).kill()
    this.#world.time.after(this.#world.random.between(20, 300), () => this.#join())
  }

  #leave(): void {
    const living = this.#members.filter((member) => member.isAlive)
    if (living.length < 2) return
    const leaver = this.#world.random.pick(living)
    this.#members = this.#members.filter((member) => member !== leaver)
    void leaver.engine.drain(300).then(() => this.#rebalance())
  }

  /** Partitions move between the living; a new owner does not wait for the old one to let go. */
  async #rebalance(): Promise<void> {
    const living = this.#members.filter((member) => member.isAlive)
    if (living.length === 0) return
    for (const partition of this.#world.broker.input.keys()) {
      const to = this.#world.random.pick(living)
      const from = living.find((member) => member.source.partitions.includes(partition))
      if (from === to) continue
      const givingBack = from?.source.giveBack(partition)
      // half of the groups hand over in order, the others like a member that was thought dead
      if (this.#world.random.chance(0.5)) await givingBack
      if (to.isAlive) void to.source.take(partition)
    }
  }
}
