import { describe, it } from 'vitest'
import { runtimeContract, type RuntimeFixture } from './contract.ts'
import { runtimes, type RuntimeKind } from './index.ts'
import { openProcessFixture } from './process/fixture.testing.ts'

const fixtures: Record<RuntimeKind, () => Promise<RuntimeFixture>> = {
  process: openProcessFixture,
}

for (const kind of Object.keys(runtimes) as RuntimeKind[]) {
  runtimeContract(kind, fixtures[kind], { describe, it })
}
