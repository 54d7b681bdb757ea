import { describe, expect, it } from 'vitest'
import { findCycle } from './cycles.ts'
import { rooms } from './imports.table.ts'
import { judge } from './judge.ts'
import { readImports } from './read-imports.ts'
import type { Manifest } from './resolve.ts'

const door = (path: string) => ({ 'medyk-source': path, default: './dist/x.js' })

const manifests = new Map<string, Manifest>([
  ['', { name: 'root', devDependencies: { vitest: '5', 'fast-check': '4' } }],
  [
    'src/shared/health',
    {
      name: '@medyk/health',
      dependencies: { cockatiel: '4' },
      exports: {
        '.': door('./index.ts'),
        './internal': door('./internal/index.ts'),
        './testing': door('./testing/index.ts'),
      },
    },
  ],
  [
    'src/monitor',
    {
      name: 'medyk',
      dependencies: { '@medyk/health': '0.1.0', hono: '4', zod: '4' },
      devDependencies: { preact: '11' },
      exports: { '.': door('./app/index.ts') },
      imports: { '#shard': door('./app/shard-worker.ts') },
    },
  ],
])

const problems = (path: string, source: string) => judge({ files: new Map([[path, source]]), manifests }, rooms)

describe('judge', () => {
  it.each<[string, string, string, RegExp]>([
    [
      'a step that imports another',
      'src/monitor/detection/a.ts',
      `import { x } from '../recovery/b.ts'`,
      /detection\/a\.ts:1 .*detection may import model, health\/internal/,
    ],
    [
      'a step that imports even a type of another',
      'src/monitor/alerting/a.ts',
      `import type { X } from '../diagnosis/b.ts'`,
      /alerting may import/,
    ],
    ['the library importing the monitor', 'src/shared/health/a.ts', `import { x } from 'medyk'`, /does not declare/],
    [
      'the library importing the monitor by a path',
      'src/shared/health/a.ts',
      `export * from '../../monitor/model/index.ts'`,
      /another package/,
    ],
    [
      'the library importing a driver',
      'src/shared/health/checks/a.ts',
      `const pg = await import('pg')`,
      /does not declare/,
    ],
    [
      'the library importing a declared package in the wrong room',
      'src/shared/health/checks/a.ts',
      `import { x } from 'cockatiel'`,
      /may use no package called cockatiel/,
    ],
    [
      'a package that only the root declares',
      'src/monitor/journal/a.ts',
      `import fc from 'fast-check'`,
      /src\/monitor\/package\.json does not declare/,
    ],
    [
      'a declared package in a room that has no use for it',
      'src/monitor/recovery/a.ts',
      `import { Hono } from 'hono'`,
      /recovery may use no package called hono/,
    ],
    ['Node in a pure room', 'src/monitor/diagnosis/a.ts', `import { hrtime } from 'node:process'`, /diagnosis is pure/],
    [
      'a clock in a pure room',
      'src/monitor/detection/a.ts',
      `import { systemClock } from '@medyk/health/internal'`,
      /may not take systemClock/,
    ],
    [
      'everything of the internals in a pure room',
      'src/monitor/detection/a.ts',
      `import * as i from '@medyk/health/internal'`,
      /may not take everything/,
    ],
    ['Node without its prefix', 'src/monitor/app/a.ts', `import fs from 'fs'`, /with its prefix/],
    [
      'the page importing a value of the server',
      'src/monitor/web/a.tsx',
      `import { api } from '../server/api.ts'; export const a = <p/>`,
      /only types of server\/api/,
    ],
    [
      'the page importing the model',
      'src/monitor/web/a.ts',
      `import type { X } from '../model/index.ts'`,
      /web may import/,
    ],
    ['Node in the page', 'src/monitor/web/a.ts', `import 'node:fs'`, /runs in a browser/],
    [
      'the server importing a value of a step',
      'src/monitor/server/a.ts',
      `export { x } from '../journal/index.ts'`,
      /only types of journal/,
    ],
    ['the server importing the app', 'src/monitor/server/a.ts', `import '../app/index.ts'`, /server may import/],
    [
      'a worker of a room below',
      'src/monitor/probing/a.ts',
      `new Worker(import.meta.resolve('#shard'))`,
      /probing may import/,
    ],
    [
      'a worker by its path',
      'src/monitor/probing/a.ts',
      `new Worker(new URL('../app/shard-worker.ts', import.meta.url))`,
      /probing may import/,
    ],
    ['a source using what tests share', 'src/monitor/app/a.ts', `import './core.testing.ts'`, /only tests may use/],
    [
      'a computed import',
      'src/monitor/runtimes/a.ts',
      `const kind = 'x'; await import(\`./\${kind}.ts\`)`,
      /computed at run time/,
    ],
    [
      'an entry that a package does not have',
      'src/monitor/app/a.ts',
      `import { x } from '@medyk/health/registry.ts'`,
      /leads nowhere/,
    ],
    ['a package importing itself', 'src/shared/health/a.ts', `import { x } from '@medyk/health'`, /by its own name/],
    [
      'an example using what is not public',
      'examples/detektor/a.ts',
      `import { x } from '@medyk/health/internal'`,
      /examples\/detektor may import/,
    ],
    ['a file in no room', 'src/elsewhere/a.ts', '', /belongs to no room/],
    [
      'a test using a package that nobody declares',
      'src/monitor/app/a.test.ts',
      `import x from 'left-pad'`,
      /does not declare/,
    ],
    [
      'a test of the library using the monitor',
      'src/shared/health/a.test.ts',
      `import { x } from 'medyk'`,
      /does not declare/,
    ],
  ])('refuses %s', (_, path, source, expected) => {
    // Examples have no manifest in this small world: the root's stands for it.
    expect(problems(path, source).join('\n')).toMatch(expected)
  })

  it.each([
    ['a step that imports the model', 'src/monitor/detection/a.ts', `import type { Verdict } from '../model/index.ts'`],
    [
      'a pure function of the internals in a pure room',
      'src/monitor/detection/a.ts',
      `import { printable } from '@medyk/health/internal'`,
    ],
    [
      'the type of the server in the page',
      'src/monitor/web/a.ts',
      `import type { Api } from '../server/api.ts'; import { h } from 'preact'`,
    ],
    ['the type of a step in the server', 'src/monitor/server/a.ts', `import type { X } from '../journal/index.ts'`],
    [
      'a test that imports what it likes within its package',
      'src/monitor/detection/a.test.ts',
      `import '../recovery/b.ts'; import 'node:fs'; import fc from 'fast-check'`,
    ],
    [
      'the bin loading what was built from the CLI',
      'src/monitor/bin/a.mjs',
      `await import(process.argv[2] ? '../cli/main.ts' : '../dist/cli/main.js')`,
    ],
    [
      'an import that is only written about',
      'src/monitor/model/a.ts',
      `// import '../app/index.ts'\nexport const s = "import '../app/index.ts'"`,
    ],
  ])('accepts %s', (_, path, source) => {
    expect(problems(path, source)).toEqual([])
  })
})

