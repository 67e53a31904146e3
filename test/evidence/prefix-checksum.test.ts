import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { joinedChoices, permutations } from "../../src/evidence/permutations.ts"
import { matchPrefixChecksum, type PrefixFile } from "../../src/evidence/prefix-checksum.ts"
import { sha256, utf8 } from "./sample-evidence.ts"

const file = (path: string, modifiedMs = 0): PrefixFile => ({
  key: `e-1/${path}`,
  path,
  bytes: utf8(`content of ${path}`),
  modifiedMs,
})

const checksum = (files: readonly PrefixFile[]) =>
  sha256(files.map(({ bytes }) => sha256(bytes)).join(""))

const ROOT = ["session.har", "metadata.json", "behavior.json"].map((path) => file(path))
const PAYLOADS = ["payloads/payload_001.txt", "payloads/payload_002.txt"].map((path) => file(path))
const many = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    file(`payloads/p${String(index).padStart(3, "0")}.txt`),
  )

describe("matchPrefixChecksum", () => {
  test("matchPrefixChecksum finds any order within the groups", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(ROOT, { minLength: 1 }),
        fc.shuffledSubarray(PAYLOADS),
        async (root, payloads) => {
          const listed = [...root, ...payloads].toSorted((left, right) =>
            left.key < right.key ? -1 : 1,
          )
          expect(await matchPrefixChecksum(listed, checksum([...root, ...payloads]))).toBe(
            "matches",
          )
        },
      ),
    )
  })

  test("matchPrefixChecksum knows no order with payloads before the root", async () => {
    const files = [...ROOT, ...PAYLOADS]
    expect(await matchPrefixChecksum(files, checksum([...PAYLOADS, ...ROOT]))).toBe("differs")
  })

  test("matchPrefixChecksum refuses one changed byte", async () => {
    const [first, ...others] = [...ROOT, ...PAYLOADS]
    const changed = { ...(first as PrefixFile), bytes: utf8("content of session.haR") }
    expect(await matchPrefixChecksum([changed, ...others], checksum([...ROOT, ...PAYLOADS]))).toBe(
      "differs",
    )
  })

  test("matchPrefixChecksum ignores what the producer's walk does not know", async () => {
    const files = [...ROOT, file("payloads/deeper/x.txt"), file("other/y.txt")]
    expect(await matchPrefixChecksum(files, checksum(ROOT))).toBe("matches")
  })

  // Goal: the largest group that is searched completely, and how long its failure may take.
  test("matchPrefixChecksum tries every order of six and six within seconds", async () => {
    const root = Array.from({ length: 6 }, (_, index) => file(`r${index}`))
    const payloads = many(6)
    const order = [
      ...root.toReversed().toSpliced(1, 1),
      root[4] as PrefixFile,
      ...payloads.toReversed(),
    ]
    expect(await matchPrefixChecksum([...root, ...payloads], checksum(order))).toBe("matches")
    expect(await matchPrefixChecksum([...root, ...payloads], "0".repeat(64))).toBe("differs")
  }, 20_000)

  const MANY = many(40)
  const byTime = MANY.map((entry, index) => ({ ...entry, modifiedMs: (index * 17) % 40 }))
  test.each([
    ["key order", MANY, MANY],
    ["reverse key order", MANY, MANY.toReversed()],
    [
      "last-modified order",
      byTime,
      byTime.toSorted((left, right) => left.modifiedMs - right.modifiedMs),
    ],
  ])("matchPrefixChecksum finds more than six payloads in %s", async (_, files, order) => {
    const root = ROOT.toReversed()
    expect(await matchPrefixChecksum([...ROOT, ...files], checksum([...root, ...order]))).toBe(
      "matches",
    )
  })

  test("matchPrefixChecksum permutes the ties of a large group", async () => {
    const files = MANY.map((entry, index) => ({ ...entry, modifiedMs: index < 3 ? 5 : 10 + index }))
    const [first, second, third, ...rest] = files as [PrefixFile, PrefixFile, PrefixFile]
    const order = [third, first, second, ...rest]
    expect(await matchPrefixChecksum([...ROOT, ...files], checksum([...ROOT, ...order]))).toBe(
      "matches",
    )
  })

  test("matchPrefixChecksum is undecided where it cannot try every order", async () => {
    expect(await matchPrefixChecksum([...ROOT, ...many(7)], "0".repeat(64))).toBe("undecided")
    const ties = [...many(1_000), ...ROOT]
    expect(await matchPrefixChecksum(ties, "0".repeat(64))).toBe("undecided")
  }, 20_000)
})

test("permutations gives each of n! orders once, the given one first", () => {
  const orders = [...permutations([1, 2, 3, 4])].map((order) => order.join(""))
  expect(orders[0]).toBe("1234")
  expect(new Set(orders).size).toBe(24)
})

test("joinedChoices joins one alternative of each list", () => {
  expect(
    [...joinedChoices([[["a"], ["b"]], [["c"]], [["d", "e"], ["f"]]])].map((choice) =>
      choice.join(""),
    ),
  ).toEqual(["acde", "bcde", "acf", "bcf"])
})
