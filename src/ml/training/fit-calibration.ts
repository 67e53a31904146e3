import { type AttackCalibration, NO_CALIBRATION } from "../models/attack-calibration.ts"

/** What a model said of an example whose source it was not trained on. */
export interface ScoredText {
  /** Log-odds of attack of the most attack-like window, as the weights have it. */
  readonly margin: number
  readonly windows: number
  readonly attack: boolean
  /** How much the example counts. */
  readonly weight: number
}

const ITERATIONS = 30
const RIDGE = 1e-3
const STEP_MAX = 1
/** Examples that a bin holds at least, and how many the logistic curve counts for in it. */
const BIN_MIN = 150
const PRIOR_WEIGHT = 20
const BINS_MAX = 24
/** A flat piece would make ties of different margins: each piece rises by at least this much. */
const SLOPE_MIN = 0.05
/** A steeper piece would make rounding visible: ONNX Runtime computes in single precision. */
const SLOPE_MAX = 3
/** With fewer examples the margins are left as they are. */
const EXAMPLES_MIN = 150

/**
 * Isotonic regression of the labels on the margins, in log-odds: a logistic curve over margin and
 * number of windows first, then the smallest monotone correction of it by bins of equal size
 * (pool adjacent violators), joined by straight pieces.
 *
 * @see Zadrozny, Elkan 2002, "Transforming Classifier Scores into Accurate Multiclass Probability Estimates"
 */
export function fitCalibration(examples: readonly ScoredText[]): AttackCalibration {
  if (examples.length < EXAMPLES_MIN) return NO_CALIBRATION
  const { slope, offset, perLogWindow } = fitLogistic(examples)
  const windowPenalty = Math.max(0, -perLogWindow / slope)
  const points = examples
    .map(({ margin, windows, attack, weight }) => ({
      x: margin - windowPenalty * Math.log(windows),
      attack,
      weight,
    }))
    .sort((left, right) => left.x - right.x)
  const bins = poolViolators(binsOf(points, (x) => sigmoid(offset + slope * x)))
  return piecesOf(bins, { slope, offset, windowPenalty })
}

interface Point {
  readonly x: number
  readonly attack: boolean
  readonly weight: number
}

interface Bin {
  /** Mean margin. */
  readonly x: number
  /** Share of attacks. */
  readonly p: number
  readonly weight: number
}

interface Logistic {
  readonly slope: number
  readonly offset: number
  readonly windowPenalty: number
}

/** Bins of equal count in ascending order; the ends beyond the last error say nothing. */
function binsOf(points: readonly Point[], curve: (x: number) => number): readonly Bin[] {
  const first = points.findIndex(({ attack }) => attack)
  const last = points.findLastIndex(({ attack }) => !attack)
  const mixed = points.slice(
    Math.max(0, Math.min(first, last) - BIN_MIN),
    Math.max(first, last) + BIN_MIN,
  )
  const size = Math.max(BIN_MIN, Math.ceil(mixed.length / BINS_MAX))
  const bins: Bin[] = []
  for (let from = 0; from < mixed.length; from += size) {
    bins.push(binOf(mixed.slice(from, from + size), curve))
  }
  return bins
}

function binOf(points: readonly Point[], curve: (x: number) => number): Bin {
  let [weight, x, attacks] = [0, 0, 0]
  for (const point of points) {
    weight += point.weight
    x += point.weight * point.x
    attacks += point.attack ? point.weight : 0
  }
  const mean = x / weight
  return { x: mean, p: (attacks + PRIOR_WEIGHT * curve(mean)) / (weight + PRIOR_WEIGHT), weight }
}

/** Merges neighbours until the shares ascend. */
function poolViolators(bins: readonly Bin[]): readonly Bin[] {
  const pooled: Bin[] = []
  for (const bin of bins) {
    let merged = bin
    for (let last = pooled.at(-1); last !== undefined && last.p >= merged.p; last = pooled.at(-1)) {
      pooled.pop()
      merged = merge(last, merged)
    }
    pooled.push(merged)
  }
  return pooled
}

