import type { StoryLine } from './recorder.ts'

/** What tells nothing: the start of a run, and probes that found all well. */
const DULL = /^(?:unknown → |starting → healthy|probes: \d+ ok$)/

/** `MM:SS.mmm kind service text`, one line each. */
export function formatStory(lines: readonly StoryLine[], maxLines = 200): string[] {
  const told = lines.filter(({ text }) => !DULL.test(text))
  const width = Math.max(0, ...told.map(({ service }) => service?.length ?? 0))
  const written = told.slice(0, maxLines).map(({ at, kind, service, text }) => {
    return `${clock(at)}  ${kind.padEnd(8)}  ${(service ?? '').padEnd(width)}  ${text}`
  })
  const rest = told.length - written.length
  return rest > 0 ? [...written, `… and ${rest} more lines`] : written
}

function clock(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const seconds = ((ms - minutes * 60_000) / 1_000).toFixed(3)
  return `${String(minutes).padStart(2, '0')}:${seconds.padStart(6, '0')}`
}
