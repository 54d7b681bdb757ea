import { printable } from '@medyk/health/internal'
import { UNSEEN_EXIT_CODE, type ContainerView } from '../../docker/index.ts'
import type { EndedBy, ExitInfo, Instance, InstanceState, RuntimeEvent, RuntimeHealth } from '../../model/index.ts'

export const KIND = 'docker'

/** As `docker ps` shows it. */
export const shortId = (id: string): string => id.slice(0, 12)

/** What is known of a container besides what Docker says of it. */
export interface Knowledge {
  readonly service: string
  readonly restarts: number
  readonly failure: Instance['failure']
  /** How its last run ended. */
  readonly endedBy: EndedBy
  readonly stopping: boolean
  /** Its first process is in state T. */
  readonly frozen: boolean
  /** Docker does not answer. */
  readonly lost: boolean
  /** Finds the container whose network it shares. */
  readonly parent: (idOrName: string) => ContainerView | null
}

export function toInstance(view: ContainerView, known: Knowledge): Instance {
  const state = known.lost ? 'unknown' : stateOf(view, known)
  const parent = sharedWith(view)
  const owner = parent === null ? null : known.parent(parent)
  const version = imageTag(view.image)
  return {
    id: shortId(view.id),
    service: known.service,
    kind: KIND,
    state,
    pid: view.pid,
    startedAt: view.startedAt,
    exit: exitOf(view, known.endedBy),
    failure: view.startedAt === null ? known.failure : null,
    restarts: known.restarts,
    name: view.name,
    ...(version === null ? {} : { version }),
    address: addressOf(view, owner),
    health: view.startedAt === null ? null : healthOf(view),
    networkOf: parent === null ? null : shortId(owner?.id ?? parent),
  }
}

/** Of `registry:5000/team/name:tag@sha256:…` the tag; null: it has none. */
export function imageTag(image: string): string | null {
  const [withoutDigest = ''] = image.split('@')
  return /:(\w[\w.-]{0,127})$/.exec(withoutDigest)?.[1] ?? null
}

function stateOf(view: ContainerView, { failure, stopping, frozen }: Knowledge): InstanceState {
  switch (view.state) {
    case 'running':
      return stopping ? 'stopping' : frozen ? 'suspended' : 'running'
    case 'paused':
    case 'restarting':
      return view.state
    case 'created':
      return failure ? 'failed' : 'created'
    default:
      return failure ? 'failed' : 'exited'
  }
}

function exitOf(view: ContainerView, endedBy: EndedBy): ExitInfo | null {
  if (view.startedAt !== null || view.finishedAt === null) return null
  return {
    code: view.exitCode === UNSEEN_EXIT_CODE ? null : view.exitCode,
    // Docker does not tell; 137 may as well be the program's own code.
    signal: null,
    oomKilled: view.oomKilled,
    endedBy,
    at: view.finishedAt,
  }
}

/** Id or name of the container whose network it shares. */
function sharedWith({ networkMode }: ContainerView): string | null {
  return networkMode.startsWith('container:') ? networkMode.slice('container:'.length) : null
}

function addressOf(view: ContainerView, owner: ContainerView | null): string | null {
  if (view.networkMode === 'host') return '127.0.0.1'
  // A namespace may not be borrowed twice, so the owner has one of its own.
  if (sharedWith(view) !== null) return owner && sharedWith(owner) === null ? addressOf(owner, null) : null
  return view.networks.find(({ address }) => address !== '')?.address ?? null
}

const BROKEN_CODES = new Set([126, 127])
const BROKEN_OUTPUT =
  /executable file not found|command not found|: not found|permission denied|no such file or directory/i

function healthOf({ health }: ContainerView): RuntimeHealth | null {
  if (health === null) return null
  const { status, exitCode, output } = health
  const failed = exitCode !== null && exitCode !== 0
  // The output of a check that ran may hold such words too, so only what a shell or runc itself says counts.
  const broken = failed && (BROKEN_CODES.has(exitCode) || (exitCode === -1 && BROKEN_OUTPUT.test(output)))
  const detail = failed ? `its check ended with code ${exitCode}${output ? `: ${output}` : ''}` : ''
  return { status, broken, detail: printable(detail) }
}

/** What has happened between two looks at one instance; null: nothing that is told. `former` null: it is new. */
export function eventOf(former: Instance | null, now: Instance): RuntimeEvent['type'] | null {
  if (now.state === 'unknown') return former?.state === 'unknown' ? null : 'instance.lost'
  if (now.state === 'failed') return former?.state === 'failed' ? differs(former, now) : 'instance.failed'
  if (now.state === 'exited' || now.state === 'restarting') return endedEvent(former, now)
  if (now.state === 'created') {
    return former === null ? null : former.state === 'created' ? differs(former, now) : 'instance.changed'
  }
  if (former === null || former.startedAt !== now.startedAt) return 'instance.started'
  if (former.state === now.state) return differs(former, now)
  if (now.state === 'stopping') return 'instance.stopping'
  return now.state === 'running' ? 'instance.resumed' : 'instance.suspended'
}

/** An end is told once; Docker may go from one of these states to the other without a run between. */
function endedEvent(former: Instance | null, now: Instance): RuntimeEvent['type'] | null {
  const told = former !== null && former.startedAt === null && former.exit?.at === now.exit?.at
  if (!told) return 'instance.exited'
  if (former.state === 'unknown') return 'instance.exited'
  return former.state === now.state ? differs(former, now) : 'instance.changed'
}

function differs(former: Instance, now: Instance): RuntimeEvent['type'] | null {
  const shown = ({ name, address, health, networkOf, exit }: Instance) =>
    JSON.stringify([name, address, health?.status, health?.broken, networkOf, exit?.endedBy])
  return shown(former) === shown(now) ? null : 'instance.changed'
}
