import { realpath } from "node:fs/promises"
import { SandboxUnavailableError } from "../../errors.ts"

const OUTPUT_CHARACTERS_MAX = 65_536

/**
 * What a program needs to start: its loader and its libraries, as `ldd` resolves them here.
 * @returns files of this machine by the path under which the program looks for them
 * @throws SandboxUnavailableError where `ldd` is missing or a library is not found
 */
export async function sharedLibraries(program: string): Promise<ReadonlyMap<string, string>> {
  const output = (await runLdd(program)).slice(0, OUTPUT_CHARACTERS_MAX)
  if (output.includes("not found")) {
    throw new SandboxUnavailableError("a library of a program in the image is missing")
  }
  const paths = output.matchAll(/(?:=> |^\s+)(\/\S{1,255}) \(0x[0-9a-f]{1,16}\)$/gm)
  const found = new Map<string, string>()
  for (const [, path = ""] of paths) found.set(path, await realpath(path))
  return found
}

async function runLdd(program: string): Promise<string> {
  try {
    const ldd = Bun.spawn(["ldd", program], { stdin: "ignore", stderr: "ignore" })
    return await new Response(ldd.stdout).text()
  } catch (error) {
    throw new SandboxUnavailableError(
      "ldd, which tells what a program needs, could not be started",
      error,
    )
  }
}
