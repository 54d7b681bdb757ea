import { getEventListeners } from 'node:events'
import type { Check, CheckResult } from '../check.ts'
import { outcomeOfThrow, outcomeOfValue, type Outcome } from '../outcome.ts'
import { isStatus } from '../status.ts'

/** A check with the surroundings it was made for. */
export interface Subject {
  readonly check: Check
  /** Ends the surroundings. */
  readonly release?: () => void | Promise<void>
}

type Make<T extends unknown[] = []> = (...args: T) => Subject | Promise<Subject>

/** How to make the check under test. Each call makes a new one. */
export interface CheckContract {
  /** Examines something sound. */
  readonly healthy: Make
  /**
   * Examines something broken. Where the check knows a secret (a password in a URL), let it be the one given. null: this
   * check cannot fail on demand.
   */
  readonly failing: Make<[secret: string]> | null
  /** Examines something that never answers. null: this check waits for nothing. */
  readonly hanging: Make | null
}

export interface ContractCase {
  /** A sentence about behaviour. */
  readonly name: string
  /** Rejects with the reason when the check breaks the contract. */
  readonly run: () => Promise<void>
}

/** How soon after its abort a check has to have ended, ms. Generous: the machine may be busy. */
const PROMPT_MS = 1_000
const MAX_DATA = 20
const SECRET = 'correct-horse-battery'

/**
 * What any check has to satisfy, as cases for whichever test runner: `for (const { name, run } of contractCases(…)) it(name, run)`.
 */
export function contractCases(contract: CheckContract): readonly ContractCase[] {
  const { healthy, failing, hanging } = contract
  const cases: ContractCase[] = [
    { name: 'calls something sound healthy, with a valid result', run: () => using(healthy, soundIsHealthy) },
    { name: 'leaves no listener on its signal', run: () => using(healthy, noListeners) },
    { name: 'leaves nothing open after many runs', run: () => nothingLeft(healthy, runOnce) },
    { name: 'settles when its signal has aborted already', run: () => using(healthy, settlesWhenAborted) },
  ]
  if (failing) {
    const make = () => failing(SECRET)
    cases.push(
      { name: 'calls something broken unhealthy and says why', run: () => using(make, brokenIsUnhealthy) },
      { name: 'says why in one line of 300 characters without secrets', run: () => using(make, saysNoSecret) },
    )
  }
  if (hanging) {
    cases.push(
      { name: 'ends promptly when its signal aborts', run: () => using(hanging, endsOnAbort) },
      { name: 'can be aborted again and again', run: () => using(hanging, endsOnAbortAgain) },
      { name: 'leaves nothing open after it was aborted', run: () => nothingLeft(hanging, endsOnAbort) },
    )
  }
  return cases
}

async function using(make: Make, examine: (check: Check) => Promise<void>): Promise<void> {
  const { check, release } = await make()
  try {
    await examine(check)
  } finally {
    disposeOf(check)
    await release?.()
  }
}

async function soundIsHealthy(check: Check): Promise<void> {
  const result = await call(check, new AbortController().signal)
  if (result instanceof Thrown) throw new Error(`it threw: ${result.outcome.message}`)
  if (result.value !== undefined) validate(result.value)
  must(result.outcome.status === 'healthy', `it called something sound ${result.outcome.status}`)
}

async function brokenIsUnhealthy(check: Check): Promise<void> {
  const { outcome } = await call(check, new AbortController().signal)
  must(outcome.status === 'unhealthy', `it called something broken ${outcome.status}`)
  must(outcome.message !== null, 'it did not say why')
}

async function saysNoSecret(check: Check): Promise<void> {
  const { outcome } = await call(check, new AbortController().signal)
  const said = JSON.stringify([outcome.message, outcome.data])
  must(!said.includes(SECRET), 'what it says contains the secret even after redaction')
  must((outcome.message ?? '').length <= 300, 'its message is too long')
}

async function noListeners(check: Check): Promise<void> {
  const { signal } = new AbortController()
  await call(check, signal)
  await until(() => getEventListeners(signal, 'abort').length === 0, 'it left a listener on its signal')
}

