import { ModelRefusedError } from "../../errors.ts"
import type { OnnxAttribute, OnnxGraph, OnnxNode } from "../onnx/graph.ts"
import type { IsolationForest } from "./isolation-forest.ts"
import { averagePathLength } from "./isolation-forest.ts"

const OPSET = 18
const ML_OPSET = 3
const ML_DOMAIN = "ai.onnx.ml"
const TREES_MAX = 1_000
const NODES_MAX = 1_000_000

/**
 * The forest as an ONNX graph: `features` float [n, featureCount] -> `score` float [n, 1], the
 * paper's anomaly score.
 */
export function forestToOnnx(
  forest: IsolationForest,
  metadata: Readonly<Record<string, string>>,
): OnnxGraph {
  const decay = -1 / averagePathLength(forest.sampleSize)
  return {
    name: "session_forest",
    opset: OPSET,
    mlOpset: ML_OPSET,
    nodes: [
      ensembleNode(forest),
      { opType: "Mul", inputs: ["path_length", "decay"], outputs: ["exponent"] },
      { opType: "Pow", inputs: ["two", "exponent"], outputs: ["score"] },
    ],
    initializers: [
      { name: "decay", dims: [1], data: Float32Array.of(decay) },
      { name: "two", dims: [1], data: Float32Array.of(2) },
    ],
    inputs: [{ name: "features", type: "float", dims: ["n", forest.featureCount] }],
    outputs: [{ name: "score", type: "float", dims: ["n", 1] }],
    metadata: { ...metadata, sample_size: `${forest.sampleSize}` },
  }
}

function ensembleNode(forest: IsolationForest): OnnxNode {
  const trees = treeOfNodes(forest)
  const local = (node: number, tree: number): number => node - (trees.first[tree] ?? 0)
  const nodes = [...forest.feature.keys()]
  const leaves = nodes.filter((node) => (forest.feature[node] ?? -1) < 0)
  const treeOf = (node: number): number => trees.tree[node] ?? 0
  const localOf = (node: number): number => local(node, treeOf(node))
  const child = (children: Int32Array) => (node: number) =>
    (forest.feature[node] ?? -1) < 0 ? 0 : localOf(children[node] ?? 0)
  return {
    opType: "TreeEnsembleRegressor",
    domain: ML_DOMAIN,
    inputs: ["features"],
    outputs: ["path_length"],
    attributes: {
      aggregate_function: { string: "AVERAGE" },
      n_targets: { int: 1 },
      nodes_treeids: { ints: nodes.map(treeOf) },
      nodes_nodeids: { ints: nodes.map(localOf) },
      nodes_featureids: { ints: nodes.map((node) => Math.max(0, forest.feature[node] ?? 0)) },
      nodes_values: { floats: [...forest.threshold] },
      nodes_modes: {
        strings: nodes.map((node) => ((forest.feature[node] ?? -1) < 0 ? "LEAF" : "BRANCH_LEQ")),
      },
      nodes_truenodeids: { ints: nodes.map(child(forest.left)) },
      nodes_falsenodeids: { ints: nodes.map(child(forest.right)) },
      target_treeids: { ints: leaves.map(treeOf) },
      target_nodeids: { ints: leaves.map(localOf) },
      target_ids: { ints: leaves.map(() => 0) },
      target_weights: { floats: leaves.map((node) => forest.pathLength[node] ?? 0) },
    },
  }
}

/** Trees lie one after the other, each from its root on. */
function treeOfNodes(forest: IsolationForest): { tree: number[]; first: number[] } {
  const first = [...forest.roots]
  const tree: number[] = []
  for (let node = 0, current = 0; node < forest.feature.length; node++) {
    if (node === first[current + 1]) current += 1
    tree.push(current)
  }
  return { tree, first }
}

/**
 * Reads a forest back from the graph that `forestToOnnx` wrote.
 *
 * @throws ModelRefusedError where a node, child or feature is missing or out of range
 */
