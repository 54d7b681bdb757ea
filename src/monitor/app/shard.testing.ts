import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MessageChannel, Worker } from 'node:worker_threads'
import { defaultRecoveryPolicy, type Instance, type ServiceSpec, type Verdict } from '../model/index.ts'
import {
  defaultShardSettings,
  type DetectionRecord,
  type FromShard,
  type ShardSecond,
  type ShardSettings,
  type ToShard,
} from './shard-protocol.ts'
import { runShard, type ShardSurroundings } from './shard.ts'

export const spec = (name: string, port: number, more: Partial<ServiceSpec> = {}): ServiceSpec => ({
  name,
  runtime: null,
  runtimeOptions: {},
  dependsOn: [],
  probes: [
    {
      name: 'live',
      role: 'liveness',
      kind: 'http',
      options: { url: `http://127.0.0.1:${port}/health` },
      intervalMs: 1_000,
      timeoutMs: 1_300,
    },
  ],
  startupGraceMs: 60_000,
  recovery: defaultRecoveryPolicy,
  ...more,
})

export const instance = (service: string, more: Partial<Instance> = {}): Instance => ({
  id: `${service}-1`,
  service,
  kind: 'test',
  state: 'running',
  pid: 1,
  startedAt: null,
  exit: null,
  failure: null,
  restarts: 0,
  ...more,
})

/** A shard in this thread, spoken to over a channel as a worker would be. */
export async function shard(
  stack: AsyncDisposableStack,
  settings: Partial<ShardSettings> = {},
  surroundings: ShardSurroundings = {},
) {
  const { port1, port2 } = new MessageChannel()
  const messages: FromShard[] = []
  const running = await runShard(port1, { ...defaultShardSettings, ...settings }, surroundings)
  port2.on('message', (message: FromShard) => messages.push(message))
  stack.defer(() => {
    running[Symbol.dispose]()
    port1.close()
  })
  const only = <T extends FromShard['type']>(type: T) =>
    messages.filter((message): message is Extract<FromShard, { type: T }> => message.type === type)
  return {
    running,
    send: (message: ToShard) => port2.postMessage(message),
    watch: (specs: readonly ServiceSpec[], instances?: readonly Instance[]) =>
      port2.postMessage({
        type: 'targets',
        services: specs,
        instances: instances ?? specs.map(({ name }) => instance(name)),
        proven: [],
        boots: [],
      } satisfies ToShard),
    verdicts: (service = 'a'): readonly Verdict[] =>
      only('verdict')
        .map(({ verdict }) => verdict)
        .filter((verdict) => verdict.service === service),
    last: (service = 'a'): string | undefined =>
      only('verdict').findLast(({ verdict }) => verdict.service === service)?.verdict.status,
    events: () => only('event').map(({ event }) => event),
    seconds: (): readonly ShardSecond[] => only('summary'),
    records: (): readonly DetectionRecord[] => only('records').flatMap(({ records }) => records),
  }
}

export async function target(
  stack: AsyncDisposableStack,
): Promise<{ port: number; server: Server; asked: () => number }> {
  let asked = 0
  const server = createServer((_request, response) => {
    asked++
    response.end('fine')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => void server.close())
  return { port: (server.address() as AddressInfo).port, server, asked: () => asked }
}

/** A target in a thread of its own: it answers while the shard's own loop stands still. */
export async function targetElsewhere(stack: AsyncDisposableStack): Promise<number> {
  const source = `
    const { createServer } = require('node:http')
    const server = createServer((request, response) => response.end('fine'))
    server.listen(0, '127.0.0.1', () => require('node:worker_threads').parentPort.postMessage(server.address().port))`
  const worker = new Worker(source, { eval: true })
  stack.defer(async () => void (await worker.terminate()))
  const [port] = (await once(worker, 'message')) as [number]
  return port
}

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
export const soon = { timeout: 10_000, interval: 20 }
