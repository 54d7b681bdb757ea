import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { Example } from '../support/example.ts'
import { Pipeline } from '../support/pipeline.ts'

let used: Example | Pipeline | null = null
afterEach(() => used?.[Symbol.asyncDispose]())

it('comes up without an incident', async () => {
  const example = await Example.create()
  used = example
  example.serve()
  await example.allHealthy()
  // What was seen in the last moments of the start takes a probe or two to be told.
  await sleep(1_500)
  expect(await example.incidents()).toEqual([])
})

it('says what is wrong, though no picture ever comes', async () => {
  const pipeline = await Pipeline.create()
  used = pipeline
  const { child, exited, output } = pipeline.start('rtsp-capture')
  await pipeline.until('it answers', async () => (await pipeline.ask('rtsp-capture', '/health')).code === 200)
  expect(await pipeline.report('rtsp-capture', '/ready')).toMatchObject({ code: 503, checks: { stream: 'unhealthy' } })
  child.kill('SIGTERM')
  expect(await exited, output()).toBe(0)
})
