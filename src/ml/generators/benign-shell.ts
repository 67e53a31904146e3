// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell syntax, not templates

import type { Random } from "../random.ts"
import { type Grammar, hostName, identifier, oneOf } from "./grammar.ts"
import { sentence, slug, word, words } from "./vocabulary.ts"

/**
 * Command lines as those who build and run software write them into notes, tickets, commit messages
 * and pipelines: their own tools on their own files, from the manuals of these tools.
 */
export const BENIGN_SHELL: readonly Grammar[] = [
  session,
  session,
  instructions,
  instructions,
  script,
  pipelineStep,
  question,
  powershellNote,
]

const FLAG: Grammar = (r) => r.pick(["", "", ` --${slug(r)}`, ` -${identifier(r).slice(0, 1)}`])
const PLACE: Grammar = (r) =>
  r.pick([slug(r), `./${slug(r)}`, `src/${slug(r)}`, `~/${slug(r)}`, "dist", "build/", "."])

const COMMANDS: readonly Grammar[] = [
  (r) =>
    `git ${r.pick(["pull", "fetch --all", `checkout ${slug(r)}`, `merge ${slug(r)}`, `clone https://${hostName(r)}/${slug(r)}.git`, "rebase origin/main", "stash", `commit -m "${words(r, 3)}"`, "push --force-with-lease", `tag v${r.below(9)}.${r.below(20)}`, "submodule update --init", "log -p", 'push -u origin "${BRANCH}"'])}`,
  (r) =>
    `${r.pick(["npm", "yarn", "pnpm", "bun"])} ${r.pick(["install", "ci", "test", `run ${word(r)}`, `add ${slug(r)}`, "audit", "outdated"])}${FLAG(r)}`,
  (r) =>
    `${r.pick(["cargo", "go", "dotnet", "mvn", "./gradlew", "sbt", "mix"])} ${r.pick(["build", "test", "run", "clean", "fmt", "clean install", "check"])}${FLAG(r)}`,
  (r) => `make${r.pick(["", " -j4", " clean", " install", ` ${word(r)}`, " check"])}`,
  (r) =>
    `pip install ${r.pick([`-r ${slug(r)}.txt`, slug(r), "-e .", `${slug(r)}==${r.below(9)}`])}`,
  (r) =>
    `python${r.pick(["", "3"])} ${r.pick([`${slug(r)}.py`, `-m ${word(r)}`, "-m venv .venv", `manage.py ${word(r)}`])}${FLAG(r)}`,
  (r) =>
    `docker ${r.pick(["compose up -d", `build -t ${slug(r)} .`, `run --rm ${slug(r)}`, `logs -f ${slug(r)}`, "system prune", `exec -it ${slug(r)} bash`, `pull ${word(r)}:${r.below(20)}`])}`,
  (r) =>
    `kubectl ${r.pick(["apply -f", "describe pod", "logs", "rollout restart", "port-forward", "delete -f"])} ${slug(r)}${r.pick([".yaml", "", ` -n ${word(r)}`])}`,
  (r) =>
    `sudo ${r.pick(["apt update", `apt install ${slug(r)}`, `systemctl restart ${word(r)}`, `systemctl status ${slug(r)}`, `dnf install ${slug(r)}`, `service ${word(r)} restart`, "usermod -aG docker $USER", `chown -R $USER ${PLACE(r)}`])}`,
  (r) => `brew ${r.pick(["install", "upgrade", "tap"])} ${slug(r)}`,
  (r) => `cd ${PLACE(r)}`,
  (r) => `mkdir -p ${PLACE(r)}`,
  (r) => `${r.pick(["cp -r", "mv", "ln -s", "rsync -av", "diff -u"])} ${PLACE(r)} ${PLACE(r)}`,
  (r) =>
    `rm ${r.pick(["-rf", "-r", "-f"])} ${r.pick(["node_modules", "build", "target", slug(r)])}`,
  (r) => `ls ${r.pick(["-la", "-l", "-lh", ""])} ${PLACE(r)}`,
  (r) => `cat ${slug(r)}.${r.pick(["log", "txt", "md", "yml", "json"])}`,
  (r) => `tail -f ${r.pick(["/var/log/", "logs/", ""])}${slug(r)}.log`,
  (r) => `grep ${r.pick(["-r", "-n", "-i", "-rn"])} "${words(r, 2)}" ${PLACE(r)}`,
  (r) => `find ${PLACE(r)} -name '*.${r.pick(["ts", "py", "go", "rs", "c"])}'`,
  (r) => `tar ${r.pick(["xzf", "czf", "-xvf"])} ${slug(r)}.tar.gz`,
  (r) =>
    `curl ${r.pick(["-fsSL", "-O", "-L", "-i", "-X POST"])} https://${r.pick([hostName(r), `${word(r)}.org`, "localhost:8080"])}/${slug(r)}`,
  (r) => `wget https://${word(r)}.org/${slug(r)}.tar.gz`,
  (r) => `ssh ${r.pick([`${identifier(r)}@`, "-i key.pem ", ""])}${slug(r)}`,
  (r) => `scp ${slug(r)}.tgz ${identifier(r)}@${hostName(r)}:${r.pick(["~", "/opt/app", "."])}`,
  (r) =>
    `export ${word(r).toUpperCase()}=${r.pick([word(r), "$PWD", "/opt/x", '"$HOME/bin:$PATH"'])}`,
  (r) => `source ${r.pick(["~/.bashrc", ".venv/bin/activate", ".env"])}`,
  (r) => `chmod +x ${slug(r)}.sh`,
  (r) => `./${slug(r)}.sh${FLAG(r)}`,
  (r) => `echo "${words(r, 2)}"`,
  (r) => `sed -i 's/${word(r)}/${word(r)}/g' ${slug(r)}.txt`,
  (r) => `terraform ${r.pick(["init", "plan", "apply", "fmt"])}`,
  (r) => `psql -U ${word(r)} -d ${word(r)} -f ${slug(r)}.sql`,
  (r) => `openssl req -x509 -newkey rsa:2048 -keyout ${word(r)}.pem -days 365`,
  (r) => `ffmpeg -i ${slug(r)}.mp4 ${slug(r)}.webm`,
  (r) => `vim ${slug(r)}.conf`,
]

