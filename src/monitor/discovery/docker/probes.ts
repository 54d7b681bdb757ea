import { printable, redact } from '@medyk/health/internal'
import type { CoverageRow, ProbeSpec } from '../../model/index.ts'
import type { ContainerView } from '../../docker/view.ts'
import { shownUrl, tcpDraft, verdictDraft, type Draft } from './draft.ts'
import { programOf, readHealthcheck, type Context } from './healthcheck/index.ts'
import type { LabelTarget, MedykLabels } from './labels.ts'
import { guessByPorts, httpGuesses } from './ports.ts'
import { dockerDefaults, type DockerDefaults } from './policy.ts'

/** Docker's own, where its author said nothing: no sign of patience. */
const unsaidTimeoutMs = 30_000
const patientFromMs = 5_000

/** How one service is examined, and why so. */
export interface Examined {
  readonly probes: readonly ProbeSpec[]
  readonly coverage: Omit<CoverageRow, 'service'>
}

interface Found {
  readonly drafts: readonly Draft[]
  readonly derivedFrom: string
}

/** Labels, then HEALTHCHECK, then ports, then nothing but its state: the first source that has something to ask. */
export function examine(
  container: ContainerView,
  labels: MedykLabels,
  isSelf: (host: string) => boolean,
  defaults: DockerDefaults,
): Examined {
  const notes: string[] = [...labels.problems]
  const context: Context = { isSelf, ports: container.ports }
  const byLabel = fromLabels(container, labels, isSelf, notes)
  // A label that says only when it is ready leaves open how to see that it lives.
  const isWhole = byLabel?.drafts.some(({ role }) => role === 'liveness') ?? false
  const other = isWhole ? null : (fromHealthcheck(container, context, notes) ?? fromPorts(container, labels, notes))
  const found = [...(byLabel ? [byLabel] : []), ...(other ? [other] : [])]
  // One word of its author about being ready is enough.
  const told = byLabel?.drafts.some(({ role }) => role === 'readiness') ?? false
  const kept = found.map((one) => (one === other && told ? { ...one, drafts: one.drafts.filter(isLiveness) } : one))
  const probes = named(kept.flatMap(({ drafts, derivedFrom }) => drafts.map((draft) => ({ draft, derivedFrom }))))
  const pace = paceOf(container, labels, defaults)
  return {
    probes: probes.map(({ name, draft, derivedFrom }) => ({
      name,
      role: draft.role,
      kind: draft.kind,
      options: draft.options,
      ...pace,
      ...(draft.elsewhere ? {} : { dial: 'instance' as const }),
      derivedFrom,
      ...(draft.guessed ? { guessed: true as const } : {}),
      ...(draft.standIn ? { standIn: true as const } : {}),
    })),
    coverage: coverageOf(kept, notes),
  }
}

function isLiveness({ role }: Draft): boolean {
  return role === 'liveness'
}

function fromLabels(
  container: ContainerView,
  labels: MedykLabels,
  isSelf: (host: string) => boolean,
  notes: string[],
): Found | null {
  if (container.networkMode === 'none') return null
  const wanted = [
    { role: 'liveness' as const, key: 'health', target: labels.health },
    { role: 'readiness' as const, key: 'ready', target: labels.ready },
  ].filter(({ target }) => target !== null)
  const drafts = wanted.flatMap(({ role, key, target }) => {
    const draft = draftOf(target as LabelTarget, role, container, labels, isSelf)
    if (draft === null) notes.push(`label io.medyk.${key} names a path and no port: add the label io.medyk.port`)
    return draft ?? []
  })
  if (drafts.length === 0) return null
  return { drafts, derivedFrom: `label ${wanted.map(({ key }) => `io.medyk.${key}`).join(', ')}` }
}

function draftOf(
  target: LabelTarget,
  role: Draft['role'],
  container: ContainerView,
  labels: MedykLabels,
  isSelf: (host: string) => boolean,
): Draft | null {
  if (target.kind === 'tcp') return tcpDraft(target.port, { role })
  if (target.kind === 'url') {
    const { hostname } = new URL(target.url)
    const shown = isSelf(hostname.replace(/^\[|\]$/g, '')) ? shownUrl(target.url) : `GET ${redact(target.url)}`
    const elsewhere = isSelf(hostname.replace(/^\[|\]$/g, '')) ? {} : { elsewhere: true as const }
    return { role, kind: 'http', options: { url: target.url }, shown, ...elsewhere }
  }
  const port = labels.port ?? onlyPort(container)
  if (port === null) return null
  const url = `http://localhost:${port}${target.path}`
  return URL.canParse(url) ? { role, kind: 'http', options: { url }, shown: shownUrl(url) } : null
}

/** A port that needs no choice. */
function onlyPort({ published, exposed, ports }: ContainerView): number | null {
  const publishedPorts = [...new Set(published.map(({ port }) => port))]
  for (const list of [publishedPorts, exposed, Object.hasOwn(ports, 'PORT') ? [ports['PORT']] : []]) {
    if (list.length === 1) return list[0] ?? null
  }
  return null
}

