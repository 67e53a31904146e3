import type { Random } from "../random.ts"
import { markup } from "./benign-markup.ts"
import { digits, type Grammar, hexDigits, identifier, ipAddress, oneOf } from "./grammar.ts"
import { foreignPhrase, personName, sentence, slug, word, words } from "./vocabulary.ts"

/**
 * Structured and technical text without ill intent: what a content system, a forum, an API or a
 * logging service receives. Much of it shows the marks of attacks: markup, code, quotes.
 */
export const BENIGN_DOCUMENTS: readonly Grammar[] = [
  markup,
  markup,
  markup,
  markup,
  page,
  json,
  json,
  xml,
  css,
  logLine,
  logLine,
  markdown,
  tutorial,
  tutorial,
  tutorial,
  code,
  code,
  code,
  table,
  formula,
  configuration,
  diff,
]

function page(random: Random): string {
  return `<!DOCTYPE html>\n<html lang="en">\n<head><title>${words(random, 3)}</title></head>\n<body>\n${random.many(random.between(1, 5), () => markup(random), "\n")}\n</body>\n</html>`
}

function json(random: Random): string {
  const value: Grammar = (r) =>
    oneOf(r, [
      (s) => digits(s, s.between(1, 6)).replace(/^0+(?=.)/, ""),
      (s) => JSON.stringify(sentence(s)),
      (s) => JSON.stringify(personName(s)),
      (s) => JSON.stringify(foreignPhrase(s)),
      (s) => s.pick(["true", "false", "null", "[]", "{}", '""']),
      (s) => `[${s.many(s.between(1, 4), () => `"${word(s)}"`, ",")}]`,
      (s) => `"${hexDigits(s, 24)}"`,
    ])
  const members = random.many(
    random.between(1, 7),
    () => `"${random.pick([word, slug])(random)}":${random.pick(["", " "])}${value(random)}`,
    random.pick([",", ", "]),
  )
  return random.chance(0.3)
    ? `[{${members}}]`
    : random.chance(0.3)
      ? `{"${word(random)}":{${members}}}`
      : `{${members}}`
}

function xml(random: Random): string {
  const [outer, inner] = [word(random), word(random)]
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${outer} xmlns="http://${identifier(random)}.org/schema">\n  <${inner} id="${digits(random, 3)}">${sentence(random).replaceAll("&", "&amp;")}</${inner}>\n</${outer}>`
}

function css(random: Random): string {
  return `${random.pick([".", "#", "a:", "@media "])}${word(random)} { ${random.pick(["color: #fff", "margin: 0 auto !important", `background: url(/img/${slug(random)}.png)`, "content: '\\201C'", "width: calc(100% - 20px)"])}; }`
}

function logLine(random: Random): string {
  return oneOf(random, [
    (r) =>
      `${ipAddress(r)} - - [12/Nov/2025:10:${digits(r, 2)}:00 +0000] "GET /${slug(r)} HTTP/1.1" ${r.pick(["200", "304", "404"])} ${digits(r, 4)} "-" "Mozilla/5.0"`,
    (r) =>
      `2025-11-${r.between(10, 28)} 10:22:${r.between(10, 59)},${digits(r, 3)} ${r.pick(["INFO", "WARN", "ERROR"])} [${slug(r)}] ${sentence(r)} id=${digits(r, 4)} user='${word(r)}'`,
    (r) => `Nov ${r.between(1, 28)} 09:12:44 host ${word(r)}[${digits(r, 4)}]: ${sentence(r)}`,
    (r) =>
      `Error: ${words(r, 4)}\n    at ${identifier(r)} (/app/src/${slug(r)}.js:${r.below(999)}:${r.below(99)})`,
    (r) =>
      `Traceback (most recent call last):\n  File "${slug(r)}.py", line ${r.below(999)}, in ${identifier(r)}\nValueError: ${words(r, 4)}`,
    (r) =>
      `java.lang.NullPointerException: ${words(r, 3)} at com.${identifier(r)}.${identifier(r)}(Main.java:${r.below(999)})`,
  ])
}

function markdown(random: Random): string {
  return oneOf(random, [
    (r) => `# ${words(r, 3)}\n\n${sentence(r)}\n\n* ${words(r, 4)}\n* ${words(r, 3)}\n`,
    (r) =>
      `**${word(r)}**: ${sentence(r)} See [${words(r, 2)}](https://${identifier(r)}.org/${slug(r)}).`,
    (r) => `> ${sentence(r)}\n\n${sentence(r)}`,
    (r) => `| ${word(r)} | ${word(r)} |\n|---|---|\n| ${digits(r, 2)} | ${word(r)} |`,
    (r) => `- [ ] ${words(r, 4)} (#${r.below(9999)})\n- [x] ${words(r, 4)}`,
  ])
}

