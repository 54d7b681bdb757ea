import type { Action, ActionOutcome, DerivedEvent, Incident, Verdict } from '../model/index.ts'
import type { StoryLine } from './recorder.ts'
import type { TraceRecord } from './trace.ts'

type Told = Omit<StoryLine, 'at'>

export function tellVerdict({ service, previous, status, symptom, reason, failing }: Verdict): Told {
  const named = failing.length > 0 ? ` [${failing.join(', ')}]` : ''
  const why = status === 'healthy' || status === 'starting' ? '' : ` · ${symptom ?? 'no symptom'}: ${reason}${named}`
  return { kind: 'verdict', service, text: `${previous} → ${status}${why}` }
}

export function tellIncident(what: string, incident: Incident): Told {
  const impacted = incident.impacted.map((impact) => impact.service)
  const others = impacted.length > 0 ? `, impacted: ${impacted.join(', ')}` : ''
  const text = `${what} · ${incident.cause} ${incident.severity}: ${incident.reason}${others}`
  return { kind: 'incident', service: incident.service, text }
}

export function tellAction({ service, kind, attempt, reason }: Action): Told {
  return { kind: 'action', service, text: `${kind}, attempt ${attempt}: ${reason}` }
}

export function tellOutcome({ service, kind }: Action, { result, detail }: ActionOutcome): Told {
  return { kind: 'action', service, text: `${kind} ${result}${detail ? `: ${detail}` : ''}` }
}

/** What the core concluded; null for what another line tells already. */
export function tellConclusion(event: DerivedEvent): Told | null {
  switch (event.type) {
    case 'incident.opened':
    case 'incident.updated':
    case 'incident.recovered':
    case 'incident.closed':
      return tellIncident(event.type.slice('incident.'.length), event.incident)
    case 'action.decided':
      return tellAction(event.action)
    case 'action.withheld':
      return { kind: 'action', service: event.service, text: `nothing is done: ${event.reason}` }
    case 'service.quarantined':
      return { kind: 'action', service: event.service, text: `quarantined: ${event.reason}` }
    case 'service.released':
      return { kind: 'action', service: event.service, text: `released: ${event.reason}` }
    default:
      return null
  }
}

/** A record of a trace, for reading. */
export function tellRecord(record: TraceRecord, at: number): StoryLine[] {
  const told: (Told | null)[] = []
  if (record.t === 'verdict' && record.output.verdict) told.push(tellVerdict(record.output.verdict))
  if (record.t === 'out') told.push(...record.events.map(tellConclusion))
  if (record.t === 'core') told.push(tellInput(record.event))
  return told.filter((line) => line !== null).map((line) => ({ at, ...line }))
}

function tellInput(event: Extract<TraceRecord, { t: 'core' }>['event']): Told | null {
  switch (event.type) {
    case 'action.finished':
      return tellOutcome(event.action, event.outcome)
    case 'observer.changed':
      return { kind: 'seen', service: null, text: event.unwell ? event.reason : 'the monitor trusts itself again' }
    case 'instance.started':
    case 'instance.exited':
    case 'instance.failed':
    case 'instance.suspended':
    case 'instance.resumed':
    case 'instance.removed':
      return { kind: 'seen', service: event.instance.service, text: event.type }
    default:
      return null
  }
}
