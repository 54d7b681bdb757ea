import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { silentLogger, systemClock, type Clock, type Logger } from '@medyk/health/internal'
import { defaultRecoveryPolicy, defaultStartupGraceMs } from '../../model/index.ts'
import type { Instance, Json, Runtime, ServiceSpec } from '../../model/index.ts'
import type { RuntimeFixture } from '../contract.ts'
import { create } from './index.ts'
import { readStat } from './proc.ts'

const SERVICE = fileURLToPath(new URL('testdata/service.mjs', import.meta.url))

export interface ProcessFixture extends RuntimeFixture {
  open(logger?: Logger, clock?: Clock): Promise<Runtime>
  readonly stateDir: string
  /** A service with these `runtimeOptions`. */
  spec(name: string, runtimeOptions: { readonly [key: string]: Json }): ServiceSpec
  /** As the contract's, and: has-a-child · prints-environment. */
  service(name: string, behaviour: string): ServiceSpec
  /** pids of all runs that ever answered, oldest first. */
  runs(service: ServiceSpec): Promise<readonly number[]>
}

/** Real processes in a temporary directory. Disposing ends whatever the fixture's runtimes have started. */
export async function openProcessFixture(): Promise<ProcessFixture> {
  const root = await mkdtemp(join(tmpdir(), 'medyk-process-'))
  const stateDir = join(root, 'state')
  const opened: Runtime[] = []
  const services = new Map<string, ServiceSpec>()
  const fileOf = (service: ServiceSpec) => join(root, `${service.name}.json`)

  const fixture: ProcessFixture = {
    stateDir,
    async open(logger = silentLogger, clock = systemClock) {
      const runtime = await create({ stateDir, logger, clock })
      opened.push(runtime)
      return runtime
    },
    spec(name, runtimeOptions) {
      const service: ServiceSpec = {
        name,
        runtime: 'process',
        runtimeOptions,
        dependsOn: [],
        probes: [],
        startupGraceMs: defaultStartupGraceMs,
        recovery: defaultRecoveryPolicy,
      }
      services.set(name, service)
      return service
    },
    service(name, behaviour) {
      if (behaviour === 'does-not-exist') return fixture.spec(name, { command: [join(root, 'no-such-program')] })
      return fixture.spec(name, { command: [process.execPath, SERVICE, behaviour, join(root, `${name}.json`)] })
    },
    async ask(service) {
      try {
        const { pid, port } = JSON.parse(await readFile(fileOf(service), 'utf8')) as { pid: number; port: number }
        const answer = await get(port)
        // Another program may have got the port of a run that has ended.
        return answer === String(pid) ? answer : null
      } catch {
        return null
      }
    },
    async runs(service) {
      const text = await readFile(`${fileOf(service)}.runs`, 'utf8').catch(() => '')
      return text.split('\n').filter(Boolean).map(Number)
    },
    async kill(instance: Instance) {
      if (instance.pid === null) return
      process.kill(instance.pid, 'SIGKILL')
      while (readStat(instance.pid)?.dead === false) await systemClock.sleep(5)
    },
    async freeze(instance: Instance) {
      if (instance.pid !== null) process.kill(instance.pid, 'SIGSTOP')
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((runtime) => runtime[Symbol.asyncDispose]()))
      const call = { signal: AbortSignal.timeout(30_000) }
      const last = await create({ stateDir, logger: silentLogger, clock: systemClock })
      try {
        const found = await last.adopt([...services.values()], call)
        await Promise.all(found.map(({ id }) => last.stop(id, 0, call)))
      } finally {
        await last[Symbol.asyncDispose]()
        await rm(root, { recursive: true, force: true, maxRetries: 5 })
      }
    },
  }
  return fixture
}

function get(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, agent: false, timeout: 2_000 }, (response) => {
      response.setEncoding('utf8')
      response.once('data', resolve)
      response.once('error', reject)
    })
    asked.once('timeout', () => asked.destroy(new Error('no answer')))
    asked.once('error', reject)
    asked.end()
  })
}
