import { describe, expect, it } from 'vitest'
import { createGuard, hostName, isLoopback } from './guard.ts'

const loopback = createGuard({ boundTo: '127.0.0.1', allowedHosts: [] })
const proxied = createGuard({ boundTo: '127.0.0.1', allowedHosts: ['Medyk.Example.org'] })
const outside = createGuard({ boundTo: '0.0.0.0', allowedHosts: [] })

describe('the guard', () => {
  it.each([
    { guard: loopback, host: 'localhost', lets: true },
    { guard: loopback, host: 'localhost:7700', lets: true },
    { guard: loopback, host: 'LOCALHOST:1', lets: true },
    { guard: loopback, host: '127.0.0.1:7700', lets: true },
    { guard: loopback, host: '[::1]:7700', lets: true },
    { guard: loopback, host: 'evil.example', lets: false },
    { guard: loopback, host: 'localhost.evil.example', lets: false },
    { guard: loopback, host: 'evil.example:7700', lets: false },
    { guard: loopback, host: '127.0.0.1.evil.example', lets: false },
    { guard: loopback, host: 'localhost@evil.example', lets: false },
    { guard: loopback, host: 'medyk.example.org', lets: false },
    { guard: loopback, host: '', lets: false },
    { guard: loopback, host: undefined, lets: false },
    { guard: proxied, host: 'medyk.example.org', lets: true },
    { guard: proxied, host: 'localhost:7700', lets: true },
    { guard: proxied, host: 'evil.example', lets: false },
    { guard: outside, host: 'any.name.here:7700', lets: true },
    { guard: outside, host: 'not a host', lets: false },
  ])('for Host $host answers $lets', ({ guard, host, lets }) => {
    expect(guard({ host, origin: undefined }) === null).toBe(lets)
  })

  it.each([
    { guard: loopback, host: 'localhost:7700', origin: 'http://localhost:7700', lets: true },
    { guard: loopback, host: 'localhost:7700', origin: 'http://127.0.0.1:5173', lets: true },
    { guard: loopback, host: 'localhost:7700', origin: 'https://evil.example', lets: false },
    { guard: loopback, host: 'localhost:7700', origin: 'null', lets: false },
    { guard: loopback, host: 'localhost:7700', origin: 'file://', lets: false },
    { guard: outside, host: 'box:7700', origin: 'http://box:7700', lets: true },
    { guard: outside, host: 'box:7700', origin: 'http://box:9999', lets: false },
    { guard: outside, host: 'box:7700', origin: 'http://evil.example', lets: false },
  ])('for Origin $origin at Host $host answers $lets', ({ guard, host, origin, lets }) => {
    expect(guard({ host, origin }) === null).toBe(lets)
  })

  it('tells loopback addresses from others', () => {
    expect(['localhost', '::1', '127.0.0.1', '127.0.0.9'].map(isLoopback)).toEqual([true, true, true, true])
    expect(['0.0.0.0', '::', '192.168.1.2', '1127.0.0.1', '127.evil.example'].map(isLoopback)).not.toContain(true)
  })

  it('reads the name out of a Host header', () => {
    expect(hostName('A.b:80')).toBe('a.b')
    expect(hostName('[::1]:80')).toBe('[::1]')
    expect(hostName('a b')).toBeNull()
    expect(hostName('a:80:80')).toBeNull()
  })
})
