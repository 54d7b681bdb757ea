import { parentPort, workerData } from 'node:worker_threads'
import { MedykError } from '@medyk/health/internal'
import type { ShardSettings } from './shard-protocol.ts'
import { runShard } from './shard.ts'

// Entry of a worker thread: nothing to import from here.
if (!parentPort) throw new MedykError('ERR_WORKER', 'this file runs in a worker thread only')
await runShard(parentPort, workerData as ShardSettings)
