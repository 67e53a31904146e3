import type { ModelInfo } from "../../ports.ts"
import type { PopulationName, SessionTruth } from "../sessions/generate-sessions.ts"

export interface PopulationShare {
  readonly population: PopulationName
  readonly truth: SessionTruth
  readonly sessions: number
  /** Share of them with a score of 0.5 or more. */
  readonly flagged: number
}

/** The model card: what the forest is for, how it was judged, and what it cannot do. */
export function forestCard(measured: {
  info: ModelInfo
  shares: readonly PopulationShare[]
  seed: number
  contamination: number
}): string {
  const { info, shares, seed, contamination } = measured
  const rows = shares.map(
    ({ population, truth, sessions, flagged }) =>
      `| ${population} | ${truth} | ${sessions} | ${(100 * flagged).toFixed(1)}% |`,
  )
  return `# ${info.modelId}

An isolation forest over the behaviour of a session: how unusual its requests, timing and context
are among ordinary ones. Its score is one of two inputs of a verdict; the payload classifier is
the other.

- Trained on ${info.trainingSamples} generated benign sessions (people with browsers, API clients,
  crawlers, monitoring), calibrated on ${info.validationSamples} others, seed ${seed}. No attack was
  trained on.
- Output: 0..1; 0.5 is the score at the quantile 1 - contamination of ordinary sessions.
- Cuts are drawn from a range wider than the sample's, so that values never seen are isolated.
- The plain evaluator and ONNX Runtime differ by at most ${info.metrics.parity_max?.toExponential(1)}.

## Measured

Share of sessions with a score of 0.5 or more at contamination ${contamination}, on generated
sessions of another seed:

| population | truth | sessions | flagged |
| --- | --- | --- | --- |
${rows.join("\n")}

## What it cannot do

- All sessions above come from the generator of this repository, and so do those it was trained on:
  the shares say that the forest has learnt the generator, not how it does on real traffic.
- With the default weights, behaviour alone adds at most 0.4 to a final score, which is below the tag
  threshold: stuffing and enumeration are seen, said in the explanation, and not tagged for it.
- A patient attacker with a browser's headers looks ordinary to it; the payload must give him away.
- It reads no payload, and of the context neither country nor network: both would punish people for
  where they live. Tor and VPN are read; a share of the benign sessions uses them.
- Clients unlike the four benign populations score high without being attackers.
`
}
