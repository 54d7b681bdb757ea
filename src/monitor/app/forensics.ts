import { isMedykError, messageOf, printable, withDeadline, type Clock } from '@medyk/health/internal'
import { isoOf, type ExitInfo, type Incident, type Instance, type Runtime } from '../model/index.ts'
import type { Forensics, ServiceRow } from '../server/index.ts'

export interface ForensicsSources {
  runtimeOf(instance: string): Runtime | undefined
  /** As it is known at this moment; undefined: gone. */
  instanceOf(instance: string): Instance | undefined
  /** A service as it stands; null: there is none of this name. */
  services(name: string): ServiceRow | null
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** All of it may take this long. */
const SNAPSHOT_MS = 2_000
const LOG_BYTES = 8_192
const LOG_LINE_CHARACTERS = 500
const MAX_DEPENDENCIES = 50

/**
 * How things stand when an incident is opened: its instance, the last output before, what it depends on. What is known is
 * taken at once, the rest asked for in parallel. Within 2 s; never rejects; what could not be had stands in `missing`.
 */
export async function snapshot(incident: Incident, sources: ForensicsSources): Promise<Forensics> {
  const { clock } = sources
  const begun = clock.mono()
  const at = isoOf(clock.wall())
  const dependencies = (sources.services(incident.service)?.dependsOn ?? []).slice(0, MAX_DEPENDENCIES).map((name) => {
    const row = sources.services(name)
    return { service: name, status: row?.status ?? ('unknown' as const), reason: row?.reason ?? null }
  })
  const known = incident.instance === null ? undefined : sources.instanceOf(incident.instance)
  const missing: string[] = []
  const [instance, logs] = await Promise.all([
    ask('the state', incident, sources, missing, (runtime, id, signal) => runtime.inspect(id, { signal })),
    ask('the last output', incident, sources, missing, async (runtime, id, signal) => {
      if (!runtime.abilities.has('logs')) throw new Error('its runtime may not give it')
      return await runtime.logs(id, LOG_BYTES, { signal })
    }),
  ])
  // A cure may be faster than the question: then what was known before says more than the answer.
  const shown = instance !== null && (!known || instance.startedAt === known.startedAt) ? instance : known
  return {
    at,
    tookMs: Math.round(clock.mono() - begun),
    instance: shown ? stateOf(shown) : null,
    logs: logs === null ? null : tidy(logs),
    dependencies,
    missing,
  }
}

async function ask<T>(
  what: string,
  { instance }: Incident,
  sources: ForensicsSources,
  missing: string[],
  question: (runtime: Runtime, instance: string, signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  const { clock, signal } = sources
  const runtime = instance === null ? undefined : sources.runtimeOf(instance)
  if (instance === null || !runtime) {
    missing.push(`${what}: no runtime runs it`)
    return null
  }
  try {
    return await withDeadline(SNAPSHOT_MS, (inner) => question(runtime, instance, inner), {
      parent: signal,
      clock,
      unref: true,
    })
  } catch (error) {
    const why = isMedykError(error, 'ERR_DEADLINE') ? 'not within 2 s' : messageOf(error)
    missing.push(printable(`${what}: ${why}`))
    return null
  }
}

function stateOf(instance: Instance): NonNullable<Forensics['instance']> {
  const { id, name, state, pid, startedAt, restarts, exit, health, failure } = instance
  return {
    id,
    name: name ?? null,
    state,
    pid,
    startedAt,
    restarts,
    exit: exit ? exitOf(exit) : failure ? printable(failure.reason) : null,
    health: health ? printable([health.status, health.detail].filter(Boolean).join(': ')) : null,
  }
}

function exitOf({ code, signal, oomKilled, endedBy, at }: ExitInfo): string {
  const how = signal ?? (code === null ? 'not known how' : `code ${code}`)
  return [`ended at ${at}`, how, oomKilled ? 'out of memory' : '', endedBy ? `by: ${endedBy}` : '']
    .filter(Boolean)
    .join(', ')
}

/** Line by line: nothing that a terminal or a page would obey, and no secret. */
function tidy(logs: string): string {
  const lines = logs.split(/\r?\n/).map((line) => printable(line, LOG_LINE_CHARACTERS))
  const text = lines.join('\n').trimEnd()
  return text.length <= LOG_BYTES ? text : text.slice(-LOG_BYTES).toWellFormed()
}

/** When a whole fleet falls ill at once: so many at a time, so many wait, and beyond that none are taken. */
const AT_ONCE = 4
const WAITING = 100

/** Takes the snapshots of many incidents without getting in anybody's way. */
export class ForensicsDesk {
  readonly #take: (incident: Incident) => Promise<void>
  readonly #waiting: Incident[] = []
  #busy = 0

  /** `take` never rejects. */
  constructor(take: (incident: Incident) => Promise<void>) {
    this.#take = take
  }

  /** Returns at once. False: too many wait already, so there will be none of this one. */
  request(incident: Incident): boolean {
    if (this.#waiting.length >= WAITING) return false
    this.#waiting.push(incident)
    void this.#work()
    return true
  }

  async #work(): Promise<void> {
    if (this.#busy >= AT_ONCE) return
    this.#busy++
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await this.#take(next)
    this.#busy--
  }
}
