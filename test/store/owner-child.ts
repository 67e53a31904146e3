import { ownDataDirectory } from "../../src/store/data-directory.ts"

// Owns the directory until it is killed.
ownDataDirectory(process.argv[2] ?? "").announce({ host: "127.0.0.1", port: 8003 })
Bun.gc(true)
process.stdout.write("owned\n")
// Lives as long as its standard input: never longer than the test.
process.stdin.on("end", () => process.exit()).resume()
