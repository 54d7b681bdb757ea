import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { ReplayServer, type ReplayServerOptions } from '@medyk/health/rtsp'
import { afterEach, describe, expect, it } from 'vitest'

const clip = readFileSync(new URL('../../examples/detektor/clip/clip.h264', import.meta.url))
const missing = spawnSync('ffprobe', ['-version']).error !== undefined
const servers: ReplayServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function replay(options: Partial<ReplayServerOptions> = {}) {
  const server = new ReplayServer({ clip, ...options })
  servers.push(server)
  await server.listen()
  return server
}

async function probe(url: string): Promise<{ stdout: string; stderr: string }> {
  const entries = 'stream=codec_name,profile,width,height,r_frame_rate,nb_read_frames'
  const args = ['-v', 'error', '-rtsp_transport', 'tcp', '-count_frames', '-read_intervals', '%+2']
  return await promisify(execFile)('ffprobe', [...args, '-show_entries', entries, '-of', 'json', url], {
    timeout: 60_000,
  })
}

describe('ReplayServer read by ffprobe', () => {
  it('has an ffprobe to be read by', (context) => {
    if (!missing) return
    const reason = 'ffprobe is not installed: nothing foreign reads our RTSP server (Debian: apt-get install ffmpeg)'
    if (process.env['CI']) throw new Error(reason)
    console.warn(`SKIPPED: ${reason}`)
    context.skip(reason)
  })

  it.skipIf(missing).each([
    ['nobody is asked for credentials', undefined],
    ['Basic', 'basic'],
    ['Digest', 'digest'],
  ] as const)('decodes two seconds without a complaint: %s', async (_, scheme) => {
    const credentials = scheme && { scheme, username: 'kim', password: 'p:@ss' }
    const server = await replay(credentials ? { credentials } : {})
    const { stdout, stderr } = await probe(server.url.replace('//', scheme ? '//kim:p%3A%40ss@' : '//'))
    expect(stderr).toBe('')
    const { streams } = JSON.parse(stdout) as { streams: { nb_read_frames: string }[] }
    expect(streams).toMatchObject([
      { codec_name: 'h264', profile: 'Main', width: 640, height: 360, r_frame_rate: '25/1' },
    ])
    expect(Number(streams[0]?.nb_read_frames)).toBeGreaterThanOrEqual(45)
    expect(server.stats.dropped).toBe(0)
  })

  it.skipIf(missing)('is told apart by ffprobe when path or password are wrong', async () => {
    const server = await replay({ credentials: { scheme: 'digest', username: 'kim', password: 'right' } })
    await expect(probe(server.url.replace('//', '//kim:wrong@'))).rejects.toThrow(/401/)
    await expect(probe(server.url.replace('//', '//kim:right@').replace('live', 'other'))).rejects.toThrow(/404/)
  })
})
