import path from 'node:path'
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { Engine } from './engine.ts'
import { prepareStateDir } from './files.ts'
import { lockStateDir } from './lock.ts'
import { openDatabase } from './open-database.ts'
import { toFailure, type Close, type FromWorker, type Request, type WorkerOptions } from './protocol.ts'

/** Most requests in one transaction: bounds how long the first of them waits for the last. */
const MAX_GROUP = 128

function serve(port: MessagePort, options: WorkerOptions): void {
  const say = (message: FromWorker) => port.postMessage(message)
  using stack = new DisposableStack()
  prepareStateDir(options.stateDir)
  stack.use(lockStateDir(options.stateDir, options.now))
  const { db, problems } = openDatabase(path.join(options.stateDir, 'journal.db'), options)
  stack.defer(() => db.close())
  const engine = new Engine(db, { directory: options.stateDir, retention: options.retention })

  const held = stack.move()
  const end = () => {
    held.dispose()
    port.close()
  }
  port.on('message', (first: Request | Close) => {
    const requests: Request[] = []
    // What has queued up behind the first shares its transaction.
    for (let next: Request | Close | undefined = first; next !== undefined; next = take(port)) {
      if (next.type === 'close') {
        engine.execute(requests).forEach(say)
        return end()
      }
      requests.push(next)
      if (requests.length >= MAX_GROUP) break
    }
    engine.execute(requests).forEach(say)
    if (engine.broken) end()
  })
  say({ type: 'ready', problems })
}

function take(port: MessagePort): Request | Close | undefined {
  return receiveMessageOnPort(port)?.message as Request | Close | undefined
}

if (parentPort !== null) {
  try {
    serve(parentPort, workerData as WorkerOptions)
  } catch (error) {
    parentPort.postMessage({ type: 'failed', failure: toFailure(error) } satisfies FromWorker)
    parentPort.close()
  }
}
