import {
  type ReportAttempt,
  TWIN_LIMITS,
  type Twin,
  type TwinAnswer,
  type TwinAttempt,
  type TwinEffectKind,
  type TwinInconclusive,
  type TwinRequest,
} from "../twin-protocol.ts"

/** What a twin found out about a payload. */
export interface Findings {
  /** Templates. */
  readonly tried: number
  readonly attempts: readonly TwinAttempt[]
  /** Attempts of the benign control that had an effect. */
  readonly control: readonly TwinAttempt[]
  readonly inconclusive?: TwinInconclusive | undefined
}

export interface TwinDefinition extends Pick<Twin, "class" | "templates" | "prepare"> {
  /** Those that it can have, the one that an attacker gains most by first. */
  readonly effects: readonly TwinEffectKind[]
  /** Tries a payload of at most `TWIN_LIMITS.payloadBytesMax`. @see Twin.run */
  simulate(
    request: TwinRequest,
    workDirectory: string,
    report: ReportAttempt | undefined,
  ): Findings | Promise<Findings>
}

const TOO_LARGE: Findings = { tried: 0, attempts: [], control: [], inconclusive: "too_large" }

/** A twin that refuses what is too large and answers with its strongest attempts. */
export function defineTwin({ effects, simulate, ...twin }: TwinDefinition): Twin {
  return {
    ...twin,
    async run(request, workDirectory, report) {
      const isTooLarge = Buffer.byteLength(request.payload) > TWIN_LIMITS.payloadBytesMax
      const findings = isTooLarge ? TOO_LARGE : await simulate(request, workDirectory, report)
      return answerTo(request, findings, effects)
    },
  }
}

function answerTo(
  { id, class: twinClass }: TwinRequest,
  { tried, attempts, control, inconclusive }: Findings,
  effects: readonly TwinEffectKind[],
): TwinAnswer {
  const strongestFirst = attempts.toSorted(
    (one, other) => rankOf(one, effects) - rankOf(other, effects),
  )
  return {
    id,
    class: twinClass,
    attempts: strongestFirst.slice(0, TWIN_LIMITS.attemptsMax),
    templatesTried: tried,
    controlAttempts: control,
    ...(inconclusive === undefined ? {} : { inconclusive }),
  }
}

/** The place of an attempt's strongest effect in `effects`; 0 is the strongest. */
export function rankOf(attempt: TwinAttempt, effects: readonly TwinEffectKind[]): number {
  return Math.min(...attempt.effects.map(({ kind }) => effects.indexOf(kind)))
}
