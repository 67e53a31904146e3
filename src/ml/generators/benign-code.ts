// biome-ignore-all lint/suspicious/noTemplateCurlyInString: programs, not templates

import type { Random } from "../random.ts"
import { digits, type Grammar, identifier, oneOf } from "./grammar.ts"
import { sentence, slug, word, words } from "./vocabulary.ts"

/** Longer stretches of programs, their tests, comments and patterns; columns and markings of text. */
export const BENIGN_CODE: readonly Grammar[] = [
  pattern,
  pattern,
  functionBody,
  functionBody,
  functionBody,
  unitTest,
  comment,
  underlined,
  columns,
  columns,
  escapes,
  databaseCode,
  templateCode,
]

const PATTERN_PIECES: readonly Grammar[] = [
  (r) =>
    `(${r.pick(["", "?:", "?=", "?!"])}${r.many(r.between(2, 5), () => identifier(r).slice(0, 4), "|")})`,
  (r) =>
    `[${r.pick(["a-z", "0-9", "^/", "\\w-", "^\"'", "[ ;,_-", "A-Za-z_"])}]${r.pick(["+", "*", "?", "{1,2}", ""])}`,
  (r) => r.pick(["\\d+", "\\s*", "\\w+", "\\b", ".*", ".+?", "\\.", "\\/", "\\(", "\\|", "\\$"]),
  word,
  (r) => `(?P<${word(r)}>\\S+)`,
]

/** Regular expressions as ECMAScript, Python, grep and Apache have them. */
function pattern(random: Random): string {
  const pieces = random.many(
    random.between(2, 7),
    () => oneOf(random, PATTERN_PIECES),
    random.pick(["", "", " ", "\\s"]),
  )
  const body = `${random.pick(["", "^"])}${pieces}${random.pick(["", "$"])}`
  return random.pick([
    body,
    `/${body}/${random.pick(["", "i", "g", "gi"])}`,
    `[/${body}/i, ${word(random)}],`,
    `re.compile(r"${body}")`,
    `grep -E '${body}' ${slug(random)}.txt`,
    `RewriteRule ^${body} /${slug(random)} [L]`,
  ])
}

const EXPRESSIONS: readonly Grammar[] = [
  identifier,
  (r) =>
    `${identifier(r)}.${identifier(r)}(${r.pick(["", identifier(r), `"${word(r)}"`, `'${words(r, 2)}'`])})`,
  (r) => `${identifier(r)}[${r.pick([digits(r, 1), `"${word(r)}"`, "i"])}]`,
  (r) =>
    `${identifier(r)} ${r.pick(["+", "-", "==", "!=", "&&", "||", "<", ">="])} ${r.pick([identifier(r), digits(r, 2), "null", '""'])}`,
  (r) => `${r.pick(["await ", "new ", "!", "&", "*"])}${identifier(r)}`,
  (r) => `\`${words(r, 2)} \${${identifier(r)}}\``,
  (r) => `{ ${word(r)}: ${digits(r, 2)}, ${word(r)}: "${word(r)}" }`,
  (r) => `(${identifier(r)}) => ${identifier(r)}.${identifier(r)}`,
]

function expression(random: Random): string {
  return oneOf(random, EXPRESSIONS)
}

const STATEMENTS: readonly Grammar[] = [
  (r) => `const ${identifier(r)} = ${expression(r)};`,
  (r) =>
    `let ${r.pick(["", "mut "])}${identifier(r)}${r.pick(["", ": String", ": Vec<u8>"])} = ${expression(r)}${r.pick(["?;", ";", ".unwrap();"])}`,
  (r) => `if (${expression(r)}) ${r.pick(["return", "throw", "continue"])} ${expression(r)};`,
  (r) => `return ${expression(r)};`,
  (r) => `${expression(r)};`,
  (r) => `${identifier(r)} = ${expression(r)}`,
  (r) => `match ${identifier(r)} { Some(x) => ${identifier(r)}(x), None => ${expression(r)} }`,
  (r) => `for (const ${identifier(r)} of ${identifier(r)}) { ${expression(r)}; }`,
  (r) => `try { ${expression(r)} } catch (e) { log.warn("${words(r, 3)}", e) }`,
  (r) => `// ${sentence(r)}`,
  (r) => `${identifier(r)}.select(${word(r)}).where(${word(r)} > ${digits(r, 1)});`,
  (r) => `process.exit(${digits(r, 1)});`,
  (r) => `exec(${identifier(r)}, (err, out) => done(err, out));`,
  (r) => `Command::new("${word(r)}").arg("${slug(r)}").output()?;`,
  (r) => `subprocess.run(["${word(r)}", "${slug(r)}"], check=True)`,
]

function functionBody(random: Random): string {
  const head = random.pick([
    `function ${identifier(random)}(${identifier(random)}, ${identifier(random)}) {`,
    `export async function ${identifier(random)}(${word(random)}: string): Promise<void> {`,
    `pub async fn ${identifier(random)}(&self, ${word(random)}: &str) -> Result<${identifier(random)}> {`,
    `def ${identifier(random)}(self, ${word(random)}):`,
    `private static final ${identifier(random)} ${identifier(random)}() {`,
    `impl ${identifier(random)} for ${identifier(random)} {`,
    `func (s *${identifier(random)}) ${identifier(random)}(ctx context.Context) error {`,
    `/// ${sentence(random)}\nfn ${identifier(random)}() {`,
    "",
  ])
  const lines = random.many(random.between(2, 8), () => oneOf(random, STATEMENTS), "\n    ")
  return `${head}\n    ${lines}\n${random.pick(["}", "", "});", "}\n\n}"])}`
}

