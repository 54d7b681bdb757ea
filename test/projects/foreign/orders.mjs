// A service in the manner of Spring Boot. /run/debug misleads it as it does web.py.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'

const control = '/run/debug'
rmSync(control, { force: true })
const mode = () => (existsSync(control) ? readFileSync(control, 'ascii').trim() : '')

/** Whether Redis takes connections, within 500 ms. */
const redisIsUp = () =>
  new Promise((resolve) => {
    const socket = connect(6379, process.env.REDIS_HOST)
    const settle = (up) => {
      socket.destroy()
      resolve(up)
    }
    socket.setTimeout(500, () => settle(false))
    socket.once('connect', () => settle(true)).once('error', () => settle(false))
  })

async function answerTo(request, response) {
  const told = mode()
  if (told === 'crash') process.exit(3)
  if (told === 'hang') return
  if (told === 'slow') await new Promise((resolve) => setTimeout(resolve, 800))
  const answer = (code, body) => {
    console.log(`${(Date.now() / 1000).toFixed(3)} ${request.method} ${request.url} ${code}`)
    response
      .writeHead(code, { 'Content-Type': 'application/vnd.spring-boot.actuator.v3+json' })
      .end(JSON.stringify(body))
  }
  if (request.url !== '/actuator/health') return answer(404, { status: 404, error: 'Not Found' })
  if (told === 'error') return answer(500, { status: 500, error: 'Internal Server Error' })
  const redis = (await redisIsUp()) && told !== 'unavailable'
  answer(redis ? 200 : 503, {
    status: redis ? 'UP' : 'DOWN',
    components: {
      diskSpace: { status: 'UP', details: { free: 4_096 } },
      ping: { status: 'UP' },
      redis: { status: redis ? 'UP' : 'DOWN' },
    },
  })
}

const server = createServer((request, response) => void answerTo(request, response))
server.listen(Number(process.env.SERVER_PORT ?? 3000))
process.on('SIGTERM', () => process.exit(0))
