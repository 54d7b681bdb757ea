import { existsSync, readFileSync } from 'node:fs'
import { debianMirror } from '../../../scripts/lib/debian.mjs'
import { locate } from '../../../scripts/lib/test-requirements.mjs'

let reason: string | null | undefined

/**
 * Why Docker cannot run here, null when it can: `describe.skipIf(dockerMissing())`. The reason is told once on stderr; with
 * CI=true it is thrown, since there a skipped suite would be a hole that nobody sees.
 */
export function dockerMissing(): string | null {
  if (reason !== undefined) return reason
  reason = find()
  if (reason === null) return null
  if (process.env['CI'] === 'true') throw new Error(`Docker is needed and cannot run here: ${reason}`)
  process.stderr.write(`SKIPPED, what needs Docker: ${reason}\n`)
  return reason
}

function find(): string | null {
  if (process.platform !== 'linux') return `containers need Linux, this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'dockerd needs root'
  for (const name of ['docker', 'compose', 'debootstrap']) {
    if (!locate(name)) return `${name} is missing: npm test brings it where it can (npm run doctor tells more)`
  }
  if (!debianMirror()) return 'apt here knows no mirror of Debian to make the base image from'
  if (!existsSync('/sys/fs/cgroup/memory') && !existsSync('/sys/fs/cgroup/cgroup.controllers')) {
    return 'no control groups are mounted below /sys/fs/cgroup'
  }
  const capabilities = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`)
  // CAP_NET_ADMIN and CAP_SYS_ADMIN: without them root can neither mount nor make networks.
  for (const bit of [12n, 21n]) {
    if ((capabilities & (1n << bit)) === 0n)
      return 'root here may not mount or make networks (capabilities are missing)'
  }
  return null
}