function fromHealthcheck(container: ContainerView, context: Context, notes: string[]): Found | null {
  const check = container.healthcheck
  if (check === null || check.test[0] === 'NONE' || check.test.length === 0) return null
  const shown = `HEALTHCHECK ${printable(check.test.slice(1).join(' '), 200)}`
  const reading = readHealthcheck(check.test, context)
  if (isBroken(container)) {
    const program = programOf(check.test) ?? 'its program'
    notes.push(
      `its HEALTHCHECK cannot run: ${printable(program, 40)} is missing in the image. Install it there, or say with the label io.medyk.health what to ask`,
    )
    // What was to be asked is known, though not whether it was ever right.
    const url =
      reading.kind === 'probes' ? reading.drafts.find(({ kind }) => kind === 'http')?.options['url'] : undefined
    if (typeof url !== 'string') return null
    const { port, pathname, search } = new URL(url)
    const number = Number(port) || 80
    return {
      drafts: [tcpDraft(number, { guessed: true }), ...httpGuesses(number, pathname + search)],
      derivedFrom: shown,
    }
  }
  if (reading.kind === 'elsewhere') {
    notes.push(`its HEALTHCHECK asks ${printable(reading.host, 80)}, which says nothing of its own life`)
    return null
  }
  if (reading.kind === 'verdict' || container.networkMode === 'none') {
    notes.push(
      `its HEALTHCHECK runs inside only (${reading.kind === 'verdict' ? reading.because : 'it has no network'}): as fast as Docker runs it`,
    )
    return { drafts: [verdictDraft], derivedFrom: shown }
  }
  if (reading.note !== null) notes.push(reading.note)
  // Inside it may listen where nobody outside can reach it. Until it has answered from here Docker's word counts.
  const asksForLife = reading.drafts.some(({ kind, role }) => kind !== 'tcp' && role === 'liveness')
  const asksForReadiness = reading.drafts.some(({ role }) => role === 'readiness')
  const role = asksForReadiness && !asksForLife ? ('readiness' as const) : ('liveness' as const)
  if (!asksForLife) notes.push('alive is whoever accepts a connection: a hung process still does')
  return {
    drafts: [
      ...reading.drafts.map((draft) => ({ ...draft, guessed: true as const })),
      { ...verdictDraft, role, standIn: true },
    ],
    derivedFrom: shown,
  }
}

/** Docker could not run the check, or the shell in it could not find its program. */
export function isBroken({ health, healthcheck }: ContainerView): boolean {
  if (health === null || health.exitCode === 0 || healthcheck === null) return false
  if (health.exitCode === 126 || health.exitCode === 127) return true
  // Docker itself could not even begin; the output of a check that did run may hold such words too.
  const notBegun = /executable file not found|no such file or directory|exec format error|permission denied/i
  if (health.exitCode === -1 && notBegun.test(health.output)) return true
  const program = programOf(healthcheck.test)
  if (program === null) return false
  // `sh: curl: not found` is what is left of exit code 127 behind `|| exit 1`.
  return new RegExp(String.raw`(?:^|[\s:/])${escaped(program)}: (?:command )?not found`).test(health.output)
}

function escaped(text: string): string {
  return text.slice(0, 200).replace(/[^\w]/g, String.raw`\$&`)
}

function fromPorts(container: ContainerView, labels: MedykLabels, notes: string[]): Found | null {
  if (container.networkMode === 'none') return null
  const guess = guessByPorts(container, labels.port)
  if (guess === null) return null
  notes.push(guess.note)
  return guess
}

function paceOf({ healthcheck }: ContainerView, labels: MedykLabels, defaults: DockerDefaults) {
  const said = healthcheck?.timeoutMs ?? 0
  const isPatient = said > patientFromMs && said !== unsaidTimeoutMs
  const isSet = labels.intervalMs !== null || defaults.intervalMs !== dockerDefaults.intervalMs
  return {
    intervalMs: labels.intervalMs ?? defaults.intervalMs,
    ...(isSet ? {} : { mayQuicken: true as const }),
    timeoutMs: labels.timeoutMs ?? (isPatient ? patientFromMs : defaults.timeoutMs),
  }
}

/** Names by role, and by kind where a role has several. */
function named<T extends { readonly draft: Draft }>(list: readonly T[]): readonly (T & { readonly name: string })[] {
  const used = new Set<string>()
  return list.map((one) => {
    const { role, kind } = one.draft
    let name: string = role
    if (used.has(name)) name = `${role}-${kind}`
    for (let turn = 2; used.has(name); turn++) name = `${role}-${kind}-${turn}`
    used.add(name)
    return { ...one, name }
  })
}

function coverageOf(found: readonly Found[], notes: readonly string[]): Examined['coverage'] {
  const drafts = found.flatMap((one) => one.drafts)
  // A stand-in is the author's own check, and what it stands in for is derived from that.
  const isSaid = drafts.some(({ guessed }) => !guessed)
  const note = notes.length > 0 ? printable(notes.join('. '), 600) : null
  if (drafts.length === 0) {
    return {
      level: 'state',
      probe: null,
      derivedFrom: 'state of the container',
      note: note ?? 'only whether it runs is seen: give it a HEALTHCHECK or the label io.medyk.health',
    }
  }
  return {
    level: isSaid ? 'checked' : 'state',
    probe: drafts.flatMap(({ shown, standIn }) => (standIn ? [] : [shown])).join(', '),
    derivedFrom: [...new Set(found.map(({ derivedFrom }) => derivedFrom))].join(', '),
    note,
  }
}
