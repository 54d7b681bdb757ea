import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { debianKeyring, debianMirror } from './debian.mjs'
import { at } from './paths.mjs'
import { run } from './run.mjs'

const MINUTE = 60_000

/** Where a package of another release lies once `debianFrom` has brought it. */
export const unpacked = (/** @type {string} */ name) => at('.cache', 'debian', name)

/**
 * Brings one package of another release of Debian without installing it: fetched from this machine's own mirror, checked
 * by Debian's keys, unpacked below `.cache`. It has lists of its own, so that apt on this machine does not learn of that
 * release. Its dependencies are not brought.
 *
 * @param {string} name
 * @param {string} release such as `trixie`
 * @param {string} [log] a file that gets apt's output
 * @returns {Promise<{ ok: boolean, output: string }>} never rejects
 */
export async function debianFrom(name, release, log) {
  const mirror = debianMirror()
  const keyring = debianKeyring()
  if (!mirror || !keyring) return { ok: false, output: 'apt here knows no mirror of Debian, or its keys are missing' }

  const work = at('.cache', 'debian', `${name}.apt`)
  rmSync(work, { recursive: true, force: true })
  for (const folder of ['lists/partial', 'archives/partial', 'file']) mkdirSync(join(work, folder), { recursive: true })
  const list = join(work, 'sources.list')
  writeFileSync(list, `deb [signed-by=${keyring}] ${mirror.uri} ${release} main\n`)
  const apt = (...words) =>
    run(
      [
        'apt-get',
        ...[
          `Dir::Etc::SourceList=${list}`,
          'Dir::Etc::SourceParts=-',
          `Dir::State::Lists=${join(work, 'lists')}`,
          `Dir::Cache::Archives=${join(work, 'archives')}`,
          'Dir::Cache::PkgCache=',
          'Dir::Cache::SrcPkgCache=',
          'APT::Sandbox::User=root',
          'Acquire::Languages=none',
        ].flatMap((option) => ['-o', option]),
        ...words,
      ],
      { ...(log ? { log } : {}), cwd: join(work, 'file'), timeoutMs: 5 * MINUTE },
    )

  const updated = await apt('update')
  if (!updated.ok) return updated
  const fetched = await apt('download', name)
  const file = readdirSync(join(work, 'file')).find((one) => one.endsWith('.deb'))
  if (!file) return { ok: false, output: fetched.output }

  const fresh = join(work, 'tree')
  const tree = await run(['dpkg-deb', '-x', join(work, 'file', file), fresh], { timeoutMs: MINUTE })
  if (!tree.ok) return tree
  rmSync(unpacked(name), { recursive: true, force: true })
  renameSync(fresh, unpacked(name))
  rmSync(work, { recursive: true, force: true })
  return { ok: existsSync(unpacked(name)), output: fetched.output }
}
