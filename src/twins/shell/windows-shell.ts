/** What follows a command that is a word of other languages too. */
const ENDS = "(?=\\s{0,4}(?:$|[&|;)'\"`\\n/\\\\]|[a-z]:))"
const COMMANDS = [
  "cmd(?:\\.exe)?\\s{0,4}/[acdekqrsuv]\\b",
  "(?:powershell|pwsh)(?:\\.exe)?(?=\\s|$)",
  `(?:dir|ver|vol)${ENDS}`,
  "(?:ipconfig|systeminfo|tasklist|wmic|certutil|bitsadmin|mshta|rundll32|regsvr32|findstr|schtasks|taskkill|cscript|wscript)(?:\\.exe)?(?=$|[\\s&|;)'\"`/])",
  "whoami\\s{0,4}/[a-z]",
  "ping\\s{1,4}-n\\s{1,4}\\d",
  "type\\s{1,4}(?:[a-z]:|%|\\S{0,64}\\\\)",
  "net\\s{1,4}(?:user|localgroup|group|share|view|use|start|stat)\\b",
  "(?:reg|sc)\\s{1,4}(?:query|add|delete)\\b",
  "(?:copy|move|del|erase|rd|start|timeout)\\s{1,4}(?:/[a-z]\\b|[a-z]:|%|\\S{1,64}\\.exe\\b)",
  "start\\s{1,4}(?:calc|notepad|https?:)",
  "echo\\s.{0,64}>\\s{0,4}[a-z]:\\\\",
].join("|")
const AFTER_SEPARATOR = new RegExp(`(?:^|[&|;\\n(\`'"])[\\s@]{0,8}(?:${COMMANDS})`, "i")
/** `w^hoami`: cmd.exe drops the caret, and no other shell does. */
const BROKEN_WORD = /[&|;\n(`'"]\s{0,4}[a-z]{1,12}\^[a-z]/i
/** Cmdlets as they are written; in other writings they are words of an address. */
const POWERSHELL =
  /\b(?:Get|Set|New|Start|Stop|Invoke|Out|Write|Add|Remove|ConvertTo|Import)-(?:Process|Child[Ii]tem|Item(?:Property)?|Content|Service|Object|Web[Rr]equest|Expression|Rest[Mm]ethod|Command|Sleep|Host|Output|String|File|Location|Wmi[Oo]bject|CimInstance|Computer\w{0,16}|Net\w{1,24}|Local\w{1,16}|MpPreference|ExecutionPolicy|Job|Null|Module|Type|Member|Alias|History|Acl|EventLog|HotFix|AD\w{1,16})\b|\b[iI][eE][xX]\s{0,4}\(|\[System\.|-enc(?:odedcommand)?\s{1,4}[A-Za-z0-9+/=]{8}/
const VARIABLE =
  /%(?:comspec|systemroot|systemdrive|windir|te?mp|username|userprofile|userdomain|computername|pathext|path|os|appdata|localappdata|programfiles|programdata|public|homedrive|homepath|logonserver|cd|random|errorlevel|processor_\w{1,20}|\w{2,20}:~-?\d{1,4}(?:,-?\d{1,4})?)%/i

/** Whether a text is written for cmd.exe or PowerShell, which no twin is. */
export function isWindowsShell(payload: string): boolean {
  const decoded = payload
    .replaceAll("+", " ")
    .replace(/%[0-7][0-9a-f]/gi, (text) => String.fromCharCode(Number.parseInt(text.slice(1), 16)))
  return (
    BROKEN_WORD.test(decoded) ||
    AFTER_SEPARATOR.test(decoded.replace(/\^|""/g, "")) ||
    POWERSHELL.test(decoded) ||
    VARIABLE.test(payload)
  )
}
