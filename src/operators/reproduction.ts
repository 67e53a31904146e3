import type { SimulationResult, SimulationSubject } from "../simulation-result.ts"

type Proof = NonNullable<SimulationResult["proof"]>

/**
 * What a person does to see it happen, without Sentinel's services and without a network. The payload
 * is given to `printf` in octal, so that neither a shell nor a terminal can be made to obey it.
 */
export function reproductionSteps(
  { class: simulated, location }: Pick<SimulationSubject, "class" | "location">,
  payload: string,
  { template, effect }: Proof,
): readonly string[] {
  const command = `./sentinel simulate --class ${simulated} --location=${quoted(printable(location))} -`
  return [
    `printf ${quoted(printfFormat(payload))} | ${command}`,
    `expect the effect ${effect} in the template ${template}`,
  ]
}

/** A format of POSIX printf that writes the very bytes of the text. */
function printfFormat(text: string): string {
  const escaped = (byte: number, index: number) => {
    const character = String.fromCharCode(byte)
    // a format that begins with a dash would be read as an option
    const isPlain = index === 0 ? /[A-Za-z0-9]/ : /[A-Za-z0-9 _.,:;=()<>/*|&$#@!?+[\]{}~^"-]/
    if (isPlain.test(character)) return character
    if (character === "%") return "%%"
    return `\\${byte.toString(8).padStart(3, "0")}`
  }
  return Array.from(Buffer.from(text), escaped).join("")
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?")
}

/** One word of a POSIX shell, whatever the text. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
