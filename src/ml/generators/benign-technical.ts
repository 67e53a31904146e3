// biome-ignore-all lint/suspicious/noTemplateCurlyInString: template languages, not templates

import type { Random } from "../random.ts"
import {
  digits,
  type Grammar,
  hexDigits,
  hostName,
  identifier,
  ipAddress,
  oneOf,
} from "./grammar.ts"
import { foreignPhrase, personName, sentence, slug, word, words } from "./vocabulary.ts"

/**
 * What people who build software write to each other, to forums and into tickets: the languages
 * of attacks, meant as documentation. Written from the manuals of those languages.
 */
export const BENIGN_TECHNICAL: readonly Grammar[] = [
  sqlLesson,
  sqlLesson,
  shellLesson,
  shellLesson,
  markupLesson,
  securityNote,
  securityNote,
  templateText,
  graphQuery,
  soapEnvelope,
  policyHeader,
  serverConfiguration,
  containerFile,
  queryOfLogs,
  directoryEntry,
  emailMessage,
  pathLesson,
  chat,
  changelog,
]

const MARKS = ["`", "`", "``", '"', "'", "", "\n\n    ", "\n```\n", "<code>"] as const

/** `code` the way prose shows it. */
function shown(random: Random, code: string): string {
  const mark = random.pick(MARKS)
  if (mark.startsWith("\n\n")) return `${mark}${code}\n\n`
  if (mark === "<code>") return `<code>${code.replaceAll("<", "&lt;")}</code>`
  return `${mark}${code}${mark}`
}

function around(random: Random, code: string): string {
  const before = random.pick([
    "Use",
    "You can write",
    "I tried",
    "The query",
    "Running",
    "In this example,",
    "What does",
    "How do I replace",
    "This returns an error:",
    "We should avoid",
    "Note that",
    "Replace",
    "Why is",
    "The documentation says",
    "The following",
    "It worked after I changed it to",
    "instead of",
  ])
  const after = random.pick([
    "",
    ".",
    "?",
    " works.",
    " but it fails.",
    " in production.",
    " instead.",
    ` ${words(random, 5)}.`,
    ` in ${word(random)}, ${words(random, 6)}.`,
  ])
  const lead = random.chance(0.5) ? `${sentence(random)} ` : ""
  const tail = random.chance(0.4) ? ` ${sentence(random)}` : ""
  return `${lead}${before} ${shown(random, code)}${after}${tail}`
}

function sqlStatement(random: Random): string {
  const [table, column, other] = [word(random), word(random), word(random)]
  return oneOf(random, [
    (r) =>
      `SELECT ${r.pick(["*", `${column}, ${other}`, `COUNT(*)`, `MAX(${column})`, `DISTINCT ${column}`, `t.${column}`])} FROM ${table}${r.pick(["", " t", `s`])} WHERE ${column} ${r.pick(["= ?", "= :id", "= $1", "> 10", "IS NOT NULL", "LIKE 'a%'", "IN (1, 2, 3)", `= '${word(r)}'`, "BETWEEN 1 AND 10"])}${r.pick(["", ";", ` ORDER BY ${other} DESC`, " LIMIT 10", ` GROUP BY ${column} HAVING COUNT(*) > 1`, ` AND ${other} = 'active'`])}`,
    () => `INSERT INTO ${table} (${column}, ${other}) VALUES (?, ?)`,
    (r) =>
      `INSERT INTO ${table} VALUES (${r.below(99)}, '${word(r)}', '${personName(r).replaceAll("'", "''")}');`,
    (r) =>
      `UPDATE ${table} SET ${column} = ${r.pick(["?", "NOW()", `'${word(r)}'`, `${column} + 1`])} WHERE id = ${r.pick(["?", String(r.below(999))])}`,
    () => `DELETE FROM ${table} WHERE ${column} < NOW() - INTERVAL 30 DAY`,
    () =>
      `CREATE TABLE ${table} (id SERIAL PRIMARY KEY, ${column} VARCHAR(255) NOT NULL DEFAULT '', ${other} INT)`,
    () => `ALTER TABLE ${table} ADD COLUMN ${column} TEXT`,
    (r) =>
      `SELECT a.${column}, b.${other} FROM ${table} a ${r.pick(["LEFT ", "INNER ", ""])}JOIN ${word(r)} b ON a.id = b.${table}_id`,
    () => `SELECT ${column} FROM ${table} UNION ALL SELECT ${column} FROM ${other}`,
    () => `DROP TABLE IF EXISTS ${table};`,
    () => `CREATE INDEX idx_${table}_${column} ON ${table} (${column})`,
    () => `EXPLAIN ANALYZE SELECT * FROM ${table}`,
    () => `GRANT SELECT, INSERT ON ${table} TO ${other};`,
    (r) =>
      `${table}.objects.filter(${column}__${r.pick(["gt", "icontains", "in"])}=${r.below(9)}).order_by('-${other}')`,
    (r) =>
      r.pick([
        "LEFT JOIN",
        "ORDER BY",
        "UNION ALL",
        "GROUP BY",
        "SELECT DISTINCT",
        "COALESCE(a, b)",
        "CASE WHEN x THEN y ELSE z END",
        "SELECT ... FOR UPDATE",
        "WHERE 1=1",
        "LIKE '%foo%'",
      ]),
  ])
}

