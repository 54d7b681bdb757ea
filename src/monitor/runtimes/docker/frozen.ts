import { readFileSync } from 'node:fs'
import type { ContainerView } from '../../docker/index.ts'
import { readStat } from '../process/proc.ts'

/**
 * Whether the first process of a container is stopped (state T, by SIGSTOP), which Docker does not tell. Seen only where the
 * daemon shares the host's /proc; elsewhere the same pid may be a stranger's, so its control group must name the container.
 */
export class FrozenLook {
  readonly #pids = new Map<string, { readonly pid: number; readonly theirs: boolean }>()

  isFrozen({ id, pid, state }: ContainerView): boolean {
    if (pid === null || state !== 'running') return false
    let known = this.#pids.get(id)
    if (known?.pid !== pid) {
      known = { pid, theirs: belongsTo(pid, id) }
      this.#pids.set(id, known)
    }
    return known.theirs && readStat(pid)?.stopped === true
  }

  forget(id: string): void {
    this.#pids.delete(id)
  }
}

function belongsTo(pid: number, id: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'latin1').slice(0, 65_536).includes(id)
  } catch {
    return false
  }
}
