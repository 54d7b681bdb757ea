import type { Config } from '../config/index.ts'
import { messageOf, type Logger } from '@medyk/health/internal'
import type { Discovered, DiscoverySource } from '../discovery/source.ts'
import type { CoverageRow, Dependency, Maintenance, RecoveryPolicy, ServiceSpec } from '../model/index.ts'

interface Combined {
  readonly services: readonly ServiceSpec[]
  readonly coverage: readonly CoverageRow[]
  readonly maintenance: readonly Maintenance[]
}

/** Everything that is watched, and how well: as the file and discovery have it now. */
export class Catalog {
  readonly #config: Config['services']
  readonly #source: DiscoverySource | null
  #now: Combined

  constructor(config: Config['services'], source: DiscoverySource | null) {
    this.#config = config
    this.#source = source
    this.#now = combine(config, source?.current ?? nothing)
  }

  get services(): readonly ServiceSpec[] {
    return this.#now.services
  }

  get coverage(): readonly CoverageRow[] {
    return this.#now.coverage
  }

  /** What labels ask to be left alone. */
  get maintenance(): readonly Maintenance[] {
    return this.#now.maintenance
  }

  /** Calls back with the services whenever they are others than before, one call at a time; the last state is never missed. */
  watch(listener: (services: readonly ServiceSpec[]) => Promise<void>, logger: Logger): AsyncDisposable {
    const textOf = ({ services, maintenance }: Combined) => JSON.stringify([services, maintenance])
    let told = textOf(this.#now)
    let over = false
    let running: Promise<void> | null = null
    const isBehind = () => !over && textOf(this.#now) !== told
    const run = async () => {
      while (isBehind()) {
        told = textOf(this.#now)
        await listener(this.#now.services)
      }
    }
    const start = () => {
      running ??= run().then(
        () => {
          running = null
          // What came after the last look.
          if (isBehind()) start()
        },
        (error: unknown) => {
          running = null
          logger.error({ err: messageOf(error) }, 'what was discovered could not be taken over')
          // Told again with the next change.
          told = ''
        },
      )
    }
    const watch = this.#source?.watch((found) => {
      this.#now = combine(this.#config, found)
      start()
    })
    // What was found between the first look and now: nobody was told of it.
    this.#now = combine(this.#config, this.#source?.current ?? nothing)
    start()
    return {
      async [Symbol.asyncDispose]() {
        over = true
        watch?.[Symbol.dispose]()
        await running
      },
    }
  }
}

const nothing: Discovered = { services: [], coverage: [], maintenance: [], problems: [] }

/**
 * What the file names, and what discovery found besides. Where both speak of the same service the file has the last word;
 * what it leaves unsaid (probes, edges) is taken from what was found.
 */
export function combine(config: Config['services'], found: Discovered): Combined {
  const replaced = new Map<ServiceSpec, ServiceSpec>()
  const named = config.map((spec) => {
    const same = found.services.find((other) => isSame(spec, other))
    if (!same) return spec
    replaced.set(same, spec)
    return {
      ...same,
      ...spec,
      probes: spec.probes.length > 0 ? spec.probes : same.probes,
      recovery: careful(spec.recovery, same.recovery),
      dependsOn: union(spec.dependsOn, same.dependsOn),
    }
  })
  const renamed = new Map([...replaced].map(([same, spec]) => [same.name, spec.name]))
  const others = found.services.filter((spec) => !replaced.has(spec))
  const rename = ({ dependsOn, ...rest }: ServiceSpec): ServiceSpec => ({
    ...rest,
    dependsOn: dependsOn.map((edge) => ({ ...edge, service: renamed.get(edge.service) ?? edge.service })),
  })
  const services = [...named, ...others].map(rename)
  // What the file says how to ask is told of by that.
  const asked = new Set(config.filter(({ probes }) => probes.length > 0).map(({ name }) => name))
  const coverage = found.coverage
    .map((row) => ({ ...row, service: renamed.get(row.service) ?? row.service }))
    .filter(({ service }) => !asked.has(service))
  const nameOf = (name: string) => renamed.get(name) ?? name
  const maintenance = found.maintenance.map((entry) => ({ ...entry, service: nameOf(entry.service) }))
  return { services, coverage, maintenance }
}

/** What was found to need care (data, observing) stays so unless the file says otherwise in so many words. */
function careful(said: RecoveryPolicy, found: RecoveryPolicy): RecoveryPolicy {
  const { dryRun = found.dryRun, restartHung = found.restartHung, because = found.because } = said
  return {
    ...said,
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(restartHung === undefined ? {} : { restartHung }),
    ...(because === undefined ? {} : { because }),
    stopGraceMs: found.restartHung === false ? Math.max(said.stopGraceMs, found.stopGraceMs) : said.stopGraceMs,
  }
}

/** The same name, or the same containers under another. */
function isSame(spec: ServiceSpec, other: ServiceSpec): boolean {
  if (spec.name === other.name) return true
  const { runtime, runtimeOptions } = spec
  return runtime !== null && runtime === other.runtime && canonical(runtimeOptions) === canonical(other.runtimeOptions)
}

const canonical = (options: ServiceSpec['runtimeOptions']) =>
  JSON.stringify(Object.entries(options).toSorted(([a], [b]) => a.localeCompare(b)))

function union(a: readonly Dependency[], b: readonly Dependency[]): readonly Dependency[] {
  return [...a, ...b.filter(({ service }) => !a.some((edge) => edge.service === service))]
}