function sqlLesson(random: Random): string {
  const statement = sqlStatement(random)
  if (random.chance(0.15)) return statement
  return around(random, random.chance(0.3) ? statement.toLowerCase() : statement)
}

function shellLesson(random: Random): string {
  const file = `${slug(random)}.${random.pick(["txt", "log", "sh", "py", "json", "conf"])}`
  const line = oneOf(random, [
    (r) =>
      `${r.pick(["sudo ", ""])}${r.pick(["apt-get install", "brew install", "pip install", "npm install --save", "yum install -y", "cargo install", "go get", "docker pull"])} ${slug(r)}`,
    () => `grep -rn "${word(random)}" src/ | head -20`,
    () => `cat ${file} | sort | uniq -c`,
    () => `tail -f /var/log/${word(random)}.log`,
    () => `tar -xzf ${slug(random)}.tar.gz && cd ${slug(random)} && ./configure && make`,
    (r) =>
      `git ${r.pick(["commit -am", "checkout -b", "push origin", "log --oneline", "rebase -i", "diff HEAD~1", "stash pop"])} ${r.pick(["main", "HEAD", `"${words(r, 3)}"`, slug(r)])}`,
    () => `docker run --rm -it -p 8080:80 -v $(pwd):/app ${word(random)}:latest`,
    (r) => `kubectl get pods -n ${word(r)} -o wide`,
    () =>
      `export ${word(random).toUpperCase()}=${word(random)}; echo $${word(random).toUpperCase()}`,
    () => `for f in *.txt; do echo "$f"; done`,
    (r) =>
      `curl -X POST -H "Content-Type: application/json" -d '{"${word(r)}": "${word(r)}"}' https://${hostName(r)}/api/${word(r)}`,
    (r) => `ssh ${identifier(r)}@${hostName(r)}`,
    (r) => `ping ${hostName(r)}`,
    (r) => `python ${slug(r)}.py --${word(r)} ${digits(r, 2)} > out.txt 2>&1`,
    () => `if [ -f "${file}" ]; then rm "${file}"; fi`,
    (r) => `chmod +x ${slug(r)}.sh`,
    (r) => `find . -name "*.${r.pick(["js", "py", "o"])}" -exec ls -l {} \\;`,
    (r) => `ls -la ${r.pick(["~/Downloads", "/usr/local/lib", "dist/"])}`,
    (r) =>
      `C:\\> ${r.pick(["dir /s", "ipconfig /all", "cd Program Files", "type readme.txt", "net use"])}`,
    (r) => `Get-ChildItem -Path C:\\${word(r)} -Recurse | Where-Object { $_.Length -gt 1MB }`,
    (r) =>
      r.pick([
        "man ls",
        "cd ..",
        "pwd",
        "id -u",
        "uname -a",
        "ps aux",
        "df -h",
        "whoami",
        "echo hello",
        "sleep 1",
        "make test",
        "./run.sh",
      ]),
  ])
  if (random.chance(0.1)) return `${random.pick(["$ ", "# ", "> ", "~$ "])}${line}`
  return around(random, line)
}