function merge(left: Bin, right: Bin): Bin {
  const weight = left.weight + right.weight
  return {
    x: (left.x * left.weight + right.x * right.weight) / weight,
    p: (left.p * left.weight + right.p * right.weight) / weight,
    weight,
  }
}

/** Straight pieces through the bins; beyond them the logistic curve's slope. */
function piecesOf(bins: readonly Bin[], curve: Logistic): AttackCalibration {
  const { slope, offset, windowPenalty } = curve
  const known = bins.length > 0 ? bins : [{ x: 0, p: sigmoid(offset), weight: 0 }]
  const knots = Float32Array.from(known, ({ x }) => x)
  const changes = new Float32Array(known.length)
  let previous = slope
  for (let k = 0; k < known.length; k++) {
    const next = pieceSlope(known[k], known[k + 1]) ?? slope
    changes[k] = next - previous
    previous = next
  }
  const start = logOdds(known[0]?.p ?? 0.5) - slope * (knots[0] ?? 0)
  return { windowPenalty, offset: start, slope, knots, changes }
}

function pieceSlope(left: Bin | undefined, right: Bin | undefined): number | undefined {
  if (left === undefined || right === undefined) return undefined
  return bounded((logOdds(right.p) - logOdds(left.p)) / (right.x - left.x))
}

function bounded(slope: number): number {
  return Math.min(SLOPE_MAX, Math.max(SLOPE_MIN, slope))
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

function logOdds(p: number): number {
  return Math.log(p / (1 - p))
}

/** Newton's method for `sigmoid(offset + slope * margin + perLogWindow * ln(windows))`. */
function fitLogistic(examples: readonly ScoredText[]) {
  const beta: [number, number, number] = [0, 1, 0]
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const step = newtonStep(examples, beta)
    for (const [i, value] of step.entries()) beta[i] = (beta[i] ?? 0) + clamp(value)
  }
  const [offset, slope, perLogWindow] = beta
  return { offset, slope: bounded(slope), perLogWindow }
}

function newtonStep(examples: readonly ScoredText[], beta: readonly number[]) {
  const gradient = [0, 0, 0]
  const hessian = gradient.map((_, i) => gradient.map((_, j): number => (i === j ? RIDGE : 0)))
  for (const { margin, windows, attack, weight } of examples) {
    const row = [1, margin, Math.log(windows)]
    const p = sigmoid(dot(beta, row))
    const curvature = weight * p * (1 - p)
    for (const [i, cells] of hessian.entries()) {
      const value = row[i] ?? 0
      gradient[i] = (gradient[i] ?? 0) + weight * ((attack ? 1 : 0) - p) * value
      for (let j = 0; j < 3; j++) cells[j] = (cells[j] ?? 0) + curvature * value * (row[j] ?? 0)
    }
  }
  return solve(hessian, gradient)
}

/** A full step can overshoot where few examples are in doubt. */
function clamp(step: number): number {
  return Math.max(-STEP_MAX, Math.min(STEP_MAX, step))
}

function dot(left: readonly number[], right: readonly number[]): number {
  return left.reduce((total, value, index) => total + value * (right[index] ?? 0), 0)
}

/** Gaussian elimination; the matrix is symmetric and positive definite, so no pivoting. */
function solve(matrix: number[][], vector: number[]): readonly number[] {
  const size = vector.length
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) {
      const factor = (matrix[j]?.[i] ?? 0) / (matrix[i]?.[i] ?? 1)
      matrix[j] = (matrix[j] ?? []).map((value, k) => value - factor * (matrix[i]?.[k] ?? 0))
      vector[j] = (vector[j] ?? 0) - factor * (vector[i] ?? 0)
    }
  }
  const result: number[] = new Array<number>(size).fill(0)
  for (let i = size - 1; i >= 0; i--) {
    result[i] = ((vector[i] ?? 0) - dot(result, matrix[i] ?? [])) / (matrix[i]?.[i] ?? 1)
  }
  return result
}
