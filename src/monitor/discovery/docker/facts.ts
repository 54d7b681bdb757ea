import type { ContainerView } from '../../docker/view.ts'
import { isBroken } from './probes.ts'

/** What comes and goes with every run and every turn of a HEALTHCHECK, and says nothing of what a service is. */
const passing: ReadonlySet<string> = new Set<keyof ContainerView>([
  'state',
  'pid',
  'startedAt',
  'finishedAt',
  'exitCode',
  'oomKilled',
  'error',
  'restartCount',
  'health',
])

/** All of a container that discovery looks at, as a text to compare: most of what Docker tells changes nothing of it. */
export function factsOf(container: ContainerView): string {
  const lasting = Object.entries(container).filter(([key]) => !passing.has(key))
  return JSON.stringify([container.state === 'removing', isBroken(container), lasting])
}

/**
 * Remembers of which containers the HEALTHCHECK was found broken. After each start nothing is known of it until it has
 * run again; without a memory what is asked of the service would change to and fro with every restart.
 */
export class BrokenChecks {
  readonly #health = new Map<string, ContainerView['health']>()

  /** The container with what was known of its check, where nothing newer is. */
  recall(container: ContainerView): ContainerView {
    const { id, health } = container
    if (health !== null && health.exitCode !== null) {
      if (isBroken(container)) this.#health.set(id, health)
      else this.#health.delete(id)
      return container
    }
    const known = this.#health.get(id)
    return known === undefined ? container : { ...container, health: known }
  }

  forget(id: string): void {
    this.#health.delete(id)
  }
}
