import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MedykError, messageOf, printable } from '@medyk/health/internal'
import type { Ability, Instance, Runtime, RuntimeCall, RuntimeEvent, ServiceSpec } from '../../model/index.ts'
import type { RuntimeContext } from '../plugin.ts'
import { TOKEN_VARIABLE } from './launch.ts'
import { schema, type ProcessOptions } from './options.ts'
import { MAX_OUTPUT_BYTES } from './output.ts'
import { findHolders } from './proc.ts'
import { Supervisor } from './supervisor.ts'
import { settledBy } from './waiting.ts'

const KIND = 'process'
const LOOK_MS = 250
/** While something runs that is not our child, whose end is only seen by looking. */
const ADOPTED_LOOK_MS = 100
/** After an output was cut that had grown far over its bound. */
const FLOOD_LOOK_MS = 20

/** Runs each service as one process. The instance of service `x` is `x-1`. */
export class ProcessRuntime implements Runtime {
  readonly kind = KIND
  readonly abilities: ReadonlySet<Ability> = new Set<Ability>(['start', 'stop', 'restart', 'resume', 'logs'])
  readonly #context: RuntimeContext
  readonly #directory: string
  readonly #ownerKey: string
  readonly #closed = new AbortController()
  readonly #listeners = new Set<(event: RuntimeEvent) => void>()
  #supervisors: ReadonlyMap<string, Supervisor> = new Map()
  #adopting: Promise<unknown> = Promise.resolve()
  #timer: Disposable

  private constructor(context: RuntimeContext, directory: string, ownerKey: string) {
    this.#context = context
    this.#directory = directory
    this.#ownerKey = ownerKey
    this.#timer = context.clock.timer(LOOK_MS, this.#look, { unref: true })
  }

