import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Runs `work` while no other process of this machine holds `file`: two npm installs in one tree would spoil each other.
 * A lock whose holder is gone is taken over; the file goes away with this process, however it ends.
 *
 * @param {string} file
 * @param {(line: string) => void} say told once that it has to wait
 * @param {() => Promise<void>} work
 */
export async function withLock(file, say, work) {
  mkdirSync(dirname(file), { recursive: true })
  let told = false
  while (!take(file)) {
    if (!told) say('Another bootstrap is at work in this folder; waiting for it …')
    told = true
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  const release = () => rmSync(file, { force: true })
  process.once('exit', release)
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  await work()
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  if (isHeld(file)) return false
  rmSync(file, { force: true })
  return take(file)
}

function isHeld(file) {
  const pid = Number(readIfThere(file))
  // Taken this very moment, the number not written yet.
  if (pid === 0) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  // The number may have gone to another program since; only Linux tells which.
  const commandLine = readIfThere(`/proc/${pid}/cmdline`)
  return commandLine === '' || commandLine.includes('bootstrap')
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
