import type { ContainerView } from '../../docker/view.ts'
import { postgresDraft, redisDraft, tcpDraft, type Draft } from './draft.ts'
import { wireOf } from './images.ts'

/** Debuggers and profilers: they come and go with a flag, and mean nothing for the service. */
const aside = new Set([9229, 9230, 5005, 2345, 4000])
/** Whoever answers that it cannot help is alive; only what is not there at all is the wrong question. */
const alive = ['1xx', '2xx', '3xx', '5xx']

export interface PortGuess {
  readonly drafts: readonly Draft[]
  readonly derivedFrom: string
  readonly note: string
}

/**
 * What may be asked of a container of which only ports are known. Every bit of it is a guess and counts only once it has
 * succeeded: the port may be one that nobody listens at, and `/health` may not be there. `declared`: somebody named
 * this port, and it is no guess that there is one.
 */
export function guessByPorts(container: ContainerView, declared: number | null, path = '/health'): PortGuess | null {
  const published = container.published.map(({ port }) => port)
  const candidates = [...new Set([...published, ...container.exposed])]
  const port = declared ?? chosen(container, candidates)
  if (port === null) return null
  const from =
    declared !== null
      ? 'label io.medyk.port'
      : published.includes(port)
        ? `published port ${port}`
        : `exposed port ${port}`
  const guessed = declared === null ? { guessed: true as const } : {}
  const wire = wireOf(container.image) ?? (port === 5_432 ? 'postgres' : port === 6_379 ? 'redis' : null)
  if (wire !== null) {
    const draft = wire === 'postgres' ? postgresDraft(port, {}, guessed) : redisDraft(port, guessed)
    return {
      drafts: [draft],
      derivedFrom: from,
      note: `nobody said how to ask it: taken for a ${wire === 'postgres' ? 'PostgreSQL' : 'Redis'} server${untilProven(declared)}`,
    }
  }
  const tcp = tcpDraft(port, guessed)
  if (!looksLikeHttp(port)) {
    return {
      drafts: [tcp],
      derivedFrom: from,
      note: `a hung process still accepts connections: give it a HEALTHCHECK or the label io.medyk.health${untilProven(declared)}`,
    }
  }
  return {
    drafts: [tcp, ...httpGuesses(port, path)],
    derivedFrom: from,
    note: `GET ${path} is a guess and counts only once it has been answered well: say with the label io.medyk.health what to ask`,
  }
}

/**
 * A URL that may not be there: alive when it is answered, ready when it is answered well. Both count only once they
 * have succeeded; an error is no death, since nobody said what this path means.
 */
export function httpGuesses(port: number, path: string): readonly Draft[] {
  const url = `http://localhost:${port}${path}`
  const shown = `GET :${port}${path.split('?')[0]}`
  return [
    {
      role: 'liveness',
      kind: 'http',
      options: { url, expect: { status: alive }, format: 'none' },
      shown: `${shown} (any answer)`,
      guessed: true,
    },
    { role: 'readiness', kind: 'http', options: { url }, shown, guessed: true },
  ]
}

function untilProven(declared: number | null): string {
  return declared === null ? '; it counts only once it has succeeded' : ''
}

/** Published before exposed; of each what looks like the service itself. */
function chosen(container: ContainerView, candidates: readonly number[]): number | null {
  const usual = { postgres: 5_432, redis: 6_379 }
  const wire = wireOf(container.image)
  if (wire !== null && candidates.includes(usual[wire])) return usual[wire]
  const named = Object.hasOwn(container.ports, 'PORT') ? container.ports['PORT'] : undefined
  if (named !== undefined && candidates.includes(named)) return named
  const serious = candidates.filter((port) => !aside.has(port))
  const published = serious.filter((port) => container.published.some((one) => one.port === port))
  for (const list of [published, serious]) {
    const found = list.find(looksLikeHttp) ?? list[0]
    if (found !== undefined) return found
  }
  return candidates[0] ?? null
}

function looksLikeHttp(port: number): boolean {
  return (
    port === 80 ||
    port === 81 ||
    port === 5_000 ||
    port === 5_001 ||
    (port >= 8_000 && port <= 8_999 && port !== 8_554 && port !== 8_883) ||
    (port >= 3_000 && port <= 3_999 && port !== 3_306) ||
    (port >= 9_000 && port <= 9_999 && port !== 9_042 && port !== 9_092 && port !== 9_300)
  )
}