function markupLesson(random: Random): string {
  return around(
    random,
    oneOf(random, [
      (r) =>
        `<${r.pick(["div", "span", "a", "button", "input", "img", "script", "iframe", "form", "canvas", "video"])}>`,
      (r) => `<a href="/${slug(r)}" class="${word(r)}">${words(r, 2)}</a>`,
      (r) =>
        `<script src="/${slug(r)}.js" ${r.pick(["defer", "async", 'type="module"'])}></script>`,
      (r) => `element.addEventListener("${r.pick(["click", "load", "input"])}", ${identifier(r)})`,
      (r) =>
        `document.getElementById("${word(r)}").${r.pick(["innerHTML", "textContent", "value"])}`,
      (r) => `console.log(${word(r)})`,
      (r) => `window.${r.pick(["location.href", "onload", "alert", "open", "localStorage"])}`,
      (r) =>
        `onClick={() => ${r.pick(["setOpen(true)", "handleSubmit()", `navigate("/${word(r)}")`])}}`,
      (r) => `$("#${word(r)}").${r.pick(["hide()", "on('click', fn)", `addClass("${word(r)}")`])}`,
      (r) => `<img src="${slug(r)}.png" alt="${words(r, 2)}">`,
      (r) =>
        `<${word(r)}-${word(r)} :${word(r)}="${word(r)}" @click="${identifier(r)}"></${word(r)}-${word(r)}>`,
      (r) => `function ${identifier(r)}() { return ${word(r)}; }`,
    ]),
  )
}

/** Advisories and commit messages name attacks, and are none. */
function securityNote(random: Random): string {
  const attack = random.pick([
    "SQL injection",
    "XSS",
    "cross-site scripting",
    "path traversal",
    "command injection",
    "remote code execution",
    "SSRF",
    "CSRF",
    "directory traversal",
    "XXE",
    "open redirect",
    "LDAP injection",
    "template injection",
    "buffer overflow",
    "denial of service",
  ])
  const part = random.pick([
    "parameter",
    "header",
    "field",
    "endpoint",
    "form",
    "function",
    "plugin",
    "cookie",
    "module",
  ])
  return oneOf(random, [
    (r) =>
      `${attack} vulnerability in ${slug(r)} ${r.between(1, 9)}.${r.below(20)} allows remote attackers to ${words(r, 4)} via the ${word(r)} ${part}.`,
    (r) =>
      `CVE-20${r.between(10, 25)}-${digits(r, 4)}: ${attack} in ${slug(r)} via the "${word(r)}" ${part}`,
    (r) =>
      `Fix ${attack} in the ${word(r)} ${part}: escape ${r.pick(["quotes", "<script> tags", "user input", "'../' sequences", "shell metacharacters", "`;` and `|`", "HTML entities"])} before ${words(r, 3)}`,
    (r) =>
      `How to prevent ${attack}? ${sentence(r)} Use ${r.pick(["prepared statements", "parameterized queries", "htmlspecialchars()", "mysqli_real_escape_string()", "a whitelist", "realpath()", "escapeshellarg()", "Content-Security-Policy"])}.`,
    (r) =>
      `${attack} is ${words(r, 8)}. For example, ${words(r, 4)} ${r.pick(["' OR 1=1", "<script>", "../../", "; ls", "UNION SELECT", "{{7*7}}"])} ${words(r, 5)}, so ${words(r, 6)}.`,
    (r) => `Add tests for ${attack} (#${r.below(9999)})`,
    (r) =>
      `The WAF blocked my request because of "${r.pick(["select", "union", "script", "exec", "drop table", "../"])}" in ${words(r, 4)}.`,
  ])
}

function templateText(random: Random): string {
  return oneOf(random, [
    (r) => `Hello {{ ${word(r)}.${word(r)} }}, ${words(r, 5)}`,
    (r) => `{% for ${word(r)} in ${word(r)}s %}<li>{{ ${word(r)} }}</li>{% endfor %}`,
    (r) => `{% if user.is_authenticated %}${words(r, 3)}{% endif %}`,
    (r) => `Dear \${${word(r)}}, your order #{${digits(r, 4)}} ${words(r, 4)}`,
    (r) => `<%= link_to "${words(r, 2)}", ${word(r)}_path %>`,
    (r) => `${word(r)}: \${{ secrets.${word(r).toUpperCase()} }}`,
    (r) => `{{#each ${word(r)}s}}<p>{{this.${word(r)}}}</p>{{/each}}`,
    (r) => `logger.info("${words(r, 3)} {}", ${word(r)});`,
    (r) => `\${${word(r).toUpperCase()}_HOME}/bin:\${PATH}`,
    (r) => `%(${word(r)})s ${words(r, 3)} %d %s`,
    (r) => `{0} ${words(r, 3)} {1}`,
  ])
}