/** One command of a developer or operator. */
function command(random: Random): string {
  return oneOf(random, COMMANDS)
}

/** Several commands on one line, or each behind a prompt. */
function session(random: Random): string {
  const joint = random.pick([" && ", "; ", " && ", "\n", "\n", " || "])
  const prompt = joint === "\n" ? random.pick(["", "$ ", "# ", "> "]) : ""
  return random.many(random.between(1, 4), () => `${prompt}${command(random)}`, joint)
}

function shown(random: Random): string {
  const mark = random.pick(["`", "`", "`", "", "", '"', "'"])
  return `${mark}${random.chance(0.3) ? session(random) : command(random)}${mark}`
}

function instructions(random: Random): string {
  return oneOf(random, [
    (r) =>
      `${r.pick(["Run", "Try", "Use", "First,", "Then", "I did", "After", "Please run", "Just"])} ${shown(r)} ${r.pick(["and", "then", "before", "or", "to", "because", "in case"])} ${words(r, r.between(2, 6))}${r.pick([".", "", "; ", "!"])}`,
    (r) => `${sentence(r)} ${shown(r)}; ${words(r, 4)} ${shown(r)}.`,
    (r) => `${words(r, 3)}: ${shown(r)}${r.pick(["", `\n${words(r, 3)}: ${shown(r)}`])}`,
    (r) =>
      `${sentence(r)}\n\n\`\`\`${r.pick(["", "sh", "bash", "console"])}\n${session(r)}\n\`\`\`\n${sentence(r)}`,
    (r) => `1. ${shown(r)}\n2. ${shown(r)}\n3. ${words(r, 4)}`,
    (r) => `${r.pick(["fix", "docs", "ci", "build"])}(${word(r)}): ${words(r, 2)} ${shown(r)}`,
  ])
}

