import { afterAll, beforeAll, describe, it } from 'vitest'
import { runtimeContract } from '../../src/monitor/runtimes/contract.ts'
import { openDockerFixture } from '../../src/monitor/runtimes/docker/fixture.testing.ts'
import { dockerMissing, engineDeadlineMs, startEngine, type Engine } from '../support/docker/engine.ts'

describe.skipIf(dockerMissing())('on a Docker engine', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await startEngine()
  }, engineDeadlineMs)
  afterAll(() => engine?.[Symbol.asyncDispose]())

  runtimeContract('docker', () => openDockerFixture(engine), { describe, it })
})
