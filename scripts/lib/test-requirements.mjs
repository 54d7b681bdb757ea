import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { unpacked } from './debian-from.mjs'

/**
 * What the tests need beyond Node and npm. Adding one is one line here; bootstrap installs it, doctor shows it, and the
 * suites ask `has(name)`.
 *
 * @typedef {object} Requirement
 * @property {string} name
 * @property {string[]} programs it is there when one of these is on the PATH
 * @property {string[]} [folders] where it is looked for instead of the PATH
 * @property {string[]} debian packages that bring it
 * @property {string} [release] of Debian that has the package, where this machine's own has not: it is unpacked below
 *   `.cache` and not installed
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
  {
    name: 'docker',
    programs: ['dockerd'],
    debian: ['docker.io'],
    suites: 'docker: everything about containers',
  },
  {
    name: 'compose',
    programs: ['docker-compose'],
    // A `docker-compose` on the PATH may be version 1, which is another program.
    folders: [
      '/usr/local/lib/docker/cli-plugins',
      '/usr/lib/docker/cli-plugins',
      '/usr/libexec/docker/cli-plugins',
      `${unpacked('docker-compose')}/usr/libexec/docker/cli-plugins`,
    ],
    debian: ['docker-compose'],
    release: 'trixie',
    suites: 'docker: compose projects',
  },
  {
    name: 'debootstrap',
    programs: ['debootstrap'],
    debian: ['debootstrap', 'debian-archive-keyring'],
    suites: 'docker: the image that all others are built on',
  },
  {
    name: 'haproxy',
    programs: ['haproxy'],
    debian: ['haproxy'],
    suites: 'docker: a socket proxy before the Docker socket',
  },
  {
    name: 'iptables',
    programs: ['iptables'],
    debian: ['iptables'],
    suites: 'docker: loss of packets',
  },
  {
    name: 'iproute2',
    programs: ['ip'],
    debian: ['iproute2'],
    suites: 'docker: networks of containers',
  },
  {
    name: 'redis',
    programs: ['redis-server'],
    debian: ['redis-server'],
    suites: 'redis: checks and probes against a real server',
  },
  {
    name: 'postgresql',
    programs: ['pg_ctlcluster'],
    debian: ['postgresql'],
    suites: 'postgres: checks and probes against a real server',
  },
  {
    name: 'openssl',
    programs: ['openssl'],
    debian: ['openssl'],
    suites: 'docker: the engine behind TLS',
  },
  {
    name: 'shellcheck',
    programs: ['shellcheck'],
    debian: ['shellcheck'],
    suites: "scripts: the operators' shell scripts",
  },
]

/** The full path of the first of `programs` on the PATH, else null. */
export function which(programs, path = process.env['PATH'] ?? '') {
  // Servers live in sbin, which an ordinary user's PATH leaves out.
  return whichIn(programs, [...path.split(delimiter).filter(Boolean), '/usr/local/sbin', '/usr/sbin', '/sbin'])
}

function whichIn(programs, folders) {
  for (const program of programs) {
    for (const folder of folders) if (existsSync(join(folder, program))) return join(folder, program)
  }
  return null
}

/** @param {Requirement} requirement */
const find = ({ programs, folders }) => (folders ? whichIn(programs, folders) : which(programs))

/** Where the requirement `name` is, else null. */
export function locate(name) {
  const requirement = requirements.find((one) => one.name === name)
  if (!requirement)
    throw new Error(`no test requirement is called ${name}: add it to scripts/lib/test-requirements.mjs`)
  return find(requirement)
}

export const has = (name) => locate(name) !== null

/** @returns {Requirement[]} */
export const missing = () => requirements.filter((requirement) => find(requirement) === null)

/** Whether Debian packages can be installed here, without asking anybody for a password. */
export const canInstall = () => process.getuid?.() === 0 && which(['apt-get']) !== null
