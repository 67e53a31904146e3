import type { RuleMatch } from "../src/rule.ts"
import { type BenignCorpus, benignCorpus } from "../src/rules/benign/benign-corpus.ts"
import { generatedBenign } from "../src/rules/benign/generated-benign.ts"
import { heldBackCorpora, keptCorpora } from "../src/rules/benign/kept-corpora.ts"
import { nearMisses } from "../src/rules/benign/near-misses.ts"
import { type BenignTexts, type MadePattern, makePattern } from "../src/rules/make-pattern.ts"
import { coversPayload } from "../src/rules/rule-matcher.ts"
import { SIMULATED_CLASSES } from "../src/twin-protocol.ts"
import { type Row, row, type SuiteOptions } from "./harness.ts"
import { type Exploit, type ExploitOptions, provenExploits } from "./rules/exploits.ts"
import { judgeByTwin, type TwinJudged, withTwins } from "./rules/twin-judged.ts"

export const services = ["bubblewrap"] as const

/** 300 exploits and a hundred unseen relatives of each; a coarse answer has 20 of either. */
const LONG = { strings: 30, generated: 45, relatives: 40, heldOut: 100 } as const
const QUICK = { strings: 2, generated: 3, relatives: 30, heldOut: 20 } as const
/** Exploits of a class that only readers judge, and relatives of each, that the real twin judges. */
const JUDGED = { long: 20, quick: 2, relatives: 20 } as const
const SEED = 60_223
/** Benign lines that no rule was made with. */
const FRESH_LINES = { seed: 6_674, count: 20_000 } as const
const FRESH_NEAR_MISSES = { seed: 6_675, count: 8_000 } as const

interface Trial {
  readonly exploit: Exploit
  readonly made: MadePattern | undefined
  readonly ms: number
}

/**
 * What rules are worth: of exploits that work, the share that gets a rule, the share of their unseen
 * working relatives that it matches, what it meets of benign requests, and the time it takes to make.
 */
export async function run({ quick, env, progress }: SuiteOptions): Promise<readonly Row[]> {
  progress("benign requests")
  const searched = await keptCorpora(env.SENTINEL_BENCH_DATA)
  const heldBack = heldBackCorpora()
  const options = { seed: SEED, ...(quick ? QUICK : LONG) }
  const trials: Trial[] = []
  for (const label of SIMULATED_CLASSES) {
    progress(`${label}: exploits that work`)
    const exploits = await provenExploits(label, options)
    for (const [index, exploit] of exploits.entries()) {
      if (index % 25 === 0) progress(`${label}: rule ${index + 1} of ${exploits.length}`)
      trials.push(tried(exploit, { searched, heldBack }))
    }
  }
  progress("fresh benign requests")
  const rows = [
    ...coverageRows(trials, options),
    ...benignRows(trials, [...searched, ...heldBack]),
    ...timeRows(trials),
  ]
  progress("relatives in the real twins")
  return [...rows, ...(await twinRows(trials, quick ? JUDGED.quick : JUDGED.long, env))]
}

function tried(exploit: Exploit, benign: BenignTexts): Trial {
  const { class: label, payload, relatives, heldOut } = exploit
  const task = { class: label, payload, minimised: undefined, location: "query:q" }
  const began = performance.now()
  const made = makePattern({ ...task, relatives, heldOut }, benign)
  return { exploit, made, ms: performance.now() - began }
}

function coverageRows(trials: readonly Trial[], options: ExploitOptions): readonly Row[] {
  const groups = new Map<string, readonly Trial[]>([
    ["all", trials],
    ["unseen families", trials.filter(({ exploit }) => exploit.isUnseenFamily)],
    ...SIMULATED_CLASSES.map(
      (label) => [label, trials.filter(({ exploit }) => exploit.class === label)] as const,
    ),
  ])
  return [...groups].flatMap(([name, group]) => [
    row({ name: `exploits: ${name}`, value: group.length, unit: "exploits" }),
    row({
      ...{ name: `exploits blocked: ${name}`, value: share(group, isBlocked), unit: "share" },
      goal: { of: "value", least: 0.99 },
    }),
    row({
      name: `unseen relatives matched (up to ${options.heldOut} each): ${name}`,
      ...{ value: pooledCoverage(group), unit: "share" },
      goal: { of: "value", least: 0.9 },
    }),
    row({
      name: `rules that match 90% of their unseen relatives: ${name}`,
      ...{ value: share(group, coversMost), unit: "share" },
    }),
  ])
}

