import { request, type ClientRequest } from 'node:http'

/** Something that happened on a Docker host, whoever did it. */
export interface DockerEvent {
  /** Milliseconds since 1970, by the clock of this machine. */
  readonly at: number
  readonly action: string
  readonly id: string
  /** Name of the container. */
  readonly name: string
  readonly image: string
  readonly labels: Readonly<Record<string, string>>
}

/** What somebody does to a container that runs or has run. `die` is the consequence of these, or of its own death. */
const deeds: ReadonlySet<string> = new Set([
  'start',
  'stop',
  'restart',
  'kill',
  'pause',
  'unpause',
  'destroy',
  'rename',
])

/** Everything that Docker itself tells of containers from now on: the witness that is not the monitor. */
export class DockerEvents implements Disposable {
  readonly all: DockerEvent[] = []
  readonly #request: ClientRequest
  #ended: Error | null = null

  private constructor(socketPath: string, opened: (error?: Error) => void) {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'] }))
    let rest = ''
    this.#request = request({ socketPath, path: `/events?filters=${filters}` }, (response) => {
      opened()
      response.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (line.trim()) this.#take(line)
      })
      response.once('end', () => (this.#ended ??= new Error('the event stream of Docker ended')))
      response.on('error', (error) => (this.#ended ??= error))
    })
    this.#request.on('error', (error) => {
      this.#ended ??= error
      opened(error)
    })
    this.#request.end()
  }

  static open(socketPath: string): Promise<DockerEvents> {
    return new Promise((resolve, reject) => {
      const events: DockerEvents = new DockerEvents(socketPath, (error) => (error ? reject(error) : resolve(events)))
    })
  }

  #take(line: string): void {
    const told = JSON.parse(line) as Told
    const { name = '', image = '', ...labels } = told.Actor.Attributes
    // Docker appends what an exec runs: `exec_start: curl …`.
    const action = told.Action.split(':')[0] ?? ''
    this.all.push({ at: told.timeNano / 1e6, action, id: told.Actor.ID, name, image, labels })
    // An hour of health checks tells much; what is older than this was judged long ago.
    if (this.all.length > 100_000) this.all.splice(0, 50_000)
  }

  /** Those of one container since then. Throws when the stream has broken: silence would look like innocence. */
  of(name: string, since: number): readonly DockerEvent[] {
    return this.since(since).filter((event) => event.name === name)
  }

  since(since: number): readonly DockerEvent[] {
    if (this.#ended) throw this.#ended
    return this.all.filter((event) => event.at >= since)
  }

  /** What was done to containers since then. */
  deeds(since: number): readonly DockerEvent[] {
    return this.since(since).filter((event) => deeds.has(event.action))
  }

  /** The first `action` on a container since then. */
  first(name: string, action: string, since: number): DockerEvent | undefined {
    return this.of(name, since).find((event) => event.action === action)
  }

  [Symbol.dispose](): void {
    this.#ended ??= new Error('the event stream was closed')
    this.#request.destroy()
  }
}

interface Told {
  readonly Action: string
  readonly timeNano: number
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
}
