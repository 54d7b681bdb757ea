import type { Action, EndedBy, Maintenance, ServiceSpec, Verdict } from '../model/index.ts'
import { core } from './core.ts'
import { Bench } from './core.testing.ts'

type Truth = { is: 'up' | 'booting' | 'hung' } | { is: 'dead'; by: EndedBy; at: number; end: string }

const ACTION_MS = 300
const CONFIRM_MS = 50
const BOOT_MS = 1_200

/**
 * A host that tells the core nothing but the truth, and does what the core decides: whatever is started comes up well. So
 * who stays ill was forgotten, and who was well when it was restarted was restarted wrongly.
 */
export class World {
  readonly bench: Bench
  /** By instance. */
  readonly truth = new Map<string, Truth>()
  /** What the core did that it should not have done. */
  readonly wrongs: string[] = []
  readonly maintained = new Map<string, Maintenance>()
  #specs: readonly ServiceSpec[]
  readonly #all: readonly ServiceSpec[]
  readonly #queue: { readonly at: number; run(): void }[] = []
  #seen = 0
  #ends = 0
  #unwell = false
  readonly #lost = new Set<string>()

  readonly #lagMs: number

  /** `lagMs`: so much later than the runtime's own word comes what probing says. */
  constructor(lagMs: number, ...services: ServiceSpec[]) {
    this.#lagMs = lagMs
    this.bench = new Bench(...services)
    this.#all = services
    this.#specs = services
    for (const { name } of services) this.truth.set(name, { is: 'up' })
  }

  get instances(): readonly string[] {
    return [...this.truth.keys()]
  }

