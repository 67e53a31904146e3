/**
 * Prints a double as Python's `repr` does, non-finite ones as Python's `json` does.
 *
 * Both languages choose the shortest digits that read back as the same double; they differ in when
 * they turn to exponents (Python: below 1e-4 and from 1e16) and in how they write them.
 */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN"
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity"
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0"
  const [mantissa = "", exponentText = "0"] = value.toExponential().split("e")
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 16) return withExponent(mantissa, exponent)
  return withoutExponent(mantissa, exponent)
}

function withExponent(mantissa: string, exponent: number): string {
  const digits = String(Math.abs(exponent)).padStart(2, "0")
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`
}

function withoutExponent(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith("-") ? "-" : ""
  const digits = mantissa.replace("-", "").replace(".", "")
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0")
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`
}
