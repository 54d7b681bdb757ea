import type { JSX } from 'preact'
import type { Status } from '../../server/api.ts'

type Glyph = Status | 'quarantined'

/** Each status has a shape of its own, so that it can be told without its colour. Words always stand beside it. */
const GLYPHS: Readonly<Record<Glyph, JSX.Element>> = {
  healthy: (
    <>
      <circle cx="10" cy="10" r="9" fill="currentColor" />
      <path d="m5.8 10.4 2.9 2.9 5.5-6.2" class="cut" />
    </>
  ),
  degraded: (
    <>
      <path
        d="M8.5 2.3 1.3 15.1A1.75 1.75 0 0 0 2.8 17.7h14.4a1.75 1.75 0 0 0 1.5-2.6L11.5 2.3a1.75 1.75 0 0 0-3 0Z"
        fill="currentColor"
      />
      <path d="M10 7v4.4M10 14.4v.1" class="cut" />
    </>
  ),
  unhealthy: (
    <>
      <path d="M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3Z" fill="currentColor" />
      <path d="m7 7 6 6m0-6-6 6" class="cut" />
    </>
  ),
  quarantined: (
    <>
      <path d="M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3Z" fill="currentColor" />
      <path d="M7.8 6.8v6.4m4.4-6.4v6.4" class="cut" />
    </>
  ),
  starting: (
    <>
      <circle cx="10" cy="10" r="7.8" fill="none" stroke="currentColor" stroke-width="2.4" opacity=".28" />
      <path
        d="M10 2.2a7.8 7.8 0 0 1 7.8 7.8"
        fill="none"
        stroke="currentColor"
        stroke-width="2.4"
        stroke-linecap="round"
        class="spin"
      />
    </>
  ),
  unknown: (
    <>
      <circle cx="10" cy="10" r="8.2" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="3.4 2.8" />
      <path
        d="M7.7 7.9a2.4 2.4 0 1 1 3.4 2.2c-.7.3-1.1.8-1.1 1.6m0 2.7v.1"
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
      />
    </>
  ),
}

export function StatusIcon({ glyph, size = 18 }: { glyph: Glyph; size?: number }) {
  return (
    <svg class={`icon is-${glyph}`} viewBox="0 0 20 20" width={size} height={size} aria-hidden="true" focusable="false">
      {GLYPHS[glyph]}
    </svg>
  )
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="30" height="30" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" class="logo-ground" />
      <path d="M5 17h5.2l2.6-7.5 5 14 3.2-9.5 1.5 3H27" class="logo-line" />
    </svg>
  )
}
