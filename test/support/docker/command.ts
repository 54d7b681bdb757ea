import { spawn } from 'node:child_process'

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Default: five minutes. */
  readonly timeoutMs?: number
  /** Lines of both streams as they come. */
  readonly onOutput?: (text: string) => void
}

const KEPT = 1_000_000

/** Runs a program to its end and returns what it printed on stdout, trimmed; rejects with the end of its stderr. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { PATH: process.env['PATH'], ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 300_000,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT)
      options.onOutput?.(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT)
      options.onOutput?.(text)
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(stdout.trim())
      const said = (stderr.trim() || stdout.trim()).slice(-2_000)
      reject(new Error(`${program} ${args.join(' ').slice(0, 200)}: ${signal ?? `exit ${code}`}: ${said}`))
    })
  })
}
