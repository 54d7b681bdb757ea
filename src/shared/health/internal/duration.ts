import { MedykError } from './error.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const MAX_MS = 36_500 * 86_400_000

/**
 * Milliseconds of a Go-style duration: `300ms`, `1.5s`, `1m30s`, `24h`. A bare `0` is allowed, any other bare number is
 * not, because its unit would be a guess. Negative durations are refused.
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/gy)]
  const consumed = parts.reduce((length, part) => length + part[0].length, 0)
  if (parts.length === 0 || consumed !== text.length) {
    throw new MedykError('ERR_DURATION', `"${text.slice(0, 40)}" is not a duration`, {
      hint: 'write a number with a unit, for example 300ms, 5s, 1m30s or 24h',
    })
  }
  const ms = parts.reduce((sum, [, value, unit]) => sum + Number(value) * (UNITS[unit ?? ''] ?? 0), 0)
  if (ms > MAX_MS) {
    throw new MedykError('ERR_DURATION', `"${text.slice(0, 40)}" is longer than ${MAX_MS / 86_400_000} days`)
  }
  // 1.005 s is 1005 ms, not 1004.9999999999999.
  return Math.round(ms * 1_000) / 1_000
}

/** The shortest usual way to write `ms`, to one decimal below a minute: `300ms`, `1.5s`, `1m30s`, `2h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown'
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (Math.round(ms) < 1_000) return `${Math.round(ms)}ms`
  const seconds = Math.round(ms / 100) / 10
  if (seconds < 60) return `${seconds}s`
  const total = Math.round(ms / 1_000)
  const [h, m, s] = [Math.floor(total / 3_600), Math.floor((total % 3_600) / 60), total % 60]
  return `${h ? `${h}h` : ''}${m ? `${m}m` : ''}${s ? `${s}s` : ''}`
}
