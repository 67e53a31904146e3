import { PAYLOAD_CLASSES } from "../../events.ts"
import { type EvaluationReport, FIGURE_HEAD, figureCells } from "../evaluation/evaluate-payloads.ts"
import { TEXT_CHARS_MAX } from "../text/normalize.ts"
import { WINDOW_BYTES } from "../text/payload-features.ts"
import type { TrainedModel } from "./trained-model.ts"

/** The model card, every figure of it taken from the run that made the model. */
export function payloadModelCard(trained: TrainedModel): string {
  const { model, modelId, trainedAt, bytes, modelSha256 } = trained
  return `# ${modelId}

Says of one text from a request whether it is an attack and of which class: ${PAYLOAD_CLASSES.join(", ")}.

- Kind: multinomial logistic regression over hashed byte 1-4-grams, word uni- and bigrams and dense
  features of the normalised text, judged as a whole and field by field; trained in TypeScript by \`./sentinel train\`, stored as ONNX.
- Trained at ${trainedAt} with seed ${model.provenance.seed}; ${bytes.byteLength} bytes, sha256 \`${modelSha256}\`.
- Calibration: isotonic over log-odds (${model.calibration.knots.length} knots), with a penalty of ${model.calibration.windowPenalty.toFixed(2)} for each e-fold of windows;
  fitted on training sources by models that had left them out.
- Thresholds of P(attack), chosen on the first set below: ${thresholdList(model.thresholds)}.
- certainThreshold: ${model.certainThreshold.toFixed(4)}, chosen for about one certain false alarm in 1,000 benign texts
  of the first set below.

## Training data

${trainingData(trained)}

## Goals

${goalsSection(trained)}

## Results on payloads never trained on

Attack against benign by the predicted class, unless said otherwise. "R@x" is the share of attacks
found at a false positive rate of x on the same set. Labels count as they stand, and some of the
public sets' are wrong. Where a set's name says so, its sources were trained on too, with other rows.

${Object.entries(trained.reports)
  .map(([name, report]) => setSection(name, report))
  .join("\n")}
## Limits

- Texts are read up to ${TEXT_CHARS_MAX} characters; longer ones are judged by windows of ${WINDOW_BYTES} bytes, by
  the window most like an attack.
- Command injection has few collected examples: most of it is generated, and unknown tools may differ.
- Ordinary pages of rich markup are the likeliest false alarms for xss; whole commands in technical
  prose for command_injection. Short fragments (a lone quote, \`../\`) carry little evidence.
- \`other_attack\` (template injection, server-side requests, LDAP, XXE, NoSQL, header breaks, log
  lookups, remote includes) was learnt from generators alone and is only said on strong evidence, so
  that it costs the named classes no false alarms: most such attacks are still missed.
- Hyper-parameters (features, epochs, shares of encoded and long texts, the prior of the calibration,
  the caution about \`other_attack\`) were chosen looking at the figures of validate, whose reading
  is optimistic by that much. Those of unlicensed were printed along the way and not chosen by.
- While 1.1.0 was made, a tie of ccf_bdci's benign rows was seen in the figures of the 0.02% tail of
  validate; script paths, local URLs and raw requests were then added to the benign generators, by
  reasoning about benign traffic and not from the rows. Recall at 0.02% on validate owes that much to it.
- Measured beside for 1.2.0, on every second row of validate (1.1.0 in brackets, same rows). Met: the worst
  loss of recall under an encoding of the whole text that \`./sentinel evaluate\` knows is 0.3 points
  (0.8; goal 0.5), and false alarms on equally encoded benign text rise by 1.3 at most (5.5; goal 2);
  further, every byte twice, octal and NUL cost no recall, and all of them, base64 and hexadecimal
  included, raise false alarms by 1.2 at most.
- Not met: base64 and hexadecimal of the whole text lose 1.0 point, for what is too short to be told from
  a word by chance is not written out. Attacks padded to 4 KB with mixed benign rows are found to 0.80 at
  1% (0.78; goal 0.90), of command injections 0.31 (0.32): a window around a short command is mostly benign
  text. On unlicensed the thresholds of 1% and 0.5% let 4.8% and 3.9% pass (goal within 1.5 times), and
  without kaggle_cmdi, whose labels are in doubt, 4.0% and 3.0%; those of 0.1% and 0.02% then 0.026% and
  0.006%. Normalising, featurising and inference of 118 characters take 9.1 microseconds of CPU (10.2; goal
  8), and 13.9 field by field. Training takes 88 CPU seconds with calibration, comparison and judging (goal
  3 for each 100,000 texts): it learns twice, and four more times for the calibration.
- Other attacks of sources not learnt from: of 408 (patt) 40% are flagged and 6% named, of 2,328 (fuzzdb) 1% and
  0.1%. To learn from the latter was tried: 98% of its own rows, 42% of the former, and more false alarms; left.
- A mutation search with 300 questions gets past the model with 46% of 233 xss, 20% of 144
  command_injection, 6% of 321 path_traversal and 8 of 9 sql_injection attacks, all generated, whose effect
  it can check. For 1.1.0, on its generators' attacks: 67%, 37%, 4%, 8 of 8.
- Against 1.1.0 some figures on validate are lower within a point: recall 0.990 (0.992) at fewer false
  alarms, recall at 0.02% 0.910 (0.918), macro-F1 0.967 (0.970). On unlicensed the opposite.
- The calibration was fitted on a mix of sources; on another mix the probabilities are less exact (ECE).
`
}

