import { createServer, type Server, type Socket } from 'node:net'

const good =
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\nConnection: close\r\n\r\n{"status":"healthy"}'
const head = (line: string, more = '') => `HTTP/1.1 ${line}\r\nContent-Type: application/json\r\n${more}`

/** What a target may do to who asks it, by name. Each gets the socket after the request has begun to arrive. */
export const misdeeds = {
  'talks-garbage': (socket: Socket) => socket.end(Buffer.from('\u0000\u001b[2J\r\n\r\nno protocol at all\r\n\r\n')),
  'talks-endlessly': (socket: Socket) => {
    socket.write(head('200 OK', '\r\n'))
    const chunk = 'x'.repeat(16_384)
    const more = () => {
      while (!socket.destroyed && socket.write(chunk));
    }
    socket.on('drain', more)
    more()
  },
  'never-answers': () => {},
  'drips-bytes': (socket: Socket) => {
    const text = `${head('200 OK')}X-Long: ${'y'.repeat(1_000)}`
    let at = 0
    const timer = setInterval(() => socket.write(text[at++ % text.length] ?? 'y'), 200)
    socket.on('close', () => clearInterval(timer))
  },
  'says-two-lengths': (socket: Socket) =>
    socket.end(`${head('200 OK', 'Content-Length: 2\r\nContent-Length: 20\r\nConnection: close\r\n\r\n')}{}`),
  'lies-healthy': (socket: Socket) =>
    socket.end(`${head('500 Oops', 'Content-Length: 20\r\nConnection: close\r\n\r\n')}{"status":"healthy"}`),
  'sends-control-codes': (socket: Socket) => {
    const body =
      '{"status":"unhealthy","metadata":{"last_error":"\\u001b[31mred\\nnext line\\u0007"},"__proto__":{"x":1}}'
    socket.end(`${head('503 No', `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`)}${body}`)
  },
} as const

export type Misdeed = keyof typeof misdeeds

/** A target that answers as it should until it is told to misbehave. */
export class Hostile implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  bad = false

  constructor(misdeed: Misdeed, port: number) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {})
      socket.once('data', () => (this.bad ? misdeeds[misdeed](socket) : socket.end(good)))
    }).listen(port, '127.0.0.1')
  }

  get open(): number {
    return this.#sockets.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
