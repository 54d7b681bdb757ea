import { openSync } from 'node:fs'
import { MessageChannel } from 'node:worker_threads'
import { defaultShardSettings, type FromShard, type ToShard } from '../../src/monitor/app/shard-protocol.ts'
import { runShard } from '../../src/monitor/app/shard.ts'
import { instance, spec } from '../../src/monitor/app/shard.testing.ts'

// A monitor in a process of its own, to be stopped and starved from outside. Watches the port that it is given and prints
// each status; a line on stdin makes it hold every descriptor that it may have.
const { port1, port2 } = new MessageChannel()
await runShard(port1, defaultShardSettings)
port2.on('message', (message: FromShard) => {
  if (message.type === 'verdict') process.stdout.write(`${message.verdict.status}\n`)
})
port2.postMessage({
  type: 'targets',
  services: [spec('a', Number(process.argv[2]))],
  instances: [instance('a')],
  proven: [],
  boots: [],
} satisfies ToShard)
const held: number[] = []
process.stdin.on('data', () => {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    // Every one is taken.
  }
})
