import { readFileSync } from 'node:fs'
import { expect, describe, it } from 'vitest'
import { runtimeContract, type RuntimeFixture } from './contract.ts'
import { runtimes, type RuntimeKind } from './index.ts'
import { openProcessFixture } from './process/fixture.testing.ts'

/** What needs a server of its own runs its contract where such servers are: in a file of test/integration. */
const fixtures: Record<RuntimeKind, (() => Promise<RuntimeFixture>) | { readonly runsIn: string }> = {
  docker: { runsIn: 'docker-runtime.test.ts' },
  process: openProcessFixture,
}

for (const kind of Object.keys(runtimes) as RuntimeKind[]) {
  const fixture = fixtures[kind]
  if (typeof fixture === 'function') runtimeContract(kind, fixture, { describe, it })
  else {
    it(`leaves the contract of the ${kind} runtime to ${fixture.runsIn}, which runs it`, () => {
      const file = new URL(`../../../test/integration/${fixture.runsIn}`, import.meta.url)
      expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^ *runtimeContract\\('${kind}', `, 'm'))
    })
  }
}