  /** Rejects with ERR_RUNTIME when the state directory cannot be used. */
  static async open(context: RuntimeContext): Promise<ProcessRuntime> {
    const directory = join(context.stateDir, KIND)
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      // Whoever can write here can make us kill any process.
      await chmod(directory, 0o700)
      return new ProcessRuntime(context, directory, await ownerKeyIn(directory))
    } catch (error) {
      throw new MedykError('ERR_RUNTIME', `state directory "${directory}" cannot be used: ${messageOf(error)}`, {
        hint: 'name a directory that the daemon owns and may write to',
        cause: error,
      })
    }
  }

  async adopt(services: readonly ServiceSpec[], call: RuntimeCall): Promise<readonly Instance[]> {
    const wanted = validated(services.filter(({ runtime }) => runtime === KIND))
    const signal = this.#until(call)
    const adopted = this.#adopting.then(() => this.#adopt(wanted, signal))
    this.#adopting = adopted.catch(() => {})
    return await settledBy(adopted, signal)
  }

  async list(call: RuntimeCall): Promise<readonly Instance[]> {
    this.#check(call)
    return this.#snapshots()
  }

  async inspect(id: string, call: RuntimeCall): Promise<Instance> {
    this.#check(call)
    const supervisor = this.#find(id)
    supervisor.look()
    return supervisor.snapshot()
  }

  watch(listener: (event: RuntimeEvent) => void): Disposable {
    // A wrapper of its own, so that the same function can watch twice.
    const entry = (event: RuntimeEvent) => listener(event)
    this.#listeners.add(entry)
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) }
  }

  async start(id: string, call: RuntimeCall): Promise<Instance> {
    return await this.#find(id).start(this.#until(call))
  }

  async stop(id: string, graceMs: number, call: RuntimeCall): Promise<Instance> {
    return await this.#find(id).stop(graceMs, this.#until(call))
  }

  async restart(id: string, graceMs: number, call: RuntimeCall): Promise<Instance> {
    return await this.#find(id).restart(graceMs, this.#until(call))
  }

  /** Continues a suspended process; changes nothing otherwise. */
  async resume(id: string, call: RuntimeCall): Promise<Instance> {
    return await this.#find(id).resume(this.#until(call))
  }

  async logs(id: string, maxBytes: number, call: RuntimeCall): Promise<string> {
    this.#check(call)
    return this.#find(id).output(maxBytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new MedykError('ERR_RUNTIME', 'the process runtime is closed'))
    this.#timer[Symbol.dispose]()
    this.#listeners.clear()
    await this.#adopting
    await Promise.all([...this.#supervisors.values()].map((supervisor) => supervisor.release()))
  }

  async #adopt(wanted: readonly Wanted[], signal: AbortSignal): Promise<readonly Instance[]> {
    signal.throwIfAborted()
    const holders = await findHolders(TOKEN_VARIABLE, this.#context.clock)
    const next = new Map<string, Supervisor>()
    for (const { service, id, options } of wanted) {
      signal.throwIfAborted()
      const former = this.#supervisors.get(id)
      if (former) former.configure(options)
      const supervisor = former ?? this.#supervise(service, id, options)
      if (!former) await supervisor.restore(holders)
      next.set(id, supervisor)
    }
    const removed = [...this.#supervisors].filter(([id]) => !next.has(id))
    this.#supervisors = next
    for (const [, supervisor] of removed) {
      this.#emit('instance.removed', supervisor.snapshot())
      void supervisor.release()
    }
    // What was adopted is looked at more often from here on.
    this.#timer[Symbol.dispose]()
    this.#look()
    return this.#snapshots()
  }

  #supervise(service: string, id: string, options: ProcessOptions): Supervisor {
    return new Supervisor(
      {
        id,
        service,
        kind: KIND,
        directory: join(this.#directory, id),
        tokenPrefix: `${createHash('sha256').update(`${this.#ownerKey}/${id}`).digest('hex').slice(0, 32)}.`,
        clock: this.#context.clock,
        logger: this.#context.logger,
        emit: (type, instance) => this.#emit(type, instance),
      },
      options,
    )
  }

  readonly #look = (): void => {
    let next = LOOK_MS
    for (const supervisor of this.#supervisors.values()) {
      supervisor.look()
      if (supervisor.adoptedRunning) next = Math.min(next, ADOPTED_LOOK_MS)
      if (supervisor.boundOutput() > 4 * MAX_OUTPUT_BYTES) next = FLOOD_LOOK_MS
    }
    if (!this.#closed.signal.aborted) this.#timer = this.#context.clock.timer(next, this.#look, { unref: true })
  }

  #snapshots(): readonly Instance[] {
    return [...this.#supervisors.values()].map((supervisor) => {
      supervisor.look()
      return supervisor.snapshot()
    })
  }

  #emit(type: RuntimeEvent['type'], instance: Instance): void {
    for (const listener of this.#listeners) {
      try {
        listener({ type, instance })
      } catch (error) {
        this.#context.logger.error({ instance: instance.id, err: messageOf(error) }, 'a listener of the runtime threw')
      }
    }
  }

  #find(id: string): Supervisor {
    const supervisor = this.#supervisors.get(id)
    if (supervisor) return supervisor
    throw new MedykError('ERR_NO_INSTANCE', `the process runtime has no instance "${id.slice(0, 100)}"`, {
      hint: `it has: ${[...this.#supervisors.keys()].slice(0, 20).join(', ') || 'none'}`,
    })
  }

  #check({ signal }: RuntimeCall): void {
    signal.throwIfAborted()
    this.#closed.signal.throwIfAborted()
  }

  #until({ signal }: RuntimeCall): AbortSignal {
    return AbortSignal.any([signal, this.#closed.signal])
  }
}

/** It becomes the name of a directory: nothing in it may lead elsewhere. */
const NAME = /^[A-Za-z0-9][\w.-]{0,62}$/

interface Wanted {
  readonly service: string
  readonly id: string
  readonly options: ProcessOptions
}

/** All problems of all services in one error. */
function validated(services: readonly ServiceSpec[]): readonly Wanted[] {
  const problems: string[] = []
  const wanted: Wanted[] = []
  for (const { name, runtimeOptions } of services) {
    const id = `${name}-1`
    if (!NAME.test(name)) {
      problems.push(`service "${printable(name, 80)}": a name is 1 to 63 letters, digits, dots, dashes and underscores`)
      continue
    }
    if (wanted.some((other) => other.id === id)) problems.push(`service "${name}" is there twice`)
    const parsed = schema.safeParse(runtimeOptions)
    if (parsed.success) wanted.push({ service: name, id, options: parsed.data })
    else {
      for (const { path, message } of parsed.error.issues) {
        problems.push(`service "${name}": ${['runtimeOptions', ...path.map(String)].join('.')}: ${message}`)
      }
    }
  }
  if (problems.length === 0) return wanted
  throw new MedykError('ERR_RUNTIME', problems.join('\n'), {
    hint: 'a process service needs runtimeOptions.command, a list of the program and its arguments',
  })
}

async function ownerKeyIn(directory: string): Promise<string> {
  const file = join(directory, 'owner')
  const known = await readFile(file, 'utf8').catch(() => '')
  if (/^[0-9a-f]{32}$/.test(known)) return known
  const key = randomBytes(16).toString('hex')
  await writeFile(file, key, { mode: 0o600 })
  return key
}