function thresholdList(thresholds: Readonly<Record<string, number>>): string {
  return Object.entries(thresholds)
    .map(([rate, threshold]) => `${Number(rate) * 100}% at ${threshold.toFixed(4)}`)
    .join(", ")
}

/** The main goals beside what was reached on the first set, whose thresholds are its own. */
function goalsSection({ reports }: TrainedModel): string {
  const [name, report] = Object.entries(reports)[0] ?? []
  if (report === undefined) return "Nothing was judged."
  const { recallAtFpr, macroF1, ece, byClass } = report
  const rows: readonly (readonly [string, number, number | null])[] = [
    ["recall at 0.5% false positives, at least", 0.95, recallAtFpr["0.005"]],
    ["recall at 0.1% false positives, at least", 0.88, recallAtFpr["0.001"]],
    ["recall at 0.02% false positives, at least", 0.8, recallAtFpr["0.0002"]],
    ["macro-F1 of the five classes, at least", 0.93, macroF1],
    ["F1 of command_injection, at least", 0.85, byClass.command_injection?.f1 ?? null],
    ["calibration error, at most", 0.02, ece],
  ]
  const cells = rows.map(([goal, limit, reached]) => {
    const kept = reached !== null && (goal.endsWith("most") ? reached <= limit : reached >= limit)
    return `| ${goal} | ${limit} | ${reached?.toFixed(3) ?? "-"} | ${kept ? "yes" : "no"} |`
  })
  return `On ${name}; robustness, padding and time are measured by \`./sentinel evaluate\`.

| figure | goal | reached | met |
| --- | --- | --- | --- |
${cells.join("\n")}`
}

function trainingData({ model, withCollectedData }: TrainedModel): string {
  const digest = `${model.provenance.trainingSamples} texts, sha256 over all of them \`${model.provenance.trainingDataSha256}\`.`
  const generated = `Generated by this repository's seeded grammars (src/ml/generators), which were written from
language standards and manuals.`
  if (!withCollectedData) return `${digest}\n${generated}`
  return `${digest}
Collected, licence-clear: httpparams, payloadbox, PayloadsAllTheThings, grananqvist (MIT); fuzzdb (New
BSD, CC BY); Elastic examples (Apache-2.0); Django documentation and translations (BSD-3); commit
messages and code of Vector, Kafka, Effect and Deno std (MPL-2.0, Apache-2.0, MIT); Debian package
descriptions and AppStream texts. Rows with unfilled placeholders are left out; a fifth of the rows is
learnt from a second time in another encoding, attacks also amid ordinary text (src/ml/training/augment.ts).
Generated attacks that a mutation search got past a first model are learnt from too
(src/ml/training/adversarial-rows.ts).
${generated}`
}

function setSection(name: string, report: EvaluationReport): string {
  const sources = [["all", report] as const, ...Object.entries(report.bySource)]
  return `### ${name}

| source | ${FIGURE_HEAD.join(" | ")} |
| --- ${FIGURE_HEAD.map(() => "| --- ").join("")}|
${sources.map(([source, set]) => `| ${source} | ${figureCells(set).join(" | ")} |`).join("\n")}

| class | rows | precision | recall | F1 |
| --- | --- | --- | --- | --- |
${Object.entries(report.byClass)
  .filter(([, { support }]) => support > 0)
  .map(
    ([label, { support, precision, recall, f1 }]) =>
      `| ${label} | ${support} | ${precision.toFixed(3)} | ${recall.toFixed(3)} | ${f1.toFixed(3)} |`,
  )
  .join("\n")}
${notesOf(report)}`
}

/** What is known of a public set and changes how its figures read. */
const SOURCE_NOTES: Readonly<Record<string, string>> = {
  kaggle_xss: `kaggle_xss's benign rows are markup of encyclopaedia pages; some of its false alarms were read while the
generator of benign markup was written, so its FPR is optimistic.`,
  kaggle_cmdi: `Of kaggle_cmdi's rows that are labelled benign about a tenth are command injections written by a
scanner (\`|echo X$((2+28))$(echo X)X\`): its recalls at a fixed FPR mean nothing, nor do those of "all".`,
}

function notesOf(report: EvaluationReport): string {
  const notes = Object.keys(report.bySource).flatMap((source) => SOURCE_NOTES[source] ?? [])
  return notes.map((note) => `\n${note}\n`).join("")
}
