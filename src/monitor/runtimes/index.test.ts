import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { silentLogger, systemClock } from '@medyk/health/internal'
import { expect, it } from 'vitest'
import { isRuntimeKind, openRuntime, runtimes } from './index.ts'

it('knows exactly the runtimes that have a folder, each under its own kind', async () => {
  const folders = readdirSync(new URL('.', import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  expect(Object.keys(runtimes).sort()).toEqual(folders.sort())
  for (const [kind, load] of Object.entries(runtimes)) {
    const plugin = await load()
    expect(plugin.kind).toBe(kind)
    expect(plugin.schema.safeParse({ 'no-such-option': true }).success).toBe(false)
  }
})

it.each(['podman', 'constructor', '__proto__', ''])(
  'refuses the kind %j by naming those that there are',
  async (kind) => {
    expect(isRuntimeKind(kind)).toBe(false)
    const opened = openRuntime(kind, { stateDir: tmpdir(), logger: silentLogger, clock: systemClock })
    await expect(opened).rejects.toMatchObject({ code: 'ERR_RUNTIME', hint: expect.stringContaining('process') })
  },
)
