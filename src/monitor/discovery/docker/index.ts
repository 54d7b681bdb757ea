import type { Clock } from '@medyk/health/internal'
import type { DockerHost } from '../../docker/view.ts'
import type { Discovered, DiscoverySource } from '../source.ts'
import { discover } from './discover.ts'
import { BrokenChecks, factsOf } from './facts.ts'
import type { DockerPolicy } from './policy.ts'

export { discover } from './discover.ts'
export { dockerDefaults, dockerPolicy, type DockerDefaults, type DockerPolicy } from './policy.ts'

/** One change seldom comes alone: a deploy is a burst of them. */
const restMs = 100

/**
 * What a Docker host runs, anew whenever something changes there. The host stays the caller's. While Docker is away the
 * last that was known stays: what cannot be seen is not gone.
 */
export function createDockerDiscovery(
  host: DockerHost,
  policy: DockerPolicy,
  { clock }: { readonly clock: Clock },
): DiscoverySource {
  const listeners = new Set<(discovered: Discovered) => void>()
  const broken = new BrokenChecks()
  let jobs: ReadonlySet<string> = new Set()
  const look = () => {
    const containers = [...host.containers.values()].map((container) => broken.recall(container))
    const found = discover(containers, policy, jobs)
    jobs = new Set(found.jobs)
    return found
  }
  let current = look()
  let told = JSON.stringify(current)
  let lastAt = clock.mono()
  let timer: Disposable | null = null
  const recompute = () => {
    timer = null
    lastAt = clock.mono()
    if (host.lost !== null) return
    const found = look()
    const text = JSON.stringify(found)
    if (text === told) return
    current = found
    told = text
    for (const listener of listeners) listener(found)
  }
  const facts = new Map([...host.containers].map(([id, container]) => [id, factsOf(container)]))
  const watch = host.watch((change) => {
    if (change.type === 'lost') return
    if (change.type === 'removed') {
      facts.delete(change.id)
      broken.forget(change.id)
    }
    if (change.type === 'container') {
      const container = broken.recall(change.container)
      const text = factsOf(container)
      if (facts.get(container.id) === text) return
      facts.set(container.id, text)
    }
    timer ??= clock.timer(Math.max(0, restMs - (clock.mono() - lastAt)), recompute, { unref: true })
  })
  return {
    kind: 'docker',
    get current() {
      return current
    },
    watch(listener) {
      // The same function may be given twice, and each time is one of its own.
      const own = (discovered: Discovered) => listener(discovered)
      listeners.add(own)
      return { [Symbol.dispose]: () => void listeners.delete(own) }
    },
    [Symbol.asyncDispose]() {
      watch[Symbol.dispose]()
      timer?.[Symbol.dispose]()
      timer = null
      listeners.clear()
      return Promise.resolve()
    },
  }
}
