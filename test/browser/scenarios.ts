import type { ActionRow, IncidentRow, InstanceRow, ServiceRow } from '../../src/monitor/server/api.ts'

/** Pictures of a monitor at one moment, for tests, for the mock server and for screenshots. */
export interface Scenario {
  readonly services: readonly ServiceRow[]
  readonly incidents: readonly IncidentRow[]
}

export const scenarioNames = [
  'healthy',
  'root',
  'quarantined',
  'recovering',
  'unknown',
  'starting',
  'empty',
  'forty',
] as const
export type ScenarioName = (typeof scenarioNames)[number]

const PIPELINE: Readonly<Record<string, readonly string[]>> = {
  camera: [],
  'rtsp-capture': ['camera'],
  'frame-buffer': ['rtsp-capture'],
  'metadata-storage': [],
  'frame-tracking': ['frame-buffer', 'metadata-storage'],
}

/** `now` is wall-clock milliseconds; every time in the scenario is some seconds before it. */
export function scenario(name: ScenarioName, now: number): Scenario {
  return SCENARIOS[name]((seconds) => new Date(now - seconds * 1_000).toISOString())
}

type Ago = (seconds: number) => string

const SCENARIOS: Readonly<Record<ScenarioName, (ago: Ago) => Scenario>> = {
  empty: () => ({ services: [], incidents: [] }),

  healthy: (ago) => ({ services: pipeline(ago), incidents: [healed(ago, 1), healed(ago, 2), slow(ago)] }),

  starting: (ago) => ({
    services: pipeline(ago, {
      'frame-tracking': { status: 'starting', reason: 'waiting for the first answer', since: ago(4) },
      'frame-buffer': { status: 'starting', reason: 'waiting for the first answer', since: ago(4) },
    }),
    incidents: [],
  }),

  unknown(ago) {
    const blind = {
      status: 'unknown',
      cause: 'observer',
      reason: 'the probing loop was late by 1.9 s',
      since: ago(3),
    } as const
    return {
      services: pipeline(ago, Object.fromEntries(Object.keys(PIPELINE).map((service) => [service, blind]))),
      incidents: [healed(ago, 1)],
    }
  },

  recovering: (ago) => ({
    services: pipeline(ago, {
      'rtsp-capture': {
        status: 'unhealthy',
        cause: 'self',
        reason: 'no answer for 3.0 s; the process is stopped (state T)',
        since: ago(1),
        instances: [instance('rtsp-capture-1', 'unhealthy', ago(3_700), 1)],
      },
      'frame-buffer': { status: 'degraded', cause: 'dependency', reason: 'rtsp-capture is unhealthy', since: ago(1) },
    }),
    incidents: [
      incident({
        id: 'inc-31',
        service: 'rtsp-capture',
        symptom: 'hung',
        evidence: 'silence',
        reason: 'no answer for 3.0 s; the process is stopped (state T)',
        openedAt: ago(4.1),
        detectedAt: ago(1.1),
        impacted: [{ service: 'frame-buffer', since: ago(0.9), reason: 'rtsp-capture is unhealthy' }],
        actions: [action('inc-31', 'rtsp-capture', 1, { decidedAt: ago(1), reason: 'hung with cause self' })],
      }),
      healed(ago, 1),
    ],
  }),

  root: (ago) => storageDown(ago, { since: 8, attempts: 2, pace: 4, quarantined: null }),
  quarantined: (ago) => storageDown(ago, { since: 190, attempts: 5, pace: 8, quarantined: 152 }),
  forty: (ago) => ({ services: forty(ago), incidents: fortyIncidents(ago) }),
}

function pipeline(ago: Ago, changes: Readonly<Record<string, Partial<ServiceRow>>> = {}): ServiceRow[] {
  return Object.entries(PIPELINE).map(([service, dependsOn], index) =>
    serviceRow(service, { dependsOn, since: ago(3_600 + index * 7), ...changes[service] }, ago(3_700)),
  )
}

function storageDown(
  ago: Ago,
  how: { since: number; attempts: number; pace: number; quarantined: number | null },
): Scenario {
  const { since, attempts, pace, quarantined } = how
  const reason =
    quarantined === null ? 'the process exited with signal SIGKILL' : 'exited with code 1 after every start'
  return {
    services: pipeline(ago, {
      'metadata-storage': {
        status: 'unhealthy',
        cause: 'self',
        reason,
        since: ago(since),
        instances: [instance('metadata-storage-1', 'unhealthy', null, attempts)],
      },
      'frame-tracking': {
        status: 'degraded',
        cause: 'dependency',
        reason: 'metadata-storage is unhealthy',
        since: ago(since - 1),
      },
    }),
    incidents: [
      incident({
        id: 'inc-40',
        service: 'metadata-storage',
        symptom: quarantined === null ? 'exited' : 'failed-to-start',
        reason,
        openedAt: ago(since + 0.1),
        detectedAt: ago(since),
        impacted: [{ service: 'frame-tracking', since: ago(since - 1), reason: 'metadata-storage is unhealthy' }],
        quarantinedSince: quarantined === null ? null : ago(quarantined),
        withheld:
          quarantined === null ? null : '5 of 5 attempts in 10 min are spent; one try every 10 min from here on',
        actions: Array.from({ length: attempts }, (_, index) =>
          action('inc-40', 'metadata-storage', index + 1, {
            kind: 'start',
            decidedAt: ago(since - 0.1 - index * pace),
            finishedAt: ago(since - 0.5 - index * pace),
            result: 'failed',
            detail: 'exited with code 1 within 300 ms',
          }),
        ),
      }),
      healed(ago, 1),
      healed(ago, 2),
    ],
  }
}

