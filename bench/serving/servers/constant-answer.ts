/** An answer of predict-payload in full, so that the constant servers write as many bytes. */
export const CONSTANT_ANSWER = {
  class: "sql_injection",
  confidence: 0.9713451783,
  probabilities: {
    benign: 0.0121983471,
    sql_injection: 0.9713451783,
    xss: 0.0052389174,
    command_injection: 0.0041278936,
    path_traversal: 0.0030175284,
    other_attack: 0.0040721352,
  },
  method: "ml",
  model: "payload-linear/1.2.0",
  cached: false,
} as const
