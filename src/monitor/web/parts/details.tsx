import { useEffect, useState } from 'preact/hooks'
import type { ServiceDetail } from '../../server/api.ts'
import { services, stale } from '../state/store.ts'
import { durationText } from '../time.ts'
import { outcomeText, plural, symptomText } from '../words.ts'
import { Since } from './since.tsx'

const REFRESH_MS = 2_000

/** What the list does not say: probes, budget, instances. Asked for only while it is open. */
export function Details({ name }: { name: string }) {
  const [detail, setDetail] = useState<ServiceDetail | null>(null)
  const [failed, setFailed] = useState(false)
  const row = services.value.get(name)

  useEffect(() => {
    const over = new AbortController()
    const load = async () => {
      try {
        const response = await fetch(`./api/v1/services/${encodeURIComponent(name)}`, {
          signal: AbortSignal.any([over.signal, AbortSignal.timeout(5_000)]),
          cache: 'no-store',
        })
        if (!response.ok) throw new Error(String(response.status))
        setDetail((await response.json()) as ServiceDetail)
        setFailed(false)
      } catch {
        if (!over.signal.aborted) setFailed(true)
      }
    }
    void load()
    const timer = setInterval(() => void load(), REFRESH_MS)
    return () => {
      clearInterval(timer)
      over.abort()
    }
    // A new row means that something changed: ask at once instead of at the next turn.
  }, [name, row])

  if (!detail) return <p class="muted">{failed ? 'The daemon does not answer.' : 'Asking the daemon.'}</p>
  return (
    <div class={`details${failed || stale.value ? ' is-stale' : ''}`}>
      {(failed || stale.value) && <p class="note">Last known; the daemon does not answer.</p>}
      <dl>
        {detail.symptom !== null && (
          <div>
            <dt>Symptom</dt>
            <dd>{symptomText(detail.symptom)}</dd>
          </div>
        )}
        <div>
          <dt>Depends on</dt>
          <dd>{detail.dependsOn.length > 0 ? detail.dependsOn.join(', ') : 'nothing'}</dd>
        </div>
        <div>
          <dt>Recovery</dt>
          <dd>
            <Budget detail={detail} />
          </dd>
        </div>
      </dl>
      <h3>Probes</h3>
      {detail.probes.length === 0 && <p class="muted">None: only its process is watched.</p>}
      <ul class="facts">
        {detail.probes.map((probe) => (
          <li key={`${probe.instance} ${probe.name}`}>
            <strong>{probe.name}</strong> {probe.role} by {probe.kind}, every {durationText(probe.intervalMs)}:{' '}
            {outcomeText(probe)}
            {probe.lastLatencyMs !== null && ` in ${durationText(probe.lastLatencyMs)}`}
            {detail.instances.length > 1 && ` (${probe.instance})`}
          </li>
        ))}
      </ul>
      <h3>Instances</h3>
      <ul class="facts">
        {detail.instances.map((instance) => (
          <li key={instance.id}>
            <strong>{instance.id}</strong> {instance.status}, {instance.kind}
            {instance.pid !== null && ` ${instance.pid}`},{' '}
            {instance.startedAt === null ? (
              'not running'
            ) : (
              <>
                running for <Since at={instance.startedAt} />
              </>
            )}
            , {plural(instance.restarts, 'restart')}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Budget({ detail: { budget } }: { detail: ServiceDetail }) {
  if (!budget) return <>watched only, never touched</>
  const { attemptsUsed, attemptsAllowed, windowSeconds, quarantinedSince } = budget
  return (
    <>
      {attemptsUsed} of {plural(attemptsAllowed, 'attempt')} used in {durationText(windowSeconds * 1_000)}
      {quarantinedSince !== null && (
        <>
          ; quarantined for <Since at={quarantinedSince} />
        </>
      )}
    </>
  )
}
