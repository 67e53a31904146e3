/** What the normaliser undid, counted: evidence of evasion that the text itself no longer shows. */
export interface Undone {
  /** `%41`, and the rounds it took (0..4). */
  percent: number
  rounds: number
  /** `%u0041` */
  percentU: number
  /** `&lt;` `&#60;` */
  entity: number
  /** `\x41` `\u0041` `\101` */
  backslash: number
  /** ASCII written as a UTF-8 sequence that is longer than needed. */
  overlong: number
  /** Full-width, mathematical and look-alike forms of ASCII. */
  fullWidth: number
  nul: number
  comment: number
  /** `$IFS` and empty quotes inside a word. */
  shell: number
  /** `'a'||'b'` `"a"+"b"` `'a' 'b'` */
  concatenation: number
  /** `CHAR(97,98)` `0x6162636465` `YWJjZGVmZ2g=`: text written as numbers or in base64. */
  blob: number
  upper: number
}

export function nothingUndone(): Undone {
  return {
    percent: 0,
    rounds: 0,
    percentU: 0,
    entity: 0,
    backslash: 0,
    overlong: 0,
    fullWidth: 0,
    nul: 0,
    comment: 0,
    shell: 0,
    concatenation: 0,
    blob: 0,
    upper: 0,
  }
}
