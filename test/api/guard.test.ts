import { expect, test } from "bun:test"
import fc from "fast-check"
import { checkBinding, isLoopback } from "../../src/api/guard.ts"

test("isLoopback knows every address of 127/8 and no other IPv4 address", () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(isLoopback(address)).toBe(address.startsWith("127."))
    }),
  )
  expect(isLoopback("127.0.0.1")).toBe(true)
  expect(isLoopback("127.0.0.01")).toBe(false)
})

test("isLoopback takes a domain for loopback only if it is localhost", () => {
  fc.assert(fc.property(fc.domain(), (domain) => expect(isLoopback(domain)).toBe(false)))
  expect(isLoopback("localhost")).toBe(true)
})

test("checkBinding names the variable that is missing", () => {
  expect(() => checkBinding({ host: "0.0.0.0", apiToken: undefined })).toThrow("SENTINEL_API_TOKEN")
  expect(() => checkBinding({ host: "0.0.0.0", apiToken: "t" })).not.toThrow()
  expect(() => checkBinding({ host: "::1", apiToken: undefined })).not.toThrow()
})
