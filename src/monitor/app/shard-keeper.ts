import type { Instance, RuntimeEvent, ServiceSpec, Verdict } from '../model/index.ts'
import type { Boots } from './shard-protocol.ts'
import type { ShardHost, ShardListener } from './shard-host.ts'
import { startShard, type ShardThreadOptions } from './shard-thread.ts'

export interface KeptShardListener extends ShardListener {
  /** After a loss: all targets are examined again. */
  onBack(): void
}

/** Before the first restart, and before the last of those that follow each other closely; between them it doubles. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** A life as long as this was a good one: the next pause is the first again. */
const GOOD_LIFE_MS = 60_000

/** A shard that is started again whenever its worker is lost. Rejects when not even the first one comes up. */
export async function keepShard(listener: KeptShardListener, options: ShardThreadOptions): Promise<ShardHost> {
  const keeper = new ShardKeeper(listener, options)
  try {
    await keeper.begin()
    return keeper
  } catch (error) {
    await keeper[Symbol.asyncDispose]()
    throw error
  }
}

class ShardKeeper implements ShardHost {
  readonly #listener: KeptShardListener
  readonly #options: ShardThreadOptions
  readonly #instances = new Map<string, Instance>()
  readonly #verdicts = new Map<string, Verdict>()
  #services: readonly ServiceSpec[] = []
  #proven = new Set<string>()
  #boots: Boots = []
  #shard: ShardHost | null = null
  #starting: Promise<void> = Promise.resolve()
  #timer: Disposable | null = null
  #pauseMs = FIRST_PAUSE_MS
  #startedAt = 0
  #isLost = false
  #isOver = false

  constructor(listener: KeptShardListener, options: ShardThreadOptions) {
    this.#listener = listener
    this.#options = options
  }

  async begin(): Promise<void> {
    this.#startedAt = this.#options.clock.mono()
    const listener = this.#listener
    this.#shard = await startShard(
      {
        onEvent: (event) => listener.onEvent(event),
        onSummary: (summary) => listener.onSummary(summary),
        onRecord: (record) => listener.onRecord(record),
        onVerdict: (verdict) => this.#verdict(verdict),
        onLost: (reason) => this.#lost(reason),
      },
      this.#options,
    )
  }

  setTargets(
    services: readonly ServiceSpec[],
    instances: readonly Instance[],
    proven: readonly string[],
    boots?: Boots,
  ): void {
    this.#services = services
    this.#boots = boots ?? []
    this.#proven = new Set(proven)
    this.#instances.clear()
    for (const instance of instances) this.#instances.set(instance.id, instance)
    for (const id of this.#verdicts.keys()) if (!this.#instances.has(id)) this.#verdicts.delete(id)
    this.#shard?.setTargets(services, instances, proven, this.#boots)
  }

  instanceEvent(event: RuntimeEvent): void {
    const { id } = event.instance
    if (event.type === 'instance.removed') {
      this.#instances.delete(id)
      this.#verdicts.delete(id)
    } else this.#instances.set(id, event.instance)
    this.#shard?.instanceEvent(event)
  }

  confirm(token: string, services: readonly string[], withinMs: number): void {
    this.#shard?.confirm(token, services, withinMs)
  }

  #verdict(verdict: Verdict): void {
    if (this.#instances.has(verdict.instance)) this.#verdicts.set(verdict.instance, verdict)
    if (verdict.status === 'healthy') this.#proven.add(verdict.instance)
    this.#listener.onVerdict(verdict)
  }

  #lost(reason: string): void {
    const { clock } = this.#options
    const wasGood = clock.mono() - this.#startedAt > GOOD_LIFE_MS
    this.#shard = null
    this.#listener.onLost(reason)
    if (!this.#isLost) for (const verdict of this.#verdicts.values()) this.#doubt(verdict, reason)
    this.#isLost = true
    if (this.#isOver) return
    if (wasGood) this.#pauseMs = FIRST_PAUSE_MS
    const again = () => void (this.#starting = this.#restart())
    this.#timer = clock.timer(this.#pauseMs, again, { unref: true })
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
  }

  /** Nobody looks any more: what was found last is no longer known, unless the runtime itself saw it. */
  #doubt(verdict: Verdict, reason: string): void {
    const { status, evidence } = verdict
    if (status === 'unknown' || evidence === 'certain') return
    this.#listener.onVerdict({
      ...verdict,
      status: 'unknown',
      previous: status,
      evidence: null,
      symptom: 'observer',
      reason,
      failing: [],
      firstEvidenceAt: this.#options.clock.mono(),
    })
  }

  async #restart(): Promise<void> {
    try {
      await this.begin()
    } catch {
      // It was reported as lost, and the next try is set.
      return
    }
    this.#isLost = false
    this.#options.logger.info({}, 'the probing thread runs again')
    this.#listener.onBack()
    this.#shard?.setTargets(this.#services, [...this.#instances.values()], [...this.#proven], this.#boots)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    this.#timer?.[Symbol.dispose]()
    await this.#starting
    await this.#shard?.[Symbol.asyncDispose]()
  }
}
