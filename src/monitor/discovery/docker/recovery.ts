import type { ProbeSpec, RecoveryPolicy } from '../../model/index.ts'
import type { ContainerView } from '../../docker/view.ts'
import { keepsData } from './images.ts'
import type { MedykLabels } from './labels.ts'
import type { DockerPolicy } from './policy.ts'

/** Docker's own, where a container does not say otherwise. */
const dockerStopMs = 10_000
/** As long as the config file may say; Docker's "for ever" is no time to wait in. */
const longestStopMs = 600_000

/** What may be done to a service, and why no more. */
export function recoveryOf(
  container: ContainerView,
  labels: MedykLabels,
  probes: readonly ProbeSpec[],
  { observe, defaults }: DockerPolicy,
): RecoveryPolicy {
  const because: string[] = []
  const isOff = labels.recovery === 'off'
  if (isOff) because.push('label io.medyk.recovery: off')
  const isDry = observe || labels.recovery === 'dry-run' || hasWrongLabel(container, labels)
  if (observe) because.push('observe mode')
  else if (labels.recovery === 'dry-run') because.push('label io.medyk.recovery: dry-run')
  else if (isDry) because.push('its label io.medyk.recovery was not understood')
  const spoken = probes.find(({ kind }) => kind === 'postgres' || kind === 'redis')
  const data = keepsData(container) ?? (spoken ? `it keeps data (it is asked as ${spoken.kind})` : null)
  const restartHung = labels.restartHung ?? data === null
  if (labels.restartHung === false) because.push('label io.medyk.restart-hung: false')
  else if (!restartHung && data !== null) because.push(`${data}; label io.medyk.restart-hung: "true" allows it`)
  const own = container.stopTimeoutMs ?? dockerStopMs
  const patience = own < 0 ? longestStopMs : Math.min(own, longestStopMs)
  return {
    ...defaults.recovery,
    enabled: !isOff && defaults.recovery.enabled,
    ...(isDry ? { dryRun: true } : {}),
    ...(restartHung ? {} : { restartHung: false }),
    ...(because.length > 0 ? { because: because.join('; ') } : {}),
    stopGraceMs: data === null ? defaults.recovery.stopGraceMs : patience,
  }
}

/** Somebody wanted to say something about it, and what is not known: act on nothing. */
function hasWrongLabel({ labels }: ContainerView, { recovery }: MedykLabels): boolean {
  return recovery === null && (labels['io.medyk.recovery'] ?? '').trim() !== ''
}
