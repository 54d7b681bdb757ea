import type { ActionRow, IncidentRow, ObserverState, ProbeRow, Symptom } from '../server/api.ts'
import { between, durationText } from './time.ts'
import type { ServiceView } from './view.ts'

/** What the whole is like, for colour and icon. */
export type Tone = 'good' | 'bad' | 'warn' | 'starting' | 'unknown'

export interface Overall {
  readonly tone: Tone
  readonly headline: string
  readonly detail: string
  /** For the tab. */
  readonly short: string
}

const SYMPTOMS: Readonly<Record<Symptom, string>> = {
  exited: 'its process is gone',
  'failed-to-start': 'it cannot be started',
  hung: 'it runs, but does not answer',
  failing: 'it answers that it is ill',
  'not-ready': 'it is alive, but cannot serve',
  slow: 'it answers too slowly',
  erroring: 'part of its answers are errors',
  reported: 'it reports itself as degraded',
  'never-ready': 'it has never become ready',
  misconfigured: 'the probe asks for something that is not there',
  paused: 'its runtime has frozen it',
  oom: 'ended for want of memory',
  stopped: 'somebody has stopped it',
  finished: 'ran once and ended well',
  runtime: 'its runtime does not answer',
  observer: 'Medyk could not see it',
}

export const symptomText = (symptom: Symptom): string => SYMPTOMS[symptom]

export function overallOf(
  views: readonly ServiceView[],
  incidents: readonly IncidentRow[],
  observer: ObserverState,
): Overall {
  const total = views.length
  if (total === 0) {
    return {
      tone: 'unknown',
      headline: 'No services yet',
      detail: 'Medyk watches nothing so far. Name services in its configuration and they appear here.',
      short: 'no services',
    }
  }
  if (observer.unwell) {
    return {
      tone: 'unknown',
      headline: 'Medyk does not trust its own eyes',
      detail: `${sentence(observer.reason ?? 'the observer is unwell')} It takes no action until it sees clearly again.`,
      short: 'unknown',
    }
  }
  const roots = views.filter((view) => view.role === 'root')
  if (roots.length > 0) return ill(roots, views)
  const impacted = views.filter((view) => view.role === 'impacted')
  const unknown = views.filter((view) => view.role === 'unknown')
  const starting = views.filter((view) => view.role === 'starting')
  const healthy = total - impacted.length - unknown.length - starting.length
  const others = [
    impacted.length > 0 ? `${namesOf(impacted)} ${isAre(impacted)} affected by a dependency.` : '',
    unknown.length > 0 ? sentence(`${namesOf(unknown)}: ${reasonOf(unknown)}`, false) : '',
    starting.length > 0 ? `${namesOf(starting)} ${isAre(starting)} starting.` : '',
  ]
  const detail = others.filter(Boolean).join(' ')
  const most = `${healthy} of ${count(total)} healthy`
  if (impacted.length > 0) return { tone: 'warn', headline: most, detail, short: `${impacted.length} affected` }
  if (unknown.length > 0) {
    const isMeant = unknown.every(({ row }) => row.cause === 'operator')
    const inHand = `${unknown.length} in the hands of an operator`
    if (isMeant) return { tone: 'unknown', headline: `${most}, ${inHand}`, detail, short: inHand }
    const headline = unknown.length === total ? `All ${count(total)} unknown` : `${most}, ${unknown.length} unknown`
    return { tone: 'unknown', headline, detail, short: `${unknown.length} unknown` }
  }
  if (starting.length > 0) return { tone: 'starting', headline: most, detail, short: `${starting.length} starting` }
  return {
    tone: 'good',
    headline: total === 1 ? `${views[0]?.row.name} is healthy` : `All ${count(total)} healthy`,
    detail: past(incidents),
    short: 'healthy',
  }
}

/** What a healthy system has to tell: the last time that it was not. */
function past(incidents: readonly IncidentRow[]): string {
  const last = incidents.reduce<IncidentRow | undefined>(
    (newest, incident) => (newest && Date.parse(newest.openedAt) > Date.parse(incident.openedAt) ? newest : incident),
    undefined,
  )
  if (!last) return 'No incident is on record.'
  const took = between(last.openedAt, last.recoveredAt)
  if (took === null) return `The incident of ${last.service} is still open.`
  if (last.closedAt === null)
    return `${last.service} recovered in ${durationText(took)}; Medyk watches whether it lasts.`
  return `Last incident: ${last.service}, recovered in ${durationText(took)}.`
}

