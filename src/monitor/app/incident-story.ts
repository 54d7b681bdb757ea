import { printable } from '@medyk/health/internal'
import type { JournaledEvent } from '../journal/index.ts'
import type { Action, ActionOutcome, DerivedEvent, Incident } from '../model/index.ts'
import type { IncidentRow, StoryLine } from '../server/index.ts'

/** Lines of one story; what is between its beginning and its end is counted. */
const MAX_LINES = 200

type Told<Type extends DerivedEvent['type']> = Extract<DerivedEvent, { readonly type: Type }>

/**
 * What happened, what was decided and why, in order of time, from the journal's record of one incident. Where that is
 * gone, or was never written, the incident itself still tells the outline.
 */
export function storyOf(row: IncidentRow, record: readonly JournaledEvent[]): readonly StoryLine[] {
  const teller = new Teller()
  for (const event of record) teller.take(event)
  teller.complete(row)
  return shortened(teller.lines.toSorted((a, b) => a.at.localeCompare(b.at)))
}

class Teller {
  readonly lines: StoryLine[] = []
  /** As it was told last. */
  #last: IncidentFacts | null = null
  readonly #actions = new Map<string, Action['kind']>()
  readonly #impacted = new Set<string>()
  readonly #told = new Set<StoryLine['kind']>()

  take({ type, at, payload }: JournaledEvent): void {
    switch (type) {
      case 'incident.opened':
      case 'incident.updated':
      case 'incident.recovered':
      case 'incident.closed':
        return this.#incident(type, payload as Incident, at)
      case 'action.decided': {
        const { action, decidedAt } = payload as { action: Action; decidedAt: string }
        return this.#decided(action, decidedAt)
      }
      case 'action.finished': {
        const told = payload as { action: string; outcome: ActionOutcome; finishedAt?: string }
        const { result, detail } = told.outcome
        return this.#finished(told.action, result, detail, told.finishedAt ?? at)
      }
      case 'action.withheld': {
        const { service, reason } = payload as Told<'action.withheld'>
        return this.#say(at, 'withheld', `not acting on ${service}: ${reason}`)
      }
      case 'service.quarantined': {
        const { service, since, reason } = payload as Told<'service.quarantined'>
        return this.#say(since, 'quarantined', `${service} is quarantined: ${reason}`)
      }
      case 'service.released':
        return this.#say(at, 'released', `${(payload as { service: string }).service} is no longer quarantined`)
      default:
    }
  }

  /** What the record does not tell (any more), from the incident as it stands. */
  complete(row: IncidentRow): void {
    this.#incident('incident.updated', row, row.detectedAt)
    for (const action of row.actions) {
      if (this.#actions.has(action.id)) continue
      this.#decided(action, action.decidedAt)
      if (action.finishedAt) this.#finished(action.id, action.result ?? '', action.detail ?? '', action.finishedAt)
    }
    if (row.recoveredAt && !this.#told.has('recovered')) this.#say(row.recoveredAt, 'recovered', RECOVERED)
    if (row.closedAt && !this.#told.has('closed')) this.#say(row.closedAt, 'closed', 'closed')
    if (row.quarantinedSince && !this.#told.has('quarantined')) {
      this.#say(row.quarantinedSince, 'quarantined', row.withheld ?? 'quarantined: the attempts allowed did not help')
    }
  }

  #incident(type: string, incident: IncidentFacts, at: string): void {
    if (!this.#last) {
      this.#say(incident.openedAt, 'evidence', 'first evidence')
      this.#say(incident.detectedAt, 'verdict', `${incident.service} declared ${why(incident)}`)
    } else if (incident.service !== this.#last.service) {
      this.#say(at, 'changed', `the root is ${incident.service}: ${why(incident)}`)
    } else if (why(incident) !== why(this.#last)) this.#say(at, 'changed', `${incident.service} is ${why(incident)}`)
    for (const { service, since, reason } of incident.impacted) {
      if (this.#impacted.has(service)) continue
      this.#impacted.add(service)
      this.#say(since, 'impacted', `impacted: ${service} (${reason})`)
    }
    if (type === 'incident.recovered') this.#say(incident.recoveredAt ?? at, 'recovered', RECOVERED)
    if (type === 'incident.closed') this.#say(incident.closedAt ?? at, 'closed', 'closed')
    this.#last = incident
  }

  #decided({ id, kind, instance, reason }: Pick<Action, 'id' | 'kind' | 'instance' | 'reason'>, at: string): void {
    this.#actions.set(id, kind)
    this.#say(at, 'decided', `${kind} ${instance}: ${reason}`)
  }

  #finished(id: string, result: string, detail: string, at: string): void {
    this.#say(at, 'finished', `${this.#actions.get(id) ?? 'action'} ${result}${detail ? `: ${detail}` : ''}`)
  }

  #say(at: string, kind: StoryLine['kind'], text: string): void {
    this.#told.add(kind)
    this.lines.push({ at, kind, text: printable(text, 400) })
  }
}

type IncidentFacts = Omit<Incident, 'impacted'> & Pick<IncidentRow, 'impacted'>

const RECOVERED = 'recovered, verified'

const why = ({ severity, reason, symptom, cause, evidence }: IncidentFacts) =>
  `${severity}: ${reason} (${symptom}, cause ${cause}${evidence ? `, evidence ${evidence}` : ''})`

function shortened(lines: readonly StoryLine[]): readonly StoryLine[] {
  if (lines.length <= MAX_LINES) return lines
  const [head, tail] = [lines.slice(0, MAX_LINES / 2), lines.slice(1 - MAX_LINES / 2)]
  const text = `${lines.length - MAX_LINES + 1} more lines are left out here`
  return [...head, { at: head.at(-1)?.at ?? '', kind: 'gap', text }, ...tail]
}
