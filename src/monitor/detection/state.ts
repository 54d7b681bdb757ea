import { startupGrace, type Instance, type Now, type ServiceSpec, type Verdict } from '../model/index.ts'
import { initialFinding, type Finding } from './finding.ts'
import { newTrack, type Track } from './track.ts'

/** What detection knows of one instance. Owned by the caller, changed in place by `detect`, opaque to everyone else. */
export interface DetectionState {
  readonly service: string
  readonly spec: Pick<ServiceSpec, 'startupGraceMs' | 'unseenBootMs'>
  readonly job: boolean
  readonly mayFinish: boolean
  readonly tracks: readonly Track[]
  instance: Instance
  /** starting: this run has not yet been healthy. */
  phase: 'starting' | 'up'
  /** This run's first sight, and whether that was its start. */
  seenAt: number
  sawStart: boolean
  /** When this run began, as far as is known; and that it was seen not to be ready. */
  bornAt: number
  sawUnready: boolean
  /** The longest that any run took from its start to being healthy; 0: not known. */
  bootMs: number
  /** Of that, what was told. */
  toldBootMs: number
  graceUntil: number
  /** Was declared unhealthy and has not been healthy since: a single success is not enough. */
  wasIll: boolean
  unwell: boolean
  stretched: boolean
  /** Well again, but nothing fresh seen yet. */
  blind: boolean
  removed: boolean
  /** What was last published. */
  finding: Finding
  status: Verdict['status']
  failing: readonly string[]
}

export interface InitialOptions {
  /** Its probes succeeded in a former life of the monitor, so that a failure before the first success is real. Default false. */
  readonly proven?: boolean
  /** For how long the run has lasted already, as far as the wall clocks tell: shortens the grace. Default 0. */
  readonly runningForMs?: number
  /** How long it took at most to become healthy, as far as is remembered. Default 0. */
  readonly bootMs?: number
}

/** Whether this probe has had a good answer at some time. */
export function hasSucceeded({ tracks }: DetectionState, probe: string): boolean {
  return tracks.some((track) => track.name === probe && track.proven)
}

/** Nothing is published yet: the first `detect` (a tick will do) gives the first verdict and the paces. */
export function initialDetection(
  spec: ServiceSpec,
  instance: Instance,
  now: Now,
  options: InitialOptions = {},
): DetectionState {
  const { proven = false, runningForMs = 0, bootMs = 0 } = options
  return {
    service: spec.name,
    spec,
    job: spec.job === true,
    mayFinish: spec.mayFinish === true,
    tracks: spec.probes.map((probe) => newTrack(probe, proven, now.mono)),
    instance,
    phase: 'starting',
    seenAt: now.mono,
    sawStart: false,
    bornAt: now.mono - runningForMs,
    sawUnready: false,
    bootMs,
    toldBootMs: bootMs,
    graceUntil: now.mono + Math.max(0, startupGrace(spec, bootMs) - runningForMs),
    wasIll: false,
    unwell: false,
    stretched: false,
    blind: false,
    removed: false,
    finding: initialFinding,
    status: 'unknown',
    failing: [],
  }
}
