import type { ApiEvent, IncidentPage, IncidentRow, ServiceList, ServiceRow } from '../../server/api.ts'
import { createFrameReader } from './sse.ts'

/**
 * connecting: first try · live: the event stream says every change · polling: the stream does not work, asking again and
 * again does · lost: nobody answers, what is shown is old
 */
export type LinkState = 'connecting' | 'live' | 'polling' | 'lost'

export interface Lists {
  readonly services: readonly ServiceRow[]
  readonly incidents: readonly IncidentRow[]
}

export interface ConnectionHandlers {
  onLink(state: LinkState): void
  /** Bytes came from the daemon, whatever they said. `serverNow`: its wall clock, where it told it. */
  onContact(serverNow: number | null): void
  onLists(lists: Lists): void
  onEvent(event: ApiEvent): void
}

/** The daemon beats every 10 s; two beats missed mean that nobody is there. */
const SILENCE_MS = 25_000
/** A stream that has not said hello by then is held back by something between: poll meanwhile. */
const HELLO_MS = 4_000
const POLL_MS = 3_000
const REQUEST_MS = 8_000
const BACKOFF_MS = [300, 1_000, 2_000, 4_000, 8_000] as const

/** Keeps the page in touch with the daemon until the returned function is called. `base` ends with a slash. */
export function connect(base: string, handlers: ConnectionHandlers): () => void {
  const over = new AbortController()
  let live = false
  /** The stream that is open now has said hello. */
  let greeted = false
  let lastId: string | null = null
  let refreshing: Promise<boolean> | null = null
  /** Events that arrived while the lists were under way: the lists may be older than they are. */
  let overtaking: ApiEvent[] = []

  async function readJson(path: string): Promise<{ body: unknown; date: number | null }> {
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(REQUEST_MS)])
    const response = await fetch(base + path, { signal, cache: 'no-store' })
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    const date = Date.parse(response.headers.get('date') ?? '')
    return { body: await response.json(), date: Number.isNaN(date) ? null : date }
  }

  /** True when the lists are fresh now. Callers share one flight. */
  function refresh(): Promise<boolean> {
    refreshing ??= (async () => {
      overtaking = []
      try {
        const [services, open, recent] = await Promise.all([
          readJson('services'),
          readJson('incidents?state=open&limit=200'),
          readJson('incidents?limit=30'),
        ])
        // To the second only: hello knows it better.
        handlers.onContact(greeted ? null : services.date)
        handlers.onLists({
          services: (services.body as ServiceList).services,
          incidents: [recent, open].flatMap(({ body }) => (body as IncidentPage).incidents),
        })
        for (const event of overtaking) handlers.onEvent(event)
        return true
      } catch {
        return false
      } finally {
        refreshing = null
      }
    })()
    return refreshing
  }

  function receive(event: ApiEvent): void {
    if (event.type === 'hello') {
      handlers.onContact(Date.parse(event.data.at))
      handlers.onEvent(event)
      greeted = true
      const go = (fresh: boolean) => {
        live = fresh
        if (fresh) handlers.onLink('live')
        else void keepPolling()
      }
      if (event.data.resumed) go(true)
      // A flight that began before this hello may carry what was true before it: wait for it, then ask anew.
      else void Promise.resolve(refreshing).then(refresh).then(go)
      return
    }
    if (refreshing) overtaking.push(event)
    handlers.onEvent(event)
  }

  /** Returns when the stream is over, however that came about. */
  async function stream(): Promise<void> {
    const silence = new AbortController()
    let timer = setTimeout(() => silence.abort(), SILENCE_MS)
    try {
      const response = await fetch(`${base}events`, {
        signal: AbortSignal.any([over.signal, silence.signal]),
        cache: 'no-store',
        headers: lastId === null ? {} : { 'last-event-id': lastId },
      })
      if (!response.ok || !response.body) return
      const read = createFrameReader((frame) => {
        if (frame.id !== null) lastId = frame.id
        receive({ id: frame.id ?? '', type: frame.event, data: JSON.parse(frame.data) } as ApiEvent)
      })
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        clearTimeout(timer)
        timer = setTimeout(() => silence.abort(), SILENCE_MS)
        handlers.onContact(null)
        read(chunk.value)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  async function keepStreaming(): Promise<void> {
    for (let failures = 0; !over.signal.aborted;) {
      const ended = stream().catch(() => {})
      await Promise.race([ended, sleep(HELLO_MS, over.signal)])
      if (!live && !over.signal.aborted) void keepPolling()
      await ended
      failures = live ? 0 : failures + 1
      live = greeted = false
      if (over.signal.aborted) return
      void keepPolling()
      const pause = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)] ?? 8_000
      // Many pages must not come back to a restarted daemon in one instant.
      await sleep(pause * (0.75 + Math.random() / 2), over.signal)
    }
  }

  let polling = false
  async function keepPolling(): Promise<void> {
    if (polling) return
    polling = true
    while (!live && !over.signal.aborted) {
      const fresh = await refresh()
      if (live || over.signal.aborted) break
      live = fresh && greeted
      handlers.onLink(live ? 'live' : fresh ? 'polling' : 'lost')
      await sleep(POLL_MS, over.signal)
    }
    polling = false
  }

  handlers.onLink('connecting')
  void keepStreaming()
  return () => over.abort()
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
