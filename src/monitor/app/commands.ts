import { createHash, randomUUID } from 'node:crypto'
import { MedykError, messageOf, type Clock, type Logger } from '@medyk/health/internal'
import { OPERATOR_PREFIX, type Journal, type KeyClaim } from '../journal/index.ts'
import {
  isoOf,
  wallOf,
  type Action,
  type ActionOutcome,
  type IncidentAction,
  type InputEvent,
  type Instance,
  type Maintenance,
  type Runtime,
  type ServiceSpec,
} from '../model/index.ts'
import { execute } from '../recovery/index.ts'
import type { ActionRow, MonitorCommands, RestartAccepted } from '../server/index.ts'
import { actionRow } from './incident-book.ts'
import { LeaveAlone } from './leave-alone.ts'

export interface CommandsOptions {
  readonly journal: Pick<
    Journal,
    'saveMaintenance' | 'clearMaintenance' | 'claimKey' | 'claimed' | 'action' | 'commitIntent' | 'commitOutcome'
  >
  readonly clock: Clock
  readonly logger: Logger
  /** Into the core. */
  send(event: InputEvent): void
  spec(service: string): ServiceSpec | undefined
  instances(): Iterable<Instance>
  runtimeOf(instance: string): Runtime | undefined
  /** An action of an operator has ended. */
  onFinished(action: Action, outcome: ActionOutcome): void
  /** The daemon ends. */
  readonly signal: AbortSignal
}

/** The core is kept from a service so long at most for one action of an operator. */
const LEASE_MS = 300_000
/** Actions of operators kept in memory: some whose intent the journal refused are nowhere else. */
const RECENT = 200

type Restart = Parameters<MonitorCommands['restart']>[0]

/** What operators do, beside what the core decides. */
export class Commands implements MonitorCommands, Disposable {
  readonly #options: CommandsOptions
  readonly #leaveAlone: LeaveAlone
  readonly #recent = new Map<string, IncidentAction>()
  /** Service → id of the restart that is under way. */
  readonly #underWay = new Map<string, string>()
  /** Key → the claim of it that is under way. */
  readonly #claiming = new Map<string, Promise<void>>()

