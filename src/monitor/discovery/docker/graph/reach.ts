import type { ContainerView } from '../../../docker/view.ts'
import { composeOf, isOneOff } from '../containers.ts'

const maxHops = 5
/** Names of the Docker host, as seen from inside a container. */
const dockerHost = new Set(['host.docker.internal', 'gateway.docker.internal'])

/** Who is meant by a name or an address, seen from inside a container. */
export class Reach {
  readonly #byId = new Map<string, ContainerView>()
  readonly #byName = new Map<string, ContainerView[]>()
  readonly #byAddress = new Map<string, ContainerView[]>()
  readonly #byHostPort = new Map<number, ContainerView>()

  /** `containers` are all there are, also those that nobody watches. */
  constructor(containers: readonly ContainerView[]) {
    for (const one of containers) {
      this.#byId.set(one.id, one)
      const names = new Set([one.name, one.id.slice(0, 12), ...one.networks.flatMap(({ aliases }) => aliases)])
      const { service } = composeOf(one)
      // What `compose run` starts has the labels of its service and is not it: nobody who names the service means it.
      if (service !== null && !isOneOff(one)) names.add(service)
      for (const name of names) add(this.#byName, name.toLowerCase(), one)
      for (const { address } of one.networks) if (address !== '') add(this.#byAddress, address, one)
      for (const { hostPort } of one.published) if (!this.#byHostPort.has(hostPort)) this.#byHostPort.set(hostPort, one)
    }
  }

  /** By its whole id, or by the beginning or the name that somebody wrote instead. */
  container(reference: string): ContainerView | null {
    const exact = this.#byId.get(reference)
    if (exact) return exact
    const named = this.#byName.get(reference.toLowerCase()) ?? []
    return named.find((one) => one.name === reference || one.id.startsWith(reference)) ?? null
  }

  /** Of a compose project, by the name in its file. */
  ofProject(project: string | null, service: string): ContainerView | null {
    if (project === null) return null
    const named = this.#byName.get(service.toLowerCase()) ?? []
    const isIt = (one: ContainerView) => composeOf(one).project === project && composeOf(one).service === service
    return named.find((one) => isIt(one) && !isOneOff(one)) ?? null
  }

  /** `port` helps where the host is the Docker host, of which only a published port tells who is meant. */
  find(from: ContainerView, host: string, port: number | null): ContainerView | null {
    const name = host.toLowerCase().replace(/\.$/, '')
    if (dockerHost.has(name)) return port === null ? null : (this.#byHostPort.get(port) ?? null)
    const networks = this.#networksOf(from)
    const isNear = (one: ContainerView) => this.#networksOf(one).some((network) => networks.includes(network))
    const addressed = this.#byAddress.get(name)
    if (addressed) return addressed.find((one) => isNear(one) || from.networkMode === 'host') ?? null
    const own = composeOf(from).project
    const named = this.#byName.get(name) ?? []
    const siblings = named.filter((one) => own !== null && composeOf(one).project === own)
    return (
      siblings.find((one) => composeOf(one).service === host && !isOneOff(one)) ??
      siblings.find(isNear) ??
      named.find(isNear) ??
      null
    )
  }

  /** Of the network namespace that it lives in, which may be another container's. */
  #networksOf(container: ContainerView): readonly string[] {
    let at = container
    for (let hops = 0; hops < maxHops && at.networkMode.startsWith('container:'); hops++) {
      const owner = this.container(at.networkMode.slice('container:'.length))
      if (owner === null) break
      at = owner
    }
    // On the default bridge nobody has a name, but everybody an address.
    return at.networks.map(({ name }) => name)
  }
}

function add(map: Map<string, ContainerView[]>, key: string, container: ContainerView): void {
  const list = map.get(key)
  if (!list) map.set(key, [container])
  else if (!list.includes(container)) list.push(container)
}
