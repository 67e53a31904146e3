import type { PayloadKind } from "../../events.ts"

export const BENIGN_POPULATIONS = ["prose_and_code", "web_traffic", "names_and_values"] as const
/**
 * What kind of innocence a benign row is: prose and code, much of it about attacks; real web
 * traffic; names, translations, JSON and other values of forms.
 */
export type BenignPopulation = (typeof BENIGN_POPULATIONS)[number]

/** Known sources whose kind alone would mislead: their values are sentences, markup or code. */
const BY_SOURCE: Readonly<Record<string, BenignPopulation>> = {
  blns: "prose_and_code",
  debian_packages: "prose_and_code",
  gotestwaf: "prose_and_code",
  kaggle_xss: "prose_and_code",
}

const BY_KIND: Readonly<Record<PayloadKind, BenignPopulation>> = {
  request: "web_traffic",
  header: "web_traffic",
  cookie: "web_traffic",
  path: "web_traffic",
  body: "prose_and_code",
  param: "names_and_values",
}

/** The population by the table of sources, else by kind; a row without kind counts as a value. */
export function benignPopulation(row: {
  readonly source: string
  readonly kind?: PayloadKind
}): BenignPopulation {
  return BY_SOURCE[row.source] ?? BY_KIND[row.kind ?? "param"]
}
