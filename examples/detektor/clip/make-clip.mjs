// Makes clip.h264 beside this file: ten seconds of a moving test picture that the camera loops. Needs ffmpeg with
// libx264; the result is committed, so that running the example does not.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FPS = 25
const SECONDS = 10
const MAX_BYTES = 300 * 1024
const target = fileURLToPath(new URL('clip.h264', import.meta.url))

const { status, error } = spawnSync(
  'ffmpeg',
  [
    ...['-hide_banner', '-loglevel', 'error', '-y'],
    ...['-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=${FPS}:duration=${SECONDS}`],
    // A keyframe each second and none at cuts: joining takes a second at most, and the GOP is one number.
    ...['-c:v', 'libx264', '-profile:v', 'main', '-pix_fmt', 'yuv420p', '-preset', 'veryslow'],
    ...['-g', String(FPS), '-keyint_min', String(FPS), '-sc_threshold', '0', '-bf', '0'],
    ...['-b:v', '210k', '-maxrate', '320k', '-bufsize', '320k', '-threads', '1'],
    // One slice, no encoder banner: the same input gives the same bytes.
    ...['-x264-params', 'slices=1:aud=0', '-bsf:v', 'filter_units=remove_types=6', '-f', 'h264', target],
  ],
  { stdio: 'inherit' },
)

if (error) throw new Error('ffmpeg could not be started: is it installed?', { cause: error })
if (status !== 0) throw new Error(`ffmpeg ended with ${status}`)
const { size } = statSync(target)
if (size > MAX_BYTES) throw new Error(`the clip has ${size} bytes, more than ${MAX_BYTES}: lower -b:v`)
process.stdout.write(`${target}: ${size} bytes, ${FPS * SECONDS} pictures\n`)
