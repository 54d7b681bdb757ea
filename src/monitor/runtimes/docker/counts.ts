import { mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, type Logger } from '@medyk/health/internal'
import { z } from 'zod'

const MAX_BYTES = 1_048_576
/** Of the containers seen last; those that have gone drop out first. */
const MAX_CONTAINERS = 2_000

const fileSchema = z.strictObject({
  version: z.literal(1),
  containers: z.record(
    z.string().regex(/^[0-9a-f]{12}$/),
    // Whether the first start by Medyk was its very first, which is no restart.
    z.strictObject({ starts: z.int().nonnegative(), first: z.boolean() }),
  ),
})

type Counts = z.infer<typeof fileSchema>['containers'][string]

/**
 * How often Medyk has started each container, over its own deaths. Docker's RestartCount counts other restarts, and goes back to 0
 * with each of ours.
 */
export class StartCounts {
  readonly #file: string
  readonly #directory: string
  readonly #logger: Logger
  readonly #counts: Map<string, Counts>
  #saving: Promise<void> = Promise.resolve()
  #waiting = false

  private constructor(directory: string, counts: Map<string, Counts>, logger: Logger) {
    this.#directory = directory
    this.#file = fileIn(directory)
    this.#counts = counts
    this.#logger = logger
  }

  /** A file that cannot be believed is put aside as `starts.json.corrupt`, and counting begins anew. */
  static async open(directory: string, logger: Logger): Promise<StartCounts> {
    const file = fileIn(directory)
    try {
      const { size } = await stat(file)
      if (size > MAX_BYTES) throw new Error(`${size} bytes are too many`)
      const { containers } = fileSchema.parse(JSON.parse(await readFile(file, 'utf8')))
      return new StartCounts(directory, new Map(Object.entries(containers)), logger)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        logger.error({ file, err: messageOf(error) }, 'the counts of starts are corrupt, kept as *.corrupt')
        await rename(file, `${file}.corrupt`).catch(() => {})
      }
      return new StartCounts(directory, new Map(), logger)
    }
  }

  restarts(id: string): number {
    const { starts, first } = this.#counts.get(id) ?? NEVER
    return Math.max(0, starts - (first ? 1 : 0))
  }

  /** `first`: it had never run before. */
  started(id: string, first: boolean): void {
    const known = this.#counts.get(id) ?? { starts: 0, first }
    // Set anew, so that the oldest stand first.
    this.#counts.delete(id)
    this.#counts.set(id, { ...known, starts: known.starts + 1 })
    while (this.#counts.size > MAX_CONTAINERS) this.#counts.delete(this.#counts.keys().next().value!)
    this.#save()
  }

  forget(id: string): void {
    if (this.#counts.delete(id)) this.#save()
  }

  /** Resolves when all is written. */
  async saved(): Promise<void> {
    await this.#saving
  }

  /** A full disk must not keep a service from being started, so failures are only said. */
  #save(): void {
    // One that waits will write what is there by then.
    if (this.#waiting) return
    this.#waiting = true
    this.#saving = this.#saving.then(async () => {
      this.#waiting = false
      try {
        await this.#write(`${JSON.stringify({ version: 1, containers: Object.fromEntries(this.#counts) })}\n`)
      } catch (error) {
        this.#logger.error({ err: messageOf(error) }, 'cannot write the counts of starts')
      }
    })
  }

  /** Whole or not at all, also when the power fails meanwhile. */
  async #write(text: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const handle = await open(`${this.#file}.new`, 'w', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(`${this.#file}.new`, this.#file)
  }
}

const NEVER: Counts = { starts: 0, first: false }
const fileIn = (directory: string) => join(directory, 'starts.json')