/** Text about SQL, markup and shells, with short pieces of them. */
function tutorial(random: Random): string {
  const sample = oneOf(random, [
    (r) =>
      `SELECT ${r.pick(["*", "name, email", "count(*)"])} FROM ${word(r)} WHERE ${word(r)} = ${r.pick(["?", ":id", "$1", digits(r, 2), `'${word(r)}'`])}`,
    (r) =>
      `${r.pick(["SELECT", "UNION", "DROP TABLE", "ORDER BY", "INSERT INTO", "WHERE", "JOIN"])}`,
    (r) => `<${r.pick(["script", "img", "a", "div", "iframe", "svg", "body"])}>`,
    (r) =>
      r.pick([
        "onclick",
        "onload",
        "onerror",
        "alert()",
        "document.cookie",
        "innerHTML",
        "eval()",
        "javascript:",
      ]),
    (r) =>
      r.pick([
        "cat file.txt",
        "ls -la",
        "grep -r",
        "ping",
        "chmod +x",
        "echo $PATH",
        "sudo apt-get install",
        "git commit -m",
        "npm install",
        "rm -rf node_modules",
        "curl",
        "wget",
        "find . -name",
      ]),
    (r) =>
      r.pick([
        "../",
        "/etc/passwd",
        "C:\\Windows",
        "/var/log",
        "/etc/hosts",
        "/usr/local/bin",
        "~/.ssh",
      ]),
    (r) =>
      r.pick([
        "O'Reilly's",
        "WHERE id IN (...)",
        "--help",
        "&&",
        "||",
        ";",
        "$(...)",
        "`date`",
        "%s",
        "%20",
        "&lt;",
        "NULL",
      ]),
  ])
  const mark = random.pick(["`", "`", '"', "``", "'", ""])
  const shown = `${mark}${sample}${mark}`
  return oneOf(random, [
    (r) => `${words(r, r.between(2, 6))} ${shown} ${words(r, r.between(2, 8))}.`,
    (r) =>
      `${r.pick(["Use", "Run", "The", "Avoid", "Add", "Fix", "Support", "How do I use", "What does", "Document"])} ${shown} ${r.pick(["to", "when", "for", "in", "before", "statement", "element", "command"])} ${words(r, r.between(2, 6))}${r.pick([".", "?", ""])}`,
    (r) => `${sentence(r)} ${sentence(r)} Example: ${shown}. ${sentence(r)}`,
    (r) => `${sentence(r)}\n\n    ${sample}\n\n${sentence(r)}`,
    (r) =>
      `${r.pick(["fix", "feat", "docs", "chore"])}(${word(r)}): ${words(r, 3)} ${shown} ${words(r, 2)}`,
  ])
}

