const DAY = 86_400_000

/** ISO 8601 UTC with milliseconds of Unix milliseconds, without the Date that pure code must not touch. */
export function isoOf(wall: number): string {
  const ms = Math.round(wall)
  const days = Math.floor(ms / DAY)
  const rest = ms - days * DAY
  const [year, month, day] = civilOf(days)
  const time = [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60, Math.floor(rest / 1_000) % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${time.map(two).join(':')}.${String(rest % 1_000).padStart(3, '0')}Z`
}

/** Unix milliseconds of such a text; NaN when it is none. */
export function wallOf(iso: string): number {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3})\d*)?Z$/.exec(iso)
  if (!match) return Number.NaN
  const [, y, mo, d, h, mi, s, frac = '0'] = match
  return (
    daysOf(Number(y), Number(mo), Number(d)) * DAY +
    Number(h) * 3_600_000 +
    Number(mi) * 60_000 +
    Number(s) * 1_000 +
    Number(frac.padEnd(3, '0'))
  )
}

// Days since 1970-01-01 in the proleptic Gregorian calendar, by 400-year eras that begin on 1 March, so that the leap
// day is the last of its year.
function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

function civilOf(days: number): readonly [number, number, number] {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const m = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * m + 2) / 5) + 1
  const month = m < 10 ? m + 3 : m - 9
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day]
}
