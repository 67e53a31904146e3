import { escapeMarkup } from "./chart.ts"
import { type Table, visible } from "./tables.ts"

export interface EvaluationPage {
  readonly title: string
  readonly tables: readonly Table[]
  /** SVG by name, made by this program. */
  readonly charts: Readonly<Record<string, string>>
}

const STYLE = `
:root { color-scheme: light; }
body { margin: 2rem auto; max-width: 100rem; padding: 0 1.5rem; color: #24292f; background: #fff;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2.5rem 0 0.25rem; }
h2::first-letter { text-transform: uppercase; }
p { margin: 0 0 0.5rem; color: #57606a; max-width: 60rem; }
figure { margin: 0; } figure svg { width: 31rem; max-width: 100%; height: auto; } .charts { display: flex; flex-wrap: wrap; gap: 1rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.9rem 0.3rem 0; text-align: left; border-bottom: 1px solid #dfe3e8; vertical-align: top;
  white-space: nowrap; }
.texts td:last-child { white-space: pre-wrap; overflow-wrap: anywhere; }
th { font-weight: 600; }
`

/**
 * A report as one HTML document that needs nothing else. Its cells may hold payloads, so all text
 * is escaped, and a policy forbids scripts and fetching even to what would slip through.
 */
export function renderPage({ title, tables, charts }: EvaluationPage): string {
  const styleSha256 = new Bun.CryptoHasher("sha256").update(STYLE).digest("base64")
  const policy = `default-src 'none'; style-src 'sha256-${styleSha256}'; base-uri 'none'; form-action 'none'`
  const figures = Object.values(charts).map((svg) => `<figure>${svg}</figure>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${safe(title)}</h1>
<div class="charts">
${figures.join("\n")}
</div>
${tables.map(renderSection).join("\n")}
</body>
</html>
`
}

function renderSection({ title, note, rows, endsInTexts }: Table): string {
  const [head = [], ...body] = rows
  const explanation = note === undefined ? "" : `<p>${safe(note)}</p>\n`
  return `<section>
<h2>${safe(title)}</h2>
${explanation}<div class="${endsInTexts === true ? "table texts" : "table"}"><table>
<thead>${renderRow(head, "th")}</thead>
<tbody>
${body.map((row) => renderRow(row, "td")).join("\n")}
</tbody>
</table></div>
</section>`
}

function renderRow(cells: readonly string[], element: "th" | "td"): string {
  return `<tr>${cells.map((cell) => `<${element}>${safe(cell)}</${element}>`).join("")}</tr>`
}

/** Invisible and direction-changing characters are shown by name, so that no text reads as other. */
function safe(raw: string): string {
  return escapeMarkup(visible(raw))
}
