import type { IncidentRow } from '../../server/api.ts'
import { now } from '../state/store.ts'
import { ageText, between, durationText, localTime } from '../time.ts'

/**
 * The life of an incident in three steps, all counted from the first evidence. Equal lengths on purpose: detection takes
 * milliseconds and watching half a minute, so a true scale would hide what matters.
 */
export function Timeline({ incident }: { incident: IncidentRow }) {
  const { openedAt, detectedAt, recoveredAt, closedAt, cause } = incident
  const running = (closedAt === null ? now.value : Date.parse(closedAt)) - Date.parse(openedAt)
  const isMeant = cause === 'operator'
  const progress = closedAt !== null ? 'done' : incident.quarantinedSince === null ? 'running' : 'stuck'
  return (
    <ol class="steps" aria-label="From the first evidence">
      <Step name="detected" at={detectedAt} from={openedAt} state="done" />
      {recoveredAt === null ? (
        <li class={`step step-recovered is-${isMeant ? 'meant' : progress}`}>
          <span class="step-name">{isMeant ? 'stopped for' : 'ill for'}</span>
          <span class="step-time">{ageText(running)}</span>
        </li>
      ) : (
        <Step name="recovered" at={recoveredAt} from={openedAt} state="done" />
      )}
      {closedAt !== null ? (
        <Step name="closed" at={closedAt} from={openedAt} state="done" />
      ) : (
        <li class={`step step-closed is-${recoveredAt === null ? 'ahead' : 'running'}`}>
          <span class="step-name">
            {recoveredAt !== null ? 'watching' : isMeant ? 'not started again' : 'not recovered'}
          </span>
          <span class="step-time">{recoveredAt === null ? '' : ageText(now.value - Date.parse(recoveredAt))}</span>
        </li>
      )}
    </ol>
  )
}

function Step({ name, at, from, state }: { name: string; at: string; from: string; state: string }) {
  const took = between(from, at)
  return (
    <li class={`step step-${name} is-${state}`} title={`${name} ${localTime(at)}`}>
      <span class="step-name">{name}</span>
      <span class="step-time">{took === null ? 'unknown' : `in ${durationText(took)}`}</span>
    </li>
  )
}
