import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable, redact } from './redact.ts'

const KEY = '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nabc\n-----END RSA PRIVATE KEY-----'
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJlLWJ5dGVz'

describe('redact', () => {
  it.each([
    ['postgres://app:hunter2@db:5432/x', 'postgres://[redacted]@db:5432/x'],
    ['redis://:hunter2@cache', 'redis://[redacted]@cache'],
    ['https://hunter2@host/path', 'https://[redacted]@host/path'],
    ['mongodb+srv://a:hun@ter2@h/x', 'mongodb+srv://[redacted]@h/x'],
    ['password=hunter2 rest', 'password=[redacted] rest'],
    ['DB_PASSWORD=hunter2 next', 'DB_PASSWORD=[redacted] next'],
    ['{"apiKeyOld": "abc", "n": 1}', '{"apiKeyOld": [redacted], "n": 1}'],
    ['my.long-prefix.token: abc', 'my.long-prefix.token: [redacted]'],
    ['PGPASSWORD=hunter2', 'PGPASSWORD=[redacted]'],
    ['db.password: hunter2, next', 'db.password: [redacted], next'],
    ['{"password":"hunter2 with space","a":1}', '{"password":[redacted],"a":1}'],
    [String.raw`{\"password\":\"hunter2\"}`, String.raw`{\"password\":[redacted]}`],
    [`api_key='hunter2 more'`, 'api_key=[redacted]'],
    ['password="hunter2 cut off', 'password=[redacted]'],
    ['?access_token=hunter2&x=1', '?access_token=[redacted]&x=1'],
    ['run --password hunter2 --verbose', 'run --password [redacted] --verbose'],
    ['Authorization: Bearer hunter2hunter2', 'Authorization: [redacted]'],
    ['got bearer hunter2hunter2.', 'got bearer [redacted]'],
    ['Set-Cookie: sid=hunter2; Path=/', 'Set-Cookie: [redacted]; Path=/'],
    [`before ${KEY} after`, 'before [redacted] after'],
    [KEY.slice(0, 50), '[redacted]'],
    [`jwt ${JWT}`, 'jwt [redacted]'],
    ['AKIAABCDEFGHIJKLMNOP', '[redacted]'],
    [`ghp_${'a1'.repeat(18)}`, '[redacted]'],
  ])('masks %j', (text, expected) => {
    expect(redact(text)).toBe(expected)
  })

  it.each([
    'the password is long',
    'connect ECONNREFUSED 127.0.0.1:5432',
    'https://example.com/path?email=a@b.example',
    'password authentication failed for user "app"',
    'http://localhost:8001/health answered 503',
    '2024-01-20T10:00:00Z',
  ])('leaves %j as it is', (text) => {
    expect(redact(text)).toBe(text)
  })

  it('finds each kind of secret in the middle of anything', () => {
    const around = fc.stringMatching(/^([a-z0-9]|["' ;,:@/=.{}[\]<>&?\\-]|\n){0,20}$/)
    const places = ['x://u:%@h', 'password=%', '"token": "%"', "secret='%'", 'Bearer %', '--password %', 'api-key: %']
    fc.assert(
      fc.property(around, fc.constantFrom(...places), around, (before, place, after) => {
        expect(redact(`${before} ${place.replace('%', 'hunter2hunter2')} ${after}`)).not.toContain('hunter2')
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    'a.',
    'ab-',
    'password',
    'password="',
    "secret='",
    'a://',
    '-----BEGIN PRIVATE KEY-----',
    'secret.token-',
    'bearer ',
    '--password ',
    '-eyJaaaaaaaa',
    'eyJaaaaaaaa.',
    'xoxa-',
  ])('takes a megabyte of %j in linear time', (unit) => {
    const before = performance.now()
    redact(unit.repeat(1_000_000 / unit.length))
    // A backtracking pattern needs minutes here; a linear one some ten milliseconds.
    expect(performance.now() - before).toBeLessThan(10_000)
  })
})

describe('printable', () => {
  it('makes control characters, escape sequences and direction marks visible', () => {
    expect(printable('a\u001b[31mb\nc\u202ed\u200b')).toBe(String.raw`a\u001b[31mb\u000ac\u202ed\u200b`)
  })

  it('cuts to the length asked for and shows that it did', () => {
    expect(printable('x'.repeat(301))).toBe(`${'x'.repeat(299)}…`)
    expect(printable('x'.repeat(300))).toBe('x'.repeat(300))
    expect(printable('abcdef', 3)).toBe('ab…')
  })

  it('does not show half a secret where a text of nothing but secrets was cut', () => {
    const url = `x://u:${'s'.repeat(700)}@h `
    const text = printable(url.repeat(40))
    expect(text).not.toContain('ss')
  })

  it('gives one well-formed line of at most that length, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), fc.integer({ min: 1, max: 40 }), (text, max) => {
        const line = printable(text.repeat(3), max)
        expect(line.length).toBeLessThanOrEqual(max)
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/) // eslint-disable-line no-control-regex
        expect(line.isWellFormed()).toBe(true)
      }),
    )
  })
})
