import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { renderOpenApi } from '../../src/monitor/server/index.ts'

describe('docs/api/openapi.json', () => {
  it('is what the schemas say (after a change: npm run generate, or vitest -u on this file)', async () => {
    const manifest = JSON.parse(await readFile('src/monitor/package.json', 'utf8')) as { version: string }
    await expect(renderOpenApi(manifest.version)).toMatchFileSnapshot('../../docs/api/openapi.json')
  })
})
