import type { Verdict } from '../model/index.ts'
import { addImpact, incidentOf, openIncident } from './incidents.ts'
import type { ServiceRecord, Turn } from './state.ts'

/**
 * A new run of `instance` is well. Whoever has been in its network namespace since before sits in a dead one, and whoever was
 * declared to be restarted with it is still on the former run: both are to be restarted, though they are not ill themselves.
 */
export function rejoin(turn: Turn, record: ServiceRecord, instance: string): void {
  const since = record.renewed.get(instance)
  if (since === undefined) return
  for (const other of turn.state.services.values()) {
    if (other === record) continue
    for (const verdict of other.verdicts.values()) {
      const run = other.runs.get(verdict.instance)
      if (run == null || run >= since) continue
      const shares = other.networkOf.get(verdict.instance) === instance
      if (shares || isDeclared(turn, record, other, instance)) wantRejoin(turn, record, other, verdict, shares, run)
    }
  }
}

/** Declared, and it was an illness that the dependency was restarted for: what an operator restarts is the operator's. */
function isDeclared(turn: Turn, record: ServiceRecord, other: ServiceRecord, instance: string): boolean {
  const edge = other.spec.dependsOn.find(({ service }) => service === record.spec.name)
  return edge?.restart === true && edge.source !== 'network' && incidentOf(turn, instance)?.incident.cause === 'self'
}

/**
 * Until it has been restarted for another's sake, whatever it shows (silence in a dead network, the end of its run) is a symptom
 * of that other's illness and no story of its own.
 */
export function isRejoining(turn: Turn, record: ServiceRecord, { instance, reason }: Verdict): boolean {
  const rejoining = record.rejoining.get(instance)
  if (!rejoining) return false
  const open = turn.state.incidents.get(rejoining.incident)
  const run = record.runs.get(instance) ?? null
  if (!open || (run !== null && run !== rejoining.run)) {
    record.rejoining.delete(instance)
    return false
  }
  record.doubts.delete(instance)
  record.impacts.set(instance, open.incident.id)
  addImpact(turn, open, record.spec.name, reason)
  return true
}

function wantRejoin(
  turn: Turn,
  record: ServiceRecord,
  other: ServiceRecord,
  verdict: Verdict,
  shares: boolean,
  run: string,
): void {
  const { name } = record.spec
  const reason = shares
    ? `it shares the network of ${name}, which was started anew`
    : `declared to restart with ${name}`
  const [parent] = [...turn.state.incidents.values()].filter(({ incident }) => incident.service === name)
  const open =
    parent ??
    openIncident(turn, { ...verdict, status: 'unhealthy', symptom: 'failing', evidence: 'certain', reason }, 'self')
  addImpact(turn, open, other.spec.name, reason)
  other.rejoining.set(verdict.instance, { incident: open.incident.id, run })
  turn.events.push({
    type: 'action.wanted',
    incident: open.incident.id,
    service: other.spec.name,
    instance: verdict.instance,
    reason,
    evidence: 'certain',
    waitFor: null,
    rejoin: true,
  })
}
