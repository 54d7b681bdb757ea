import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { isMedykError, MedykError, messageOf, type Clock, type Logger } from '@medyk/health/internal'
import type { ExitInfo, Instance, InstanceState, RuntimeEvent } from '../../model/index.ts'
import { launch } from './launch.ts'
import { commandHash, type ProcessOptions } from './options.ts'
import { boundOutput, readOutput } from './output.ts'
import { readBootId, readStat, type TokenHolder } from './proc.ts'
import { recall, tokenFor } from './recall.ts'
import { loadRecord, newRecord, saveRecord, type InstanceRecord, type RunRecord } from './record.ts'
import { killGroup, signalProcess, statOf, sweepGroup, sweepToken, type ProcessName } from './signals.ts'
import { CallQueue, cameWithin } from './waiting.ts'

/** After SIGKILL; longer only in uninterruptible sleep, which no signal ends. */
const DEATH_MS = 5_000
/** How often to see whether what was asked to end has been stopped instead. */
const STOP_LOOK_MS = 100

interface Run extends ProcessName {
  readonly startedAt: string
  /** Ours to wait for. Otherwise its end must be looked for, and its exit code is never known. */
  readonly own: boolean
  readonly gone: PromiseWithResolvers<void>
}

export interface SupervisorContext {
  readonly id: string
  readonly service: string
  readonly kind: string
  /** Exists for this instance alone: record and output. */
  readonly directory: string
  /** Begins the token of every run of this instance; no one else can guess it. */
  readonly tokenPrefix: string
  readonly clock: Clock
  readonly logger: Logger
  readonly emit: (type: RuntimeEvent['type'], instance: Instance) => void
}

/** One instance: at most one process at a time. Calls are carried out one after the other. */
export class Supervisor {
  readonly #context: SupervisorContext
  #options: ProcessOptions
  #record: InstanceRecord
  #run: Run | null = null
  #state: InstanceState = 'created'
  #failure: Instance['failure'] = null
  readonly #calls: CallQueue
  #saving: Promise<void> = Promise.resolve()
  /** Kills what the former run left behind; the next one waits for it. */
  #sweep: () => Promise<void> = async () => {}
  #outputTrouble = false
  #released = false

  constructor(context: SupervisorContext, options: ProcessOptions) {
    this.#context = context
    this.#options = options
    this.#record = newRecord(context.id)
    this.#calls = new CallQueue(context.id)
  }

  get adoptedRunning(): boolean {
    return this.#run?.own === false
  }

  snapshot(): Instance {
    return {
      id: this.#context.id,
      service: this.#context.service,
      kind: this.#context.kind,
      state: this.#state,
      pid: this.#run?.pid ?? null,
      startedAt: this.#run?.startedAt ?? null,
      exit: this.#run ? null : this.#record.lastExit,
      failure: this.#failure,
      restarts: Math.max(0, this.#record.starts - 1),
    }
  }

  /** For the next start; what runs goes on as it is. */
  configure(options: ProcessOptions): void {
    if (commandHash(options) !== commandHash(this.#options) && this.#run) this.#logChangedCommand()
    this.#options = options
  }

  /** Finds out what became of the instance while no daemon watched. `holders`: the processes that carry a token. */
  async restore(holders: readonly TokenHolder[]): Promise<void> {
    const { directory, id, logger, clock, tokenPrefix } = this.#context
    const known = (await loadRecord(directory, id, logger)) ?? newRecord(id)
    const { record, alive, leftBehind } = recall(known, {
      bootId: readBootId(),
      holders,
      tokenPrefix,
      isAlive: (name) => statOf(name) !== null,
      unknownExit: unknownExit(clock),
    })
    this.#record = record
    if (leftBehind) this.#sweep = () => this.#guarded(sweepToken(leftBehind.token, leftBehind.pid, clock, logger))
    if (!alive) {
      this.#state = record.lastExit !== null && record.desired === 'running' ? 'exited' : 'created'
      return
    }
    const { pid, startTicks } = alive.name
    const { startedAt } = alive.run
    this.#run = { pid, startTicks, startedAt, own: false, gone: Promise.withResolvers() }
    this.#state = readStat(pid)?.stopped ? 'suspended' : 'running'
    logger.info({ instance: id, pid, startedAt, recorded: !alive.orphan }, 'adopted a running process')
    if (alive.run.commandHash !== commandHash(this.#options)) this.#logChangedCommand()
    if (alive.orphan) await this.#save()
  }

  start(signal: AbortSignal): Promise<Instance> {
    return this.#calls.run(signal, () => this.#start(signal))
  }

  stop(graceMs: number, signal: AbortSignal): Promise<Instance> {
    return this.#calls.run(signal, async () => {
      await this.#want('stopped')
      await this.#end(graceMs, signal)
      return this.snapshot()
    })
  }

  restart(graceMs: number, signal: AbortSignal): Promise<Instance> {
    return this.#calls.run(signal, async () => {
      await this.#want('running')
      await this.#end(graceMs, signal)
      return await this.#start(signal)
    })
  }

  resume(signal: AbortSignal): Promise<Instance> {
    return this.#calls.run(signal, async () => {
      if (this.#run) signalProcess(this.#run, 'SIGCONT')
      this.look()
      return this.snapshot()
    })
  }

