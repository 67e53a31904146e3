/** One direction of a chart: what lies outside `from`..`to` is not drawn. */
export interface Axis {
  readonly label: string
  readonly from: number
  readonly to: number
  readonly ticks: readonly number[]
  readonly isLogarithmic?: boolean
  readonly format: (value: number) => string
}

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Drawn as dots, not as a line. */
  readonly isDotted?: boolean
  /** Thin and grey: something to compare the others with. */
  readonly isReference?: boolean
}

export interface Chart {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

const WIDTH = 640
const HEIGHT = 420
const PLOT = { left: 64, right: 470, top: 44, bottom: 364 }
const LEGEND = { left: 492, top: 60, step: 22 }
/** Told apart by readers who see few colours as well: they differ in lightness too. */
const COLORS = ["#1b4f9c", "#c8442b", "#2c8a5f", "#8d5bb0", "#c98a12"] as const
const REFERENCE_COLOR = "#8a8f98"
const INK = "#24292f"
const GRID = "#dfe3e8"
const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

/** Draws a chart as an SVG document: no scripts, no styles, nothing fetched. */
export function renderChart(chart: Chart): string {
  const { title, x, y, series } = chart
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(title, { x: PLOT.left, y: 24, size: 15, weight: "600" }),
    ...x.ticks.map((tick) => verticalLine(tick, x)),
    ...y.ticks.map((tick) => horizontalLine(tick, y)),
    text(x.label, { x: middle(PLOT.left, PLOT.right), y: HEIGHT - 16, anchor: "middle" }),
    sideways(y.label),
    ...series.map((one, index) => curve(one, colorOf(one, index), chart)),
    ...series.map((one, index) => legendEntry(one, colorOf(one, index), index)),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="${FONT}">\n<title>${escapeMarkup(title)}</title>\n${parts.join("\n")}\n</svg>\n`
}

/** Text as content or attribute of HTML and XML. */
export function escapeMarkup(raw: string): string {
  return raw
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
}

function colorOf({ isReference }: Series, index: number): string {
  return isReference === true ? REFERENCE_COLOR : (COLORS[index % COLORS.length] ?? INK)
}

function curve({ points, isDotted, isReference }: Series, color: string, { x, y }: Chart): string {
  const places = points
    .filter(([across, up]) => isWithin(across, x) && isWithin(up, y))
    .map(([across, up]) => [placeX(across, x), placeY(up, y)] as const)
  if (isDotted === true) {
    return places
      .map(([left, top]) => `<circle cx="${left}" cy="${top}" r="4" fill="${color}"/>`)
      .join("")
  }
  const style =
    isReference === true ? 'stroke-width="1" stroke-dasharray="4 4"' : 'stroke-width="2"'
  const path = places.map((place) => place.join(",")).join(" ")
  return `<polyline points="${path}" fill="none" stroke="${color}" ${style} stroke-linejoin="round"/>`
}

function legendEntry({ name, isDotted }: Series, color: string, index: number): string {
  const top = LEGEND.top + index * LEGEND.step
  const mark =
    isDotted === true
      ? `<circle cx="${LEGEND.left + 9}" cy="${top}" r="4" fill="${color}"/>`
      : `<line x1="${LEGEND.left}" y1="${top}" x2="${LEGEND.left + 18}" y2="${top}" stroke="${color}" stroke-width="2"/>`
  return mark + text(name, { x: LEGEND.left + 26, y: top + 4 })
}

function verticalLine(tick: number, axis: Axis): string {
  const left = placeX(tick, axis)
  const line = `<line x1="${left}" y1="${PLOT.top}" x2="${left}" y2="${PLOT.bottom}" stroke="${GRID}"/>`
  return line + text(axis.format(tick), { x: left, y: PLOT.bottom + 18, anchor: "middle" })
}

function horizontalLine(tick: number, axis: Axis): string {
  const top = placeY(tick, axis)
  const line = `<line x1="${PLOT.left}" y1="${top}" x2="${PLOT.right}" y2="${top}" stroke="${GRID}"/>`
  return line + text(axis.format(tick), { x: PLOT.left - 8, y: top + 4, anchor: "end" })
}

function sideways(label: string): string {
  const [left, top] = [18, middle(PLOT.top, PLOT.bottom)]
  return `<text x="${left}" y="${top}" font-size="12" fill="${INK}" text-anchor="middle" transform="rotate(-90 ${left} ${top})">${escapeMarkup(label)}</text>`
}

interface TextPlace {
  readonly x: number
  readonly y: number
  readonly size?: number
  readonly weight?: string
  readonly anchor?: "start" | "middle" | "end"
}

function text(content: string, place: TextPlace): string {
  const { x, y, size = 12, weight = "400", anchor = "start" } = place
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${INK}" text-anchor="${anchor}">${escapeMarkup(content)}</text>`
}

function placeX(value: number, axis: Axis): number {
  return rounded(PLOT.left + share(value, axis) * (PLOT.right - PLOT.left))
}

function placeY(value: number, axis: Axis): number {
  return rounded(PLOT.bottom - share(value, axis) * (PLOT.bottom - PLOT.top))
}

/** How far along its axis a value lies, 0..1. */
function share(value: number, { from, to, isLogarithmic }: Axis): number {
  if (isLogarithmic !== true) return (value - from) / (to - from)
  return Math.log(value / from) / Math.log(to / from)
}

function isWithin(value: number, { from, to }: Axis): boolean {
  return value >= from && value <= to
}

function middle(from: number, to: number): number {
  return (from + to) / 2
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
