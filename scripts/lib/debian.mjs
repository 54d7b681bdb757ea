import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Where this machine gets Debian from: its own mirror, so that nothing here has to name one.
 *
 * @typedef {object} Mirror
 * @property {string} uri
 * @property {string} suite the release that this machine runs, such as `bookworm`
 */

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** The keys of all releases of Debian, null where the machine has none. */
export const debianKeyring = () => (existsSync(KEYRING) ? KEYRING : null)

/**
 * The main archive in the words of apt's source files; null when none of them has it.
 *
 * @param {readonly string[]} texts contents of `.list` and `.sources` files
 * @param {string} suite
 * @returns {Mirror | null}
 */
export function findMirror(texts, suite) {
  for (const text of texts) {
    for (const stanza of text.replaceAll(/^\s*#.*\n?/gm, '').split(/\n\s*\n/)) {
      const uri = fromStanza(stanza, suite) ?? fromLines(stanza, suite)
      if (uri) return { uri: uri.replace(/\/+$/, ''), suite }
    }
  }
  return null
}

function fromStanza(stanza, suite) {
  const field = (name) => new RegExp(`^${name}:(.*)$`, 'mi').exec(stanza)?.[1]?.trim().split(/\s+/) ?? []
  const fits = field('Types').includes('deb') && field('Suites').includes(suite) && field('Components').includes('main')
  return fits ? field('URIs')[0] : undefined
}

function fromLines(stanza, suite) {
  for (const line of stanza.split('\n')) {
    const [, uri, itsSuite, components] = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim()) ?? []
    if (itsSuite === suite && components?.split(/\s+/).includes('main')) return uri
  }
  return undefined
}

/** @returns {Mirror | null} null where this is no Debian, or apt knows no mirror of its release. */
export function debianMirror() {
  const suite = /^VERSION_CODENAME=(\w+)/m.exec(readIfThere('/etc/os-release'))?.[1]
  const folder = '/etc/apt/sources.list.d'
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(list|sources)$/.test(name)) : []
  const texts = ['/etc/apt/sources.list', ...files.map((name) => join(folder, name))].map(readIfThere)
  return suite ? findMirror(texts, suite) : null
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
