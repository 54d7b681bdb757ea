import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { silentLogger, systemClock, type Logger } from '@medyk/health/internal'
import { openDockerHost, type DockerHost } from '../../docker/index.ts'
import { defaultRecoveryPolicy, defaultStartupGraceMs } from '../../model/index.ts'
import type { Instance, Json, ServiceSpec } from '../../model/index.ts'
import type { RuntimeFixture } from '../contract.ts'
import { readStat } from '../process/proc.ts'
import { DockerRuntime } from './runtime.ts'

const run = promisify(execFile)
const SERVICE = fileURLToPath(new URL('../process/testdata/service.mjs', import.meta.url))

/** Where the containers run: an engine of the tests' own, on this machine. */
export interface FixtureEngine {
  /** As DOCKER_HOST. */
  readonly host: string
  /** Has a shell, and the libraries that Node needs. */
  readonly image: string
}

export interface DockerFixture extends RuntimeFixture {
  open(logger?: Logger): Promise<DockerRuntime>
  /** Another view of the same engine. */
  openHost(): Promise<DockerHost>
  /** Runs the docker command; gives its standard output without the last line feed. */
  docker(...args: string[]): Promise<string>
  /** A name that nothing else on the engine has. */
  unique(name: string): string
  /** `docker create` with a name and labels that the fixture cleans up by; gives the service that selects it. */
  container(name: string, args: readonly string[], command: readonly string[]): Promise<ServiceSpec>
}

/** Containers in the host's network. Disposing removes all that the fixture has made. */
export async function openDockerFixture({ host, image }: FixtureEngine): Promise<DockerFixture> {
  const root = await mkdtemp(join(tmpdir(), 'medyk-docker-'))
  const stateDir = join(root, 'state')
  const group = randomBytes(4).toString('hex')
  const hosts: DockerHost[] = []
  const runtimes: DockerRuntime[] = []
  const created: Promise<unknown>[] = []
  const environment = { ...process.env, DOCKER_HOST: host, DOCKER_CONTEXT: '', DOCKER_TLS_VERIFY: '' }
  const docker = async (...args: string[]) => {
    const { stdout } = await run('docker', args, { env: environment, maxBuffer: 16_777_216, timeout: 120_000 })
    return stdout.trimEnd()
  }
  const unique = (name: string) => `mdk-rt-${group}-${name}`
  const specOf = (name: string, runtimeOptions: { readonly [key: string]: Json }): ServiceSpec => ({
    name,
    runtime: 'docker',
    runtimeOptions,
    dependsOn: [],
    probes: [],
    startupGraceMs: defaultStartupGraceMs,
    recovery: defaultRecoveryPolicy,
  })
  const create = (name: string, args: readonly string[], command: readonly string[]) =>
    docker('create', '--name', unique(name), '--label', `mdk-rt=${group}`, ...args, image, ...command)
  const mounts = (...paths: string[]) => paths.flatMap((path) => ['-v', `${path}:${path}`])
  const logs = ['--log-opt', 'max-size=4m', '--log-opt', 'max-file=2']

  const fixture: DockerFixture = {
    docker,
    unique,
    async openHost() {
      const opened = await openDockerHost({ host, tls: null }, { clock: systemClock, logger: silentLogger })
      hosts.push(opened)
      return opened
    },
    async open(logger = silentLogger) {
      // Containers that a test has asked for are there before anybody looks.
      await Promise.all(created)
      const opened = await fixture.openHost()
      const runtime = await DockerRuntime.open({ stateDir, logger, clock: systemClock, docker: opened })
      runtimes.push(runtime)
      return runtime
    },
    async container(name, args, command) {
      await create(name, args, command)
      return specOf(name, { container: unique(name) })
    },
    service(name, behaviour) {
      const command =
        behaviour === 'does-not-exist'
          ? [join(root, 'no-such-program')]
          : [process.execPath, SERVICE, behaviour, join(root, `${name}.json`)]
      // A first process without a handler ignores SIGTERM; with an init in front a service ends as it does elsewhere.
      const init = behaviour === 'does-not-exist' ? [] : ['--init']
      const args = ['--network', 'host', ...init, ...logs, ...mounts(root, dirname(SERVICE), dirname(process.execPath))]
      const creating = create(name, args, command)
      // A failure is that of `open`, which waits for it.
      creating.catch(() => {})
      created.push(creating)
      return specOf(name, { container: unique(name) })
    },
    async ask(service) {
      try {
        const { port } = JSON.parse(await readFile(join(root, `${service.name}.json`), 'utf8')) as { port: number }
        const began = await docker('inspect', '--format', '{{.State.StartedAt}}', unique(service.name))
        // Within a container every run has the same pid; the time of its start tells them apart.
        return /^\d+$/.test(await get(port)) ? began : null
      } catch {
        return null
      }
    },
    async kill(instance: Instance) {
      const { pid } = instance
      if (pid === null) return
      process.kill(pid, 'SIGKILL')
      while (readStat(pid)?.dead === false) await systemClock.sleep(5)
    },
    async freeze(instance: Instance) {
      await docker('pause', instance.id)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(runtimes.map((runtime) => runtime[Symbol.asyncDispose]()))
      await Promise.all(hosts.map((opened) => opened[Symbol.asyncDispose]()))
      await Promise.allSettled(created)
      const left = await docker('ps', '--all', '--quiet', '--filter', `label=mdk-rt=${group}`)
      if (left) await docker('rm', '--force', '--volumes', ...left.split('\n'))
      await rm(root, { recursive: true, force: true, maxRetries: 5 })
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
