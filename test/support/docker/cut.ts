import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A way to Docker on which the stream of events can be cut, and nothing else. */
export class CutEvents implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'medyk-cut-'))
  readonly #streams = new Set<Socket>()
  readonly #all = new Set<Socket>()
  readonly #server
  #isCut = false
  /** How often somebody has asked for events and got none. */
  refused = 0

  private constructor(dockerSocket: string) {
    this.#server = createServer((client) => {
      const docker = connect(dockerSocket)
      const both = [client, docker]
      const end = () => {
        for (const one of both) {
          one.destroy()
          this.#all.delete(one)
        }
        this.#streams.delete(client)
      }
      for (const one of both) {
        this.#all.add(one)
        one.on('error', end).on('close', end)
      }
      client.on('data', (chunk) => {
        if (/^GET \S*\/events\b/m.test(chunk.toString('latin1'))) {
          if (this.#isCut) {
            this.refused += 1
            return end()
          }
          this.#streams.add(client)
        }
        docker.write(chunk)
      })
      docker.on('data', (chunk) => void client.write(chunk))
    })
  }

  static async open(dockerSocket: string): Promise<CutEvents> {
    const proxy = new CutEvents(dockerSocket)
    proxy.#server.listen(proxy.#socket)
    await once(proxy.#server, 'listening')
    return proxy
  }

  get #socket(): string {
    return join(this.#directory, 'docker.sock')
  }

  /** As DOCKER_HOST has it. */
  get host(): string {
    return `unix://${this.#socket}`
  }

  /** Ends the streams of events that there are, and lets no new one begin. Returns how many there were. */
  cut(): number {
    this.#isCut = true
    const streams = [...this.#streams]
    for (const one of streams) one.destroy()
    return streams.length
  }

  /** Streams of events that there are now. */
  get streams(): number {
    return this.#streams.size
  }

  mend(): void {
    this.#isCut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#all) one.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