describe('readImports', () => {
  it('finds every way to import, with its line', () => {
    const source = [
      `import a, { b as c } from './1.ts'`,
      `import type { D } from './2.ts'`,
      `export * from './3.ts'`,
      `export type { E } from './4.ts'`,
      `const f = await import('./5.ts')`,
      `type G = import('./6.ts').G`,
      `new Worker(new URL('./7.ts', import.meta.url))`,
      `import.meta.resolve('#8')`,
      `import { type H } from './9.ts'`,
      `new URL('./data.sql', import.meta.url)`,
      `new URL('11.mjs', import.meta.url)`,
    ].join('\n')
    expect(readImports('a.ts', source).map((one) => [one.line, one.specifier, one.typeOnly, one.names])).toEqual([
      [1, './1.ts', false, ['default', 'b']],
      [2, './2.ts', true, ['D']],
      [3, './3.ts', false, null],
      [4, './4.ts', true, ['E']],
      [5, './5.ts', false, null],
      [6, './6.ts', true, null],
      [7, './7.ts', false, null],
      [8, '#8', false, null],
      [9, './9.ts', false, ['H']],
      [11, './11.mjs', false, null],
    ])
  })
})

describe('findCycle', () => {
  it('names the way round', () => {
    expect(
      findCycle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual(['b', 'c', 'b'])
  })

  it('finds none where two ways only meet again', () => {
    expect(
      findCycle(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['d']],
          ['c', ['d']],
        ]),
      ),
    ).toBeNull()
  })
})
