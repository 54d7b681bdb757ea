import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * What the tests need beyond Node and npm. Adding one is one line here; bootstrap installs it, doctor shows it, and the
 * suites ask `has(name)`.
 *
 * @typedef {object} Requirement
 * @property {string} name
 * @property {string[]} programs it is there when one of these is on the PATH
 * @property {string[]} debian packages that bring it
 * @property {string} suites what cannot run without it
 */

/** @type {readonly Requirement[]} */
export const requirements = [
  {
    name: 'ffmpeg',
    programs: ['ffmpeg'],
    debian: ['ffmpeg'],
    suites: 'video: clips and streams checked against ffprobe',
  },
  {
    name: 'redis-server',
    programs: ['redis-server'],
    debian: ['redis-server'],
    suites: 'probers: the redis prober against a real server',
  },
  {
    name: 'chromium',
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    debian: ['chromium'],
    suites: 'browser: the dashboard',
  },
]

/** The full path of the first of `programs` on the PATH, else null. */
export function which(programs, path = process.env['PATH'] ?? '') {
  // Servers live in sbin, which an ordinary user's PATH leaves out.
  const folders = [...path.split(delimiter).filter(Boolean), '/usr/local/sbin', '/usr/sbin', '/sbin']
  for (const program of programs) {
    for (const folder of folders) if (existsSync(join(folder, program))) return join(folder, program)
  }
  return null
}

/** Where the requirement `name` is, else null. */
export function locate(name) {
  const requirement = requirements.find((one) => one.name === name)
  if (!requirement)
    throw new Error(`no test requirement is called ${name}: add it to scripts/lib/test-requirements.mjs`)
  return which(requirement.programs)
}

export const has = (name) => locate(name) !== null

export const missing = () => requirements.filter((requirement) => which(requirement.programs) === null)

/** Whether Debian packages can be installed here, without asking anybody for a password. */
export const canInstall = () => process.getuid?.() === 0 && which(['apt-get']) !== null