export function serviceRow(name: string, change: Partial<ServiceRow>, startedAt: string | null): ServiceRow {
  const status = change.status ?? 'healthy'
  return {
    name,
    status,
    cause: null,
    reason: null,
    since: startedAt,
    dependsOn: [],
    instances: [instance(`${name}-1`, status, startedAt, 0)],
    ...change,
  }
}

export function instance(
  id: string,
  status: InstanceRow['status'],
  startedAt: string | null,
  restarts: number,
): InstanceRow {
  const pid = 4_000 + ((id.length * 131 + id.charCodeAt(0) * 17) % 900)
  return { id, kind: 'process', pid: startedAt === null ? null : pid, status, startedAt, restarts }
}

export function incident(change: Partial<IncidentRow> & Pick<IncidentRow, 'id' | 'service'>): IncidentRow {
  const at = change.openedAt ?? '2026-01-20T10:00:00.000Z'
  return {
    instance: `${change.service}-1`,
    cause: 'self',
    severity: 'unhealthy',
    symptom: 'exited',
    evidence: 'certain',
    reason: 'the process exited',
    openedAt: at,
    detectedAt: at,
    recoveredAt: null,
    closedAt: null,
    impacted: [],
    quarantinedSince: null,
    withheld: null,
    actions: [],
    ...change,
  }
}

export function action(
  incidentId: string,
  service: string,
  attempt: number,
  change: Partial<ActionRow> & Pick<ActionRow, 'decidedAt'>,
): ActionRow {
  return {
    id: `${incidentId}-a${attempt}`,
    incident: incidentId,
    service,
    instance: `${service}-1`,
    kind: 'restart',
    attempt,
    reason: 'unhealthy with cause self',
    finishedAt: null,
    result: null,
    detail: null,
    ...change,
  }
}

function healed(ago: Ago, nth: number): IncidentRow {
  const start = 900 * nth
  const id = `inc-${30 - nth}`
  return incident({
    id,
    service: 'frame-tracking',
    reason: 'the process exited with signal SIGKILL',
    openedAt: ago(start),
    detectedAt: ago(start - 0.03),
    recoveredAt: ago(start - 2.2),
    closedAt: ago(start - 32.2),
    actions: [
      action(id, 'frame-tracking', 1, {
        kind: 'start',
        decidedAt: ago(start - 0.04),
        finishedAt: ago(start - 0.2),
        result: 'done',
        detail: 'running as a new process',
      }),
    ],
  })
}

function slow(ago: Ago): IncidentRow {
  return incident({
    id: 'inc-27',
    service: 'camera',
    severity: 'degraded',
    symptom: 'slow',
    evidence: 'slow',
    reason: '4 of 5 answers took longer than 400 ms',
    openedAt: ago(5_400),
    detectedAt: ago(5_397.2),
    recoveredAt: ago(5_371),
    closedAt: ago(5_341),
  })
}

function forty(ago: Ago): ServiceRow[] {
  const tiers = ['edge', 'api', 'worker', 'store'] as const
  const names = tiers.map((tier) =>
    Array.from({ length: 10 }, (_, index) => `${tier}-${String(index + 1).padStart(2, '0')}`),
  )
  return names.flatMap((tier, depth) =>
    tier.map((name, index) => {
      const below = names[depth + 1] ?? []
      const dependsOn = below.filter((_, at) => at === index || (index % 3 === 0 && at === (index + 3) % 10))
      const ill = { root: name === 'store-04', hit: ['worker-04', 'worker-01', 'api-04', 'edge-04'].includes(name) }
      const change: Partial<ServiceRow> = ill.root
        ? { status: 'unhealthy', cause: 'self', reason: 'connection refused 3 times in 0.9 s', since: ago(21) }
        : ill.hit
          ? { status: 'degraded', cause: 'dependency', reason: 'store-04 is unhealthy', since: ago(20) }
          : name === 'api-08'
            ? { status: 'unknown', cause: 'observer', reason: 'its prober ran out of file descriptors', since: ago(40) }
            : {}
      return serviceRow(name, { dependsOn, since: ago(86_400 + index), ...change }, ago(90_000))
    }),
  )
}

function fortyIncidents(ago: Ago): IncidentRow[] {
  return [
    incident({
      id: 'inc-90',
      service: 'store-04',
      symptom: 'failing',
      evidence: 'explicit',
      reason: 'connection refused 3 times in 0.9 s',
      openedAt: ago(22),
      detectedAt: ago(20.8),
      impacted: ['worker-04', 'worker-01', 'api-04', 'edge-04'].map((service) => ({
        service,
        since: ago(20),
        reason: 'store-04 is unhealthy',
      })),
      actions: [action('inc-90', 'store-04', 1, { decidedAt: ago(20.7), finishedAt: ago(19), result: 'done' })],
    }),
    ...Array.from({ length: 30 }, (_, index) => ({ ...healed(ago, index + 1), id: `inc-${80 - index}` })),
  ]
}
