import { createServer } from 'node:net'

/** Ports that `npm start` listens on. */
export const ports = [
  { port: 7700, use: 'daemon: API and page' },
  { port: 8001, use: 'rtsp-capture' },
  { port: 8002, use: 'frame-buffer' },
  { port: 8003, use: 'camera (health)' },
  { port: 8005, use: 'metadata-storage' },
  { port: 8006, use: 'frame-tracking' },
  { port: 8554, use: 'camera (RTSP)' },
]

/** Whether a server could listen on `port` of the loopback interface now. @param {number} port */
export const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
