import type { Verdict } from '../model/index.ts'
import { diagnosisRules, type ServiceRecord, type Turn } from './state.ts'

/** A service is not there any more: whoever depends on it may fall ill for want of it. */
export function noteMissing({ state, now }: Turn, gone: string): void {
  for (const { spec, missing } of state.services.values()) {
    if (spec.dependsOn.some(({ service }) => service === gone)) missing.set(gone, now.mono)
  }
}

/** What it depended on and was removed, not long before it fell ill; null: nothing. */
export function whatIsMissing(record: ServiceRecord, { firstEvidenceAt }: Verdict): string | null {
  for (const [name, since] of record.missing) {
    if (firstEvidenceAt <= since + diagnosisRules.missingMs) return name
  }
  return null
}

/** It is there again, or not needed: they get as long to settle as after any illness of it, and are then judged anew. */
export function found({ now }: Turn, record: ServiceRecord, name: string): void {
  record.missing.delete(name)
  const until = now.mono + diagnosisRules.reviveAfterRootMs
  for (const [instance, { status }] of record.verdicts) {
    if (status === 'unhealthy' || status === 'degraded') {
      record.doubts.set(instance, { kind: 'awaiting-root', suspects: [name], until })
    }
  }
}