function graphQuery(random: Random): string {
  return random.pick([
    `query { ${word(random)}(id: "${digits(random, 3)}") { id ${word(random)} ${word(random)} { ${word(random)} } } }`,
    `{"query":"mutation($input: ${identifier(random)}Input!) { update(input: $input) { id } }","variables":{"input":{"id":${random.below(99)}}}}`,
    `query Get($first: Int = 10) { ${word(random)}s(first: $first, orderBy: {field: NAME, direction: ASC}) { edges { node { id } } } }`,
    `{"filter": {"price": {"min": ${random.below(99)}, "max": 999}, "tags": ["${word(random)}", "${word(random)}"]}, "sort": [["${word(random)}", "desc"]]}`,
    `{"jsonrpc":"2.0","method":"${word(random)}.${word(random)}","params":["${word(random)}",${random.below(99)}],"id":${random.below(99)}}`,
  ])
}

function soapEnvelope(random: Random): string {
  const action = identifier(random)
  return random.pick([
    `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><${action} xmlns="http://${identifier(random)}.org/"><${word(random)}>${sentence(random).replaceAll("&", "&amp;")}</${word(random)}></${action}></soap:Body></soap:Envelope>`,
    `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">`,
    `<rss version="2.0"><channel><title>${words(random, 3)}</title><link>https://${hostName(random)}/</link><item><title>${sentence(random).replaceAll("&", "&amp;")}</title></item></channel></rss>`,
    `<?xml version="1.0"?><methodCall><methodName>${word(random)}.${word(random)}</methodName><params><param><value><string>${words(random, 2)}</string></value></param></params></methodCall>`,
    `<svg xmlns="http://www.w3.org/2000/svg" width="${random.below(99)}" height="24"><path d="M${random.below(99)},0 L24,24 Z" fill="#${hexDigits(random, 6)}"/></svg>`,
  ])
}

function policyHeader(random: Random): string {
  return random.pick([
    `default-src 'self'; script-src 'self' https://${hostName(random)} 'unsafe-inline'; img-src * data:; frame-ancestors 'none'`,
    `<https://${hostName(random)}/api?page=2>; rel="next", <https://${hostName(random)}/api?page=9>; rel="last"`,
    `attachment; filename="${slug(random)}.pdf"; filename*=UTF-8''${slug(random)}.pdf`,
    `Digest username="${identifier(random)}", realm="${word(random)}", nonce="${hexDigits(random, 16)}", uri="/${slug(random)}", response="${hexDigits(random, 32)}"`,
    `Bearer eyJhbGciOiJIUzI1NiJ9.${btoa(words(random, 4)).replaceAll("=", "")}.${hexDigits(random, 20)}`,
    `for=${ipAddress(random)};proto=https;by=${ipAddress(random)}`,
    `sha256-${btoa(hexDigits(random, 24))}`,
    `max-age=31536000; includeSubDomains; preload`,
  ])
}

function serverConfiguration(random: Random): string {
  return random.pick([
    `server { listen 80; server_name ${hostName(random)}; location / { proxy_pass http://127.0.0.1:${random.between(3000, 9000)}; } }`,
    `RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^(.*)$ index.php?q=$1 [L,QSA]`,
    `<VirtualHost *:80>\n  DocumentRoot "/var/www/${slug(random)}"\n  ErrorLog \${APACHE_LOG_DIR}/error.log\n</VirtualHost>`,
    `DATABASE_URL=postgres://${word(random)}:${word(random)}@localhost:5432/${word(random)}`,
    `spring.datasource.url=jdbc:mysql://localhost:3306/${word(random)}?useSSL=false&serverTimezone=UTC`,
    `*/5 * * * * /usr/bin/python3 /opt/${slug(random)}/run.py >> /var/log/${word(random)}.log 2>&1`,
    `127.0.0.1 localhost\n::1 localhost\n${ipAddress(random)} ${hostName(random)}`,
    `[Unit]\nDescription=${words(random, 3)}\n[Service]\nExecStart=/usr/bin/${slug(random)} --config /etc/${slug(random)}.conf\nRestart=always`,
    `redirect_uri=https://${hostName(random)}/callback&response_type=code&scope=openid%20email&state=${hexDigits(random, 16)}`,
    `url=https%3A%2F%2Fwww.${identifier(random)}.com%2F${slug(random)}%2F&title=${words(random, 3).replaceAll(" ", "+")}`,
  ])
}

function containerFile(random: Random): string {
  return random.pick([
    `FROM node:${random.between(14, 24)}-alpine\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build\nCMD ["node", "dist/${slug(random)}.js"]`,
    `RUN apt-get update && apt-get install -y ${slug(random)} && rm -rf /var/lib/apt/lists/*`,
    `- name: ${words(random, 3)}\n  run: |\n    npm ci\n    npm test -- --coverage`,
    `version: "3"\nservices:\n  ${word(random)}:\n    image: ${word(random)}:${random.below(9)}\n    ports: ["${random.between(1000, 9999)}:80"]`,
    `"scripts": { "build": "tsc && cp -r public dist", "test": "jest --ci" }`,
  ])
}

