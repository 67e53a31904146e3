import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { escapeMarkup, renderChart } from "../../../src/commands/evaluation/chart.ts"
import { renderPage } from "../../../src/commands/evaluation/page.ts"
import { renderTables, visible } from "../../../src/commands/evaluation/tables.ts"

const AXIS = { label: "x", from: 0, to: 1, ticks: [0, 1], format: String }

/** Names of the elements that a parser finds, in order. */
function elementsOf(html: string): readonly string[] {
  const names: string[] = []
  const rewriter = new HTMLRewriter().on("*", {
    element(element) {
      names.push(element.tagName)
    },
  })
  rewriter.transform(html)
  return names
}

describe("renderPage", () => {
  const pageOf = (cell: string) =>
    renderPage({
      title: cell,
      tables: [{ title: cell, note: cell, rows: [["a"], [cell]] }],
      charts: {
        one: renderChart({
          title: cell,
          x: { ...AXIS, label: cell },
          y: AXIS,
          series: [{ name: cell, points: [[0, 1]] }],
        }),
      },
    })

  test("renderPage has the same elements whatever the payloads in it are", () => {
    const elements = elementsOf(pageOf("quiet"))
    expect(elements).not.toContain("script")
    const markup = fc.constantFrom(
      "<script>",
      "</td>",
      "</style>",
      "<!--",
      "-->",
      "]]>",
      "'",
      '"',
      "&lt;",
      "</title>",
    )
    const hostile = fc.array(fc.oneof(markup, fc.string({ unit: "binary" })), { maxLength: 6 })
    fc.assert(
      fc.property(hostile, (parts) => {
        expect(elementsOf(pageOf(parts.join("")))).toEqual(elements)
      }),
      { numRuns: 50 },
    )
  })

  test("renderPage forbids scripts and fetching, and its style is the one that the policy names", () => {
    const page = pageOf("x")
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1] ?? ""
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? ""
    const sha256 = new Bun.CryptoHasher("sha256").update(style).digest("base64")
    expect(policy).toStartWith("default-src 'none'; ")
    expect(policy).toContain(`style-src 'sha256-${sha256}'`)
    expect(page).not.toMatch(/\sstyle="|\son\w+="|https?:(?!\/\/www\.w3\.org\/2000\/svg)/)
  })
})

describe("renderTables", () => {
  test("renderTables and visible let no control, format or direction character reach a terminal", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = renderTables([{ title: "t", rows: [["head"], [`\u001b[2J\u202e${text}`]] }])
        expect(shown.replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
        expect(shown.split("\n")).toHaveLength(4)
      }),
    )
    expect(visible("a\u0000\ud800é漢")).toBe("a\\u{0}\\u{d800}é漢")
  })
})

describe("renderChart", () => {
  test("renderChart draws what lies within its axes and nothing beyond", () => {
    const chart = renderChart({
      title: "t",
      x: { ...AXIS, from: 0.01, isLogarithmic: true },
      y: AXIS,
      series: [
        {
          name: "s",
          points: [
            [0.001, 0.5],
            [0.1, 0.5],
            [1, 2],
          ],
          isDotted: true,
        },
      ],
    })
    const dots = [...chart.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map((dot) =>
      dot.slice(1).map(Number),
    )
    // 0.1 is half way from 0.01 to 1 on a scale of decades; the second dot is the legend's.
    expect(dots).toEqual([
      [267, 204],
      [501, 60],
    ])
  })

  test("escapeMarkup leaves none of the five", () => {
    expect(escapeMarkup(`<a href="x" b='y'>&amp;`)).toBe(
      "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;",
    )
  })
})
