import type { Clock } from '@medyk/health/internal'
import { wallOf, type Maintenance } from '../model/index.ts'

/** asked: by an operator, over the API · declared: by a label · lease: while a restart by an operator is under way */
export type MaintenanceOrigin = 'asked' | 'declared' | 'lease'

/** A wall clock may be set meanwhile: look again this often, milliseconds. */
const LOOK_MS = 30_000

/** Which services are to be left alone, from wherever that was said; tells the whole list whenever it changes. */
export class LeaveAlone implements Disposable {
  readonly #clock: Clock
  readonly #onChange: (maintenance: readonly Maintenance[]) => void
  readonly #onExpired: (service: string) => void
  readonly #held: Readonly<Record<MaintenanceOrigin, Map<string, Maintenance>>> = {
    asked: new Map(),
    declared: new Map(),
    lease: new Map(),
  }
  #told = '[]'
  #timer: Disposable | null = null

  /** `onExpired`: what was asked for this service has ended by its time. */
  constructor(
    clock: Clock,
    onChange: (maintenance: readonly Maintenance[]) => void,
    onExpired: (service: string) => void,
  ) {
    this.#clock = clock
    this.#onChange = onChange
    this.#onExpired = onExpired
  }

  /** One for each service: of several the one that lasts longest. */
  get all(): readonly Maintenance[] {
    const now = this.#clock.wall()
    const longest = new Map<string, Maintenance>()
    for (const held of Object.values(this.#held)) {
      for (const each of held.values()) {
        const known = longest.get(each.service)
        if (wallOf(each.until) > now && (!known || wallOf(each.until) > wallOf(known.until))) {
          longest.set(each.service, each)
        }
      }
    }
    return [...longest.values()].sort((a, b) => a.service.localeCompare(b.service))
  }

  of(service: string): Maintenance | null {
    return this.all.find((each) => each.service === service) ?? null
  }

  hold(origin: MaintenanceOrigin, maintenance: Maintenance): void {
    this.#held[origin].set(maintenance.service, maintenance)
    this.#look()
  }

  release(origin: MaintenanceOrigin, service: string): void {
    if (this.#held[origin].delete(service)) this.#look()
  }

  /** All that are declared from now on. */
  declare(maintenance: readonly Maintenance[]): void {
    this.#held.declared.clear()
    for (const each of maintenance) this.#held.declared.set(each.service, each)
    this.#look()
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
  }

  #look(): void {
    const now = this.#clock.wall()
    for (const [origin, held] of Object.entries(this.#held)) {
      for (const { service, until } of held.values()) {
        if (wallOf(until) > now) continue
        held.delete(service)
        if (origin === 'asked') this.#onExpired(service)
      }
    }
    const list = this.all
    const told = JSON.stringify(list)
    if (told !== this.#told) {
      this.#told = told
      this.#onChange(list)
    }
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    const ends = Object.values(this.#held).flatMap((held) => Array.from(held.values(), ({ until }) => wallOf(until)))
    const next = Math.min(...ends)
    if (next === Infinity) return
    // At least 5 ms apart: timers may fire early, and one that does must not spin.
    const ms = Math.max(5, Math.min(LOOK_MS, Math.ceil(next - now)))
    this.#timer = this.#clock.timer(ms, () => this.#look(), { unref: true })
  }
}
