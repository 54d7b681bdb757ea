const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const HEARTBEAT_MS = 15_000

/** @param {number} since `performance.now()` at the start */
export const elapsed = (since) => {
  const s = (performance.now() - since) / 1000
  if (s < 10) return `${s.toFixed(1)} s`
  return s < 60 ? `${Math.round(s)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`
}

/**
 * Shows that `work` is going on: one moving line on a terminal, else a line at its start, every 15 s and at its end.
 *
 * @template {{ ok: boolean }} T
 * @param {string} label what is done, as a sentence without a full stop
 * @param {() => Promise<T>} work
 * @param {NodeJS.WriteStream} [out] default: stdout
 * @returns {Promise<T>}
 */
export async function withProgress(label, work, out = process.stdout) {
  const since = performance.now()
  const moving = out.isTTY && !process.env.CI
  let frame = 0
  if (!moving) out.write(`${label} …\n`)
  const timer = setInterval(
    () =>
      out.write(
        moving
          ? `\r${FRAMES[frame++ % FRAMES.length]} ${label} … ${elapsed(since)}\x1b[K`
          : `  … still at it, ${elapsed(since)}\n`,
      ),
    moving ? 100 : HEARTBEAT_MS,
  )
  try {
    const result = await work()
    out.write(
      `${moving ? '\r' : ''}${result.ok ? '✓' : '✗'} ${label}: ${result.ok ? 'done' : 'failed'} in ${elapsed(since)}${moving ? '\x1b[K' : ''}\n`,
    )
    return result
  } finally {
    clearInterval(timer)
  }
}
