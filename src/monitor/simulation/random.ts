/** A lognormal around `medianMs`; `sigma` 0 (the default) is the constant. */
export interface Spread {
  readonly medianMs: number
  readonly sigma?: number
}

/** A seeded stream of numbers. `fork` gives an independent one, so that one more draw here shifts nothing there. */
export interface Random {
  /** [0, 1) */
  next(): number
  between(low: number, high: number): number
  chance(share: number): boolean
  exponential(mean: number): number
  spread(spread: Spread): number
  fork(label: string | number): Random
}

/** 32 bits of any text (FNV-1a). */
export function hash32(text: string, start = 0x811c9dc5): number {
  let hash = start
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Chris Doty-Humphrey's sfc32: passes PractRand, four words of state, about 3 ns a number. */
export function seeded(seed: number | string): Random {
  let a = hash32(String(seed))
  let b = hash32(String(seed), a ^ 0x9e3779b9)
  let c = hash32(String(seed), b ^ 0x243f6a88)
  let counter = 1
  const next = () => {
    const out = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + out) | 0
    return (out >>> 0) / 4_294_967_296
  }
  // The first numbers still show the seed; the author of sfc32 throws away twelve.
  for (let i = 0; i < 12; i += 1) next()
  const exponential = (mean: number) => -mean * Math.log(1 - next())
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    chance: (share) => share > 0 && next() < share,
    exponential,
    spread({ medianMs, sigma = 0 }) {
      if (sigma === 0) return medianMs
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
      return medianMs * Math.exp(sigma * normal)
    },
    fork: (label) => seeded(`${seed}/${label}`),
  }
}
