import { describe, expect, test } from "bun:test"
import { isClean, readLabelledFile } from "../../../src/ml/evaluation/labelled-payloads.ts"

const SOURCE = { source: "list" }

describe("isClean", () => {
  test.each([
    ["; cat {file}", "command_injection"],
    ["Exploit Description: This vector uses an image tag.", "xss"],
    ["-- -\tSQL comment", "sql_injection"],
    ["  ", "benign"],
    ["|ping -n 9 127.0.0.1|rem", "benign"],
    ["1 order by 20", "benign"],
  ] as const)("leaves %j out as %s", (text, label) => {
    expect(isClean({ text, label, ...SOURCE })).toBe(false)
  })

  test.each([
    ["; cat /etc/passwd", "command_injection"],
    ["<img src=x\tonerror=alert(1)>", "xss"],
    ["1\tunion\tselect\t1", "sql_injection"],
    ["ping me when you are back", "benign"],
    [
      "sort the results with order by 20 at the end of a statement that selects from a table",
      "benign",
    ],
  ] as const)("keeps %j as %s", (text, label) => {
    expect(isClean({ text, label, ...SOURCE })).toBe(true)
  })
})

test("readLabelledFile names the file that is not there, and not where it would be", async () => {
  const reading = readLabelledFile("/no/such/folder/train.jsonl.gz")
  await expect(reading).rejects.toThrow(/^file unreadable: train.jsonl.gz$/)
})
