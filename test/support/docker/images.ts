import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { debianMirror } from '../../../scripts/lib/debian.mjs'
import { at } from '../../../scripts/lib/paths.mjs'
import { locate } from '../../../scripts/lib/test-requirements.mjs'
import { command } from './command.ts'
import { takeLock } from './lock.ts'

/** What images of the tests are built on, by the name that their Dockerfiles ask for. */
export const baseImage = 'medyk-test/base:latest'
/** Under the name that deploy/compose.proxy.yaml asks for: the base has HAProxy in it. */
export const proxyImage = 'haproxy:2.6-bookworm'
/** The same with this project's own Node, under the name that deploy/Dockerfile starts from. */
export const nodeImage = 'node:24-bookworm-slim'

const PACKAGES = ['curl', 'haproxy', 'iproute2', 'postgresql', 'procps', 'python3', 'redis-server', 'wget']
const WORTHLESS = [
  './usr/share/doc',
  './usr/share/man',
  './usr/share/locale',
  './usr/share/info',
  './var/lib/apt/lists/*',
]
const MINUTE = 60_000

type Docker = (...args: string[]) => Promise<string>

/**
 * Gives an engine the images that it lacks. They are known by a tag with a fingerprint, not by a label: containers would
 * inherit labels, and the tests' services must look like anybody's.
 */
export async function provideImages(docker: Docker): Promise<void> {
  const suite = debianMirror()?.suite ?? 'unknown'
  const base = fingerprint(suite, ...PACKAGES, ...WORTHLESS)
  if (!(await has(docker, `medyk-test/base:${base}`))) {
    const archive = await baseArchive(base)
    await docker('import', '--change', 'CMD ["sleep", "infinity"]', archive, `medyk-test/base:${base}`)
    for (const name of [baseImage, proxyImage]) await docker('tag', `medyk-test/base:${base}`, name)
  }
  const node = fingerprint(base, process.version)
  if (!(await has(docker, `medyk-test/node:${node}`))) {
    const binary = dirname(nodeBinary())
    const context = mkdtempSync(at('.cache', 'node-'))
    try {
      await command('cp', [join(binary, 'node'), context])
      await command('sh', [
        '-c',
        'printf "FROM %s\\nCOPY node /usr/local/bin/\\n" "$0" >"$1/Dockerfile"',
        baseImage,
        context,
      ])
      await docker('build', '--quiet', '--network', 'host', '--tag', `medyk-test/node:${node}`, context)
    } finally {
      rmSync(context, { recursive: true })
    }
    await docker('tag', `medyk-test/node:${node}`, nodeImage)
  }
}

/** Of the npm package `node`, which this process runs on. */
const nodeBinary = () => process.execPath

const fingerprint = (...parts: string[]) => createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12)

const has = (docker: Docker, image: string) =>
  docker('image', 'inspect', '--format', '{{.Id}}', image).then(
    () => true,
    () => false,
  )

/** The base as an archive, made once for all engines of this tree. */
async function baseArchive(name: string): Promise<string> {
  const archive = at('.cache', `base-${name}.tar`)
  using _ = await takeLock(at('.cache', 'base.lock'))
  if (existsSync(archive)) return archive
  const mirror = debianMirror()
  const debootstrap = locate('debootstrap')
  if (!mirror || !debootstrap) throw new Error('no debootstrap, or no mirror of Debian')
  const since = performance.now()
  process.stderr.write(`Making the base image of the tests from Debian ${mirror.suite}, once; about a minute …\n`)
  for (const old of readdirSync(at('.cache')))
    if (old.startsWith('base-')) rmSync(at('.cache', old), { recursive: true })
  const tree = mkdtempSync(at('.cache', 'base-'))
  try {
    let line = ''
    let told = performance.now()
    const onOutput = (text: string) => {
      line = text.trim().split('\n').at(-1) ?? line
      if (performance.now() - told < 10_000) return
      told = performance.now()
      process.stderr.write(`  … ${Math.round((told - since) / 1_000)} s: ${line.slice(0, 100)}\n`)
    }
    const options = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, mirror.suite, tree, mirror.uri]
    const sbin = '/usr/local/sbin:/usr/sbin:/sbin'
    const PATH = `${process.env['PATH']}:${sbin}`
    await command(debootstrap, options, { onOutput, timeoutMs: 10 * MINUTE, env: { PATH } })
    rmSync(join(tree, 'var/cache/apt/archives'), { recursive: true, force: true })
    const left = WORTHLESS.map((path) => `--exclude=${path}`)
    await command('tar', ['--create', `--file=${tree}.tar`, `--directory=${tree}`, '--one-file-system', ...left, '.'])
    renameSync(`${tree}.tar`, archive)
  } finally {
    rmSync(tree, { recursive: true, force: true })
    rmSync(`${tree}.tar`, { force: true })
  }
  process.stderr.write(`  done in ${Math.round((performance.now() - since) / 1_000)} s\n`)
  return archive
}