/** Lines of programs in several languages. */
function code(random: Random): string {
  const name = identifier(random)
  return oneOf(random, [
    (r) =>
      `const ${name} = ${r.pick(["await ", ""])}${identifier(r)}.${identifier(r)}(${r.pick(["'", '"'])}${word(r)}${r.pick(["'", '"'])})${r.pick([";", ""])}`,
    (r) =>
      `if (${name} ${r.pick(["===", "!==", "<", ">=", "&&", "||"])} ${r.pick(["null", "0", "''", identifier(r)])}) { return ${identifier(r)}; }`,
    (r) => `for (let i = 0; i < ${name}.length; i++) ${identifier(r)}[i] += ${r.below(9)};`,
    (r) =>
      `def ${name}(self, ${word(r)}=None):\n    """${sentence(r)}"""\n    return self.${identifier(r)}["${word(r)}"]`,
    (r) =>
      `public static ${r.pick(["void", "int", "String"])} ${name}(${r.pick(["String[] args", "int n", ""])}) {`,
    (r) => `fn ${name}<'a>(input: &'a str) -> Option<&'a ${identifier(r)}> {`,
    (r) => `import { ${name}, ${identifier(r)} } from "../${slug(r)}"${r.pick([";", ""])}`,
    (r) =>
      `#include <${r.pick(["stdio.h", "vector", "string"])}>\nint main() { printf("${word(r)}\\n"); return 0; }`,
    (r) => `echo "${sentence(r)}" # ${words(r, 3)}`,
    (r) =>
      `$${name} = isset($${identifier(r)}['${word(r)}']) ? $${identifier(r)} : ${r.pick(["null", "''", "[]"])};`,
    (r) =>
      `export const ${name} = (${word(r)}: string): ${r.pick(["boolean", "number"])} => ${word(r)}.length > ${r.below(99)}`,
    (r) => `assert_eq!(${name}(${digits(r, 2)}), "${word(r)}");`,
    (r) => `    ${name}: ${identifier(r)}.${identifier(r)}(),  // ${words(r, 4)}`,
    (r) => `print(f"{${name}:>10} {${identifier(r)}!r}")`,
    (r) => `@${name}("/${word(r)}/<int:id>", methods=["GET", "POST"])`,
    (r) =>
      `git clone https://github.com/${identifier(r)}/${slug(r)}.git && cd ${slug(r)} && npm install`,
    (r) => `#!/bin/bash\nset -euo pipefail\nfor f in *.txt; do\n  mv "$f" "${word(r)}/$f"\ndone`,
    (r) => `/** ${sentence(r)} */`,
    (r) => `^[a-z${r.pick(["0-9", "_", "A-Z"])}]+\\.(${word(r)}|${word(r)})$`,
    () => "}",
  ])
}

function table(random: Random): string {
  return random.many(
    random.between(2, 5),
    () =>
      random.many(
        4,
        () => random.pick([word, (r: Random) => digits(r, 3), personName])(random),
        random.pick([",", ";", "\t"]),
      ),
    "\n",
  )
}

function formula(random: Random): string {
  return random.pick([
    `${word(random)} = ${random.below(99)} + ${random.below(99)} * (${random.below(9)} - 1)`,
    `f(x) = x^2 + ${random.below(9)}x - ${random.below(9)}`,
    `=SUM(A1:A${random.below(99)})/COUNT(B1:B9)`,
    `${random.below(9)} < x && x <= ${random.between(10, 99)}`,
    `P(A|B) = P(B|A) * P(A) / P(B)`,
    `1 + 1 = 2`,
    `e^{i\\pi} + 1 = 0`,
  ])
}

function configuration(random: Random): string {
  return random.many(
    random.between(1, 5),
    () =>
      random.pick([
        `${slug(random)}: ${word(random)}`,
        `${word(random).toUpperCase()}_${word(random).toUpperCase()}=${digits(random, 4)}`,
        `[${word(random)}]`,
        `${word(random)} = "${words(random, 2)}"`,
        `export PATH="$HOME/bin:$PATH"`,
        `# ${words(random, 4)}`,
        `--${slug(random)} ${digits(random, 2)}`,
      ]),
    "\n",
  )
}

function diff(random: Random): string {
  return `@@ -${random.below(99)},7 +${random.below(99)},9 @@\n-  ${code(random)}\n+  ${code(random)}`
}
