import type { Action, ActionOutcome } from '../../model/index.ts'

/** An action of which every byte follows from `n`, of a size that follows from it too. */
export function nthAction(n: number): Action {
  return {
    id: `action-${n}`,
    incident: `incident-${n % 17}`,
    service: `service-${n % 5}`,
    instance: `instance-${n % 5}`,
    kind: 'restart',
    graceMs: n % 1_000,
    attempt: 1 + (n % 5),
    precondition: { startedAt: null },
    reason: `${n}:`.repeat(1 + ((n * 7_919) % 900)),
  }
}

export function nthOutcome(n: number): ActionOutcome {
  return { result: 'done', detail: `${n}`.repeat(n % 50), startedAt: null }
}
