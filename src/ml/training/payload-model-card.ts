import { PAYLOAD_CLASSES } from "../../events.ts"
import { type EvaluationReport, FIGURE_HEAD, figureCells } from "../evaluation/evaluate-payloads.ts"
import { TEXT_CHARS_MAX } from "../text/normalize.ts"
import { SHORT_WINDOW_BYTES, WINDOW_BYTES } from "../text/payload-features.ts"
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
- Thresholds of P(attack), chosen on the first set below and on training sources by models that had left them out, each
  source alike: ${thresholdList(model.thresholds)}.
- certainThreshold: ${model.certainThreshold.toFixed(4)}, chosen for about one certain false alarm in 1,000 benign texts
  of the same.

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

- Texts are read up to ${TEXT_CHARS_MAX} characters; those of more than ${WINDOW_BYTES} bytes are judged by windows of
  ${SHORT_WINDOW_BYTES}, by the window most like an attack.
- Command injection has few collected examples: most of it is generated, and unknown tools may differ.
- Ordinary pages of rich markup are the likeliest false alarms for xss; whole commands in technical
  prose for command_injection. Short fragments (a lone quote, \`../\`) carry little evidence.
- \`other_attack\` (template injection, server-side requests, LDAP, XPath, XXE, NoSQL, header breaks, log
  lookups, remote includes, serialised objects, prototypes) was learnt from generators alone and is only said on
  strong evidence, so that it costs the named classes no false alarms: most such attacks are still missed.
- Hyper-parameters (features, epochs, shares of encoded and long texts, the prior of the calibration,
  the caution about \`other_attack\`) were chosen looking at the figures of validate, whose reading
  is optimistic by that much; the length of windows, the share of hidden n-grams and what the generators write
  looking at sources of the training data left out. Those of unlicensed were printed for each of seven trainings;
  a rise of onebook's false alarms among them led to changes of the generators and of the prior, without reading
  its rows: that line is optimistic as well.
- While 1.1.0 was made, a tie of ccf_bdci's benign rows was seen in the figures of the 0.02% tail of
  validate; script paths, local URLs and raw requests were then added to the benign generators, by
  reasoning about benign traffic and not from the rows. Recall at 0.02% on validate owes that much to it.
- On training sources left out while learning (the weights of 96-byte windows in brackets, the same rows; whole texts by
  windows, no fields): attacks found at 0.1% false alarms 0.962 (0.956), at 0.02% 0.938 (0.928), padded to 4 KB with
  code and documentation at 1% 0.77 (0.56), of command injections 0.57 (0.29). Windows of 32, 40, 48, 64 and 96 bytes
  were compared there, before the last change to the generators; 32 found hardly more than 40.
- Measured beside for 1.4.0 (1.3.0 in brackets, same rows), half of validate: attacks padded to 4 KB with mixed
  benign rows are found to 0.93 at 1% (0.88; goal 0.90), of command injections 0.68 (0.42); with all of it, as
  \`./sentinel evaluate\` draws them, to 0.89 (0.83), of command injections 0.52 (0.34). The worst loss of recall under an encoding of
  the whole text is 0.2 points (0.2; goal 0.5), and false alarms on equally encoded benign text rise by 1.4 at most
  (goal 2). Padded with half of unlicensed, kaggle_cmdi left out, 0.79 (0.78).
- Not met: base64 and hexadecimal of the whole text lost 1.0 point in 1.2.0, for what is too short to be told from
  a word by chance is not written out. On validate the thresholds of 1%, 0.5%, 0.1% and 0.02% let 2.0%, 1.3%, 0.10% and
  0.03% pass (goal within 1.5 times): some 120 rows of ccf_bdci lie between the first two; on unlicensed without
  kaggle_cmdi, whose labels are in doubt, 3.8%, 1.4%, 0.26% and 0.03%. False alarms at the default threshold: 0.32% of
  prose and code, 0.02% of web traffic on validate (goals 0.5% and 0.2%), 1.3% and 0.68% on unlicensed (0.82% and 0.69%).
- Of sessions with one attack among some 50 fields of validate 0.940 are flagged (goal 0.97), of those with none 0.5%
  (goal 2%); of unlicensed without kaggle_cmdi 0.951 and 0.5%.
- A statement behind a number and nothing else (\`1; DROP TABLE users\`) is missed without a comment or a quote, for
  ordinary texts about SQL hold the same words.
- To learn from the texts once takes 3.2 CPU seconds for each 100,000, featurising included (goal 3; 4.6 in 1.3.0), and
  training learns six times, calibrates, compares and judges.
- Other attacks of sources not learnt from, asked of 1.3.0 without their kind: of 408 (patt) 31% were flagged and 7% named.
  Those of fuzzdb (2,328) are lists of script paths with a placeholder for the address: 2% were flagged, as should be.
- Of texts written by hand (866 attacks, 399 ordinary texts that look like some; the figures were looked at between
  trainings, so all of them are optimistic; 1.3.0 in brackets): at a rate of 5% of the latter 0.90 of sql_injection are
  found (0.88), 0.98 of xss (0.98), 0.88 of command_injection (0.87), 0.95 of path_traversal (0.94), 0.51 of
  other_attack (0.47); 7.8% are false alarms at the default threshold (8.5%).
- A mutation search with 1,000 questions got past 1.3.0 with 53% of 68 xss, 44% of 59 command_injection and 8%
  of 110 path_traversal attacks, and all of 3 sql_injection, all generated, whose effect it can check.
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
Generated attacks rewritten by chance, and those that a mutation search got past a first model, are learnt from too
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