  ends(id: string, by: EndedBy): void {
    const truth = this.truth.get(id)
    if (!truth || truth.is === 'dead') return
    this.truth.set(id, { is: 'dead', by, at: this.bench.mono, end: `end-${++this.#ends}` })
    if (!this.#lost.has(id)) this.#tellOf(id)
    this.#collect()
  }

  hangs(id: string): void {
    if (this.truth.get(id)?.is !== 'up') return
    this.truth.set(id, { is: 'hung' })
    this.#judge(id)
    this.#collect()
  }

  /** By an operator, or by a restart policy. */
  starts(id: string): void {
    if (this.truth.get(id)?.is !== 'dead') return
    this.#run(id)
    this.#collect()
  }

  /** Compose creates one more of it. */
  appears(service: string): void {
    if (this.truth.size > 12) return
    if (!this.#specs.some(({ name }) => name === service)) {
      this.#specs = this.#all.filter((spec) => spec.name === service || this.#specs.includes(spec))
      this.bench.send({ type: 'services.changed', services: this.#specs })
    }
    const id = [service, ...[2, 3, 4, 5, 6, 7, 8, 9].map((n) => `${service}/${n}`)].find((one) => !this.truth.has(one))
    if (id !== undefined) this.#run(id)
    this.#collect()
  }

  vanishes(id: string): void {
    if (!this.truth.delete(id)) return
    this.#lost.delete(id)
    this.bench.removed(id)
    const [service = id] = id.split('/', 1)
    if (!this.instances.some((one) => one.split('/', 1)[0] === service)) {
      this.#specs = this.#specs.filter(({ name }) => name !== service)
      this.bench.send({ type: 'services.changed', services: this.#specs })
    }
    this.#collect()
  }

  maintain(service: string, on: boolean): void {
    const { wall } = this.bench
    const [since, until] = [wall, wall + 3_600_000].map((at) => new Date(at).toISOString()) as [string, string]
    if (on) this.maintained.set(service, { service, by: 'anna', reason: 'new disk', since, until })
    else this.maintained.delete(service)
    this.bench.send({ type: 'maintenance.changed', maintenance: [...this.maintained.values()] })
    this.#collect()
  }

  observer(unwell: boolean): void {
    if (unwell === this.#unwell) return
    this.#unwell = unwell
    this.bench.send({ type: 'observer.changed', unwell, reason: '' })
    for (const id of this.instances) this.#judge(id)
    this.#collect()
  }

  /** The runtime does not answer, or does again. */
  away(away: boolean): void {
    if (away === this.#lost.size > 0) return
    this.#lost.clear()
    for (const id of this.instances) {
      if (!away) this.#tellOf(id)
      else {
        this.#lost.add(id)
        this.bench.send({ type: 'instance.lost', instance: this.bench.instance(id, { state: 'unknown' }) })
        this.#say(id, { status: 'unknown', symptom: 'runtime' })
        this.#collect()
      }
    }
    this.#collect()
  }

  pass(ms: number): void {
    const { bench } = this
    const end = bench.mono + ms
    for (let guard = 0; ; guard++) {
      if (guard > 20_000) throw new Error('the core asks to be woken without end')
      this.#queue.sort((a, b) => a.at - b.at)
      const woken = core.wakeAt(bench.state) ?? Infinity
      const due = this.#queue[0]?.at ?? Infinity
      const at = Math.min(woken, due)
      if (at > end) break
      bench.mono = Math.max(bench.mono, at)
      if (due <= bench.mono) this.#queue.shift()?.run()
      else bench.send({ type: 'tick' })
      this.#collect()
    }
    bench.mono = end
  }

  #run(id: string): void {
    this.truth.set(id, { is: 'booting' })
    if (this.#lost.has(id)) this.bench.restartedUnseen(id)
    else this.#tellOfStart(id)
    const run = this.bench.instance(id).startedAt
    this.#later(BOOT_MS, () => {
      if (this.truth.get(id)?.is !== 'booting' || this.bench.instance(id).startedAt !== run) return
      this.truth.set(id, { is: 'up' })
      this.#judge(id)
    })
  }

  #tellOfStart(id: string): void {
    this.bench.restartedUnseen(id)
    this.bench.send({ type: 'instance.started', instance: this.bench.instance(id) })
    this.#judge(id)
  }

  #later(ms: number, run: () => void): void {
    this.#queue.push({ at: this.bench.mono + ms, run })
  }

  /** As the runtime and then detection would. */
  #tellOf(id: string): void {
    const { bench } = this
    const truth = this.truth.get(id)
    if (!truth) return
    if (truth.is === 'dead') {
      const exit = { code: 137, signal: null, oomKilled: false, at: truth.end, endedBy: truth.by }
      bench.send({
        type: 'instance.exited',
        instance: bench.instance(id, { state: 'exited', pid: null, startedAt: null, exit }),
      })
    } else bench.send({ type: 'instance.resumed', instance: bench.instance(id) })
    this.#judge(id)
  }

  #judge(id: string): void {
    const truth = this.truth.get(id)
    if (!truth || this.#lost.has(id)) return
    if (truth.is === 'dead')
      this.#say(id, { status: 'unhealthy', evidence: 'certain', symptom: 'exited', startedAt: null })
    else if (this.#unwell) this.#say(id, { status: 'unknown', symptom: 'observer' })
    else if (truth.is === 'hung') this.#say(id, { status: 'unhealthy', evidence: 'silence', symptom: 'hung' })
    else this.#say(id, { status: truth.is === 'up' ? 'healthy' : 'starting' })
  }

  #say(id: string, part: Partial<Verdict>): void {
    const { startedAt } = this.bench.instance(id)
    const verdict = { startedAt, firstEvidenceAt: this.bench.mono, ...part }
    if (this.#lagMs === 0) this.bench.verdict(id, verdict)
    else this.#later(this.#lagMs, () => this.bench.verdict(id, verdict))
  }

  #collect(): void {
    const { effects } = this.bench
    for (; this.#seen < effects.length; this.#seen++) {
      const effect = effects[this.#seen]
      if (effect?.type === 'act') {
        this.#blame(effect.action)
        this.#later(ACTION_MS, () => this.#carryOut(effect.action))
      } else if (effect) {
        const { token, services } = effect
        this.#later(CONFIRM_MS, () => {
          const isSound = (service: string) =>
            this.instances.some((id) => id.split('/', 1)[0] === service && this.truth.get(id)?.is === 'up')
          const sound = services.filter(isSound)
          const doubtful = services.filter((service) => !isSound(service))
          this.bench.send({ type: 'confirmed', token, sound, doubtful })
        })
      }
    }
  }

  #blame({ instance, service, kind }: Action): void {
    const truth = this.truth.get(instance)
    const told = (what: string) => this.wrongs.push(`${kind} of ${instance}, ${what}`)
    if (this.maintained.has(service)) told('which is under maintenance')
    if (this.#unwell) told('while the observer is unwell')
    if (this.#lost.has(instance)) told('whose runtime does not answer')
    if (truth?.is === 'up') told('which is well')
    if (truth?.is !== 'dead') return
    if (truth.by === 'before') told('which was found stopped')
    if (truth.by === 'stop' && this.bench.mono - truth.at < 15_000) told('which was stopped a moment ago')
  }

  #carryOut(action: Action): void {
    const truth = this.truth.get(action.instance)
    const run = truth?.is === 'dead' ? null : this.bench.instance(action.instance).startedAt
    const isStale = action.kind === 'start' ? run !== null : run !== action.precondition.startedAt
    if (!truth) this.#finish(action, 'failed')
    else if (isStale) this.#finish(action, 'aborted')
    else {
      if (action.kind === 'restart') this.ends(action.instance, 'medyk')
      this.#run(action.instance)
      this.#finish(action, 'done')
    }
  }

  #finish(action: Action, result: 'done' | 'aborted' | 'failed'): void {
    const startedAt = this.truth.has(action.instance) ? this.bench.instance(action.instance).startedAt : null
    this.bench.send({ type: 'action.finished', action, outcome: { result, detail: '', startedAt } })
  }
}