/** Search languages of logs, mail and issue trackers. */
function queryOfLogs(random: Random): string {
  return random.pick([
    `level:error AND service:"${slug(random)}" NOT host:${identifier(random)}`,
    `is:open is:issue label:${word(random)} ${words(random, 2)}`,
    `from:${identifier(random)}@${hostName(random)} subject:(${words(random, 2)}) has:attachment`,
    `sum(rate(http_requests_total{job="${word(random)}",code=~"5.."}[5m])) by (instance) > 0.${digits(random, 2)}`,
    `index=${word(random)} sourcetype=access_* status>=500 | stats count by ${word(random)} | sort -count`,
    `project = ${word(random).toUpperCase()} AND status in (Open, "In Progress") ORDER BY created DESC`,
    `fields @timestamp, @message | filter @message like /${word(random)}/ | limit 20`,
    `$filter=${word(random)} eq '${word(random)}' and ${word(random)} gt ${random.below(99)}&$orderby=${word(random)} desc&$top=10`,
    `(${word(random)} OR ${word(random)}) AND (${word(random)} OR "${words(random, 2)}")`,
  ])
}

function directoryEntry(random: Random): string {
  return random.pick([
    `cn=${personName(random)},ou=${word(random)},dc=${identifier(random)},dc=com`,
    `uid=${identifier(random)},ou=People,o=${word(random)}`,
    `/C=US/ST=${word(random)}/O=${words(random, 2)}/CN=${hostName(random)}`,
    `(${random.between(1, 9)}) ${words(random, 2)} (${words(random, 2)}) & more`,
  ])
}

function emailMessage(random: Random): string {
  return `From: ${personName(random)} <${identifier(random)}@${hostName(random)}>\r\nTo: ${identifier(random)}@${hostName(random)}\r\nSubject: ${random.pick(["Re: ", "Fwd: ", ""])}${words(random, 4)}\r\n\r\n${sentence(random)}\r\n> ${sentence(random)}\r\n${sentence(random)}`
}

function pathLesson(random: Random): string {
  return oneOf(random, [
    (r) =>
      `import ${identifier(r)} from "${r.pick(["../", "../../", "./", "../../../"])}${slug(r)}"`,
    (r) => `require('${r.pick(["..", "../..", "."])}/${slug(r)}')`,
    (r) =>
      around(
        r,
        r.pick([
          "/etc/nginx/nginx.conf",
          "/etc/hosts",
          "~/.bashrc",
          "C:\\Windows\\System32",
          "/var/log/syslog",
          "../config.json",
          "/usr/bin/env python",
          "%APPDATA%\\npm",
          "..\\lib",
        ]),
      ),
    (r) =>
      `${r.pick(["Cannot find module", "ENOENT: no such file or directory, open", "Permission denied:", "File not found:"])} '${r.pick(["/app/src/", "../", "C:\\Users\\me\\", "/home/me/"])}${slug(r)}.js'`,
    (r) => `<link href="../${r.pick(["css", "assets", "static"])}/${slug(r)}.css">`,
  ])
}

function chat(random: Random): string {
  return random.many(
    random.between(1, 4),
    () =>
      `${random.pick(["", "lol ", `@${identifier(random)} `, "ok; ", "hmm... ", "> "])}${random.pick([sentence, foreignPhrase, (r: Random) => words(r, 4)])(random)}${random.pick(["", " :-)", " ;)", " <3", " \\o/", " ¯\\_(ツ)_/¯", " ^^", " xD", " =)", " (^_^)", " 👍", " (y/n)?"])}`,
    random.pick(["\n", " ", " - ", " | "]),
  )
}

function changelog(random: Random): string {
  return random.many(
    random.between(1, 6),
    () =>
      `${random.pick(["- ", "* ", "+ ", "## ", "", "1. "])}${random.pick(["Fixed", "Added", "Removed", "Deprecated", "Bump", "Refactor", "Allow", "Don't", "Make"])} ${random.pick([`\`${slug(random)}\``, `\`${identifier(random)}()\``, words(random, 2), `\`--${slug(random)}\``, `"${word(random)}"`])} ${words(random, random.between(2, 7))}${random.pick(["", ".", ` (#${random.below(9999)})`, ` [${hexDigits(random, 7)}]`])}`,
    "\n",
  )
}
