import { parentPort, workerData } from 'node:worker_threads'
import { MedykError } from '@medyk/health/internal'
import type { ShardSettings, ToShard } from './shard-protocol.ts'
import { runShard } from './shard.ts'

// Entry of a worker thread: nothing to import from here.
const port = parentPort
if (!port) throw new MedykError('ERR_WORKER', 'this file runs in a worker thread only')
await runShard(port, workerData as ShardSettings)
// After the shard's own listener, hence after its last words: without a port nothing keeps this thread.
port.on('message', ({ type }: ToShard) => {
  if (type === 'stop') port.close()
})
