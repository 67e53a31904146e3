import { digits, type Grammar, identifier, oneOf } from "../../ml/generators/grammar.ts"
import { sentence, word } from "../../ml/generators/vocabulary.ts"
import { Random } from "../../ml/random.ts"

/** The lines of `nearMisses` that rules are held against. */
export const NEAR_MISSES = { seed: 8_004, count: 40_000 } as const
/** Others of their kind, that only a finished pattern is held against. */
export const HELD_BACK_NEAR_MISSES = { seed: 8_005, count: 100_000 } as const

/**
 * Ordinary requests that look like attacks to whoever reads only a few tokens: filters of query
 * languages, boolean searches, lists of quoted words, relative paths, shell and markup in prose.
 *
 * Written from the manuals of those languages (MongoDB and Prisma filters, GraphQL, OData, Lucene,
 * JQL, Markdown); no line is an attack on anything.
 */
export function* nearMisses({ seed, count }: { seed: number; count: number }): Generator<string> {
  const random = new Random(seed)
  for (let line = 0; line < count; line++) yield oneOf(random, FORMS)
}

const quoted: Grammar = (r) => `"${r.chance(0.7) ? word(r) : name(r)}"`
const name: Grammar = (r) =>
  r.pick(["admin", "root", "guest", "user", "test", "name", "id", "password", "email", word(r)])
const logic: Grammar = (r) => r.pick(["and", "or", "AND", "OR", "not", "And", "Or", "&&", "||"])
const value: Grammar = (r) =>
  r.pick([quoted(r), digits(r, r.between(1, 4)), "true", "null", `'${name(r)}'`])
const member: Grammar = (r) =>
  `"${name(r)}":${r.chance(0.3) ? " " : ""}${value(r).replaceAll("'", '"')}`
const comparison: Grammar = (r) =>
  `${name(r)} ${r.pick(["=", "!=", ">", "<=", "~", "is", "in", "like"])} ${value(r)}`
const climb: Grammar = (r) => r.many(r.between(1, 3), () => "../")
const command: Grammar = (r) =>
  r.pick([
    "cat",
    "ls -la",
    "id",
    "whoami",
    "curl",
    "wget",
    "ping",
    "sleep 5",
    "grep -r",
    "bash",
    "sh",
    "nc",
    "echo",
  ])

const FILTERS: readonly Grammar[] = [
  (r) => `{"where":{${member(r)},"${logic(r)}":[{${member(r)}},{${member(r)}}]}}`,
  (r) => `{"variables":{"filter":{${member(r)},"${logic(r)}":{${member(r)}}}}}`,
  (r) => `{"$${r.pick(["or", "and", "nor"])}":[{${member(r)}},{${member(r)}}]}`,
  (r) => `{"names":[${quoted(r)}, "${logic(r)} ${word(r)}", ${quoted(r)}]}`,
  (r) => `[${quoted(r)},${quoted(r)},"${logic(r)}",${quoted(r)}]`,
  (r) =>
    `{"query":"${comparison(r).replaceAll('"', '\\"')} ${logic(r)} ${comparison(r).replaceAll('"', '\\"')}"}`,
  (r) => `$filter=${name(r)} eq '${word(r)}' ${logic(r)} ${name(r)} gt ${digits(r, 2)}`,
  (r) => `${comparison(r)} ${logic(r)} ${comparison(r)}`,
  (r) => `project = "${word(r)}" AND status = ${quoted(r)} ORDER BY ${name(r)} DESC`,
  (r) => `${name(r)}:${quoted(r)} ${logic(r)} ${name(r)}:${quoted(r)}`,
  (r) => `(${name(r)}:${word(r)} ${logic(r)} ${name(r)}:[${digits(r, 2)} TO ${digits(r, 3)}])`,
]

