import { Worker } from 'node:worker_threads'
import { MedykError, messageOf, type Clock, type Logger } from '@medyk/health/internal'
import { defaultShardSettings, type FromShard, type ShardSettings, type ToShard } from './shard-protocol.ts'
import type { ShardHost, ShardListener } from './shard-host.ts'

export interface ShardThreadOptions {
  readonly settings: Partial<ShardSettings>
  readonly clock: Clock
  readonly logger: Logger
  /** Another way to start the worker, for tests that have to kill it. */
  readonly spawn?: (settings: ShardSettings) => Worker
}

/** The shard tells something every second; this long without a word, and it is taken to hang. */
const SILENT_MS = 10_000
const START_MS = 20_000
/** For its last recorded lines, when it is told to stop. */
const LAST_WORDS_MS = 500

const spawnWorker = (workerData: ShardSettings): Worker =>
  new Worker(new URL(import.meta.resolve('#shard')), { name: 'medyk-shard', workerData })

/**
 * Runs a shard in a worker thread, for one life of that worker. One that dies or goes silent is ended and reported once.
 * Rejects with `ERR_SHARD` when it does not come up.
 */
export async function startShard(listener: ShardListener, options: ShardThreadOptions): Promise<ShardHost> {
  const { clock, logger, spawn = spawnWorker } = options
  const worker = spawn({ ...defaultShardSettings, ...options.settings })
  const ready = Promise.withResolvers<void>()
  const exited = Promise.withResolvers<void>()
  let state: 'running' | 'stopping' | 'over' = 'running'
  let heard = clock.mono()
  const lost = (reason: string) => {
    if (state !== 'running') return
    state = 'over'
    watchdog?.[Symbol.dispose]()
    logger.error({ reason }, 'the probing thread is lost')
    // One that hangs would go on burning a core beside its successor.
    void worker.terminate()
    listener.onLost(reason)
    ready.reject(new MedykError('ERR_SHARD', reason))
  }
  worker.on('error', (error) => lost(`the probing thread failed: ${messageOf(error)}`))
  worker.on('exit', (code) => {
    lost(`the probing thread ended with code ${code}`)
    exited.resolve()
  })
  worker.on('message', (message: FromShard) => {
    heard = clock.mono()
    if (message.type === 'records' && state !== 'over')
      return message.records.forEach((record) => listener.onRecord(record))
    if (state !== 'running') return
    switch (message.type) {
      case 'ready':
        return ready.resolve()
      case 'verdict':
        return listener.onVerdict(message.verdict)
      case 'event':
        return listener.onEvent(message.event)
      case 'summary':
        return listener.onSummary(message)
      case 'problem':
        return logger.warn({ problem: message.message }, 'probing')
    }
  })
  let watchdog: Disposable | null = null
  const watch = () => {
    const due = clock.mono() + 2_000
    watchdog = clock.timer(
      2_000,
      () => {
        // This thread was late itself: the shard's words may still be waiting to be read.
        const late = clock.mono() - due > 1_000
        if (!late && clock.mono() - heard > SILENT_MS)
          lost(`the probing thread has said nothing for ${SILENT_MS / 1_000} s`)
        else if (state === 'running') watch()
      },
      { unref: true },
    )
  }
  const tooSlow = clock.timer(START_MS, () => lost('the probing thread did not start'))
  try {
    await ready.promise
  } finally {
    tooSlow[Symbol.dispose]()
  }
  watch()

  const send = (message: ToShard) => {
    if (state === 'running') worker.postMessage(message)
  }
  return {
    setTargets: (services, instances, proven, boots = []) =>
      send({ type: 'targets', services, instances, proven, boots }),
    instanceEvent: (event) => send({ type: 'instance', event }),
    confirm: (token, services, withinMs) => send({ type: 'confirm', token, services, withinMs }),
    async [Symbol.asyncDispose]() {
      send({ type: 'stop' })
      if (state === 'running') state = 'stopping'
      watchdog?.[Symbol.dispose]()
      const patience = clock.timer(LAST_WORDS_MS, exited.resolve)
      await exited.promise
      patience[Symbol.dispose]()
      state = 'over'
      await worker.terminate()
    },
  }
}
