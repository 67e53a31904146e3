import { describe, expect, test } from "bun:test"
import { isEventHandler } from "../../../src/twins/dom/event-handlers.ts"

describe("isEventHandler", () => {
  test.each([
    ["onclick", "p"],
    ["onload", "svg"],
    ["onload", "body"],
    ["onerror", "img"],
    ["onstart", "marquee"],
    ["onbegin", "animateTransform"],
    ["ONFOCUS", "INPUT"],
    ["onhashchange", "body"],
    ["ontoggle", "details"],
    ["oncanplay", "video"],
  ])("is true of %p on %p", (attribute, element) => {
    expect(isEventHandler(attribute, element)).toBe(true)
  })

  test.each([
    ["onload", "p"],
    ["onerror", "b"],
    ["onfoo", "img"],
    ["on", "img"],
    ["onstart", "p"],
    ["click", "p"],
    ["once", "p"],
    ["onconstructor", "p"],
  ])("is false of %p on %p, which no browser calls", (attribute, element) => {
    expect(isEventHandler(attribute, element)).toBe(false)
  })
})
