// Makes clip.h264 beside this file: ten seconds of a moving test picture that the camera loops. Needs ffmpeg with
// libx264; the result is committed, so that running the example does not.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FPS = 25
const SECONDS = 10
const MAX_BYTES = 300 * 1024
const target = fileURLToPath(new URL('clip.h264', import.meta.url))

const input = `-f lavfi -i testsrc2=size=640x360:rate=${FPS}:duration=${SECONDS}`
// A keyframe each second and none at cuts: joining takes a second at most, and the GOP is one number.
const encoder = `-c:v libx264 -profile:v main -pix_fmt yuv420p -preset veryslow -bf 0 -g ${FPS} -sc_threshold 0`
const rate = '-b:v 210k -maxrate 320k -bufsize 320k'
// One slice and thread, no encoder banner: the same input gives the same bytes.
const stable = '-threads 1 -x264-params slices=1:aud=0 -bsf:v filter_units=remove_types=6'
const args = `-loglevel error -y ${input} ${encoder} ${rate} ${stable} -f h264`.split(' ')

const { status, error } = spawnSync('ffmpeg', [...args, target], { stdio: 'inherit' })

if (error) throw new Error('ffmpeg could not be started: is it installed?', { cause: error })
if (status !== 0) throw new Error(`ffmpeg ended with ${status}`)
const { size } = statSync(target)
if (size > MAX_BYTES) throw new Error(`the clip has ${size} bytes, more than ${MAX_BYTES}: lower -b:v`)
process.stdout.write(`${target}: ${size} bytes, ${FPS * SECONDS} pictures\n`)
