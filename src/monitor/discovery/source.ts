import type { CoverageRow, Maintenance, ServiceSpec } from '../model/index.ts'

/** What a source found: complete each time, so that nobody has to keep differences. */
export interface Discovered {
  readonly services: readonly ServiceSpec[]
  /** A row for every service, and for what was found and is not watched. */
  readonly coverage: readonly CoverageRow[]
  /** What labels ask to be left alone, whether or not that is over by now. */
  readonly maintenance: readonly Maintenance[]
  /** What could not be understood, for people; empty when all was well. */
  readonly problems: readonly string[]
}

/** Where services are learned from. */
export interface DiscoverySource extends AsyncDisposable {
  readonly kind: string
  /** As of now. */
  readonly current: Discovered
  /** Calls back when what is found differs from the last time, at most once in 100 ms. */
  watch(listener: (discovered: Discovered) => void): Disposable
}
