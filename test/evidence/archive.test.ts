import { describe, expect, test } from "bun:test"
import { gzipSync } from "node:zlib"
import fc from "fast-check"
import { ArchiveRefusedError } from "../../src/errors.ts"
import {
  ARCHIVE_BYTES_MAX,
  ARCHIVE_MEMBERS_MAX,
  isGzip,
  unpackArchive,
} from "../../src/evidence/archive.ts"
import { failure, sha256, type TarEntry, tarGz } from "./sample-evidence.ts"

const REFUSED = "ARCHIVE_REFUSED evidence"

describe("unpackArchive", () => {
  test("unpackArchive gives files by path with their digests and keeps what is read", async () => {
    const long = "x".repeat(100_000)
    const files = await unpackArchive(
      await tarGz([
        [{ name: "./session.har" }, "{}"],
        [{ name: "payloads/", type: "directory" }],
        [{ name: "payloads/payload_001.txt" }, long],
        [{ name: "core.dump" }, "y"],
        [{ name: "behavior.json" }, ""],
      ]),
    )
    expect([...files.keys()]).toEqual([
      "session.har",
      "payloads/payload_001.txt",
      "core.dump",
      "behavior.json",
    ])
    expect(files.get("session.har")?.bytes?.toString()).toBe("{}")
    expect(files.get("payloads/payload_001.txt")?.sha256).toBe(sha256(long))
    expect(files.get("payloads/payload_001.txt")?.bytes?.byteLength).toBe(65_536)
    expect(files.get("core.dump")).toEqual({ sha256: sha256("y"), bytes: undefined })
  })

  const ENTRIES: readonly (readonly [what: string, entries: readonly TarEntry[]])[] = [
    ["a path that climbs out", [[{ name: "payloads/../../session.har" }, "{}"]]],
    ["an absolute path", [[{ name: "/etc/passwd" }, "x"]]],
    ["a Windows path that climbs out", [[{ name: "a\\..\\..\\b" }, "x"]]],
    ["a drive letter", [[{ name: "C:evil" }, "x"]]],
    ["a symbolic link", [[{ name: "a", type: "symlink", linkname: "session.har" }]]],
    ["a hard link", [[{ name: "a", type: "link", linkname: "session.har" }]]],
    ["a character device", [[{ name: "a", type: "character-device" }]]],
    ["a block device", [[{ name: "a", type: "block-device" }]]],
    ["a named pipe", [[{ name: "a", type: "fifo" }]]],
    [
      "two members of one path",
      [
        [{ name: "session.har" }, "{}"],
        [{ name: "./session.har" }, "[]"],
      ],
    ],
  ]
  test.each(ENTRIES)("unpackArchive refuses %s", async (_, entries) => {
    const archive = await tarGz([[{ name: "metadata.json" }, "{}"], ...entries])
    expect(await failure(() => unpackArchive(archive))).toBe(REFUSED)
  })

  test("unpackArchive refuses at once what stands between larger members, without reading on", async () => {
    const large = "x".repeat(300_000)
    for (const before of ["{}", large]) {
      const archive = await tarGz([
        [{ name: "session.har" }, before],
        [{ name: "../outside.txt" }, "escaped"],
        [{ name: "payloads/payload_001.txt" }, large],
      ])
      expect(await failure(() => unpackArchive(archive))).toBe(REFUSED)
    }
  })

  test("unpackArchive takes the bound of members and not one more", async () => {
    const entries = (count: number) =>
      Array.from({ length: count }, (_, index): TarEntry => [{ name: `m${index}` }, "x"])
    const full = await unpackArchive(await tarGz(entries(ARCHIVE_MEMBERS_MAX)))
    expect(full.size).toBe(ARCHIVE_MEMBERS_MAX)
    const over = await tarGz(entries(ARCHIVE_MEMBERS_MAX + 1))
    expect(await failure(() => unpackArchive(over))).toBe(REFUSED)
  })

  // 1 GiB of zeros after one header: the whole of it would be inflated if only members were counted.
  test("unpackArchive stops inflating a bomb at its bound", async () => {
    const bomb = Buffer.concat(
      Array.from({ length: 64 }, () => gzipSync(Buffer.alloc(16 << 20), { level: 1 })),
    )
    const before = process.memoryUsage().rss
    expect(await failure(() => unpackArchive(bomb))).toBe(REFUSED)
    expect(process.memoryUsage().rss - before).toBeLessThan(1.5 * ARCHIVE_BYTES_MAX)
  }, 20_000)

  test("unpackArchive refuses a cut, damaged or empty file with the same code", async () => {
    const good = await tarGz([[{ name: "session.har" }, "x".repeat(5_000)]])
    const refused = [good.subarray(0, 60), good.subarray(0, -12), gzipSync("no tar".repeat(500))]
    for (const bytes of [...refused, new Uint8Array([0x1f, 0x8b, 8])]) {
      expect(await failure(() => unpackArchive(bytes))).toBe(REFUSED)
    }
  })

  test("unpackArchive answers any damage with a refusal or with files, never otherwise", async () => {
    const good = await tarGz([
      [{ name: "session.har" }, "{}"],
      [{ name: "a/b.txt" }, "text"],
    ])
    const raw = Bun.gunzipSync(new Uint8Array(good))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(raw.length - 1),
        fc.integer({ min: 0, max: 255 }),
        async (at, byte) => {
          const damaged = raw.slice()
          damaged[at] = byte
          await unpackArchive(gzipSync(damaged)).catch((error: unknown) => {
            expect(error).toBeInstanceOf(ArchiveRefusedError)
          })
        },
      ),
      { numRuns: 200 },
    )
  })

  test("unpackArchive stops when its signal does", async () => {
    const archive = await tarGz([[{ name: "session.har" }, "{}"]])
    const aborted = AbortSignal.abort(new Error("drained"))
    await expect(unpackArchive(archive, aborted)).rejects.toThrow("drained")
  })

  test("isGzip tells an archive by its first bytes", async () => {
    expect(isGzip(await tarGz([]))).toBe(true)
    expect(isGzip(Buffer.from("{}"))).toBe(false)
    expect(isGzip(new Uint8Array())).toBe(false)
  })
})
