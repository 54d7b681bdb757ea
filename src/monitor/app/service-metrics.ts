import { metricsTable, type MetricName } from '@medyk/health'
import { Gauge, Registry } from '@prometheus-io/client'
import { wallOf } from '../model/index.ts'
import { runningSince, serviceReport, type ServiceFacts } from './service-report.ts'

const STATUSES = ['healthy', 'degraded', 'unhealthy'] as const

/**
 * A service's health in the metrics of the library, for services that have none, and `up`: false while it is unhealthy or
 * unknown. Each sample carries the service's name, for all of them may be scraped at one address.
 */
export async function serviceMetrics(facts: ServiceFacts): Promise<{ readonly text: string; readonly up: boolean }> {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name, help, labelNames: ['service', ...labelNames], registers })
  const ofLibrary = (name: MetricName, ...labelNames: string[]) =>
    gauge(name, metricsTable.find((row) => row.name === name)?.meaning ?? name, ...labelNames)

  const service = facts.service.name
  const liveness = serviceReport(facts, 'liveness')
  const readiness = serviceReport(facts, 'readiness')
  const up = liveness.status !== 'unhealthy'

  const status = ofLibrary('health_status', 'probe', 'status')
  const checks = ofLibrary('health_check_status', 'check', 'status')
  for (const name of STATUSES) {
    status.set({ service, probe: 'liveness', status: name }, liveness.status === name ? 1 : 0)
    status.set({ service, probe: 'readiness', status: name }, readiness.status === name ? 1 : 0)
    for (const [check, is] of Object.entries(liveness.checks)) {
      checks.set({ service, check, status: name }, is === name ? 1 : 0)
    }
  }
  ofLibrary('health_info', 'version').set({ service, version: liveness.version }, 1)
  const since = runningSince(facts)
  if (since !== null) ofLibrary('health_start_timestamp_seconds').set({ service }, wallOf(since) / 1_000)
  gauge('health_up', '1 while the service is healthy, degraded or starting; 0 while it is unhealthy or unknown').set(
    { service },
    up ? 1 : 0,
  )
  gauge('health_restarts', 'Starts by Medyk of its present instances, the first of each not counted').set(
    { service },
    facts.service.instances.reduce((sum, { restarts }) => sum + restarts, 0),
  )
  return { text: await registry.metrics(), up }
}