function ill(roots: readonly ServiceView[], views: readonly ServiceView[]): Overall {
  const impacted = views.filter((view) => view.role === 'impacted')
  const unhealthy = roots.filter((view) => view.row.status === 'unhealthy')
  const worst = unhealthy[0] ?? roots[0]
  const word = unhealthy.length > 0 ? 'ill' : 'degraded'
  const headline =
    roots.length === 1 && worst
      ? `${worst.row.name} is ${word}: ${worst.row.reason ?? 'the reason is not known'}`
      : `${roots.length} services are ${unhealthy.length === roots.length ? 'ill' : 'ill or degraded'}: ${namesOf(roots)}`
  const affected = impacted.length > 0 ? `${namesOf(impacted)} ${isAre(impacted)} affected.` : ''
  const doing = roots.length === 1 && worst ? treatment(worst) : ''
  return {
    tone: unhealthy.length > 0 ? 'bad' : 'warn',
    headline,
    detail: [affected, doing].filter(Boolean).join(' '),
    short: `${roots.length} ${word}`,
  }
}

/** What Medyk does about an ill service, or why it does nothing. One or two sentences. */
export function treatment(view: ServiceView): string {
  const { incident } = view
  if (!incident) return ''
  if (incident.quarantinedSince !== null) {
    return `Medyk stands back after ${plural(incident.actions.length, 'attempt')}: it needs a person.`
  }
  if (incident.withheld !== null) return `Nothing is done: ${sentence(incident.withheld, false)}`
  const last = lastAction(incident)
  if (!last) return ''
  if (last.finishedAt === null) return `Medyk is at work: ${last.kind}, attempt ${last.attempt}.`
  if (last.result === 'done') return `Medyk did ${last.kind} (attempt ${last.attempt}) and watches whether it helps.`
  return `Attempt ${last.attempt}, ${last.kind}: ${resultText(last)}.`
}

const OUTCOMES: Readonly<Record<NonNullable<ProbeRow['lastOutcome']>, string>> = {
  ok: 'a good answer',
  explicit: 'a bad answer, or a refusal',
  silence: 'no answer in time',
  misconfigured: 'an answer that shows the probe is misconfigured',
  void: 'the probe itself failed, thrown away',
}

export const outcomeText = ({ lastOutcome }: ProbeRow): string =>
  lastOutcome === null ? 'not asked yet' : OUTCOMES[lastOutcome]

const RESULTS: Readonly<Record<NonNullable<ActionRow['result']>, string>> = {
  done: 'carried out',
  aborted: 'dropped, things had changed',
  failed: 'failed',
  impossible: 'can never succeed',
  interrupted: 'cut short by a restart of Medyk',
}

export const resultText = (action: ActionRow): string => (action.result === null ? 'under way' : RESULTS[action.result])

export function lastAction(incident: IncidentRow): ActionRow | undefined {
  return incident.actions.reduce<ActionRow | undefined>(
    (latest, action) => (latest && Date.parse(latest.decidedAt) > Date.parse(action.decidedAt) ? latest : action),
    undefined,
  )
}

export function namesOf(items: readonly (ServiceView | string)[], most = 3): string {
  const names = items.map((item) => (typeof item === 'string' ? item : item.row.name))
  if (names.length > most) return `${names.slice(0, most - 1).join(', ')} and ${names.length - most + 1} more`
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

export const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

/** The reason that all of them share, or that there are several. */
function reasonOf(views: readonly ServiceView[]): string {
  const reasons = new Set(views.map((view) => view.row.reason ?? 'nothing certain is known'))
  if (reasons.size > 1 && views.every(({ row }) => row.cause === 'operator'))
    return 'stopped by somebody, or under maintenance'
  return reasons.size === 1 ? ([...reasons][0] ?? '') : 'nothing certain is known, for several reasons'
}

const count = (n: number): string => plural(n, 'service')
const isAre = (items: readonly unknown[]): string => (items.length === 1 ? 'is' : 'are')

function sentence(text: string, capital = true): string {
  const begun = capital ? text.slice(0, 1).toUpperCase() + text.slice(1) : text
  return begun.endsWith('.') ? begun : `${begun}.`
}
