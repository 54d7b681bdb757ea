import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { silentLogger, systemClock } from '@medyk/health/internal'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readStat } from './proc.ts'
import { killGroup, signalProcess, statOf, sweepGroup, sweepToken } from './signals.ts'

let stranger: { readonly pid: number; readonly ended: Promise<unknown>; readonly startTicks: number }
beforeEach(async () => {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  const ended = once(child, 'exit')
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  stranger = { pid, ended, startTicks: readStat(pid)?.startTicks ?? 0 }
})
afterEach(async () => {
  killGroup(stranger)
  await stranger.ended
})

it('touches no process that has got the pid, and the group, of one that has ended', async () => {
  const former = { pid: stranger.pid, startTicks: stranger.startTicks - 1 }
  expect(statOf(former)).toBeNull()
  expect(signalProcess(former, 'SIGTERM')).toBe(false)
  expect(killGroup(former)).toBe(false)
  await sweepGroup(former, systemClock, silentLogger)
  await sweepToken('no such token', former.pid, systemClock, silentLogger)
  expect(statOf(stranger)).toMatchObject({ pid: stranger.pid, dead: false })
})

it('kills the very process that is meant', async () => {
  expect(signalProcess(stranger, 'SIGTERM')).toBe(true)
  await stranger.ended
  expect(statOf(stranger)).toBeNull()
  expect(signalProcess(stranger, 'SIGKILL')).toBe(false)
})
