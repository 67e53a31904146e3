import type { Dataflow, Step } from "./dataflow.ts"
import type { Operator, Sink } from "./types.ts"

/** A node of the drawn graph. */
export interface TopologyNode {
  readonly id: string
  readonly kind: "source" | "operator" | "sink" | "branch"
  readonly note: string
}

export interface TopologyEdge {
  readonly from: string
  readonly to: string
  /** The arm of a branch or of a parallel step. */
  readonly label?: string
}

export interface Topology {
  readonly name: string
  readonly nodes: readonly TopologyNode[]
  readonly edges: readonly TopologyEdge[]
}

interface End {
  readonly id: string
  readonly label?: string
}

/**
 * The graph of a flow as data: `topologyText` and `topologyMermaid` draw it.
 *
 * @param transactional those of the sources whose commits send what sinks stage, so that such sinks
 *   are exactly once for them
 */
export function describeFlow(
  flow: Dataflow<never, unknown>,
  sources: readonly string[],
  transactional: readonly string[] = [],
): Topology {
  const others = sources.filter((source) => !transactional.includes(source))
  const draft = new Draft({ transactional, others })
  for (const source of sources) draft.node({ id: source, kind: "source", note: "" })
  draft.steps(
    flow.steps,
    sources.map((id) => ({ id })),
  )
  return { name: flow.name, nodes: draft.nodes, edges: draft.edges }
}

/** Two flows in one graph, under the name of the first; `edges` say what one hands to the other. */
export function joinTopologies(
  one: Topology,
  other: Topology,
  edges: readonly TopologyEdge[],
): Topology {
  return {
    name: one.name,
    nodes: [...one.nodes, ...other.nodes],
    edges: [...one.edges, ...edges, ...other.edges],
  }
}

export function topologyText(topology: Topology): string {
  const width = Math.max(...topology.nodes.map((node) => node.id.length))
  const noteWidth = Math.max(...topology.nodes.map((node) => node.note.length))
  const lines = topology.nodes.map((node) => {
    const targets = topology.edges.filter((edge) => edge.from === node.id)
    const arrows = targets.map((edge) => (edge.label ? `${edge.label}: ${edge.to}` : edge.to))
    const next = arrows.length > 0 ? `-> ${arrows.join(", ")}` : ""
    return `  ${node.id.padEnd(width)}  ${node.kind.padEnd(8)}  ${node.note.padEnd(noteWidth)}  ${next}`
  })
  return [topology.name, ...lines.map((line) => line.trimEnd()), ""].join("\n")
}

const SHAPES = {
  source: ["([", "])"],
  operator: ["[", "]"],
  sink: ["[(", ")]"],
  branch: ["{", "}"],
} as const

export function topologyMermaid(topology: Topology): string {
  const nodes = topology.nodes.map(({ id, kind }) => {
    const [open, close] = SHAPES[kind]
    return `  ${mermaidId(id)}${open}"${id}"${close}`
  })
  const edges = topology.edges.map(({ from, to, label }) => {
    const arrow = label === undefined ? "-->" : `-->|${label}|`
    return `  ${mermaidId(from)} ${arrow} ${mermaidId(to)}`
  })
  return ["flowchart LR", ...nodes, ...edges, ""].join("\n")
}

function mermaidId(id: string): string {
  return id.replace(/[^A-Za-z0-9_]/g, "_")
}

interface SourceNames {
  readonly transactional: readonly string[]
  readonly others: readonly string[]
}

class Draft {
  readonly #sources: SourceNames
  readonly nodes: TopologyNode[] = []
  readonly edges: TopologyEdge[] = []

  constructor(sources: SourceNames) {
    this.#sources = sources
  }

  node(node: TopologyNode): void {
    this.nodes.push(node)
  }

  /** Draws the steps after `from` and returns the loose ends that the next step continues. */
  steps(steps: readonly Step[], from: readonly End[]): readonly End[] {
    let ends = from
    for (const step of steps) ends = this.#step(step, ends)
    return ends
  }

  #step(step: Step, from: readonly End[]): readonly End[] {
    switch (step.kind) {
      case "operator":
        return this.steps(step.inside ?? [], this.#leaf(operatorNode(step.operator), from))
      case "sink":
        return this.#leaf(sinkNode(step.sink, this.#sources), from)
      case "parallel":
        return step.arms.flatMap((arm) =>
          this.#leaf(
            operatorNode(arm.operator),
            from.map((end) => ({ ...end, label: arm.name })),
          ),
        )
      case "branch": {
        const [gate] = this.#leaf({ id: step.name, kind: "branch", note: "" }, from)
        return step.arms.flatMap((arm) =>
          this.steps(arm.steps, [{ id: gate?.id ?? step.name, label: arm.name }]),
        )
      }
    }
  }

  #leaf(node: TopologyNode, from: readonly End[]): readonly End[] {
    this.node(node)
    for (const end of from) {
      const label = end.label === undefined ? {} : { label: end.label }
      this.edges.push({ from: end.id, to: node.id, ...label })
    }
    return [{ id: node.id }]
  }
}

function operatorNode(operator: Operator<never, unknown>): TopologyNode {
  const failure = operator.onFailure ?? "closed"
  const { where } = operator.batch ?? {}
  const note = `x${operator.concurrency ?? 1}, fails ${failure}${where ? `, ${where}` : ""}`
  return { id: operator.name, kind: "operator", note }
}

function sinkNode(sink: Sink<never>, sources: SourceNames): TopologyNode {
  const note =
    "message" in sink ? messageNote(sources) : `x${sink.concurrency ?? 1}, ${sink.guarantee}`
  return { id: sink.name, kind: "sink", note }
}

/** Messages are sent by the source that they come from, or by the engine's publisher. */
function messageNote({ transactional, others }: SourceNames): string {
  if (transactional.length === 0) return "staged, at-least-once"
  if (others.length === 0) return "staged, exactly-once"
  return `staged, exactly-once from ${transactional.join(", ")}, at-least-once from ${others.join(", ")}`
}
