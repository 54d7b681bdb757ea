import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { probers } from '../../src/monitor/probing/probers/index.ts'
import { runtimes } from '../../src/monitor/runtimes/index.ts'
import { read, root } from './repository.ts'

type Maps = Readonly<Record<string, () => Promise<{ readonly kind: string; readonly schema: unknown }>>>

const maps: readonly (readonly [string, Maps, string])[] = [
  ['prober', probers, 'src/monitor/probing/probers/*.ts'],
  ['runtime', runtimes, 'src/monitor/runtimes/*/index.ts'],
]

describe.each(maps)('the map of every %s', (_, map, pattern) => {
  it('has each file that declares a kind, and nothing else', () => {
    const declared = globSync(pattern, { cwd: root }).flatMap((path) => {
      const [, kind] = /^export const kind = '([^']+)'/m.exec(read(path)) ?? []
      return kind && !path.endsWith('.test.ts') ? [kind] : []
    })
    expect(declared.length).toBeGreaterThan(0)
    expect(Object.keys(map).toSorted()).toEqual(declared.toSorted())
  })

  it.each(Object.keys(map))('loads %s under its own name, with a schema for its options', async (name) => {
    const plugin = await map[name]?.()
    expect(plugin?.kind).toBe(name)
    expect(plugin?.schema).toHaveProperty('safeParse')
  })
})

describe('the library', () => {
  it('exports every check of its folder', () => {
    const checks = globSync('src/shared/health/checks/*.ts', { cwd: root }).filter(
      (path) => !/\.test(ing)?\.ts$/.test(path),
    )
    const index = read(join('src', 'shared', 'health', 'index.ts'))
    expect(checks.length).toBeGreaterThan(0)
    expect(checks.filter((path) => !index.includes(`'./${path.slice('src/shared/health/'.length)}'`))).toEqual([])
  })
})
