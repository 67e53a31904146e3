import { expect, test } from "bun:test"
import fc from "fast-check"
import { parseTimestamp } from "../../src/evidence/timestamp.ts"

test.each([
  ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"],
  ["2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"],
  ["2026-01-02 03:04:05.678901", "2026-01-02T03:04:05.678Z"],
  ["2026-01-02T03:04:05.6+01:30", "2026-01-02T01:34:05.600Z"],
  ["2026-01-02T03:04:05-0800", "2026-01-02T11:04:05.000Z"],
  ["2026-01-02T03:04", "2026-01-02T03:04:00.000Z"],
  ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ["0001-01-01T00:00:00", "0001-01-01T00:00:00.000Z"],
])("parseTimestamp reads %s, without a zone as UTC", (text, iso) => {
  expect(parseTimestamp(text)).toBe(Date.parse(iso))
})

test.each([
  "",
  "now",
  "1700000000",
  "2026-13-01",
  "2025-02-29",
  "2026-01-02T24:00:00",
  "2026-01-02T03:60:00",
  "2026-01-02T03:04:05+25:00",
  "2026-01-02T03:04:05 UTC",
  " 2026-01-02",
])("parseTimestamp refuses %j", (text) => {
  expect(parseTimestamp(text)).toBeUndefined()
})

test("parseTimestamp agrees with Date on every time that Date writes", () => {
  const time = fc.date({
    min: new Date("0001-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59Z"),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(time, (date) => {
      expect(parseTimestamp(date.toISOString())).toBe(date.getTime())
    }),
  )
})
