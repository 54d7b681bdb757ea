import { expect, it } from 'vitest'
import { findMirror } from './debian.mjs'

const mirror = 'http://mirror.example/debian'

it.each([
  ['a line', `deb ${mirror} bookworm main contrib`],
  ['a line with options', `deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] ${mirror}/ bookworm main`],
  ['a stanza', `Types: deb\nURIs: ${mirror}\nSuites: bookworm bookworm-updates\nComponents: main\n`],
  [
    'a stanza with comments, after another one',
    `Types: deb\nURIs: http://other.example\nSuites: bookworm\nComponents: nonfree\n\nTypes: deb\n# http://old.example\nURIs: ${mirror}\nSuites: bookworm\nComponents: main\n`,
  ],
])('finds the mirror of the release in %s', (_, text) => {
  expect(findMirror(['', text], 'bookworm')).toEqual({ uri: mirror, suite: 'bookworm' })
})

it.each([
  ['of another release', `deb ${mirror} trixie main`],
  ['of sources', `deb-src ${mirror} bookworm main`],
  ['that is commented out', `# deb ${mirror} bookworm main`],
  ['of security updates only', `deb ${mirror} bookworm-security main`],
])('takes no mirror %s', (_, text) => {
  expect(findMirror([text], 'bookworm')).toBeNull()
})
