import { MedykError } from '@medyk/health'

type Env = Readonly<Record<string, string | undefined>>

function bad(name: string, value: string, expected: string): MedykError {
  return new MedykError('ERR_ENV', `${name}=${value} is not ${expected}`, { hint: `set ${name} to ${expected}` })
}

export function portFrom(env: Env, name: string, fallback: number): number {
  const value = env[name] || String(fallback)
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) throw bad(name, value, 'a port from 0 to 65535')
  return Number(value)
}

/** The base URL of another service, without a slash at its end. */
export function httpUrlFrom(env: Env, name: string, fallback: string): string {
  const value = env[name] || fallback
  const url = URL.parse(value)
  if (url?.protocol !== 'http:') throw bad(name, value, 'an http:// URL')
  return url.href.replace(/\/+$/, '')
}

export function countFrom(env: Env, name: string, fallback: number): number {
  const value = env[name] || String(fallback)
  if (!/^[1-9]\d{0,8}$/.test(value)) throw bad(name, value, 'a whole number from 1 on')
  return Number(value)
}
