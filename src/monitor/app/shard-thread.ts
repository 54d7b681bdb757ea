import { Worker } from 'node:worker_threads'
import { messageOf, type Clock, type Logger } from '@medyk/health/internal'
import type { Instance, RuntimeEvent, ServiceSpec } from '../model/index.ts'
import { defaultShardSettings, type FromShard, type ShardSettings, type ToShard } from './shard-protocol.ts'
import type { ShardHost, ShardListener } from './shard-host.ts'

export interface ShardThreadOptions {
  readonly settings: Partial<ShardSettings>
  readonly clock: Clock
  readonly logger: Logger
}

/** The shard tells something every second; this long without a word, and it is taken to hang. */
const SILENT_MS = 10_000
const START_MS = 20_000

/** Runs a shard in a worker thread. A worker that dies or goes silent is reported once; nothing is guessed in its place. */
export async function startShard(listener: ShardListener, options: ShardThreadOptions): Promise<ShardHost> {
  const { clock, logger } = options
  const worker = new Worker(new URL(import.meta.resolve('#shard')), {
    name: 'medyk-shard',
    workerData: { ...defaultShardSettings, ...options.settings } satisfies ShardSettings,
  })
  const ready = Promise.withResolvers<void>()
  let ended = false
  let heard = clock.mono()
  const lost = (reason: string) => {
    if (ended) return
    ended = true
    watchdog?.[Symbol.dispose]()
    ready.reject(new Error(reason))
    logger.error({ reason }, 'the probing thread is lost')
    listener.onLost(reason)
  }
  worker.on('error', (error) => lost(`the probing thread failed: ${messageOf(error)}`))
  worker.on('exit', (code) => lost(`the probing thread ended with code ${code}`))
  worker.on('message', (message: FromShard) => {
    heard = clock.mono()
    if (ended) return
    switch (message.type) {
      case 'ready':
        return ready.resolve()
      case 'verdict':
        return listener.onVerdict(message.verdict)
      case 'event':
        return listener.onEvent(message.event)
      case 'summary':
        return listener.onSummary(message)
      case 'records':
        return message.records.forEach((record) => listener.onRecord(record))
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
        else if (!ended) watch()
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
    if (!ended) worker.postMessage(message)
  }
  return {
    setTargets: (services: readonly ServiceSpec[], instances: readonly Instance[], proven: readonly string[]) =>
      send({ type: 'targets', services, instances, proven }),
    instanceEvent: (event: RuntimeEvent) => send({ type: 'instance', event }),
    confirm: (token, services, withinMs) => send({ type: 'confirm', token, services, withinMs }),
    async [Symbol.asyncDispose]() {
      send({ type: 'stop' })
      ended = true
      watchdog?.[Symbol.dispose]()
      await worker.terminate()
    },
  }
}
