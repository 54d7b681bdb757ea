// Keeps track rows: in SQLite, or in Postgres when DATABASE_URL is given.
import { dirname, join } from 'node:path'
import { ping, type Registration } from '@medyk/health'
import { assetPath } from '../lib/asset.ts'
import { parseTrackRows } from '../lib/frame.ts'
import { runService } from '../lib/service.ts'
import { openPostgres } from '../storage/postgres.ts'
import { openSqlite } from '../storage/sqlite.ts'

await runService('metadata-storage', 8005, async ({ env, health, log }) => {
  const databaseUrl = env['DATABASE_URL']
  const idleError = (message: string) => log.warn({}, `Postgres: ${message}`)
  const store = databaseUrl
    ? await openPostgres(databaseUrl, idleError)
    : openSqlite(env['DATA_DIR'] || join(dirname(assetPath('package.json')), 'data'))

  const stored = health.metrics.counter({ name: 'frames_stored_total', help: 'Rows written' })
  const repeated = health.metrics.counter({ name: 'frames_repeated_total', help: 'Rows that were there already' })
  const database: Registration = {
    name: databaseUrl ? 'postgres' : 'sqlite',
    ...(databaseUrl ? { dependsOn: 'postgres' } : {}),
    check: ping(() => store.check(), { slowMs: 500 }),
    intervalMs: 2_000,
    timeoutMs: 1_300,
    failureThreshold: 2,
  }
  return {
    about: { store: store.description, ...(await store.stats()) },
    routes: {
      'POST /metadata': async ({ json }) => {
        const rows = parseTrackRows(await json())
        const inserted = await store.insert(rows)
        stored.inc(inserted)
        repeated.inc(rows.length - inserted)
        return { body: { stored: inserted, repeated: rows.length - inserted } }
      },
      'GET /stats': async () => {
        const { frames, lastFrameAt } = await store.stats()
        return { body: { frames, lastFrameAt: lastFrameAt === null ? null : new Date(lastFrameAt).toISOString() } }
      },
    },
    checks: [database],
    stop: () => store.close(),
  }
})
