/** One run's figures: name → number (milliseconds where the name ends in Ms), or why it failed. */
export interface Run {
  readonly at: string
  readonly ok: boolean
  readonly figures: Readonly<Record<string, number>>
  readonly note: string
}

export interface Row {
  readonly title: string
  /** Runs for a published figure. */
  readonly runs: number
  /** That a single run takes, where that is more than a few: it is not begun with less time left. */
  readonly minutes?: number
  /** Largest allowed value of a figure, by name. */
  readonly gates: Readonly<Record<string, number>>
  /** Performs runs until it has done `count` or `more()` says that the time is up. */
  run(count: number, more: () => boolean, done: (run: Run) => Promise<void>): Promise<void>
}

export type Figures = Readonly<Record<string, number>>

/** Does `once` until there are enough runs or the time is up; what it throws is the reason of a failed run. */
export async function repeat(
  count: number,
  more: () => boolean,
  done: (run: Run) => Promise<void>,
  once: () => Promise<Figures>,
): Promise<void> {
  for (let n = 0; n < count && more(); n++) {
    const at = new Date().toISOString()
    try {
      await done({ at, ok: true, figures: await once(), note: '' })
    } catch (error) {
      await done({ at, ok: false, figures: {}, note: error instanceof Error ? error.message : String(error) })
    }
  }
}