const SEARCHES: readonly Grammar[] = [
  (r) => `${digits(r, 1)}' ${logic(r)} ${digits(r, 1)}' ${word(r)}`,
  (r) => `${digits(r, 1)}" ${logic(r)} ${digits(r, 2)}" ${word(r)}`,
  (r) => `${name(r)}s' ${logic(r)} ${word(r)}'s ${word(r)}`,
  (r) => `${name(r)}' ${logic(r)} ${name(r)}`,
  (r) => `${quoted(r)} ${logic(r)} ${quoted(r)}`,
  (r) => `'${name(r)}' ${logic(r)} '${word(r)}'`,
  (r) => `${quoted(r)} ${logic(r)} ${word(r)} ${word(r)}`,
  (r) => `${word(r)} ${quoted(r)} ${logic(r)} not ${word(r)}`,
  (r) => `what is the difference between '${name(r)}' ${logic(r)} '${name(r)}' in ${word(r)}`,
  (r) => `how to select ${word(r)} from ${word(r)} where ${name(r)} is not null`,
  (r) => `union of ${word(r)} and select ${word(r)}`,
  (r) => `drop table ${word(r)} or delete from it`,
  (r) => `order by ${name(r)} -- then by ${word(r)}`,
  (r) =>
    `${r.pick(["if", "when"])} ${name(r)} = ${digits(r, 1)} or ${name(r)} = ${digits(r, 1)} then ${word(r)}`,
]

const PATHS: readonly Grammar[] = [
  (r) =>
    `{"text":"open ${climb(r)}${r.pick(["etc/passwd", "etc/hosts", ".env", ".git", "config"])}"}`,
  (r) =>
    `see ${climb(r)}${word(r)}/${identifier(r)}.${r.pick(["md", "ts", "php", "html"])} for ${word(r)}`,
  (r) => `import { ${identifier(r)} } from "${climb(r)}${word(r)}/${identifier(r)}"`,
  (r) => `cp ${climb(r)}${word(r)}.txt /tmp/${identifier(r)}`,
  (r) => `the file /etc/${r.pick(["passwd", "hosts", "shadow", "group"])} ${sentence(r)}`,
  (r) => `${climb(r)}${word(r)}/${word(r)}.css`,
]

const SHELLS: readonly Grammar[] = [
  (r) => `run \`${command(r)} ${word(r)}\` and then \`${command(r)}\``,
  (r) => `${word(r)}; ${command(r)} ${word(r)}, ${sentence(r)}`,
  (r) => `$ ${command(r)} | ${command(r)}`,
  (r) => `${word(r)} & ${word(r)} | ${word(r)} > ${word(r)}`,
  (r) => `"${word(r)}; ${command(r)} is a ${word(r)}"`,
  (r) =>
    `a=${word(r)}&${r.pick(["id", "host", "time", "more", "find"])}=${digits(r, 3)}&cat=${word(r)}`,
  (r) => `${sentence(r)} && ${sentence(r)}`,
]

const attributeText: Grammar = (r) =>
  r.pick([
    `${logic(r)} ${word(r)} ${word(r)}`,
    `${logic(r)}-${word(r)}-${word(r)}`,
    logic(r),
    `${word(r)} ${logic(r)} ${word(r)}`,
  ])

const MARKUP: readonly Grammar[] = [
  (r) => `<svg ${name(r)}="${attributeText(r)}" width="${digits(r, 2)}" height="${digits(r, 2)}">`,
  (r) => `<a ${name(r)}='${attributeText(r)}'>${word(r)}</a>`,
  (r) => `<meta content="${attributeText(r)}"><!-- ${sentence(r)} -->`,
  (r) => `${word(r)} => '${r.pick(["", "\\"])}"${logic(r)}${r.pick(["", "\\"])}"' => '${word(r)}'`,
  (r) => `<a href="javascript:${r.pick(["void(0)", ";", "void(0);"])}" class="${word(r)}">`,
  (r) =>
    `<script ${r.pick(["async ", "", "defer "])}src="https://${r.pick(["cdn", "platform", "static"])}.${word(r)}.com/${word(r)}.js"></script>`,
  (r) => `<p>${sentence(r)} <b>${word(r)}</b> & <i>${word(r)}</i></p>`,
  (r) => `the attribute onclick="${identifier(r)}()" of <button> ${sentence(r)}`,
  (r) => `<a href="/${word(r)}" title='${word(r)}'>${word(r)}</a>`,
  (r) => `call alert(${quoted(r)}) in a <script> block, or console.log(${word(r)})`,
  (r) => `{"html":"<img src='/${word(r)}.png' alt='${word(r)}'>"}`,
  (r) => `javascript: the ${word(r)} parts; onload = ${word(r)}`,
]

const FORMS: readonly Grammar[] = [
  ...FILTERS,
  ...FILTERS,
  ...SEARCHES,
  ...PATHS,
  ...SHELLS,
  ...MARKUP,
]
