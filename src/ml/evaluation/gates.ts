type GatedFigure = "precision" | "recall" | "fpr" | "f1"

/** One condition that a model must meet before it may judge. */
export interface Gate {
  readonly figure: GatedFigure
  readonly required: { readonly atLeast: number } | { readonly atMost: number }
  /** null where the judged set has no rows to measure it on: then the gate is not met. */
  readonly measured: number | null
  readonly met: boolean
}

export interface GateReport {
  /** Whether every gate is met. */
  readonly met: boolean
  readonly gates: readonly Gate[]
}

const REQUIRED = {
  precision: { atLeast: 0.85 },
  recall: { atLeast: 0.8 },
  fpr: { atMost: 0.05 },
  f1: { atLeast: 0.82 },
} as const satisfies Record<GatedFigure, Gate["required"]>

/** Holds a report on payloads never trained on against what the registry asks of a model. */
export function gates(report: Readonly<Record<GatedFigure, number | null>>): GateReport {
  const figures = Object.keys(REQUIRED) as GatedFigure[]
  const list = figures.map((figure) => judgeGate(figure, report[figure]))
  return { met: list.every(({ met }) => met), gates: list }
}

function judgeGate(figure: GatedFigure, measured: number | null): Gate {
  const required: Gate["required"] = REQUIRED[figure]
  return { figure, required, measured, met: measured !== null && isMet(required, measured) }
}

function isMet(required: Gate["required"], measured: number): boolean {
  return "atLeast" in required ? measured >= required.atLeast : measured <= required.atMost
}
