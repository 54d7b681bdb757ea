import { selected, views } from '../state/store.ts'
import type { ServiceView } from '../view.ts'
import { Details } from './details.tsx'
import { StatusIcon } from './icons.tsx'
import { Since } from './since.tsx'

const COLUMNS = ['Service', 'Status', 'Cause', 'Reason', 'For', 'PID', 'Restarts'] as const

/** As many rows as a screen shows keep the daemon's order; in more of them nobody should have to look for the ill. */
const KEEP_ORDER = 12
const RANK: Readonly<Record<ServiceView['role'], number>> = {
  root: 0,
  impacted: 1,
  unknown: 2,
  starting: 3,
  healthy: 4,
}

export function Services() {
  const all =
    views.value.length <= KEEP_ORDER ? views.value : [...views.value].sort((a, b) => RANK[a.role] - RANK[b.role])
  return (
    <section class="card services-card" aria-labelledby="services-title">
      <div class="card-head">
        <h2 id="services-title">Services</h2>
        <p class="muted">{all.length}</p>
      </div>
      {/* Roles said again: on a narrow screen the rows are laid out as cards, which would make a browser forget them. */}
      <table class="services" role="table">
        <thead role="rowgroup">
          <tr role="row">
            {COLUMNS.map((name) => (
              <th key={name} scope="col" role="columnheader">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {all.map((view) => (
            <Rows key={view.row.name} view={view} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function None() {
  return (
    <span class="muted">
      <span aria-hidden="true">–</span>
      <span class="unseen">none</span>
    </span>
  )
}

function Rows({ view }: { view: ServiceView }) {
  const { row, role, quarantined } = view
  const open = selected.value === row.name
  const id = `service-${row.name}`
  const restarts = row.instances.reduce((sum, instance) => sum + instance.restarts, 0)
  const [only, ...others] = row.instances
  const process = only && others.length === 0 ? (only.pid ?? 'not running') : `${row.instances.length} instances`
  return (
    <>
      <tr id={id} role="row" class={`service role-${role}`} data-service={row.name} data-status={row.status}>
        <th scope="row" role="rowheader">
          <button
            type="button"
            class="expand"
            aria-expanded={open}
            aria-controls={`${id}-details`}
            onClick={() => (selected.value = open ? null : row.name)}
          >
            <svg class="chevron" viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
              <path d="m3 1 4 4-4 4" />
            </svg>
            <span title={row.name}>{row.name}</span>
          </button>
        </th>
        <td role="cell" data-label="Status">
          <span class={`pill is-${row.status}`}>
            <StatusIcon glyph={quarantined ? 'quarantined' : row.status} size={14} />
            {row.status}
          </span>
          {quarantined && <span class="pill-more">quarantined</span>}
        </td>
        <td role="cell" data-label="Cause">
          {row.cause ?? <None />}
        </td>
        <td role="cell" data-label="Reason" class="reason">
          {row.reason ?? <None />}
        </td>
        <td role="cell" data-label="For" class="num">
          <Since at={row.since} />
        </td>
        <td role="cell" data-label="PID" class="num">
          {process}
        </td>
        <td role="cell" data-label="Restarts" class="num">
          {restarts}
        </td>
      </tr>
      {open && (
        <tr id={`${id}-details`} role="row" class="details-row">
          <td role="cell" colSpan={COLUMNS.length}>
            <Details name={row.name} />
          </td>
        </tr>
      )}
    </>
  )
}
