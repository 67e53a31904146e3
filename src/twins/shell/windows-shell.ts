const COMMANDS = [
  "cmd(?:\\.exe)?\\s{0,4}/[a-z]",
  "(?:powershell|pwsh)(?:\\.exe)?\\b",
  "(?:dir|ver|vol|ipconfig|systeminfo|tasklist|wmic|certutil|bitsadmin|mshta|rundll32)\\b",
  "(?:regsvr32|findstr|schtasks|taskkill|cscript|wscript|whoami\\s{0,4}/)",
  "type\\s{1,4}(?:[a-z]:|%|\\S{0,64}[\\\\.])",
  "net\\s{1,4}(?:user|localgroup|group|share|view|use|start|stat)",
  "(?:reg|sc)\\s{1,4}(?:query|add|delete)",
  "(?:copy|move|del|erase|rd|start|timeout)\\s{1,4}(?:/|[a-z]:|%)",
].join("|")
const AFTER_SEPARATOR = new RegExp(`(?:^|[&|;\\n(\`'"])[\\s@^]{0,8}(?:${COMMANDS})`, "i")
const POWERSHELL =
  /\b(?:Get|Set|New|Start|Invoke|Out|Write|Add|Remove|ConvertTo)-[A-Z][A-Za-z]{2,20}\b|\biex\s{0,4}\(|\[System\.|-enc(?:odedcommand)?\s/i
const VARIABLE = /[&|].{0,200}(?:%(?:\w{2,20})(?::~[-\d,]{1,9})?%|\^\w)/s

/** Whether a text is written for cmd.exe or PowerShell, which no twin is. */
export function isWindowsShell(payload: string): boolean {
  return AFTER_SEPARATOR.test(payload) || POWERSHELL.test(payload) || VARIABLE.test(payload)
}
