// Sets up what `npm start` and `npm test` need: packages, the build, and for tests the Debian packages that are missing.
// Runs on the machine's own Node (20 or later) before anything is installed, so it imports nothing but Node and lib/.
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { buildFingerprint, countOutputs, installFingerprint } from './lib/fingerprint.mjs'
import { debianFrom } from './lib/debian-from.mjs'
import { withLock } from './lib/lock.mjs'
import { nestedNpm, npmCommand } from './lib/npm.mjs'
import { at, bin, projectNode, root } from './lib/paths.mjs'
import { withProgress } from './lib/progress.mjs'
import { run } from './lib/run.mjs'
import { readStamp, stampFile, writeStamp } from './lib/stamp.mjs'
import { canInstall, missing } from './lib/test-requirements.mjs'

const WANTED_MAJOR = 24
const MINUTE = 60_000
const log = (name) => at('.tsbuild', `${name}.log`)

const forTests = process.argv.includes('--for-tests')
const say = (line) => process.stdout.write(`${line}\n`)

class Failure extends Error {}

function fail(what, logFile, advice, output = '') {
  const shown = excerpt(output)
  throw new Failure(`${what} ${advice} The whole log is ${logFile}${shown ? `; from it:\n${shown}` : ''}`)
}

/** The first lines that speak of an error, since the cause comes before its consequences; else the last lines. */
function excerpt(output) {
  const lines = output.trim().split('\n')
  const errors = lines.filter((line) => /error/i.test(line)).slice(0, 8)
  return (errors.length > 0 ? errors : lines.slice(-8))
    .map((line) => `    ${line}`)
    .join('\n')
    .trimEnd()
}

/** Version of the project's own Node, null when it is not there or does not run on this machine. */
function projectNodeVersion() {
  try {
    return execFileSync(projectNode, ['--version'], {
      encoding: 'utf8',
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return null
  }
}

const isWanted = (version) => version?.startsWith(`v${WANTED_MAJOR}.`) ?? false

async function installPackages() {
  const fingerprint = installFingerprint(root)
  const before = projectNodeVersion()
  const stamp = readStamp()
  if (stamp.install === fingerprint && stamp.node === before && isWanted(before)) return

  rmSync(stampFile, { force: true })
  // Not `npm ci`: the lock lists the binaries of every platform, and a mirror may lack some. Not saving: a clone stays clean.
  const command = [...npmCommand(), 'install', '--no-save', '--include=dev', '--no-audit', '--no-fund']
  const installed = await withProgress('Installing packages (npm install)', () =>
    run(command, { env: nestedNpm(process.env), log: log('install'), timeoutMs: 15 * MINUTE }),
  )
  if (!installed.ok) {
    const why = installed.timedOut
      ? 'npm install did not finish within 15 minutes.'
      : `npm install failed (exit ${installed.code ?? installed.signal}).`
    fail(
      why,
      log('install'),
      'Check the network and the registry that npm is set to, then run the same command again.',
      installed.output,
    )
  }
  const version = projectNodeVersion()
  if (!isWanted(version)) {
    fail(
      `Medyk runs on Node ${WANTED_MAJOR}, which the npm package "node" brings, but ${projectNode} ${version ? `is ${version}` : 'does not run'}.`,
      log('install'),
      "Its install script may have been switched off (npm's ignore-scripts) or this platform has no build of it: allow scripts, delete node_modules and run again, " +
        `or put a Node ${WANTED_MAJOR} there.`,
    )
  }
  writeStamp({ install: fingerprint, node: version })
}

async function build() {
  const fingerprint = buildFingerprint(root)
  const before = readStamp()
  const lost = before.outputs === undefined || countOutputs(root) < before.outputs
  if (before.build === fingerprint && !lost) return

  const steps = [
    // tsc trusts its own notes and does not see that an output was deleted.
    { name: 'build', label: 'Building the packages (tsc)', command: bin('tsc', '-b', ...(lost ? ['--force'] : [])) },
    { name: 'bundle', label: 'Bundling the daemon (rolldown)', command: [projectNode, at('scripts', 'bundle.mjs')] },
    ...(existsSync(at('src/monitor/web/vite.config.ts'))
      ? [
          {
            name: 'build-web',
            label: 'Building the dashboard (vite)',
            command: bin('vite', 'build', '--config', 'src/monitor/web/vite.config.ts', '--logLevel', 'warn'),
          },
        ]
      : []),
  ]
  for (const { name, label, command } of steps) {
    const built = await withProgress(label, () => run(command, { log: log(name), timeoutMs: 10 * MINUTE }))
    if (built.ok) continue
    // The tests have the types as a part of their own: they run on what there is and count it as failed.
    if (forTests) {
      say(`  The build failed, so "types" will fail too; the tests run anyway. Log: ${log(name)}`)
      return
    }
    fail(
      `${label} failed.`,
      log(name),
      'A source does not compile: mend it, or undo the last change, and run the same command again.',
      built.output,
    )
  }
  writeStamp({ build: fingerprint, outputs: countOutputs(root) })
}

async function installDebianPackages() {
  const absent = missing()
  if (absent.length === 0) return
  const logFile = log('apt-install')
  if (canInstall()) {
    await apt('Refreshing the package lists (apt-get update)', log('apt-update'), 'update')
    const own = absent.filter(({ release }) => !release)
    const together = own.length === 0 || (await aptInstall(own.flatMap(({ debian }) => debian))).ok
    // apt-get installs all or nothing: a package that this Debian does not have must not keep the others away.
    if (!together) for (const { debian, release } of missing()) if (!release) await aptInstall(debian)
    for (const { debian, release } of absent) {
      if (!release) continue
      for (const name of debian) {
        await withProgress(`Fetching for the tests: ${name} of Debian ${release}`, () =>
          debianFrom(name, release, log(`apt-${name}`)),
        )
      }
    }
  }
  for (const { name, debian, release, suites } of missing()) {
    const advice = canInstall()
      ? `apt-get could not bring it, see ${release ? log(`apt-${debian[0]}`) : logFile}`
      : `install the Debian package ${debian.join(' ')}, or run as root`
    say(`✗ ${name} is missing, so this cannot run: ${suites} (${advice})`)
  }
}

const aptInstall = (packages) =>
  apt(
    `Installing for the tests: ${packages.join(' ')}`,
    log('apt-install'),
    'install',
    '--yes',
    '--no-install-recommends',
    ...packages,
  )

const apt = (label, logFile, ...args) =>
  withProgress(label, () =>
    run(['apt-get', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      log: logFile,
      timeoutMs: 8 * MINUTE,
    }),
  )

try {
  await withLock(at('.tsbuild', 'bootstrap.pid'), say, async () => {
    await installPackages()
    await build()
    if (forTests) await installDebianPackages()
  })
} catch (error) {
  if (!(error instanceof Failure)) throw error
  process.stderr.write(`\nMedyk could not be set up. ${error.message}\n`)
  process.exitCode = 1
}
