import { readdir, readFile, readlink } from 'node:fs/promises'
import { printable } from '@medyk/health/internal'

export interface PortHolder {
  readonly pid: number
  /** Its command line, redacted, at most 120 characters. */
  readonly command: string
}

const LISTENING = '0A'
const MAX_PROCESSES = 8_192
const MAX_DESCRIPTORS = 4_096
const MAX_MS = 1_000

/** Inodes of the sockets that listen on `port`, out of the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((field) => field[1]?.endsWith(`:${wanted}`) && field[3] === LISTENING)
    .flatMap((field) => (field[9] && field[9] !== '0' ? [field[9]] : []))
}

/**
 * Who listens on a TCP port of this machine: best effort, Linux only, within a second. null: nobody, or it belongs to
 * another user and may not be seen.
 */
export async function findPortHolder(port: number): Promise<PortHolder | null> {
  const deadline = performance.now() + MAX_MS
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  )
  const targets = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`))
  if (targets.size === 0) return null
  const processes = (await readdir('/proc').catch(() => [])).filter((entry) => /^\d+$/.test(entry))
  for (const pid of processes.slice(0, MAX_PROCESSES)) {
    if (performance.now() > deadline) return null
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [])
    for (const fd of descriptors.slice(0, MAX_DESCRIPTORS)) {
      if (!targets.has(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))) continue
      const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const command = raw.replaceAll('\0', ' ').trim()
      return { pid: Number(pid), command: printable(command || 'unknown command', 120) }
    }
  }
  return null
}
