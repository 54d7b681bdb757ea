import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { loadKinds } from '../../src/monitor/app/kinds.ts'
import { jsonSchemaOf, parseConfig } from '../../src/monitor/config/index.ts'

describe('src/monitor/config/medyk.schema.json', () => {
  it('is what the schemas say (after a change: npm run generate, or vitest -u on this file)', async () => {
    await expect(jsonSchemaOf(await loadKinds())).toMatchFileSnapshot('../../src/monitor/config/medyk.schema.json')
  })
})

describe('the config with the plug-ins that exist', () => {
  it('accepts the example', async () => {
    const file = 'examples/detektor/medyk.yaml'
    const { services } = parseConfig(await readFile(file, 'utf8'), file, await loadKinds())
    expect(services.map(({ name }) => name)).toContain('rtsp-capture')
    for (const { runtimeOptions } of services) expect(runtimeOptions['cwd']).toMatch(/\/examples\/detektor$/)
  })

  it('names the place of a problem inside the options of a prober and of a runtime', async () => {
    const text = [
      'version: 1',
      'services:',
      '  a:',
      '    runtime: process',
      '    process: { command: [""], env: { 1A: x } }',
      '    probes:',
      '      liveness: http://user:pass@127.0.0.1/',
      '      readiness: { kind: tcp, prot: 80 }',
    ].join('\n')
    const kinds = await loadKinds()
    let message = ''
    try {
      parseConfig(text, 'medyk.yaml', kinds)
    } catch (error) {
      message = (error as Error).message
    }
    const places = message.split('\n').map((line) => line.split(': ').slice(0, 2).join(': '))
    expect(places).toEqual([
      'medyk.yaml:5:25: services.a.process.command',
      'medyk.yaml:5:38: services.a.process.env',
      'medyk.yaml:7:17: services.a.probes.liveness',
      expect.stringMatching(/^medyk\.yaml:8:\d+: services\.a\.probes\.readiness/),
      expect.stringMatching(/^medyk\.yaml:8:\d+: services\.a\.probes\.readiness/),
    ])
    expect(message).not.toContain('pass@')
  })
})
