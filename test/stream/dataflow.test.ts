import { describe, expect, test } from "bun:test"
import { MalformedError, UnavailableError } from "../../src/errors.ts"
import { Dataflow } from "../../src/stream/dataflow.ts"
import { Evaluation } from "../../src/stream/evaluate.ts"
import { describeFlow, topologyMermaid, topologyText } from "../../src/stream/topology.ts"
import type { Operator, SourceRecord } from "../../src/stream/types.ts"
import { FakeClock } from "../support/fake-clock.ts"
import { listObserver, listSink } from "../support/list-sink.ts"
import { record } from "../support/list-source.ts"

interface Sized {
  readonly text: string
  readonly length: number
}

const measure: Operator<SourceRecord, Sized> = {
  name: "measure",
  process: ({ value }) => ({ text: new TextDecoder().decode(value), length: value.length }),
}
const double: Operator<Sized, number> = { name: "double", process: ({ length }) => length * 2 }
const shout: Operator<Sized, string> = {
  name: "shout",
  onFailure: "degraded",
  process: ({ text }) => {
    if (text === "mute") throw new UnavailableError("voice")
    if (text === "mumble") throw new MalformedError("text", "words")
    return text.toUpperCase()
  },
}

function evaluate<Out>(flow: Dataflow<SourceRecord, Out>, text: string): Promise<Out> {
  const parts = { clock: new FakeClock(), observer: listObserver(), random: () => 0.5 }
  return new Evaluation(flow, parts).evaluate(record(0, text), new AbortController().signal)
}

const forked = Dataflow.named<SourceRecord>("forked").via(measure).parallel("both", {
  twice: double,
  loud: shout,
})

describe("Dataflow", () => {
  test("parallel joins the outputs of its arms under its name", async () => {
    const { length, both } = await evaluate(forked, "abc")
    expect({ length, both }).toEqual({ length: 3, both: { twice: 6, loud: "ABC" } })
  })

  test("through goes on with the steps of another flow", async () => {
    const rest = Dataflow.named<Sized>("rest").via(double)
    expect(
      await evaluate(Dataflow.named<SourceRecord>("f").via(measure).through(rest), "abc"),
    ).toBe(6)
  })

  test("parallel leaves an ArmFailure where a degraded arm failed", async () => {
    const { both } = await evaluate(forked, "mute")
    expect(both).toEqual({ twice: 8, loud: { failed: "UNAVAILABLE" } })
  })

  test("parallel leaves an ArmFailure where a degraded arm failed for good at once", async () => {
    const { both } = await evaluate(forked, "mumble")
    expect(both).toEqual({ twice: 12, loud: { failed: "MALFORMED" } })
  })

  test("parallel fails with the error of an arm that fails closed", async () => {
    const closed: Operator<Sized, never> = {
      name: "closed",
      process: () => {
        throw new UnavailableError("voice")
      },
    }
    const flow = Dataflow.named<SourceRecord>("f").via(measure).parallel("arms", { closed })
    await expect(evaluate(flow, "x")).rejects.toMatchObject({ code: "UNAVAILABLE" })
  })

  test("branch takes the arm that its word names", async () => {
    const flow = Dataflow.named<SourceRecord>("b")
      .via(measure)
      .branch("size", ({ length }) => (length > 2 ? "long" : "short"), {
        long: (stream) => stream.via(double),
        short: (stream) => stream.via({ name: "zero", process: () => 0 }),
      })
    expect(await evaluate(flow, "abc")).toBe(6)
    expect(await evaluate(flow, "ab")).toBe(0)
  })

  test("refuses two steps of one name", () => {
    const twice = Dataflow.named<SourceRecord>("t")
      .via(measure)
      .parallel("p", { a: double, b: double })
    expect(() => evaluate(twice, "x")).toThrow("two steps are named double")
  })
})

const drawn = Dataflow.named<SourceRecord>("drawn")
  .via(measure)
  .parallel("both", { twice: double, loud: shout })
  .via({ name: "join", concurrency: 4, process: ({ length }) => length })
  .branch("size", (length) => (length > 2 ? "long" : "short"), {
    long: (stream) => stream.to(listSink<number>("long_sink")),
    short: (stream) => stream,
  })
  .to(listSink<number>("all_sink"))

describe("topology", () => {
  test("describeFlow draws parallel arms and branches as labelled edges", () => {
    const { edges } = describeFlow(drawn, ["list"])
    expect(edges).toEqual([
      { from: "list", to: "measure" },
      { from: "measure", to: "double", label: "twice" },
      { from: "measure", to: "shout", label: "loud" },
      { from: "double", to: "join" },
      { from: "shout", to: "join" },
      { from: "join", to: "size" },
      { from: "size", to: "long_sink", label: "long" },
      { from: "long_sink", to: "all_sink" },
      { from: "size", to: "all_sink", label: "short" },
    ])
  })

  test("describeFlow tells where batches run, and what an operator does inside", () => {
    const batch = { sizeMax: 2, where: "batches in 3 threads", process: () => [] }
    const inside = Dataflow.named<SourceRecord>("inside").via({ ...measure, name: "inside" })
    const flow = Dataflow.named<SourceRecord>("f")
      .via({ ...measure, batch }, inside)
      .via(double)
    const { nodes, edges } = describeFlow(flow, ["list"])
    const node = nodes.find(({ id }) => id === "measure")
    expect(node?.note).toBe("x1, fails closed, batches in 3 threads")
    const ways = edges.map(({ from, to }) => `${from} ${to}`)
    expect(ways).toEqual(["list measure", "measure inside", "inside double"])
  })

  test("topologyText and topologyMermaid name every node and its guarantee", () => {
    const topology = describeFlow(drawn, ["list"])
    expect(topologyText(topology)).toContain("all_sink   sink      x64, at-least-once")
    expect(topologyText(topology)).toContain("shout      operator  x1, fails degraded")
    expect(topologyMermaid(topology)).toContain("  size -->|short| all_sink")
  })

  test("describeFlow says from which sources a message sink is exactly once", () => {
    const message = () => ({ topic: "out", key: null, value: "" })
    const staging = Dataflow.named<SourceRecord>("f").to({ name: "topic", message })
    const note = (sources: readonly string[], transactional: readonly string[]) =>
      describeFlow(staging, sources, transactional).nodes.at(-1)?.note
    expect(note(["inbox"], [])).toBe("staged, at-least-once")
    expect(note(["kafka"], ["kafka"])).toBe("staged, exactly-once")
    expect(note(["inbox", "kafka"], ["kafka"])).toBe(
      "staged, exactly-once from kafka, at-least-once from inbox",
    )
  })
})
