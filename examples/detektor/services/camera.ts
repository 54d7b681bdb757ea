// Stands in for a camera on the network: serves a committed clip over RTSP, for ever and in real time.
import { readFileSync } from 'node:fs'
import { tcp } from '@medyk/health'
import { ReplayServer } from '@medyk/health/rtsp'
import { assetPath } from '../lib/asset.ts'
import { portFrom } from '../lib/env.ts'
import type { Routes } from '../lib/routes.ts'
import { runService } from '../lib/service.ts'

await runService('camera', 8003, async ({ env, health, log, debug }) => {
  const clip = readFileSync(env['CLIP'] || assetPath('clip/clip.h264'))
  const host = env['HOST'] || '127.0.0.1'
  const server = new ReplayServer({ clip, host, port: portFrom(env, 'RTSP_PORT', 8554), logger: log })
  await server.listen()

  health.metrics.gauge({
    name: 'camera_clients',
    help: 'Clients that the stream is played to',
    read: () => server.stats.playing,
  })
  // A camera that answers and sends nothing: what no TCP check can see.
  const stall: Routes = {
    'POST /debug/stall': () => {
      server.inject({ kind: 'stall' })
      log.warn({ debug: 'stall' }, 'debug: stall')
      return { status: 202, body: { debug: 'stall' } }
    },
  }
  return {
    about: { stream: server.url },
    checks: [{ name: 'rtsp', check: tcp({ host, port: server.port }), intervalMs: 1_000, failureThreshold: 2 }],
    routes: debug ? stall : {},
    stop: () => server.close(),
  }
})