  output(maxBytes: number): string {
    return readOutput(this.#context.directory, maxBytes)
  }

  /** Compares with what the kernel says. Ends of own children come as events instead, with their exit code. */
  look(): void {
    const run = this.#run
    if (!run) return
    const stat = statOf(run)
    if (!stat) {
      if (!run.own) this.#ended(run, unknownExit(this.#context.clock))
      return
    }
    const state = stat.stopped ? 'suspended' : 'running'
    if (state === this.#state) return
    this.#state = state
    this.#emit(stat.stopped ? 'instance.suspended' : 'instance.resumed')
  }

  /** Returns how many bytes of output there were if they had to be cut, else 0. */
  boundOutput(): number {
    try {
      const cut = boundOutput(this.#context.directory)
      this.#outputTrouble = false
      return cut
    } catch (error) {
      const { id, logger } = this.#context
      if (!this.#outputTrouble) logger.error({ instance: id, err: messageOf(error) }, 'cannot bound the output')
      this.#outputTrouble = true
      return 0
    }
  }

  /** No event any more; what runs goes on. Resolves when nothing is being written. */
  async release(): Promise<void> {
    this.#released = true
    await this.#calls.idle()
    await this.#saving
  }

  async #start(signal: AbortSignal): Promise<Instance> {
    this.look()
    if (this.#run) {
      await this.#want('running')
      return this.snapshot()
    }
    const { service, directory, clock, tokenPrefix, logger, id } = this.#context
    await this.#sweep()
    signal.throwIfAborted()
    const former = this.#record
    const wall = Math.max(clock.wall(), Date.parse(former.lastStartedAt ?? '') + 1 || 0)
    const startedAt = new Date(wall).toISOString()
    const token = tokenFor(tokenPrefix, wall, randomUUID())
    const announced = { bootId: readBootId(), pid: null, startTicks: null }
    const run: RunRecord = { token, startedAt, commandHash: commandHash(this.#options), ...announced }
    // Written before the process exists: should the daemon die in between, the token leads to the process.
    this.#record = { ...former, desired: 'running', starts: former.starts + 1, lastStartedAt: startedAt, run }
    await this.#save()
    let child: ChildProcess & { readonly pid: number }
    try {
      signal.throwIfAborted()
      child = await launch(service, this.#options, token, directory)
    } catch (error) {
      this.#record = { ...this.#record, starts: former.starts, run: null }
      if (isMedykError(error, 'ERR_START') || isMedykError(error, 'ERR_START_IMPOSSIBLE')) {
        this.#state = 'failed'
        this.#failure = { reason: error.message, permanent: error.code === 'ERR_START_IMPOSSIBLE' }
        this.#emit('instance.failed')
      }
      await this.#save()
      throw error
    }
    this.#began(child, run)
    logger.info({ instance: id, pid: child.pid, startedAt }, 'started')
    const instance = this.snapshot()
    await this.#save()
    return instance
  }

  #began(child: ChildProcess & { readonly pid: number }, record: RunRecord): void {
    const { pid } = child
    // Even if it has ended already: nobody has waited for it yet, so it is still there to be read.
    const startTicks = readStat(pid)?.startTicks ?? 0
    const run: Run = { pid, startTicks, startedAt: record.startedAt, own: true, gone: Promise.withResolvers() }
    child.once('exit', (code, signal) => this.#ended(run, { ...unknownExit(this.#context.clock), code, signal }))
    child.unref()
    this.#run = run
    this.#state = 'running'
    this.#failure = null
    this.#record = { ...this.#record, run: { ...record, pid, startTicks } }
    this.#emit('instance.started')
  }

  #ended(run: Run, exit: ExitInfo): void {
    run.gone.resolve()
    if (this.#run !== run || this.#released) return
    const { id, clock, logger } = this.#context
    this.#run = null
    this.#state = 'exited'
    const known = this.#record
    this.#record = { ...known, lastExit: exit }
    logger.info({ instance: id, pid: run.pid, code: exit.code, signal: exit.signal }, 'exited')
    // The record keeps the run until its leftovers are gone; a daemon that dies before knows them by its token.
    const swept = this.#guarded(sweepGroup(run, clock, logger)).then(() => {
      if (this.#record.run?.pid === run.pid) this.#record = { ...this.#record, run: null }
      return this.#save()
    })
    this.#sweep = () => swept
    this.#emit('instance.exited')
  }

  async #end(graceMs: number, signal: AbortSignal): Promise<void> {
    this.look()
    const run = this.#run
    if (run && !(await this.#endedByItself(run, graceMs, signal))) {
      killGroup(run)
      const waiting = { clock: this.#context.clock, signal }
      if (!(await cameWithin(run.gone.promise, DEATH_MS, waiting))) throw this.#immortal(run)
    }
    await this.#sweep()
  }

  /** Whether it has ended on SIGTERM within the grace. A stopped process acts on no such signal: it gets no grace. */
  async #endedByItself(run: Run, graceMs: number, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#context
    const deadline = clock.mono() + graceMs
    for (let asked = false; this.#state !== 'suspended'; asked = true) {
      const left = deadline - clock.mono()
      if (!(left > 0)) break
      if (!asked) signalProcess(run, 'SIGTERM')
      if (await cameWithin(run.gone.promise, Math.min(left, STOP_LOOK_MS), { clock, signal })) return true
      this.look()
    }
    return false
  }

  /** Leftovers that cannot be found or killed are no reason to leave the service down. */
  async #guarded(sweep: Promise<void>): Promise<void> {
    const { id, logger } = this.#context
    await sweep.catch((error: unknown) => {
      logger.error({ instance: id, err: messageOf(error) }, 'cannot look for what the former run left behind')
    })
  }

  #immortal(run: Run): MedykError {
    const state = readStat(run.pid)?.state ?? 'unknown'
    return new MedykError(
      'ERR_RUNTIME',
      `process ${run.pid} of "${this.#context.service}" survives SIGKILL (state ${state})`,
      {
        hint: 'state D means that it waits for a device or a network file system; see what that is',
      },
    )
  }

  async #want(desired: InstanceRecord['desired']): Promise<void> {
    if (this.#record.desired === desired) return
    this.#record = { ...this.#record, desired }
    await this.#save()
  }

  /** Always writes the newest record. A full disk must not keep a service from being started, so failures are only said. */
  #save(): Promise<void> {
    const { directory, logger, id } = this.#context
    this.#saving = this.#saving.then(async () => {
      try {
        await saveRecord(directory, this.#record)
      } catch (error) {
        logger.error({ instance: id, err: messageOf(error) }, 'cannot write the state file')
      }
    })
    return this.#saving
  }

  #emit(type: RuntimeEvent['type']): void {
    if (!this.#released) this.#context.emit(type, this.snapshot())
  }

  #logChangedCommand(): void {
    const { id, logger } = this.#context
    logger.warn({ instance: id }, 'runs with a former command; the changed one takes effect at its next start')
  }
}

function unknownExit(clock: Clock): ExitInfo {
  return { code: null, signal: null, oomKilled: false, at: new Date(clock.wall()).toISOString() }
}