/** What people ask about commands that attackers like as well. */
function question(random: Random): string {
  const name = random.pick(
    "ls cat id whoami ping wget curl nc chmod rm kill ps find grep sudo cron bash sh uname powershell cmd ipconfig nslookup base64 netstat tar ssh echo sleep /dev/null /etc/passwd /etc/hosts 2>&1 && || ; | $PATH $? `` $()".split(
      " ",
    ),
  )
  return oneOf(random, [
    (r) =>
      `${r.pick(["what does", "how to use", "how do I install", "why is", "difference between", "meaning of", "what is"])} ${name} ${r.pick(["", "in bash", "on Windows", `and ${word(r)}`, "in a script", "mean"])}${r.pick(["?", ""])}`,
    (r) =>
      `${name} ${r.pick(["command not found", "permission denied", "is not recognized as an internal or external command", "tutorial", "example", "vs", "for windows", "options", "cheat sheet"])}${r.pick(["", ` ${word(r)}`])}`,
    (r) =>
      `${sentence(r)} ${r.pick(["The command", "The tool", "My script calls", "Typing"])} ${r.pick(["`", "", '"'])}${name}${r.pick(["`", "", '"'])} ${words(r, 5)}.`,
    (r) =>
      `bash: ${slug(r)}: ${r.pick(["command not found", "No such file or directory", "Permission denied"])}`,
  ])
}

function script(random: Random): string {
  return oneOf(random, [
    (r) =>
      `#!/bin/${r.pick(["sh", "bash"])}\nset -e\n${r.many(r.between(1, 5), () => command(r), "\n")}`,
    (r) =>
      `for ${word(r)} in ${r.pick(["*.txt", "$(ls)", "a b c", '"$@"', "$(seq 1 9)"])}; do ${command(r)}; done`,
    (r) =>
      `if [ ${r.pick(['-z "$1"', "-d dist", '"$CI" = true', "$# -lt 1"])} ]; then ${r.pick(["exit 1", 'echo "usage: $0 FILE"; exit 1', command(r)])}; fi`,
    (r) => `${word(r).toUpperCase()}=$(${command(r)})`,
    (r) => `alias ${identifier(r).slice(0, 3)}='${command(r)}'`,
    (r) =>
      `${r.pick(["*/5 * * * *", "0 3 * * 1", "@daily"])} ${r.pick(["/usr/bin/", "/opt/", ""])}${slug(r)}${r.pick([" > /dev/null 2>&1", ` >> /var/log/${word(r)}.log`, ""])}`,
  ])
}

function pipelineStep(random: Random): string {
  const [first, second] = [command(random), command(random)]
  return random.pick([
    `- run: ${first}`,
    `RUN ${first} \\\n && ${second}`,
    `"${word(random)}": "${first.replaceAll('"', "'")} && ${second.replaceAll('"', "'")}"`,
    `script:\n  - ${first}\n  - ${second}`,
    `ExecStart=/usr/bin/${slug(random)}${FLAG(random)}`,
    `sh '${first.replaceAll("'", "")}'`,
  ])
}

function powershellNote(random: Random): string {
  const line = random.pick([
    `Get-ChildItem -Path ${word(random)} -Filter *.txt`,
    "Set-ExecutionPolicy RemoteSigned",
    `Install-Module ${word(random)} -Scope CurrentUser`,
    "Get-Help Get-Process -Examples",
    `Import-Csv ${slug(random)}.csv | Sort-Object ${word(random)}`,
    `winget install ${slug(random)}`,
    `choco install ${slug(random)} -y`,
    'dir "C:\\Program Files"',
    `cd C:\\${word(random)} && npm start`,
    `copy ${slug(random)}.txt D:\\${word(random)}`,
    `set PATH=%PATH%;C:\\${word(random)}\\bin`,
    "ipconfig /flushdns",
    `net use Z: \\\\${word(random)}\\${word(random)}`,
  ])
  return random.chance(0.3)
    ? line
    : `${sentence(random)} ${random.pick(["`", "", "PS> "])}${line}${random.pick(["", "."])}`
}
