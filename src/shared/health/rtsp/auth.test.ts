import { describe, expect, it } from 'vitest'
import { authorize, pickChallenge, verifyAuthorization, type Challenge } from './auth.ts'

const mufasa = { username: 'Mufasa', password: 'Circle of Life' }

describe('authorize', () => {
  // The worked example of RFC 7616 3.9.1, for both of its algorithms.
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('answers as the RFC does with %s', (algorithm, response) => {
    const challenge: Challenge = {
      scheme: 'digest',
      realm: 'http-auth@example.org',
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
      algorithm,
      qop: true,
      stale: false,
    }
    const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ'
    const value = authorize(challenge, mufasa, 'GET', '/dir/index.html', 1, cnonce)
    expect(value).toContain(`response="${response}"`)
    expect(verifyAuthorization(value, challenge, mufasa, 'GET')).toBe(true)
    expect(verifyAuthorization(value, challenge, mufasa, 'PUT')).toBe(false)
    expect(verifyAuthorization(value, challenge, { ...mufasa, password: 'x' }, 'GET')).toBe(false)
  })

  it('answers without qop as RFC 2069 servers expect it', () => {
    const [challenge] = [pickChallenge(['Digest realm="r", nonce="n"'])]
    const value = authorize(challenge as Challenge, { username: 'u', password: 'p' }, 'DESCRIBE', 'rtsp://c/a', 1)
    expect(value).not.toMatch(/qop|nc=|cnonce|algorithm/)
    expect(verifyAuthorization(value, challenge as Challenge, { username: 'u', password: 'p' }, 'DESCRIBE')).toBe(true)
  })

  it('answers Basic in base64', () => {
    const challenge = pickChallenge(['Basic realm="x"']) as Challenge
    expect(authorize(challenge, { username: 'Aladdin', password: 'open sesame' }, 'PLAY', '*', 1)).toBe(
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    )
  })
})

describe('pickChallenge', () => {
  it.each([
    [['Basic realm="a"', 'Digest realm="b", nonce="n"'], { scheme: 'digest', realm: 'b' }],
    [
      ['Digest realm="a", nonce="n", algorithm=MD5', 'Digest realm="b", nonce="n", algorithm=SHA-256'],
      { algorithm: 'SHA-256' },
    ],
    [['digest REALM="a", Nonce="n", qop="auth-int, auth", stale=TRUE'], { qop: true, stale: true }],
  ])('takes the strongest of %j', (values, expected) => {
    expect(pickChallenge(values)).toMatchObject(expected)
  })

  it.each([[[]], [['Bearer x']], [['Digest realm="no nonce"']], [['Digest nonce="n", algorithm=MD4']]])(
    'finds none in %j',
    (values) => {
      expect(pickChallenge(values)).toBeNull()
    },
  )
})