const CHECKS: readonly Grammar[] = [
  (r) => `assertEquals(${expression(r)}, ${expression(r)});`,
  (r) => `assertThrows(() => ${identifier(r)}("${r.pick(["", "---", "'", "../", "<", "a b"])}"));`,
  (r) => `expect(${expression(r)}).toBe("${words(r, 2)}")`,
  (r) => `assert ${identifier(r)}("${word(r)}") == '${word(r)}'`,
  (r) => `self.assertIn("${word(r)}", ${identifier(r)}.content)`,
]

function unitTest(random: Random): string {
  const checks = random.many(random.between(1, 4), () => oneOf(random, CHECKS), "\n  ")
  return `${random.pick(["test", "it", "Deno.test", "describe"])}("${words(random, 4)}", ${random.pick(["() =>", "async () =>", "function ()"])} {\n  ${checks}\n})${random.pick([";", ""])}`
}

function comment(random: Random): string {
  return random.pick([
    `/// ${sentence(random)}\n///\n/// # ${word(random)}\n///\n/// ${sentence(random)}`,
    `/**\n * ${sentence(random)}\n * @param {string} ${word(random)} - ${words(random, 4)}\n */`,
    `# ${sentence(random)}\n# ${sentence(random)}`,
    `-- ${sentence(random)}`,
    `<!-- ${sentence(random)} -->`,
    `"""${sentence(random)}\n\n:param ${word(random)}: ${words(random, 3)}\n"""`,
    `; ${sentence(random)}`,
    random.pick(["///", "//", "#", "--", "/**", "*/", "));", "});", "};", "]);", "-->"]),
  ])
}

/** Headings of reStructuredText and Markdown: long rows of marks. */
function underlined(random: Random): string {
  const title = random.pick([
    words(random, 3),
    `\`\`${word(random)}\`\``,
    `${words(random, 2)} - ${digits(random, 4)}`,
  ])
  const mark = random.pick(["-", "=", "~", "*", "#", "'", "^"])
  return `${title}\n${mark.repeat(title.length)}${random.pick(["", `\n\n${sentence(random)}`])}`
}

/** Names of columns as a table, a filter or an import lists them. */
function columns(random: Random): string {
  const names =
    "id name user date time host type path sort order group status email title price count value key from to set size state code link url file tag who env".split(
      " ",
    )
  return random.many(
    random.between(2, 7),
    () => random.pick(names),
    random.pick([",", ";", "|", ", ", "; ", " | ", "\t", "&"]),
  )
}

function escapes(random: Random): string {
  return random.pick([
    `// '\\"${word(random)}\\"' => '\\${word(random)}'`,
    `"${words(random, 2)}\\n${words(random, 2)}\\t"`,
    `'\\'' + ${identifier(random)} + '\\''`,
    "replace(/[&<>\"']/g, (c) => map[c])",
    `echo "\\"${word(random)}\\""`,
    `printf("%-${digits(random, 1)}s|%5d\\n", ${identifier(random)}, ${identifier(random)})`,
    `${word(random)} = '${word(random)}' + "'" + "${word(random)}"`,
  ])
}

/** Statements that a program sends with its values apart. */
function databaseCode(random: Random): string {
  const [table, column] = [word(random), word(random)]
  return random.pick([
    `cursor.execute("SELECT ${column} FROM ${table} WHERE id = %s", [${identifier(random)}])`,
    `db.query('SELECT * FROM ${table} WHERE ${column} = $1 AND active', [${identifier(random)}])`,
    `stmt = conn.prepareStatement("UPDATE ${table} SET ${column} = ? WHERE id = ?");`,
    `$pdo->prepare("INSERT INTO ${table} (${column}) VALUES (:${column})")`,
    `CREATE OR REPLACE FUNCTION ${identifier(random)}() RETURNS trigger AS $$ BEGIN NEW.${column} := now(); RETURN NEW; END; $$ LANGUAGE plpgsql;`,
    `${table}.find({ ${column}: { $gt: ${digits(random, 2)} } }).sort({ ${column}: -1 })`,
    `Model.where("${column} > ?", ${digits(random, 2)}).order(:${column})`,
  ])
}

function templateCode(random: Random): string {
  const [name, member] = [word(random), word(random)]
  return random.pick([
    `{% extends "${name}.html" %}{% block ${member} %}{{ ${name}.${member} }}{% endblock %}`,
    `{{ ${name}.${member}|${random.pick(["date:'Y-m-d'", "escape", "default('')", "upper"])} }}`,
    `<li v-for="${name} in ${name}s" :key="${name}.id">{{ ${name} }}</li>`,
    `<c:forEach items="\${${name}s}" var="${name}">\${${name}.name}</c:forEach>`,
    `<% ${name}s.forEach(function (${name}) { %><p><%= ${name} %></p><% }) %>`,
    `>>> Template("{{ ${name}.${member} }}").render(Context({"${name}": ${identifier(random)}}))`,
    `echo "\${${name.toUpperCase()}:-${member}}"`,
    'image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"',
    `\${{ github.event.pull_request.${name} }}`,
    `#{${name}.${member}}`,
  ])
}
