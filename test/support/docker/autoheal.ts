import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from './engine.ts'

export interface AutohealSettings {
  /** Compose project that it heals. */
  readonly project: string
  readonly intervalMs: number
  /** Seconds between SIGTERM and SIGKILL. */
  readonly stopTimeoutS: number
}

/** As its documentation has it: AUTOHEAL_INTERVAL 5, AUTOHEAL_DEFAULT_STOP_TIMEOUT 10. */
export const autohealDefaults = { intervalMs: 5_000, stopTimeoutS: 10 } as const
/** The quickest that its settings allow. */
export const autohealAggressive = { intervalMs: 1_000, stopTimeoutS: 0 } as const

/**
 * The loop that docker-autoheal is: asks Docker what is unhealthy, restarts that one after the other, waits, asks again. It
 * knows no dependencies, no budget, and nothing of what has exited.
 */
export class Autoheal implements AsyncDisposable {
  readonly #engine: Engine
  readonly #settings: AutohealSettings
  readonly #stop = new AbortController()
  readonly #loop: Promise<void>
  /** Names of the containers that it restarted, in order. */
  readonly restarted: string[] = []

  constructor(engine: Engine, settings: AutohealSettings) {
    this.#engine = engine
    this.#settings = settings
    this.#loop = this.#run()
  }

  async #run(): Promise<void> {
    const { project, intervalMs, stopTimeoutS } = this.#settings
    const filters = ['--filter', 'health=unhealthy', '--filter', `label=com.docker.compose.project=${project}`]
    while (!this.#stop.signal.aborted) {
      const names = await this.#engine.docker('ps', ...filters, '--format', '{{.Names}}').catch(() => '')
      for (const name of names.split('\n').filter(Boolean)) {
        this.restarted.push(name)
        // A restart that fails is not tried again before the next round.
        await this.#engine.docker('restart', '--time', String(stopTimeoutS), name).catch(() => '')
      }
      await sleep(intervalMs, null, { signal: this.#stop.signal }).catch(() => null)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }
}
