import type { Logger } from '@medyk/health'

/** One JSON line per notable event on stdout. */
export function jsonLogger(service: string): Logger {
  // Whoever reads our output may go away; that must not take the service along.
  process.stdout.on('error', () => {})
  const write = (level: string) => (fields: object, message: string) => {
    const line = { time: new Date().toISOString(), level, service, msg: message, ...fields }
    process.stdout.write(`${JSON.stringify(line)}\n`)
  }
  return { debug: () => {}, info: write('info'), warn: write('warn'), error: write('error') }
}
