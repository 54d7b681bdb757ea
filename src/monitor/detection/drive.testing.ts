import {
  defaultRecoveryPolicy,
  type AttemptOutcome,
  type Instance,
  type Pace,
  type ProbeRole,
  type ProbeSpec,
  type RuntimeEvent,
  type ServiceSpec,
  type Verdict,
} from '../model/index.ts'
import { detect } from './detect.ts'
import type { DetectionInput, Detected } from './input.ts'
import { initialDetection, type DetectionState, type InitialOptions } from './state.ts'

export function probeSpec(name: string, role: ProbeRole, more: Partial<ProbeSpec> = {}): ProbeSpec {
  return { name, role, kind: 'test', options: {}, intervalMs: 1_000, timeoutMs: 1_300, ...more }
}

export const live = probeSpec('live', 'liveness')
export const ready = probeSpec('ready', 'readiness')

export function serviceSpec(probes: readonly ProbeSpec[] = [live], more: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    name: 'svc',
    runtime: 'test',
    runtimeOptions: {},
    dependsOn: [],
    probes,
    startupGraceMs: 60_000,
    recovery: defaultRecoveryPolicy,
    ...more,
  }
}

export function running(more: Partial<Instance> = {}): Instance {
  return {
    id: 'svc-1',
    service: 'svc',
    kind: 'test',
    state: 'running',
    pid: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    exit: null,
    failure: null,
    restarts: 0,
    ...more,
  }
}

export const ok: AttemptOutcome = { class: 'ok', latencyMs: 5, report: null }
export const refused: AttemptOutcome = { class: 'explicit', reason: 'connection refused', latencyMs: 1, report: null }
export const error500: AttemptOutcome = { ...refused, reason: 'answered 500', answered: true }
export const silence: AttemptOutcome = { class: 'silence', reason: 'no answer within 1.3s', latencyMs: 1_300 }
export const notFound: AttemptOutcome = { class: 'misconfigured', reason: '404 for GET /health', latencyMs: 1 }
export const noDescriptor: AttemptOutcome = { class: 'void', reason: 'EMFILE' }

export function late(latencyMs: number): AttemptOutcome {
  return { class: 'ok', latencyMs, report: null }
}

export function degraded(...failing: readonly string[]): AttemptOutcome {
  return { class: 'ok', latencyMs: 5, report: { status: 'degraded', failing, version: null } }
}

export function unready(...failing: readonly string[]): AttemptOutcome {
  return { ...error500, report: { status: 'unhealthy', failing, version: null } } as AttemptOutcome
}

/** One instance's detection with a clock in hand: wakes it when it asked to be woken, and keeps what it said. */
export class Drive {
  now = 1_000
  readonly state: DetectionState
  readonly verdicts: Verdict[] = []
  /** Times of the verdicts. */
  readonly times: number[] = []
  readonly paces = new Map<string, Pace>()
  readonly inputs: { input: DetectionInput; now: number }[] = []
  probedNow: readonly string[] = []
  wakeAt = Infinity
  #attempt = 0

  constructor(spec: ServiceSpec = serviceSpec(), instance: Instance = running(), options: InitialOptions = {}) {
    this.state = initialDetection(spec, instance, { mono: this.now, wall: this.now }, options)
    this.send({ type: 'tick' })
  }

  get last(): Verdict {
    const last = this.verdicts.at(-1)
    if (!last) throw new RangeError('no verdict yet')
    return last
  }

  get status(): Verdict['status'] {
    return this.last.status
  }

  send(input: DetectionInput): Detected {
    this.inputs.push({ input, now: this.now })
    const detected = detect(this.state, input, { mono: this.now, wall: this.now })
    if (detected.verdict) {
      this.verdicts.push(detected.verdict)
      this.times.push(this.now)
    }
    for (const { probe, pace } of detected.pace) this.paces.set(probe, pace)
    if (detected.probeNow.length > 0) this.probedNow = detected.probeNow
    this.wakeAt = detected.wakeAt
    return detected
  }

  advance(ms: number): this {
    const until = this.now + ms
    while (this.wakeAt <= until) {
      this.now = Math.max(this.now, this.wakeAt)
      this.send({ type: 'tick' })
    }
    this.now = until
    return this
  }

  begin(probe = 'live', group?: number): number {
    const attempt = ++this.#attempt
    this.send({ type: 'attempt.started', probe, attempt, group: group ?? attempt })
    return attempt
  }

  end(attempt: number, outcome: AttemptOutcome, probe = 'live', startedAt = this.now): void {
    const observation = { instance: 'svc-1', probe, attempt, startedAt, endedAt: this.now, outcome }
    this.send({ type: 'attempt.finished', observation })
  }

  /** One attempt that takes no time. */
  look(outcome: AttemptOutcome, probe = 'live'): this {
    this.end(this.begin(probe), outcome, probe)
    return this
  }

  /** One attempt every `everyMs`, for each outcome; time stands after the last pause. */
  looks(everyMs: number, outcomes: readonly AttemptOutcome[], probe = 'live'): this {
    for (const outcome of outcomes) this.look(outcome, probe).advance(everyMs)
    return this
  }

  runtime(type: RuntimeEvent['type'], more: Partial<Instance> = {}): this {
    this.send({ type, instance: running(more) })
    return this
  }

  observer(unwell: boolean, stretched = unwell): this {
    this.send({ type: 'observer', unwell, stretched })
    return this
  }

  /** Statuses, each with its symptom, in order. */
  get story(): readonly string[] {
    return this.verdicts.map(({ status, symptom }) => (symptom ? `${status}:${symptom}` : status))
  }
}

/** Up and healthy, with a second of good looks behind it. */
export function healthyDrive(spec: ServiceSpec = serviceSpec()): Drive {
  const drive = new Drive(spec)
  for (let i = 0; i < 5; i++) {
    for (const probe of spec.probes) drive.look(ok, probe.name)
    drive.advance(1_000)
  }
  return drive
}