function isBlocked({ made }: Trial): boolean {
  return made !== undefined
}

function coversMost({ exploit, made }: Trial): boolean {
  return (made?.heldOutMatched ?? 0) >= 0.9 * exploit.heldOut.length
}

/** An exploit without a rule counts with all its relatives. */
function pooledCoverage(trials: readonly Trial[]): number {
  const matched = trials.reduce((sum, { made }) => sum + (made?.heldOutMatched ?? 0), 0)
  return matched / trials.reduce((sum, { exploit }) => sum + exploit.heldOut.length, 0)
}

function share(trials: readonly Trial[], holds: (trial: Trial) => boolean): number {
  return trials.filter(holds).length / trials.length
}

function benignRows(trials: readonly Trial[], corpora: readonly BenignCorpus[]): readonly Row[] {
  const patterns = trials.flatMap(({ made }) => made?.pattern ?? [])
  const fresh = [
    benignCorpus("fresh generated", generatedBenign(FRESH_LINES)),
    benignCorpus("fresh near-miss", nearMisses(FRESH_NEAR_MISSES)),
  ]
  const meeting = (of: BenignCorpus) =>
    patterns.filter((pattern) => of.meets(new RegExp(pattern, "u"))).length
  return [
    ...corpora.map((corpus) =>
      row({
        name: `rules that meet one of ${corpus.count} ${corpus.name} benign texts`,
        ...{ value: meeting(corpus), unit: "rules", goal: { of: "value", below: 1 } },
      }),
    ),
    ...fresh.map((corpus) =>
      row({
        name: `rules that meet one of ${corpus.count} ${corpus.name} benign texts`,
        ...{ value: meeting(corpus) / patterns.length, unit: "share" },
        goal: { of: "value", below: 0.01 },
      }),
    ),
  ]
}

/** Of every so manieth exploit, so that all families are among them. */
async function twinRows(
  trials: readonly Trial[],
  count: number,
  env: SuiteOptions["env"],
): Promise<readonly Row[]> {
  return await withTwins(env, async (sandbox) => {
    const rows: Row[] = []
    for (const label of ["xss", "command_injection"] as const) {
      const own = trials.filter(({ exploit }) => exploit.class === label)
      const every = Math.max(1, Math.floor(own.length / count))
      const sample = own.filter((_, index) => index % every === 0).slice(0, count)
      const judged: TwinJudged[] = []
      for (const { exploit, made } of sample) {
        const relatives = exploit.heldOut.slice(0, JUDGED.relatives)
        const blocks = (text: string) =>
          made !== undefined && coversPayload(matchOf(made), sent(text))
        judged.push(await judgeByTwin(exploit, { relatives, blocks }, sandbox))
      }
      const sum = (key: keyof TwinJudged) => judged.reduce((all, one) => all + one[key], 0)
      rows.push(
        row({
          name: `exploits in the real twin: ${label}`,
          value: sum("exploits"),
          unit: "exploits",
        }),
        row({
          name: `their relatives that work in the real twin: ${label}`,
          ...{ value: sum("confirmed") / sum("asked"), unit: "share" },
        }),
        row({
          name: `of those, matched: ${label}`,
          ...{ value: sum("matched") / sum("confirmed"), unit: "share" },
          goal: { of: "value", least: 0.9 },
        }),
      )
    }
    return rows
  })
}

function sent(value: string): { value: string; location: string } {
  return { value, location: "query:q" }
}

function matchOf({ pattern }: MadePattern): RuleMatch {
  return { type: "regex", pattern, location: ["args"], flags: { caseless: false } }
}

function timeRows(trials: readonly Trial[]): readonly Row[] {
  const sorted = trials.map(({ ms }) => ms).toSorted((one, other) => one - other)
  const quantile = (q: number) => sorted[Math.floor(q * (sorted.length - 1))] ?? 0
  return [
    row({
      ...{ name: "time for a rule, median", value: quantile(0.5), unit: "ms" },
      goal: { of: "value", below: 2_000 },
    }),
    row({
      ...{ name: "time for a rule, 95th percentile", value: quantile(0.95), unit: "ms" },
      goal: { of: "value", below: 2_000 },
    }),
    row({ name: "time for a rule, longest", value: quantile(1), unit: "ms" }),
  ]
}
