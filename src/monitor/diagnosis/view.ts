import { isoOf, type Cause, type InstanceStatus, type ServiceView, type Verdict } from '../model/index.ts'
import { incidentOf } from './incidents.ts'
import { diagnosisRules, type ServiceRecord, type Turn } from './state.ts'

const SEVERITY: readonly InstanceStatus[] = ['healthy', 'starting', 'unknown', 'degraded', 'unhealthy']

/** Recomputes what is shown of a service; publishes it when it differs. */
export function refreshView(turn: Turn, record: ServiceRecord): void {
  const next = viewOf(turn, record)
  const before = record.view
  if (
    next.status === before.status &&
    next.cause === before.cause &&
    next.symptom === before.symptom &&
    next.reason === before.reason &&
    next.incident === before.incident
  ) {
    return
  }
  const since = next.status === before.status && before.since !== null ? before.since : isoOf(turn.now.wall)
  record.view = { ...next, since }
  turn.events.push({ type: 'service.changed', service: record.view })
}

function viewOf(turn: Turn, record: ServiceRecord): Omit<ServiceView, 'since'> {
  const name = record.spec.name
  const verdicts = [...record.verdicts.values()]
  const worst = verdicts.reduce<Verdict | null>((a, b) => (a && rank(a) >= rank(b) ? a : b), null)
  if (!worst) {
    return { name, status: 'unknown', cause: null, symptom: null, reason: 'not examined yet', incident: null }
  }
  const sound = verdicts.filter((verdict) => verdict.status === 'healthy').length
  // Some instances still serve: the service limps, it is not down.
  const partly = worst.status === 'unhealthy' && sound > 0
  const status = partly ? 'degraded' : worst.status
  const own = incidentOf(turn, worst.instance)
  const ill = worst.status === 'degraded' || worst.status === 'unhealthy'
  const isMissing = own?.incident.cause === 'dependency' && own.incident.recoveredAt === null
  const reason = isMissing ? own.incident.reason : explain(turn, record, worst)
  const inHand = ill ? inOperatorsHand(turn, record, worst) : null
  if (inHand) return { name, status: 'unknown', cause: 'operator', incident: own?.incident.id ?? null, ...inHand }
  return {
    name,
    status,
    cause: causeOf(record, worst, own?.incident.cause ?? null),
    symptom: worst.symptom,
    reason: partly ? `${verdicts.length - sound} of ${verdicts.length} instances: ${reason}` : reason || null,
    incident: ill ? (record.impacts.get(worst.instance) ?? own?.incident.id ?? null) : null,
  }
}

/** Stopped by somebody, or under maintenance: that it does not serve is known and meant, so it is neither well nor ill. */
function inOperatorsHand(
  turn: Turn,
  record: ServiceRecord,
  verdict: Verdict,
): Pick<ServiceView, 'symptom' | 'reason'> | null {
  const entry = turn.state.maintenance.get(record.spec.name)
  if (entry) {
    return {
      symptom: verdict.symptom,
      reason: `maintenance by ${entry.by} until ${entry.until} (${entry.reason}): ${verdict.reason}`,
    }
  }
  const stop = record.stops.get(verdict.instance)
  if (!stop || verdict.evidence !== 'certain') return null
  if (stop.by === 'before') {
    const how = verdict.symptom === 'paused' ? 'paused' : 'stopped'
    return { symptom: 'stopped', reason: `it was ${how} when Medyk first saw it, and is left so` }
  }
  const who = stop.by === 'stop' ? 'somebody has stopped it' : 'it has ended, and nobody saw how'
  const then =
    stop.meant !== null
      ? MEANT[stop.meant]
      : `it is started ${diagnosisRules.stopMs / 1_000} s after that, unless it is removed, replaced, or others are stopped too`
  return { symptom: 'stopped', reason: `${who}; ${then}` }
}

const MEANT = {
  before: 'it is left so',
  together: 'others as well: it is left so',
  ill: 'it was ill already: it is left so',
  renamed: 'and it was renamed: it is left so',
} as const

function causeOf(record: ServiceRecord, verdict: Verdict, own: Cause | null): Cause | null {
  if (verdict.symptom === 'observer' || verdict.symptom === 'runtime') return 'observer'
  if (verdict.symptom === 'stopped') return 'operator'
  if (verdict.status !== 'degraded' && verdict.status !== 'unhealthy') return null
  if (verdict.symptom === 'misconfigured') return 'operator'
  const { instance } = verdict
  if (record.impacts.has(instance) || record.doubts.get(instance)?.kind === 'awaiting-root') return 'dependency'
  return own
}

function explain(turn: Turn, record: ServiceRecord, verdict: Verdict): string {
  const root = turn.state.incidents.get(record.impacts.get(verdict.instance) ?? '')
  if (!root || verdict.status === 'healthy') return verdict.reason
  const { service, recoveredAt } = root.incident
  return recoveredAt === null ? `${service} is ill: ${verdict.reason}` : `settling after ${service}: ${verdict.reason}`
}

const rank = (verdict: Verdict) => SEVERITY.indexOf(verdict.status)
