import { SharedArray } from "k6/data"
import exec from "k6/execution"
import http from "k6/http"

// Requests at a constant rate: URL, MODE (cached or uncached), TEXTS, RATE per second, SECONDS.
const { URL, MODE, TEXTS, RATE, SECONDS } = __ENV
const HOT = 20

const texts = new SharedArray("texts", () => open(TEXTS).trimEnd().split("\n"))

export const options = {
  scenarios: {
    constant: {
      executor: "constant-arrival-rate",
      rate: Number(RATE),
      duration: `${SECONDS}s`,
      preAllocatedVUs: 20,
      maxVUs: 200,
    },
  },
  discardResponseBodies: true,
  summaryTrendStats: ["med", "p(99)"],
}

// biome-ignore lint/style/noDefaultExport: that is what k6 calls
export default function ask() {
  const turn = exec.scenario.iterationInTest
  const text =
    MODE === "cached" ? texts[turn % HOT] : `${texts[turn % texts.length]} k6-${RATE}-${turn}`
  http.post(URL, `{"payload":"${text}"}`, { headers: { "content-type": "application/json" } })
}

export function handleSummary({ metrics }) {
  return {
    stdout: JSON.stringify({
      requests: metrics.http_reqs.values.count,
      failed: metrics.http_req_failed.values.passes,
      dropped: metrics.dropped_iterations?.values.count ?? 0,
      p50: metrics.http_req_duration.values.med,
      p99: metrics.http_req_duration.values["p(99)"],
    }),
  }
}
