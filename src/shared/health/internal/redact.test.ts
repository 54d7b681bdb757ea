import { expect, it } from 'vitest'
import { redact } from './redact.ts'

it.each([
  ['postgres://app:hunter2@db/x', 'postgres://[redacted]@db/x'],
  ['DB_PASSWORD=hunter2 next', 'DB_PASSWORD=[redacted] next'],
  ['{"apiKeyOld": "abc", "n": 1}', '{"apiKeyOld": [redacted], "n": 1}'],
  ['my.long-prefix.token: abc', 'my.long-prefix.token: [redacted]'],
  ['the password is long', 'the password is long'],
])('masks %j as %j', (text, masked) => {
  expect(redact(text)).toBe(masked)
})

it.each(['a.', 'ab-', 'password', '-eyJaaaaaaaa', 'bearer '])('takes a megabyte of %j in linear time', (unit) => {
  const began = performance.now()
  redact(unit.repeat(1_000_000 / unit.length))
  // A backtracking pattern needs minutes here; a linear one some ten milliseconds.
  expect(performance.now() - began).toBeLessThan(10_000)
})
