import { createServer } from 'node:net'
import { portsFrom } from '../../examples/detektor/config.mjs'

const uses = { medyk: 'daemon: API and page', rtsp: 'camera (RTSP)', camera: 'camera (health)' }

/** Ports that `npm start` listens on in this environment. */
export const ports = Object.entries(portsFrom(process.env)).map(([name, port]) => ({ port, use: uses[name] ?? name }))

/** Whether a server could listen on `port` of the loopback interface now. @param {number} port */
export const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
