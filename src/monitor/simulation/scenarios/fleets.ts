import { localNetwork, simulatedService, type Scenario, type SimulatedService } from '../scenario.ts'

/** The example pipeline: frames come from a camera and end in a database. */
export function pipeline(): SimulatedService[] {
  return [
    simulatedService('camera'),
    simulatedService('metadata-storage', { boot: { medianMs: 700, sigma: 0.2 } }),
    simulatedService('frame-buffer'),
    simulatedService('rtsp-capture', { dependsOn: ['camera', 'frame-buffer'] }),
    simulatedService('frame-tracking', { dependsOn: ['frame-buffer', 'metadata-storage'] }),
  ]
}

/** A database and three services that cannot do without it. */
export function databaseAndThree(): SimulatedService[] {
  return [
    simulatedService('database', { boot: { medianMs: 1_500, sigma: 0.2 } }),
    ...['accounts', 'orders', 'search'].map((name) => simulatedService(name, { dependsOn: ['database'] })),
  ]
}

/** Services that have nothing to do with one another. */
export function strangers(count: number): SimulatedService[] {
  return Array.from({ length: count }, (_, index) => simulatedService(`service-${index + 1}`))
}

export function quiet(name: string, services: readonly SimulatedService[], durationMs: number): Scenario {
  return { name, services, network: localNetwork, faults: [], durationMs }
}