export function forestFromOnnx(graph: OnnxGraph): IsolationForest {
  const ensemble = graph.nodes.find((node) => node.opType === "TreeEnsembleRegressor")
  if (ensemble === undefined) throw new ModelRefusedError("it has no tree ensemble")
  const featureCount = Number(graph.inputs[0]?.dims[1])
  const sampleSize = Number(graph.metadata.sample_size)
  if (!Number.isInteger(featureCount) || !(sampleSize > 1)) {
    throw new ModelRefusedError("its shape is not that of a session forest")
  }
  return readEnsemble(ensemble, { featureCount, sampleSize })
}

function readEnsemble(
  node: OnnxNode,
  shape: { featureCount: number; sampleSize: number },
): IsolationForest {
  const treeIds = ints(node, "nodes_treeids")
  const roots = rootsOf(treeIds)
  const rootOf = (row: number): number => roots[treeIds[row] ?? 0] ?? 0
  const isLeaf = strings(node, "nodes_modes").map((mode) => mode === "LEAF")
  const children = (name: string) =>
    Int32Array.from(ints(node, name), (local, row) => (isLeaf[row] ? -1 : rootOf(row) + local))
  const pathLength = new Float32Array(treeIds.length)
  const weights = floats(node, "target_weights")
  const targetTrees = ints(node, "target_treeids")
  for (const [i, local] of ints(node, "target_nodeids").entries()) {
    pathLength[(roots[targetTrees[i] ?? 0] ?? 0) + local] = weights[i] ?? 0
  }
  const featureIds = ints(node, "nodes_featureids")
  const forest: IsolationForest = {
    roots: Int32Array.from(roots),
    feature: Int32Array.from(featureIds, (index, row) => (isLeaf[row] ? -1 : index)),
    threshold: Float32Array.from(floats(node, "nodes_values")),
    left: children("nodes_truenodeids"),
    right: children("nodes_falsenodeids"),
    pathLength,
    ...shape,
  }
  refuseBrokenForest(forest)
  return forest
}

function rootsOf(treeIds: readonly number[]): number[] {
  const roots: number[] = []
  for (const [row, tree] of treeIds.entries()) if (tree === roots.length) roots.push(row)
  return roots
}

/** A child always lies behind its parent, so a walk ends; every index is in range. */
function refuseBrokenForest(forest: IsolationForest): void {
  const { feature, left, right, threshold, roots, featureCount } = forest
  const count = feature.length
  const sizes = [left.length, right.length, threshold.length].every((size) => size === count)
  if (!sizes || count > NODES_MAX || roots.length === 0 || roots.length > TREES_MAX) {
    throw new ModelRefusedError("its tree arrays do not fit together")
  }
  const behind = (child: number, node: number): boolean => child > node && child < count
  for (const [node, index] of feature.entries()) {
    const children = index < 0 || (behind(left[node] ?? 0, node) && behind(right[node] ?? 0, node))
    if (!children || index >= featureCount) {
      throw new ModelRefusedError("a tree node points out of range")
    }
  }
}

function attribute(node: OnnxNode, name: string): OnnxAttribute {
  const found = node.attributes?.[name]
  if (found === undefined) throw new ModelRefusedError(`it has no attribute ${name}`)
  return found
}

function ints(node: OnnxNode, name: string): readonly number[] {
  const found = attribute(node, name)
  if (!("ints" in found)) throw new ModelRefusedError(`${name} holds no integers`)
  return found.ints
}

function floats(node: OnnxNode, name: string): readonly number[] {
  const found = attribute(node, name)
  if (!("floats" in found)) throw new ModelRefusedError(`${name} holds no floats`)
  return found.floats
}

function strings(node: OnnxNode, name: string): readonly string[] {
  const found = attribute(node, name)
  if (!("strings" in found)) throw new ModelRefusedError(`${name} holds no strings`)
  return found.strings
}
