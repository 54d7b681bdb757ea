import { messageOf, printable, type Logger } from './internal/index.ts'

/** Those who want to hear of something. One that throws is logged and does not keep the others from hearing it. */
export class Listeners<T> {
  readonly #all = new Set<{ readonly fn: (event: T) => void }>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  add(fn: (event: T) => void): Disposable {
    const entry = { fn }
    this.#all.add(entry)
    return { [Symbol.dispose]: () => void this.#all.delete(entry) }
  }

  emit(event: T): void {
    for (const { fn } of this.#all) {
      try {
        const returned: unknown = fn(event)
        // An async listener is a mistake that the types cannot forbid; its rejection must not end the process.
        if (returned instanceof Promise) returned.catch((error: unknown) => this.#complain(error))
      } catch (error) {
        this.#complain(error)
      }
    }
  }

  #complain(error: unknown): void {
    this.#logger.error({ err: printable(messageOf(error)) }, 'a listener threw')
  }
}
