import { proberRequest, proberSandbox } from "./laboratory.ts"

/** Holds busy hosts until it is killed: `bun panic-child.ts MODE STATE_DIRECTORY COUNT [DOCKER_HOST]`. */
const [mode = "", stateDirectory = "", count = "1", dockerHost] = process.argv.slice(2)

const sandbox = proberSandbox({
  mode: mode === "docker" ? "docker" : "bubblewrap",
  ...{ stateDirectory, dockerHost },
})
await sandbox.ready()
for (let number = 0; number < Number(count); number++) {
  void sandbox.run(proberRequest({ op: "hang" }), { timeoutMs: 300_000 }).catch(() => undefined)
}
while (Object.values(sandbox.pool()).every(({ busy }) => busy < Number(count))) await Bun.sleep(10)
await Bun.sleep(200) // until the last of them was started
process.stdout.write("busy\n")
await Bun.stdin.text() // a test that fails lets it go
process.exit()
