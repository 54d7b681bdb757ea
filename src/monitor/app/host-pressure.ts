import { readFileSync } from 'node:fs'

const FILES = { cpu: '/proc/pressure/cpu', memory: '/proc/pressure/memory' } as const
type Resource = keyof typeof FILES

interface Sample {
  /** Monotonic milliseconds. */
  readonly at: number
  /** Microseconds in which somebody (`cpu`) or everybody (`memory`) waited, since the host was started. */
  readonly total: number
}

/** How much of the last second the processes of this host waited for what they need, from the kernel's pressure counters. */
export class HostPressure {
  readonly #read: (file: string) => string
  readonly #last = new Map<Resource, Sample>()

  constructor(read: (file: string) => string = (file) => readFileSync(file, 'utf8')) {
    this.#read = read
  }

  /** Shares from 0 to 1 since the last call; 0 where the kernel does not tell. Never throws. */
  look(mono: number): { readonly cpu: number; readonly memory: number } {
    return { cpu: this.#share('cpu', 'some', mono), memory: this.#share('memory', 'full', mono) }
  }

  #share(resource: Resource, line: 'some' | 'full', mono: number): number {
    const total = this.#total(resource, line)
    if (total === null) return 0
    const before = this.#last.get(resource)
    this.#last.set(resource, { at: mono, total })
    const passed = before ? mono - before.at : 0
    if (!before || passed <= 0 || total < before.total) return 0
    return Math.min(1, (total - before.total) / 1_000 / passed)
  }

  #total(resource: Resource, line: 'some' | 'full'): number | null {
    try {
      const match = new RegExp(`^${line} .*total=(\\d{1,18})$`, 'm').exec(this.#read(FILES[resource]))
      return match ? Number(match[1]) : null
    } catch {
      // Not Linux, or a kernel without it.
      return null
    }
  }
}
