// npm run screenshot: the picture of the README, taken of the real page while the example's database cannot start.
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { chromium } from 'playwright-core'
import { fromSource } from './lib/from-source.mjs'
import { at } from './lib/paths.mjs'
import { locate } from './lib/test-requirements.mjs'

fromSource(process.argv[1])
const { Example, until } = await import('../test/support/example.ts')

const executablePath = locate('chromium')
if (!executablePath) throw new Error('chromium is missing; npm run doctor says how to get it')

/** Holds the port from the moment it is free, so that nothing can start there. */
const keepPort = (port) =>
  new Promise((resolve) => {
    const attempt = () => {
      const server = createServer((socket) => socket.destroy())
      server.once('error', () => setTimeout(attempt, 1))
      server.listen(port, '127.0.0.1', () => resolve(server))
    }
    attempt()
  })

const example = await Example.create()
const browser = await chromium.launch({
  executablePath,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
let kept = null
try {
  example.serve()
  await example.allHealthy()
  process.kill(await example.pid('frame-tracking'), 'SIGKILL')
  await until(async () => (await example.incidents()).some((row) => row.recoveredAt), 20_000, 'a first recovery')
  await example.allHealthy()
  process.kill(await example.pid('metadata-storage'), 'SIGKILL')
  kept = await keepPort(example.ports['metadata-storage'])
  await until(async () => (await example.service('frame-tracking')).cause === 'dependency', 20_000, 'a dependant')
  mkdirSync(at('docs', 'images'), { recursive: true })
  for (const colorScheme of ['dark', 'light']) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme, deviceScaleFactor: 1.5 })
    await page.goto(`${example.api}/`)
    await page.getByText('metadata-storage').first().waitFor()
    await page.waitForTimeout(1_500)
    await page.screenshot({ path: at('docs', 'images', `dashboard-${colorScheme}.png`) })
    await page.close()
  }
  process.stdout.write('docs/images/dashboard-{dark,light}.png\n')
} finally {
  await browser.close()
  kept?.close()
  await example[Symbol.asyncDispose]()
}