async function settlesWhenAborted(check: Check): Promise<void> {
  await within(call(check, AbortSignal.abort()))
}

async function endsOnAbort(check: Check): Promise<void> {
  const controller = new AbortController()
  const called = call(check, controller.signal)
  const early = await Promise.race([called.then(() => true), pause(50).then(() => false)])
  must(!early, 'it ended before its signal aborted, so this shows nothing: is the subject really hanging?')
  controller.abort(new Error('aborted by the contract'))
  const { outcome } = await within(called)
  must(outcome.status !== 'healthy', 'it was aborted and yet called healthy what never answered')
}

async function endsOnAbortAgain(check: Check): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    const controller = new AbortController()
    const called = call(check, controller.signal)
    await pause(20)
    controller.abort(new Error('aborted by the contract'))
    await within(called)
  }
}

async function runOnce(check: Check): Promise<void> {
  await call(check, new AbortController().signal)
}

/** Five rounds, so that a leak of one per round stands out from what the runtime opens by itself. */
async function nothingLeft(make: Make, examine: (check: Check) => Promise<void>): Promise<void> {
  await using(make, examine)
  const before = openResources()
  for (let round = 0; round < 5; round += 1) await using(make, examine)
  await until(
    () => grown(before).length === 0,
    () => `it left open: ${grown(before).join(', ')}`,
  )
}

function openResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** Kinds of which there are more than before. Immediates and short timers are the waiting itself. */
function grown(before: Map<string, number>): string[] {
  return [...openResources()]
    .filter(([kind, count]) => kind !== 'Immediate' && count > (before.get(kind) ?? 0) + (kind === 'Timeout' ? 1 : 0))
    .map(([kind, count]) => `${count - (before.get(kind) ?? 0)} ${kind}`)
}

class Returned {
  readonly value: CheckResult | void
  readonly outcome: Outcome

  constructor(value: CheckResult | void) {
    this.value = value
    this.outcome = outcomeOfValue(value)
  }
}

class Thrown {
  readonly outcome: Outcome

  constructor(error: unknown) {
    this.outcome = outcomeOfThrow(error)
  }
}

async function call(check: Check, signal: AbortSignal): Promise<Returned | Thrown> {
  let returned: ReturnType<Check>
  try {
    returned = check(signal)
  } catch (error) {
    throw new Error('it threw synchronously; it has to return a promise that rejects', { cause: error })
  }
  try {
    return new Returned(await returned)
  } catch (error) {
    return new Thrown(error)
  }
}

function validate(result: CheckResult): void {
  const { status, message, data = {} } = result
  must(isStatus(status), `its status is ${JSON.stringify(status)}`)
  must(message === undefined || typeof message === 'string', 'its message is not a string')
  const values: unknown[] = Object.values(data)
  must(values.length <= MAX_DATA, `its data has more than ${MAX_DATA} entries`)
  must(
    values.every(
      (value) => value === null || typeof value === 'boolean' || typeof value === 'string' || Number.isFinite(value),
    ),
    'its data has values that are not strings, finite numbers, booleans or null',
  )
}

function disposeOf(check: Check & Partial<Disposable>): void {
  check[Symbol.dispose]?.()
}

function must(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise)
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

async function within<T>(work: Promise<T>): Promise<T> {
  const late = Symbol('late')
  const controller = new AbortController()
  const result = await Promise.race([work, lateAfter(PROMPT_MS, controller.signal).then(() => late)])
  controller.abort()
  if (result === late) throw new Error(`it had not ended ${PROMPT_MS} ms after its signal aborted`)
  return result as T
}

function lateAfter(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}

/** Resolves as soon as `condition` holds; closing takes a few turns of the event loop. */
async function until(condition: () => boolean, otherwise: string | (() => string)): Promise<void> {
  for (const deadline = performance.now() + 2_000; !condition();) {
    if (performance.now() > deadline) throw new Error(typeof otherwise === 'string' ? otherwise : otherwise())
    await pause(10)
  }
}
