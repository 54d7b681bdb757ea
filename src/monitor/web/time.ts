/** How long, as a person says it: `40 ms`, `2.2 s`, `41 s`, `3 min`, `1 h 5 min`, `2 d 4 h`. Never negative. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown'
  const positive = Math.max(0, ms)
  if (positive < 1_000) return `${Math.round(positive)} ms`
  if (positive < 10_000) return `${Math.floor(positive / 100) / 10} s`
  return ageText(positive)
}

/** The same in whole units, for what ticks: nothing under a second is worth a flicker. */
export function ageText(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown'
  const seconds = Math.floor(Math.max(0, ms) / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return joined(hours, 'h', minutes % 60, 'min')
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

/** Milliseconds from one ISO time to another, or null when one of them is not there (yet). */
export function between(from: string | null, to: string | null): number | null {
  if (from === null || to === null) return null
  const ms = Date.parse(to) - Date.parse(from)
  return Number.isNaN(ms) ? null : ms
}

/** Day and time in the reader's own zone. */
export function localTime(iso: string): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime())
    ? iso
    : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}
