/** What the doctor says of one thing that Sentinel uses. */
export interface Finding {
  /**
   * ok: works. off: not configured. missing: only needed for tests. optional: needed by one command
   * alone. FAILED: configured, broken.
   */
  readonly state: "ok" | "off" | "missing" | "optional" | "FAILED"
  readonly subject: string
  readonly detail: string
  readonly remedy?: string
}
