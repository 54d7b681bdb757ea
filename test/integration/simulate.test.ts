import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const medyk = path.resolve(import.meta.dirname, '../../src/monitor/bin/medyk.mjs')

it('simulates 1,000 service-hours with 5 % of packets lost, prints the false positives, and there is none', async () => {
  const command = [medyk, 'simulate', '--scenario', 'fleet', '--hours', '1000', '--loss', '0.05', '--seed', '7']
  const { stdout } = await promisify(execFile)(process.execPath, command, { timeout: 240_000 })
  console.log(stdout)
  expect(stdout).toMatch(/\b1000\.\d service-hours/)
  expect(stdout).toMatch(/false positives +0: /)
  expect(stdout).toMatch(/healthy restarts +0$/m)
}, 250_000)
