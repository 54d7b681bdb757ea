import type { Clock } from '@medyk/health/internal'
import type { InputEvent } from '../model/index.ts'
import type { TraceWriter } from '../simulation/index.ts'
import type { Boots } from './boots.ts'
import type { DaemonMetrics } from './metrics.ts'
import type { OwnHealth } from './own-health.ts'
import type { Proven } from './proven.ts'
import type { Publisher } from './publisher.ts'
import type { ProbeSummary } from './shard-host.ts'
import type { KeptShardListener } from './shard-keeper.ts'

export interface HearingSinks {
  send(event: InputEvent): void
  readonly probes: Map<string, ProbeSummary>
  readonly proven: Proven
  readonly boots: Boots
  readonly own: OwnHealth
  readonly publisher: Publisher
  readonly metrics: DaemonMetrics
  readonly trace: TraceWriter | null
  readonly clock: Clock
}

/** Takes what the probing thread says to those whom it concerns. */
export function hearing(sinks: HearingSinks): KeptShardListener {
  const { probes, proven, boots, own, publisher, metrics, trace, clock } = sinks
  const observer = (unwell: boolean, reason: string) => {
    own.observer = { unwell, reason }
    publisher.observer({ unwell, reason }, clock.wall())
    sinks.send({ type: 'observer.changed', unwell, reason })
  }
  return {
    onVerdict(verdict) {
      proven.take(verdict)
      boots.take(verdict)
      sinks.send({ type: 'verdict', verdict })
    },
    onEvent(event) {
      if (event.type === 'observer.changed') observer(event.unwell, event.reason)
      else sinks.send(event)
    },
    onSummary(summary) {
      for (const row of summary.probes) {
        const key = probeKey(row.instance, row.probe)
        const version = row.version ?? probes.get(key)?.version
        probes.set(key, version === undefined ? row : { ...row, version })
      }
      metrics.probing(summary.attempts, summary.latenessP99Ms)
    },
    onRecord: (record) => trace?.write(record),
    onLost(reason) {
      own.lost = reason
      observer(true, reason)
    },
    onBack() {
      own.lost = null
      observer(false, '')
    },
  }
}

export const probeKey = (instance: string, probe: string): string => `${instance}\n${probe}`
