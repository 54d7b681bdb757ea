import { useState } from 'preact/hooks'
import type { ActionRow, IncidentRow } from '../../server/api.ts'
import { sorted } from '../state/store.ts'
import { between, durationText } from '../time.ts'
import { lastAction, namesOf, plural, resultText, symptomText } from '../words.ts'
import { StatusIcon } from './icons.tsx'
import { Since } from './since.tsx'
import { Timeline } from './timeline.tsx'

const FIRST = 8

export function Incidents() {
  const [all, setAll] = useState(false)
  const list = sorted.value
  const open = list.filter((incident) => incident.closedAt === null).length
  const shown = all ? list : list.slice(0, Math.max(FIRST, open))
  return (
    <section class="card incidents-card" aria-labelledby="incidents-title">
      <div class="card-head">
        <h2 id="incidents-title">Incidents</h2>
        {list.length > 0 && <p class="muted">{open > 0 ? `${open} open` : 'none open'}</p>}
      </div>
      {list.length === 0 ? (
        <p class="empty">No incident is on record.</p>
      ) : (
        <ol class="incidents">
          {shown.map((incident) => (
            <Incident key={incident.id} incident={incident} />
          ))}
        </ol>
      )}
      {list.length > shown.length && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          Show {list.length - shown.length} older
        </button>
      )}
    </section>
  )
}

function Incident({ incident }: { incident: IncidentRow }) {
  const { service, cause, symptom, reason, impacted, closedAt, recoveredAt, quarantinedSince } = incident
  const state = closedAt !== null ? 'closed' : recoveredAt !== null ? 'recovered' : 'open'
  const open = state === 'open'
  // What somebody has done on purpose is no alarm, and what ended without a recovery is no success.
  const isMeant = open && cause === 'operator'
  const isNeutral = isMeant || (!open && recoveredAt === null)
  const ill = quarantinedSince === null ? incident.severity : 'quarantined'
  const glyph = isNeutral ? 'unknown' : open ? ill : 'healthy'
  return (
    <li class={`incident incident-${state}${isMeant ? ' incident-meant' : ''}`} data-incident={incident.id}>
      <div class="incident-head">
        <StatusIcon glyph={glyph} />
        <h3>{service}</h3>
        <span class="incident-age">
          <Since at={incident.openedAt} ago />
        </span>
      </div>
      <p class="incident-what" title={symptomText(symptom)}>
        <span class="tag">cause {cause}</span> {reason}
      </p>
      <Timeline incident={incident} />
      <Actions incident={incident} />
      {open && quarantinedSince !== null && (
        <p class="note note-bad">
          <strong>Quarantined.</strong> Medyk stands back: this needs a person.
        </p>
      )}
      {open && incident.withheld !== null && <p class="note">{incident.withheld}</p>}
      {impacted.length > 0 && (
        <p class="note">
          {open ? 'Affects' : 'Affected'} {namesOf(impacted.map((impact) => impact.service))}
        </p>
      )}
    </li>
  )
}

function Actions({ incident }: { incident: IncidentRow }) {
  const { actions } = incident
  const last = lastAction(incident)
  if (!last) return <p class="note">No action was taken.</p>
  if (actions.length === 1) return <p class="note">{actionText(last)}</p>
  return (
    <details class="note">
      <summary>
        {plural(actions.length, 'attempt')}, the last: {last.kind}, {resultText(last)}
      </summary>
      <ol class="attempts">
        {actions.map((action) => (
          <li key={action.id}>{actionText(action)}</li>
        ))}
      </ol>
    </details>
  )
}

function actionText(action: ActionRow): string {
  const took = between(action.decidedAt, action.finishedAt)
  const kind = action.kind.slice(0, 1).toUpperCase() + action.kind.slice(1)
  const time = took === null ? '' : ` in ${durationText(took)}`
  return `${kind}, attempt ${action.attempt}: ${resultText(action)}${time}${action.detail ? `; ${action.detail}` : ''}`
}
