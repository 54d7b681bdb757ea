import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'

export const paint = (style, text) => styleText(style, text, { stream: process.stdout })

const MARKS = {
  healthy: ['●', 'green'],
  degraded: ['◐', 'yellow'],
  unhealthy: ['✗', 'red'],
  starting: ['◌', 'cyan'],
  unknown: ['?', 'magenta'],
}

export function mark(status) {
  const [sign, style] = MARKS[status] ?? MARKS.unknown
  return paint(style, sign)
}

/** Services as a small table: mark, name, status, pid, what they depend on. */
export function table(services) {
  const width = Math.max(...services.map(({ name }) => name.length))
  return services
    .map(({ name, status, instances, dependsOn }) => {
      const pid = instances[0]?.pid ? `pid ${instances[0].pid}` : ''
      const needs = dependsOn.length > 0 ? `needs ${dependsOn.join(', ')}` : ''
      const line = `  ${mark(status)} ${name.padEnd(width)}  ${status.padEnd(9)}  `
      return needs ? `${line}${pid.padEnd(11)}  ${paint('dim', needs)}` : `${line}${pid}`
    })
    .join('\n')
}

async function servicesOf(api) {
  try {
    const response = await fetch(`${api}/api/v1/services`, { signal: AbortSignal.timeout(2_000) })
    return response.ok ? (await response.json()).services : null
  } catch {
    return null
  }
}

/** One that is ill and will not be well soon is no reason to keep the picture back for longer than this. */
const PATIENCE_MS = 5_000

async function incidentsOf(api) {
  try {
    const response = await fetch(`${api}/api/v1/incidents?limit=50`, { signal: AbortSignal.timeout(2_000) })
    return response.ok ? (await response.json()).incidents : []
  } catch {
    return []
  }
}

/** Waits until every service is healthy, or until one is ill and nothing moves any more, showing how far it is. */
export async function healthyWithin(api, ms, signal) {
  const end = performance.now() + ms
  let moved = performance.now()
  const moving = process.stdout.isTTY && !process.env.CI
  let services = null
  let last = ''
  while (performance.now() < end && !signal.aborted) {
    services = (await servicesOf(api)) ?? services
    const ok = services !== null && services.length > 0 && services.every(({ status }) => status === 'healthy')
    const line = services?.map(({ name, status }) => `${mark(status)} ${name}`).join('  ') ?? 'the daemon is starting'
    if (moving) process.stdout.write(`\r${line}\u001b[K`)
    else if (line !== last) process.stdout.write(`  ${line}\n`)
    if (line !== last) moved = performance.now()
    last = line
    const isStuck = services?.some(({ status }) => status === 'unhealthy') && performance.now() - moved > PATIENCE_MS
    if (isStuck) break
    if (ok) {
      if (moving) process.stdout.write('\r\u001b[K')
      return { ok, services }
    }
    await sleep(150)
  }
  if (moving) process.stdout.write('\n')
  return { ok: false, services }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Pids that the process runtime noted and that still run: services of a daemon that was killed. Whether they are the
 * same processes is for the runtime to judge; here it only keeps a taken port from being called foreign.
 */
export function livingRecords(stateDir) {
  const pids = new Set()
  const visit = (folder) => {
    let entries = []
    try {
      entries = readdirSync(folder, { withFileTypes: true })
    } catch {
      return
    }
    for (const entry of entries) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) visit(path)
      else if (entry.name.endsWith('.json')) {
        try {
          const pid = JSON.parse(readFileSync(path, 'utf8'))?.run?.pid
          if (Number.isInteger(pid) && isRunning(pid)) pids.add(pid)
        } catch {
          // Not one of ours, or half written.
        }
      }
    }
  }
  visit(stateDir)
  return pids
}

/** Calls `tell` with a line for everything that happens: incidents, actions, recoveries. Reconnects until aborted. */
export async function storyLines(api, signal, tell) {
  const known = new Map()
  // What is over by now was not seen by whoever looks: it is history, not news.
  for (const row of await incidentsOf(api)) tellIncident(row, known, () => {})
  while (!signal.aborted) {
    try {
      const response = await fetch(`${api}/api/v1/events`, { signal, headers: { accept: 'text/event-stream' } })
      let buffer = ''
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        buffer += chunk
        const parts = buffer.split('\n\n')
        buffer = parts.pop().slice(-1_000_000)
        for (const part of parts) tellEvent(part, known, tell)
      }
    } catch {
      // The daemon is away or stopping; tried again below.
    }
    if (!signal.aborted) await sleep(500, undefined, { signal }).catch(() => {})
  }
}

function tellEvent(text, known, tell) {
  const type = /^event: ?(.*)$/m.exec(text)?.[1]
  const data = /^data: ?(.*)$/m.exec(text)?.[1]
  if (type === 'incident' && data) tellIncident(JSON.parse(data), known, tell)
}

function tellIncident(row, known, tell) {
  const once = (key, at, line) => {
    const seen = known.get(row.id) ?? new Set()
    known.set(row.id, seen)
    if (known.size > 200) known.delete(known.keys().next().value)
    if (seen.has(key)) return
    seen.add(key)
    tell(`${paint('dim', at.slice(11, 19))}  ${line}`)
  }
  const seconds = (from, to) => `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)} s`
  once(
    `opened ${row.detectedAt}`,
    row.detectedAt,
    `${mark(row.severity)} ${paint('bold', row.service)}: ${row.reason} (cause: ${row.cause}, detected in ${seconds(row.openedAt, row.detectedAt)})`,
  )
  for (const impact of row.impacted)
    once(
      `impact ${impact.service}`,
      impact.since,
      `${mark('degraded')} ${impact.service} suffers under it and is left alone (cause: dependency)`,
    )
  for (const action of row.actions) {
    once(`act ${action.id}`, action.decidedAt, `  → ${action.kind} ${action.service}, attempt ${action.attempt}`)
    if (action.result && action.result !== 'done')
      once(`end ${action.id}`, action.finishedAt, `  → ${action.kind} ${action.result}: ${action.detail ?? ''}`)
  }
  if (row.quarantinedSince)
    // The reason begins with the word itself.
    once(
      'quarantine',
      row.quarantinedSince,
      `${mark('unhealthy')} ${paint('bold', row.service)} is ${row.withheld ?? 'quarantined: the attempts allowed did not help'}`,
    )
  if (row.recoveredAt && !row.closedAt)
    once(
      `well ${row.recoveredAt}`,
      row.recoveredAt,
      `${mark('healthy')} ${paint('bold', row.service)} is well again, ${seconds(row.detectedAt, row.recoveredAt)} after detection`,
    )
}
