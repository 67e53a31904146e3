import { readdir } from "node:fs/promises"
import { join } from "node:path"
import type { JudgedSet } from "../../model-traffic.ts"
import type { ModelInfo } from "../../ports.ts"
import { type GateReport, gates } from "../evaluation/gates.ts"
import { DEEP_MODEL_NAME, PAYLOAD_MODEL_NAME, readModelDocuments } from "./payload-model-files.ts"

const VERSION = /^\d{1,6}\.\d{1,6}\.\d{1,6}$/
/** Versions of one directory that are looked at; the highest ones. */
const VERSIONS_MAX = 200

export interface ModelDirectories {
  /** The folder `models` of this repository. */
  readonly shipped: string
  /** The folder `models` of the data directory; undefined where there is none. */
  readonly registered: string | undefined
}

/** A payload model on disk. */
export interface CatalogEntry {
  readonly modelId: string
  readonly version: string
  readonly directory: string
  readonly origin: "shipped" | "registered"
}

/** Every version at hand, the highest first; a registered one never hides a shipped one. */
export function listPayloadModels(directories: ModelDirectories): Promise<readonly CatalogEntry[]> {
  return listModels(PAYLOAD_MODEL_NAME, directories)
}

/** The same of the second tier, of which none is shipped. */
export function listDeepModels(directories: ModelDirectories): Promise<readonly CatalogEntry[]> {
  return listModels(DEEP_MODEL_NAME, directories)
}

/** Whether a model of this id is one of the second tier. */
export function isDeepModel(modelId: string): boolean {
  return modelId.startsWith(`${DEEP_MODEL_NAME}/`)
}

async function listModels(
  name: string,
  directories: ModelDirectories,
): Promise<readonly CatalogEntry[]> {
  const shipped = await versionsIn(join(directories.shipped, name), "shipped", name)
  const registered =
    directories.registered === undefined
      ? []
      : await versionsIn(join(directories.registered, name), "registered", name)
  const known = new Set(shipped.map(({ modelId }) => modelId))
  return [...shipped, ...registered.filter(({ modelId }) => !known.has(modelId))].sort(
    (one, other) => compareVersions(other.version, one.version),
  )
}

async function versionsIn(
  parent: string,
  origin: CatalogEntry["origin"],
  name: string,
): Promise<readonly CatalogEntry[]> {
  const names = await readdir(parent).catch(() => [])
  const versions = names.filter((version) => VERSION.test(version))
  const highest = versions.sort((one, other) => compareVersions(other, one)).slice(0, VERSIONS_MAX)
  const entries: CatalogEntry[] = []
  for (const version of highest) {
    const directory = join(parent, version)
    // a version that training has only claimed so far is no model yet
    if (!(await Bun.file(join(directory, "metrics.json")).exists())) continue
    entries.push({ modelId: `${name}/${version}`, version, directory, origin })
  }
  return entries
}

/** Below 0 where `one` is the lower version. */
function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true })
}

/** What a model directory says of its model, without the model itself. */
export interface ModelDescription {
  readonly info: ModelInfo
  readonly gates: GateReport
  /** metrics.json as training wrote it. */
  readonly metrics: Readonly<Record<string, unknown>>
  readonly lineage: ModelLineage
  /** null where nothing says so. */
  readonly judgedOn: JudgedSet | null
  readonly card: string
}

/** Where a model comes from. */
export interface ModelLineage {
  readonly trained_at: string
  readonly training_data_sha256: string
  readonly model_sha256: string
  readonly seed: number
  /** The model that was live when this one was trained; null where it is not known. */
  readonly parent: string | null
  /** Of the program that trained it; null where it is not known. */
  readonly code_version: string | null
  /** ISO 8601; null for a shipped model. */
  readonly registered_at: string | null
  /** Whether collected payloads were learnt from, or the generators alone; null where it is not known. */
  readonly with_collected_data: boolean | null
  /** Counts of P(attack) by tenth on generated payloads; null where it was not kept. */
  readonly reference_scores: readonly number[] | null
}

/** @throws ModelRefusedError where a file is missing or is none */
export async function describeModel({ directory }: CatalogEntry): Promise<ModelDescription> {
  const { info, metrics, lineage, card } = await readModelDocuments(directory)
  const { precision = null, recall = null, fpr = null, f1 = null } = info.metrics
  return {
    info,
    metrics,
    card,
    gates: gates({ precision, recall, fpr, f1 }),
    lineage: lineageOf(metrics, lineage),
    judgedOn: judgedOn(metrics.reports),
  }
}

/** The first set is the one that the main figures are of. */
function judgedOn(reports: unknown): JudgedSet | null {
  if (typeof reports !== "object" || reports === null) return null
  const [set, report] = Object.entries(reports)[0] ?? []
  if (set === undefined || typeof report !== "object" || report === null) return null
  const { rows, attacks } = report as Readonly<Record<string, unknown>>
  return { set, rows: Number(rows) || 0, attacks: Number(attacks) || 0 }
}

function lineageOf(
  metrics: Readonly<Record<string, unknown>>,
  lineage: Readonly<Record<string, unknown>>,
): ModelLineage {
  const { reference_scores: scores, with_collected_data: collected } = lineage
  return {
    trained_at: text(metrics.trained_at) ?? "",
    training_data_sha256: text(metrics.training_data_sha256) ?? "",
    model_sha256: text(metrics.model_sha256) ?? "",
    seed: Number(metrics.seed) || 0,
    parent: text(lineage.parent),
    code_version: text(lineage.code_version),
    registered_at: text(lineage.registered_at),
    with_collected_data: typeof collected === "boolean" ? collected : null,
    reference_scores: Array.isArray(scores) ? scores.map(Number) : null,
  }
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null
}

/** Which gates are not met, in words. */
export function unmetGates({ gates: all }: GateReport): readonly string[] {
  return all
    .filter(({ met }) => !met)
    .map(({ figure, required, measured }) => {
      const limit =
        "atLeast" in required ? `at least ${required.atLeast}` : `at most ${required.atMost}`
      return `${figure} is ${measured ?? "not measured"}, ${limit} is required`
    })
}
