import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lives, seen } from '../processes.ts'

/**
 * Holds `file` while this process lives, one at a time on this machine; the lock of a dead process is taken over.
 *
 * @param withinMs how long to wait for its holder
 */
export async function takeLock(file: string, withinMs = 30 * 60_000): Promise<Disposable> {
  mkdirSync(dirname(file), { recursive: true })
  const own = seen(process.pid)
  const mark = `${process.pid} ${own?.startTicks ?? ''}`
  const end = performance.now() + withinMs
  for (let told = false; !take(file, mark); told = true) {
    const holder = read(file)
    if (holder !== null && !isAlive(holder)) {
      rmSync(file, { force: true })
      continue
    }
    if (performance.now() > end) throw new Error(`${file} is still held by process ${holder?.split(' ')[0]}`)
    if (!told) process.stderr.write(`Waiting for process ${holder?.split(' ')[0]}, which holds ${file} …\n`)
    await sleep(200)
  }
  const release = () => {
    if (read(file) === mark) rmSync(file, { force: true })
  }
  process.once('exit', release)
  return {
    [Symbol.dispose]: () => {
      process.removeListener('exit', release)
      release()
    },
  }
}

function take(file: string, mark: string): boolean {
  try {
    writeFileSync(file, mark, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function isAlive(mark: string): boolean {
  // Taken this very moment, the mark not written yet.
  if (mark === '') return true
  const [pid, startTicks = ''] = mark.split(' ')
  return lives({ pid: Number(pid), parent: 0, startTicks })
}
