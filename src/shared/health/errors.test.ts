import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorCodes } from './errors.ts'
import { RTSP_ERRORS } from './rtsp/errors.ts'

/** Codes in the sources that satisfy `which`, tables and tests left out. */
function codesIn(which: (file: string) => boolean): string[] {
  const files = globSync('**/*.ts', {
    cwd: import.meta.dirname,
    exclude: ['dist/**', 'node_modules/**', '**/*.test.ts', '**/errors.ts'],
  })
  const text = files.filter(which).map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
  const codes = text.flatMap((one) => [...one.matchAll(/'(ERR_[A-Z_]+)'/g)].map(([, code = '']) => code))
  return codes.filter((code, index) => codes.indexOf(code) === index).sort()
}

describe('the tables of error codes', () => {
  it('have every code that the package uses, and no other', () => {
    const used = codesIn(() => true)
    expect(used.length).toBeGreaterThan(5)
    expect(used).toEqual(Object.keys({ ...errorCodes, ...RTSP_ERRORS }).sort())
  })

  it('keep the codes of RTSP to its folder', () => {
    const outside = codesIn((file) => !file.startsWith('rtsp/'))
    expect(outside.filter((code) => code in RTSP_ERRORS)).toEqual([])
  })
})
