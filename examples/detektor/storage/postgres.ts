import { MedykError } from '@medyk/health'
import { MAX_ROWS, PRUNE_EVERY, type Stats, type Store } from './store.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS frames (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    camera text NOT NULL,
    session text NOT NULL,
    number bigint NOT NULL,
    captured_at bigint NOT NULL,
    rtp_timestamp bigint NOT NULL,
    bytes bigint NOT NULL,
    keyframe boolean NOT NULL,
    gap_frames bigint NOT NULL,
    keyframe_interval_ms double precision,
    bitrate_bps double precision,
    UNIQUE (camera, session, number)
  );
  CREATE TABLE IF NOT EXISTS totals (
    id integer PRIMARY KEY CHECK (id = 1),
    frames bigint NOT NULL,
    last_frame_at bigint,
    checked_at bigint NOT NULL
  );
  INSERT INTO totals VALUES (1, 0, NULL, 0) ON CONFLICT DO NOTHING;
`
/** One statement, so that rows and totals change together or not at all. */
const INSERT = `
  WITH new AS (
    INSERT INTO frames (camera, session, number, captured_at, rtp_timestamp, bytes, keyframe, gap_frames,
      keyframe_interval_ms, bitrate_bps)
    SELECT * FROM json_to_recordset($1) AS r(camera text, session text, number bigint, "capturedAt" bigint,
      "rtpTimestamp" bigint, bytes bigint, keyframe boolean, "gapFrames" bigint,
      "keyframeIntervalMs" double precision, "bitrateBps" double precision)
    ON CONFLICT DO NOTHING RETURNING captured_at
  )
  UPDATE totals SET frames = frames + (SELECT count(*) FROM new),
    last_frame_at = greatest(last_frame_at, (SELECT max(captured_at) FROM new))
  RETURNING (SELECT count(*) FROM new) AS inserted`

/** A database by its URL. Rejects with `ERR_STORE`, which never shows the password. */
export async function openPostgres(url: string, onIdleError: (message: string) => void): Promise<Store> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionString: url,
    max: 2,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
    statement_timeout: 2_000,
    application_name: 'metadata-storage',
  })
  // Without a listener a connection that breaks while idle would end the process.
  pool.on('error', (error) => onIdleError(error.message))
  const shown = URL.parse(url)
  const description = `Postgres at ${shown?.host ?? '?'}${shown?.pathname ?? ''}`
  let sincePrune = 0
  const store: Store = {
    description,
    async insert(rows) {
      const { rows: answer } = await pool.query<{ inserted: string }>(INSERT, [JSON.stringify(rows)])
      const inserted = Number(answer[0]?.inserted ?? 0)
      sincePrune += inserted
      if (sincePrune >= PRUNE_EVERY) {
        sincePrune = 0
        await pool.query('DELETE FROM frames WHERE id <= (SELECT max(id) FROM frames) - $1::bigint', [MAX_ROWS])
      }
      return inserted
    },
    async stats(): Promise<Stats> {
      const { rows } = await pool.query<{ frames: string; last_frame_at: string | null }>('SELECT * FROM totals')
      const last = rows[0]?.last_frame_at ?? null
      return { frames: Number(rows[0]?.frames ?? 0), lastFrameAt: last === null ? null : Number(last) }
    },
    async check() {
      await pool.query('UPDATE totals SET checked_at = $1', [Date.now()])
    },
    close: () => pool.end(),
  }
  try {
    await pool.query(SCHEMA)
    await store.check()
    return store
  } catch (error) {
    await pool.end().catch(() => {})
    const message = `cannot open and write ${description}: ${(error as Error).message}`
    throw new MedykError('ERR_STORE', message, { hint: 'check DATABASE_URL, and that the server runs', cause: error })
  }
}
