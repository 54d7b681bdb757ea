import type { Action, ActionOutcome } from './action.ts'
import type { Incident } from './incident.ts'
import type { RuntimeEvent } from './runtime.ts'
import type { Maintenance, ServiceSpec } from './service.ts'
import type { EvidenceClass, Verdict } from './verdict.ts'

/** Time as an argument: monotonic for deciding, wall for showing. Milliseconds. */
export interface Now {
  readonly mono: number
  readonly wall: number
}

/** What a daemon that starts again knows of its former life. Wall-clock milliseconds. */
export interface Restored {
  readonly type: 'restored'
  readonly incidents: readonly Incident[]
  /** Every attempt that may still count, by service; those interrupted by the monitor's death included. */
  readonly attempts: readonly { readonly service: string; readonly wall: number }[]
  readonly quarantined: readonly { readonly service: string; readonly sinceWall: number; readonly reason: string }[]
  /** How long a service took from its start to its first good answer, the longest seen. */
  readonly boots?: readonly { readonly service: string; readonly bootMs: number }[]
}

/** What comes into the core from outside. */
export type InputEvent =
  | { readonly type: 'services.changed'; readonly services: readonly ServiceSpec[] }
  | RuntimeEvent
  | { readonly type: 'verdict'; readonly verdict: Verdict }
  | { readonly type: 'observer.changed'; readonly unwell: boolean; readonly reason: string }
  /** Answer to the effect `confirm`: who gave a fresh good answer, and who did not. */
  | {
      readonly type: 'confirmed'
      readonly token: string
      readonly sound: readonly string[]
      readonly doubtful: readonly string[]
    }
  | { readonly type: 'action.finished'; readonly action: Action; readonly outcome: ActionOutcome }
  /** All that hold from now on. They end by themselves at their time. */
  | { readonly type: 'maintenance.changed'; readonly maintenance: readonly Maintenance[] }
  | Restored
  /** Time has passed; sent when a step asked to be woken. */
  | { readonly type: 'tick' }

/** What the core concludes. Each step sees what the steps before it concluded. Transitions only. */
export type DerivedEvent =
  | { readonly type: 'service.changed'; readonly service: ServiceView }
  | { readonly type: 'incident.opened'; readonly incident: Incident }
  | { readonly type: 'incident.updated'; readonly incident: Incident }
  | { readonly type: 'incident.recovered'; readonly incident: Incident }
  | { readonly type: 'incident.closed'; readonly incident: Incident }
  /**
   * This instance needs treatment: it is ill itself, or it is dead under the incident of `waitFor` and comes after that. Told
   * at every verdict that says so, whether or not it changes the incident.
   */
  | {
      readonly type: 'action.wanted'
      readonly incident: string
      readonly service: string
      readonly instance: string
      readonly reason: string
      readonly evidence: EvidenceClass | null
      readonly waitFor: string | null
      /** It runs, and has to be restarted since what it hangs on was: no illness of its own is asked for. */
      readonly rejoin?: true
      /** So many of its domain's services are ill at once that the fault is likely elsewhere. */
      readonly mass?: { readonly ill: number; readonly of: number; readonly domain: string | null }
    }
  | { readonly type: 'action.decided'; readonly action: Action; readonly decidedAt: string }
  /** Why nothing is done, said once per change of reason. */
  | { readonly type: 'action.withheld'; readonly service: string; readonly incident: string; readonly reason: string }
  /** So many are ill at once that nothing is restarted for a while; told once for each time. */
  | {
      readonly type: 'mass.failure'
      readonly domain: string | null
      readonly ill: number
      readonly of: number
      readonly reason: string
    }
  | {
      readonly type: 'service.quarantined'
      readonly service: string
      readonly incident: string
      readonly since: string
      readonly reason: string
    }
  | { readonly type: 'service.released'; readonly service: string; readonly reason: string }

export type CoreEvent = InputEvent | DerivedEvent

/** What the shell has to do; each is answered by an input event. */
export type Effect =
  | { readonly type: 'act'; readonly action: Action }
  /** One fresh probe of each of these services; answer within `withinMs`. */
  | {
      readonly type: 'confirm'
      readonly token: string
      readonly services: readonly string[]
      readonly withinMs: number
    }

/** A service as diagnosis sees it: the noun that the API, the page and the CLI show. */
export interface ServiceView {
  readonly name: string
  readonly status: Verdict['status']
  readonly cause: Incident['cause'] | null
  readonly symptom: Verdict['symptom']
  readonly reason: string | null
  readonly since: string | null
  readonly incident: string | null
}
