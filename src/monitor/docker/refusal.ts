import { MedykError, printable } from '@medyk/health/internal'
import { record, text } from './untrusted.ts'
import type { DockerPermission } from './view.ts'

/** What needs a permission, for people. */
export const NEEDED_FOR: Readonly<Record<DockerPermission, string>> = {
  inspect: 'nothing can be known of a container',
  events: 'a change is noticed by looking once a second, and who ended a container stays unknown',
  logs: 'incidents come without the last output',
  start: 'a container that has ended cannot be started',
  stop: 'a container cannot be stopped',
  restart: 'a container that hangs cannot be restarted',
  unpause: 'a paused container cannot be resumed',
}

/** What a call was about, for its error. */
export interface Asked {
  readonly permission: DockerPermission | null
  /** null: no container in particular. */
  readonly id: string | null
}

/** It will fail the same way every time until somebody changes the container, its image or the host. */
const PERMANENT =
  /no such file or directory|executable file not found|exec format error|not a directory|is a directory|permission denied|no such image|image .{0,300}not found|network \S{1,200} not found|bind source path does not exist|invalid mount|joining network namespace|cannot join network|unknown (?:runtime|device)|no such device|not supported/i

/** Temporary whatever else it says. */
const TEMPORARY = /port is already allocated|address already in use|cannot allocate memory|no space left|timeout/i

/**
 * What an answer of status 400 and above means: ERR_NO_INSTANCE, ERR_DENIED (a proxy does not let it through), for start and
 * restart ERR_START or ERR_START_IMPOSSIBLE, else ERR_RUNTIME.
 */
export function refusal(status: number, body: Uint8Array, { permission, id }: Asked): MedykError {
  const said = saidIn(body)
  if (status === 403) {
    const name = permission ?? 'list'
    return new MedykError('ERR_DENIED', `Docker's API does not allow "${name}"`, {
      hint: `let the socket proxy through to it; without it ${permission ? NEEDED_FOR[permission] : 'nothing can be watched'}`,
    })
  }
  const message = `Docker says ${status}: ${printable(said || 'nothing more')}`
  // Of a start Docker also says 404 when something else is missing: a network, or the container whose network it shares.
  const starts = permission === 'start' || permission === 'restart'
  if (status === 404 && id !== null && (!starts || new RegExp(`no such container: ${id}`, 'i').test(said))) {
    return new MedykError('ERR_NO_INSTANCE', `there is no container ${printable(id, 64)}`, {
      hint: 'it has been removed',
    })
  }
  if (starts) return startRefusal(status, said, message)
  return new MedykError('ERR_RUNTIME', message, { hint: 'see the log of dockerd' })
}

function startRefusal(status: number, said: string, message: string): MedykError {
  const impossible = status === 404 || isPermanentStartFailure(said)
  return new MedykError(impossible ? 'ERR_START_IMPOSSIBLE' : 'ERR_START', message, {
    hint: impossible
      ? 'correct its image, command, mounts or networks, and create it anew'
      : 'see what is in its way on this host',
  })
}

export function isPermanentStartFailure(said: string): boolean {
  return !TEMPORARY.test(said) && (PERMANENT.test(said) || /no such container: [0-9a-f]{64}/i.test(said))
}

function saidIn(body: Uint8Array): string {
  const raw = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 8_192)).toString('utf8')
  try {
    return text(record(JSON.parse(raw)).message, 2_000)
  } catch {
    return raw.slice(0, 300)
  }
}
