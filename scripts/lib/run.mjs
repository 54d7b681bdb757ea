import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { root } from './paths.mjs'

const KEPT = 200_000

/**
 * Runs a command to its end, without a terminal on its stdin.
 *
 * @param {string[]} command program and arguments
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env] default: this process's own
 * @param {string} [options.cwd] default: the repository root
 * @param {string} [options.log] a file that gets the whole output; made anew, its folder too
 * @param {number} [options.timeoutMs] after it SIGTERM, 5 s later SIGKILL. Default: none
 * @param {boolean} [options.show] pass the output on as it comes; `output` is empty then. Default: false
 * @returns {Promise<{ ok: boolean, code: number | null, signal: string | null, timedOut: boolean, output: string }>}
 *   never rejects; `output` is the last 200,000 characters of stdout and stderr
 */
export function run([program = '', ...args], { env = process.env, cwd = root, log, timeoutMs, show = false } = {}) {
  if (log) mkdirSync(dirname(log), { recursive: true })
  const file = log ? createWriteStream(log) : undefined
  return new Promise((resolve) => {
    let output = ''
    let timedOut = false
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ['ignore', ...(show ? ['inherit', 'inherit'] : ['pipe', 'pipe'])],
    })
    const take = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-KEPT)
      file?.write(chunk)
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    const forced = () => child.kill('SIGKILL')
    let force
    const timer = timeoutMs
      ? setTimeout(() => {
          timedOut = true
          child.kill('SIGTERM')
          force = setTimeout(forced, 5_000)
        }, timeoutMs)
      : undefined
    const finish = (code, signal, extra = '') => {
      clearTimeout(timer)
      clearTimeout(force)
      if (extra) take(Buffer.from(extra))
      const result = { ok: code === 0 && !timedOut, code, signal, timedOut, output }
      if (file) file.end(() => resolve(result))
      else resolve(result)
    }
    child.on('error', (error) => finish(null, null, `${program}: ${error.message}\n`))
    child.on('close', (code, signal) => finish(code, signal))
  })
}
