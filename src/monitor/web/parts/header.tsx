import { daemon, link, loaded, overall, silenceMs, stale } from '../state/store.ts'
import { ageText } from '../time.ts'
import type { Tone } from '../words.ts'
import { Logo, StatusIcon } from './icons.tsx'

export function Header() {
  return (
    <header class="bar">
      <a class="brand" href="./" aria-label="Medyk, to the top">
        <Logo />
        <span>Medyk</span>
      </a>
      <LinkChip />
    </header>
  )
}

function LinkChip() {
  const age = ageText(silenceMs.value)
  const [kind, text] = ((): [string, string] => {
    if (link.value === 'connecting') return ['wait', 'Connecting']
    if (link.value === 'lost') return ['lost', loaded.value ? `Reconnecting, ${age} old` : 'Reconnecting']
    if (stale.value) return ['lost', `Nothing heard for ${age}`]
    return link.value === 'live' ? ['live', 'Live'] : ['poll', 'Polling every 3 s']
  })()
  return (
    <p class={`chip chip-${kind}`} data-link={link.value}>
      <span class="dot" aria-hidden="true" />
      {text}
    </p>
  )
}

const GLYPH_OF: Readonly<Record<Tone, Parameters<typeof StatusIcon>[0]['glyph']>> = {
  good: 'healthy',
  bad: 'unhealthy',
  warn: 'degraded',
  starting: 'starting',
  unknown: 'unknown',
}

export function Hero() {
  if (!loaded.value) {
    const lost = link.value === 'lost'
    return (
      <section class="hero tone-unknown">
        <StatusIcon glyph={lost ? 'unknown' : 'starting'} size={40} />
        <div role="status">
          <h1>{lost ? 'The daemon does not answer' : 'Asking the daemon'}</h1>
          <p>{lost ? 'Nothing is known about any service. This page keeps trying.' : 'One moment.'}</p>
        </div>
      </section>
    )
  }
  const { tone, headline, detail } = overall.value
  return (
    <section class={`hero tone-${stale.value ? 'unknown' : tone}`}>
      <StatusIcon glyph={stale.value ? 'unknown' : GLYPH_OF[tone]} size={40} />
      {/* One region: a screen reader says the news once, when it changes. */}
      <div role="status">
        {stale.value && <p class="eyebrow">Last known, may not be true any more</p>}
        <h1>{headline}</h1>
        {detail !== '' && <p>{detail}</p>}
      </div>
    </section>
  )
}

export function Footer() {
  return (
    <footer class="foot">
      <span>Medyk {daemon.value?.version}</span>
      <a href="./api/v1/services">services</a>
      <a href="./api/v1/incidents">incidents</a>
      <a href="./api/v1/openapi.json">API</a>
      <a href="./metrics">metrics</a>
      <a href="./health">health</a>
    </footer>
  )
}
