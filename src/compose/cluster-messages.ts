import type { TrafficReport } from "../ml/serving/traffic-report.ts"
import type { TrafficPlan } from "../model-traffic.ts"
import type { MetricsSnapshot } from "../telemetry.ts"

/** What the owner of the data directory and its API workers say to each other. Both are one version. */

export type ToWorker =
  /** Who answers from now on. */
  | { readonly type: "plan"; readonly plan: TrafficPlan }
  /** Answer with your metrics under this number. */
  | { readonly type: "measure"; readonly request: number }
  /** Take leave of every connection, then exit. */
  | { readonly type: "drain" }
  /** Answer what is in flight, then exit. */
  | { readonly type: "stop" }

export type FromWorker =
  | { readonly type: "listening"; readonly port: number }
  /** What was counted of a model on trial; sent on its own accord. */
  | { readonly type: "traffic"; readonly report: TrafficReport }
  | { readonly type: "metrics"; readonly request: number; readonly metrics: MetricsSnapshot }
  /** The last metrics of a worker that has drained. */
  | { readonly type: "leaving"; readonly metrics: MetricsSnapshot }
