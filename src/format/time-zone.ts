const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Before this, the zones keep the mean time of their place; the calendar that Node counts by differs long before. */
const earliestMs = Date.UTC(1800, 0, 1)
/** Days whose offset is remembered: 27 years of them. */
const maxDays = 10_000

/** The clocks of one place, as the time zone database has them. */
export interface TimeZone {
  /** Milliseconds that local time is ahead of UTC at a moment. */
  offsetAt(utcMs: number): number
  /**
   * The moment at which the clocks showed a local time (as milliseconds, as if it were UTC). Of the two moments of an hour
   * that comes twice, when clocks are put back, it is the first, as RFC 5545 has it; undefined for a time that no clock
   * showed because they were put forward over it.
   */
  toUtc(localMs: number): number | undefined
}

/**
 * The clocks of a time zone by its IANA name.
 * Throws  RangeError for a name that is not known.
 * Source  ECMA-402; RFC 5545 section 3.3.5.
 */
export function timeZoneNamed(name: string): TimeZone {
  const known = zones.get(name.toLowerCase())
  if (known !== undefined) return known
  const zone = zoneOf(name)
  zones.set(name.toLowerCase(), zone)
  return zone
}

/** By name, of which there are some hundreds: small messages would each make formatters of their own. */
const zones = new Map<string, TimeZone>()

function zoneOf(name: string): TimeZone {
  // Without this, offsets such as +01:00 would pass as names.
  if (!/^[A-Za-z]/.test(name)) throw new RangeError(`Invalid time zone specified: ${name}`)
  const format = new Intl.DateTimeFormat('en-US', { ...shown, timeZone: name })
  const exactOffset = (utcMs: number): number => {
    const at = Math.max(utcMs, earliestMs)
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const local = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second)
    return local - Math.floor(at / 1_000) * 1_000
  }
  const offsetAt = cachedByDay(exactOffset)
  return {
    offsetAt,
    toUtc(localMs) {
      // No zone is further than 14 hours from UTC, so that these are the offsets before and behind any change nearby.
      const offsets = [offsetAt(localMs - 15 * hourMs), offsetAt(localMs + 15 * hourMs)]
      const moments = offsets.map((offset) => localMs - offset).filter((utcMs) => utcMs + offsetAt(utcMs) === localMs)
      return moments.length === 0 ? undefined : Math.min(...moments)
    },
  }
}

const shown = {
  calendar: 'gregory',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const

/** A day at whose both ends the offset is the same has no other in between: clocks are not put there and back in a day. */
function cachedByDay(exactOffset: (utcMs: number) => number): (utcMs: number) => number {
  const days = new Map<number, number | undefined>()
  return (utcMs) => {
    const day = Math.floor(utcMs / dayMs)
    let offset = days.get(day)
    if (offset === undefined && !days.has(day)) {
      offset = exactOffset(day * dayMs)
      if (offset !== exactOffset((day + 1) * dayMs - 1)) offset = undefined
      if (days.size >= maxDays) days.clear()
      days.set(day, offset)
    }
    return offset ?? exactOffset(utcMs)
  }
}
