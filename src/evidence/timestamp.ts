const ISO_8601 =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):?(\d{2}))?)?$/

/**
 * Reads an ISO-8601 time; without a zone it is UTC, as the producers mean it.
 *
 * In: a calendar date, alone or with a time of at least minutes and at most nanoseconds.
 * Out: epoch milliseconds, sub-milliseconds cut; undefined when the text is no such time.
 */
export function parseTimestamp(text: string): number | undefined {
  const match = text.length <= 40 ? ISO_8601.exec(text) : null
  if (match === null) return undefined
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = ""] = match
  const date = { year: Number(year), month: Number(month), day: Number(day) }
  const clock = { hour: Number(hour), minute: Number(minute), second: Number(second) }
  if (!(isCalendarDate(date) && isClockTime(clock))) return undefined
  const offset = zoneOffsetMinutes(match[9], match[10], match[11])
  if (offset === undefined) return undefined
  const time = new Date(0)
  time.setUTCFullYear(date.year, date.month - 1, date.day)
  time.setUTCHours(clock.hour, clock.minute - offset, clock.second)
  return time.getTime() + Number(fraction.slice(0, 3).padEnd(3, "0"))
}

function isCalendarDate(date: { year: number; month: number; day: number }): boolean {
  if (date.month < 1 || date.month > 12 || date.day < 1) return false
  return date.day <= daysInMonth(date.year, date.month)
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return leap ? 29 : 28
}

function isClockTime(clock: { hour: number; minute: number; second: number }): boolean {
  return clock.hour <= 23 && clock.minute <= 59 && clock.second <= 59
}

function zoneOffsetMinutes(sign?: string, hours?: string, minutes?: string): number | undefined {
  if (sign === undefined) return 0
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined
  const offset = Number(hours) * 60 + Number(minutes)
  return sign === "-" ? -offset : offset
}
