// Reads the camera's stream and hands what it knows of each picture to frame-buffer.
import { randomBytes } from 'node:crypto'
import { redactRtspUrl, watchStream } from '@medyk/health/rtsp'
import { countFrom, httpUrlFrom } from '../lib/env.ts'
import { FramePusher } from '../lib/frame-pusher.ts'
import { dependency, runService } from '../lib/service.ts'

/** A picture older than this means that the stream does not flow. */
const FRESH_MS = 1_000

await runService('rtsp-capture', 8001, ({ env, health, log, signal }) => {
  const camera = env['CAMERA_NAME'] || 'camera'
  const cameraUrl = env['CAMERA_URL'] || 'rtsp://127.0.0.1:8554/live'
  const bufferUrl = httpUrlFrom(env, 'FRAME_BUFFER_URL', 'http://127.0.0.1:8002')
  const { metrics } = health
  const captured = metrics.counter({ name: 'frames_captured_total', help: 'Pictures read from the camera' })
  const dropped = metrics.counter({
    name: 'frames_dropped_total',
    help: 'Pictures given up because frame-buffer was away',
  })
  const pushed = metrics.counter({ name: 'frames_pushed_total', help: 'Pictures that frame-buffer has taken' })

  const pusher = new FramePusher({
    url: `${bufferUrl}/frames`,
    capacity: countFrom(env, 'QUEUE_FRAMES', 1_000),
    signal,
    log,
    onPushed: (count) => pushed.inc(count),
    onDropped: (count) => dropped.inc(count),
  })
  const session = randomBytes(6).toString('hex')
  const first = Promise.withResolvers<void>()
  const stream = watchStream(cameraUrl, {
    signal,
    logger: log,
    stallMs: 3_000,
    backoff: { minMs: 150, maxMs: 1_000 },
    onAccessUnit({ number, rtpTimestamp, bytes, keyframe, capturedAt }) {
      captured.inc()
      first.resolve()
      pusher.add({ camera, session, number, rtpTimestamp, bytes, keyframe, capturedAt })
    },
  })
  metrics.gauge({ name: 'stream_fps', help: 'Pictures a second, over two', read: () => stream.snapshot().fps })
  metrics.gauge({
    name: 'stream_lost_packets',
    help: 'RTP packets lost since the start',
    read: () => stream.snapshot().lostPackets,
  })

  const flows = () => {
    const { lastFrameAgeMs, state, lastError, fps } = stream.snapshot()
    if (lastFrameAgeMs !== null && lastFrameAgeMs < FRESH_MS) {
      return { status: 'healthy', data: { fps: Math.round(fps) } } as const
    }
    const age = lastFrameAgeMs === null ? 'no picture yet' : `no picture for ${Math.round(lastFrameAgeMs)} ms`
    const why = lastError === null ? '' : `; ${lastError.message}`
    return { status: 'unhealthy', message: `${age}, ${state}${why}` } as const
  }
  return {
    // Without a picture it is still starting. A camera that is away is told, by the checks, after the wait.
    opens: first.promise,
    about: { stream: redactRtspUrl(cameraUrl), session },
    checks: [
      { name: 'stream', check: flows, intervalMs: 250, failureThreshold: 2 },
      dependency('camera', httpUrlFrom(env, 'CAMERA_HEALTH_URL', 'http://127.0.0.1:8003')),
      dependency('frame-buffer', bufferUrl),
    ],
    stop: async () => {
      await Promise.all([stream.close(), pusher.done])
    },
  }
})