  constructor(options: CommandsOptions) {
    this.#options = options
    const { journal, logger, clock } = options
    this.#leaveAlone = new LeaveAlone(
      clock,
      (maintenance) => options.send({ type: 'maintenance.changed', maintenance }),
      (service) => {
        // Read back it would be over as well; so this is for the record alone.
        journal.clearMaintenance(service).catch((error: unknown) => {
          logger.warn({ service, err: messageOf(error) }, 'the end of a maintenance is not journaled')
        })
      },
    )
  }

  /** What the last life of the daemon was asked to leave alone. */
  restore(maintenance: readonly Maintenance[]): void {
    for (const each of maintenance) this.#leaveAlone.hold('asked', each)
  }

  /** What labels declare, complete each time. */
  setDeclared(maintenance: readonly Maintenance[]): void {
    this.#leaveAlone.declare(maintenance)
  }

  maintenance(): readonly Maintenance[] {
    return this.#leaveAlone.all
  }

  async maintain(request: Parameters<MonitorCommands['maintain']>[0]): Promise<Maintenance> {
    this.#specOf(request.service)
    const { service, by, reason, until } = request
    const maintenance = { service, by, reason, since: this.#now(), until: isoOf(wallOf(until)) }
    await this.#options.journal.saveMaintenance(maintenance)
    this.#leaveAlone.hold('asked', maintenance)
    return maintenance
  }

  async endMaintenance({ service }: { readonly service: string }): Promise<Maintenance | null> {
    // A service that has gone meanwhile may still be named in one.
    if (!this.#leaveAlone.of(service)) this.#specOf(service)
    await this.#options.journal.clearMaintenance(service)
    this.#leaveAlone.release('asked', service)
    return this.#leaveAlone.of(service)
  }

  async restart(request: Restart): Promise<RestartAccepted> {
    const { key } = request
    const fingerprint = hash(JSON.stringify([request.service, request.reason, request.by]))
    if (key === null) return await this.#restart(request, fingerprint)
    // One after the other, so that of two that come together the second is told what the first was.
    const before = this.#claiming.get(key) ?? Promise.resolve()
    const answer = before.then(() => this.#restart(request, fingerprint))
    const done = answer.then(
      () => {},
      () => {},
    )
    this.#claiming.set(key, done)
    try {
      return await answer
    } finally {
      if (this.#claiming.get(key) === done) this.#claiming.delete(key)
    }
  }

  async #restart(request: Restart, fingerprint: string): Promise<RestartAccepted> {
    const { journal } = this.#options
    // First, for what it asks for is perhaps being done: nothing runs in the middle of a restart.
    const known = request.key === null ? null : await journal.claimed(request.key)
    if (known) return await this.#repeated(known, fingerprint, request)
    const { targets, spec } = this.#targetsOf(request.service)
    const id = OPERATOR_PREFIX + randomUUID()
    const accepted = {
      id,
      service: request.service,
      actions: targets.map(({ id: instance }, n) => ({ id: `${id}-${n + 1}`, instance })),
    }
    // At once, with nothing awaited since the look: two must not pass here.
    this.#underWay.set(request.service, id)
    try {
      if (request.key !== null) {
        const claim = await journal.claimKey(request.key, fingerprint, accepted)
        if (!claim.fresh) {
          this.#underWay.delete(request.service)
          return await this.#repeated(claim, fingerprint, request)
        }
      }
    } catch (error) {
      this.#underWay.delete(request.service)
      throw error
    }
    void this.#carryOut(accepted, targets, spec, request)
    return accepted
  }

  async action(id: string): Promise<ActionRow | null> {
    const found = this.#recent.get(id) ?? (await this.#options.journal.action(id))
    return found ? actionRow(found) : null
  }

  [Symbol.dispose](): void {
    this.#leaveAlone[Symbol.dispose]()
  }

  /** The same answer. What a former life of the daemon had promised and not begun is done now. */
  async #repeated(claim: KeyClaim, fingerprint: string, request: Restart): Promise<RestartAccepted> {
    if (claim.fingerprint !== fingerprint) {
      throw new MedykError('ERR_KEY_REUSED', 'this key was used for something else within the last 24 hours', {
        hint: 'choose a new Idempotency-Key for each new request',
      })
    }
    const accepted = claim.answer as unknown as RestartAccepted
    const isUnknown = await Promise.all(accepted.actions.map(async ({ id }) => (await this.action(id)) === null))
    const left = accepted.actions.filter((_, n) => isUnknown[n])
    if (left.length === 0 || this.#underWay.has(request.service)) return accepted
    const spec = this.#options.spec(request.service)
    const targets = [...this.#options.instances()].filter(
      (instance) => isThere(instance) && left.some((action) => action.instance === instance.id),
    )
    if (!spec || targets.length === 0) return accepted
    this.#underWay.set(request.service, accepted.id)
    void this.#carryOut({ ...accepted, actions: left }, targets, spec, request)
    return accepted
  }

  #targetsOf(service: string): { readonly targets: readonly Instance[]; readonly spec: ServiceSpec } {
    const spec = this.#specOf(service)
    if (spec.runtime === null) {
      throw new MedykError('ERR_NO_RUNTIME', `${service} is only watched: no runtime runs it`, {
        hint: 'restart it where it runs',
      })
    }
    if (this.#underWay.has(service)) {
      throw new MedykError('ERR_BUSY', `a restart of ${service} is under way`, { hint: 'wait until it has ended' })
    }
    const targets = [...this.#options.instances()].filter((each) => each.service === service && isThere(each))
    if (targets.length > 0) return { targets, spec }
    throw new MedykError('ERR_NOT_RUNNING', `nothing of ${service} runs, so there is nothing to restart`, {
      hint: 'start it where it is managed, for example with docker compose up -d',
    })
  }

  #specOf(service: string): ServiceSpec {
    const spec = this.#options.spec(service)
    if (spec) return spec
    throw new MedykError('ERR_UNKNOWN_SERVICE', `no service is called ${JSON.stringify(service)}`, {
      hint: 'api/v1/services lists every service',
    })
  }

  /** One instance after the other. Never rejects. */
  async #carryOut(
    accepted: RestartAccepted,
    targets: readonly Instance[],
    spec: ServiceSpec,
    request: Restart,
  ): Promise<void> {
    const options = this.#options
    try {
      for (const { id, instance } of accepted.actions) {
        const target = targets.find((each) => each.id === instance)
        if (!target) continue
        // The core must not cure what is being done here.
        this.#leaveAlone.hold('lease', this.#lease(request))
        const action = toAction(id, accepted.id, target, spec, request)
        const outcome = await this.#act(action)
        options.onFinished(action, outcome)
      }
    } catch (error) {
      options.logger.error({ id: accepted.id, err: messageOf(error) }, 'a restart by an operator broke off')
    } finally {
      this.#underWay.delete(request.service)
      this.#leaveAlone.release('lease', request.service)
    }
  }

  async #act(action: Action): Promise<ActionOutcome> {
    const { journal, clock, logger, signal } = this.#options
    const decidedAt = this.#now()
    this.#remember({ action, decidedAt, finishedAt: null, outcome: null })
    const runtime = this.#options.runtimeOf(action.instance)
    const outcome: ActionOutcome = runtime
      ? await execute(action, decidedAt, { runtime, intents: journal, clock, logger, signal })
      : { result: 'failed', detail: 'no runtime runs it', startedAt: null }
    this.#remember({ action, decidedAt, finishedAt: this.#now(), outcome })
    return outcome
  }

  #lease({ service, by, reason }: Restart): Maintenance {
    const wall = this.#options.clock.wall()
    return { service, by, reason: `restart: ${reason}`, since: isoOf(wall), until: isoOf(wall + LEASE_MS) }
  }

  #remember(entry: IncidentAction): void {
    this.#recent.set(entry.action.id, entry)
    const [oldest] = this.#recent.keys()
    if (this.#recent.size > RECENT && oldest !== undefined) this.#recent.delete(oldest)
  }

  #now(): string {
    return isoOf(this.#options.clock.wall())
  }
}

function toAction(id: string, incident: string, target: Instance, spec: ServiceSpec, { by, reason }: Restart): Action {
  return {
    id,
    incident,
    service: target.service,
    instance: target.id,
    kind: 'restart',
    graceMs: spec.recovery.stopGraceMs,
    attempt: 1,
    precondition: { startedAt: target.startedAt },
    reason: `${by}: ${reason}`,
  }
}

const isThere = ({ state }: Instance) => state === 'running' || state === 'suspended'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
