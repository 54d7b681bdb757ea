import { mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, type Logger } from '@medyk/health/internal'
import { z } from 'zod'

const MAX_BYTES = 65_536
const iso = z.iso.datetime({ precision: 3 })
const count = z.int().nonnegative()

const runSchema = z.strictObject({
  token: z.string().min(1),
  startedAt: iso,
  bootId: z.string().min(1),
  commandHash: z.string(),
  /** Both null: about to be spawned. A daemon that dies right then finds the process by its token. */
  pid: z.int().positive().nullable(),
  startTicks: count.nullable(),
})

const recordSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  desired: z.enum(['running', 'stopped']),
  /** By Medyk, the first one included. */
  starts: count,
  /** Of the latest run, ended or not: no later one may bear the same. */
  lastStartedAt: iso.nullable(),
  run: runSchema.nullable(),
  lastExit: z
    .strictObject({ code: z.int().nullable(), signal: z.string().nullable(), oomKilled: z.boolean(), at: iso })
    .nullable(),
})

/** What is known of an instance over the deaths of the daemon. */
export type InstanceRecord = Readonly<z.infer<typeof recordSchema>>
export type RunRecord = Readonly<z.infer<typeof runSchema>>

export function newRecord(id: string): InstanceRecord {
  return { version: 1, id, desired: 'stopped', starts: 0, lastStartedAt: null, run: null, lastExit: null }
}

const fileIn = (directory: string) => join(directory, 'state.json')

/** null: never seen. A file that cannot be believed is put aside as `state.json.corrupt`, where a person can look at it. */
export async function loadRecord(directory: string, id: string, logger: Logger): Promise<InstanceRecord | null> {
  const file = fileIn(directory)
  try {
    const { size } = await stat(file)
    if (size > MAX_BYTES) throw new Error(`${size} bytes are too many`)
    const record = recordSchema.parse(JSON.parse(await readFile(file, 'utf8')))
    if (record.id !== id) throw new Error(`it belongs to "${record.id}"`)
    return record
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    logger.error(
      { instance: id, file, err: messageOf(error) },
      'state file is corrupt, kept as *.corrupt and begun anew',
    )
    await rename(file, `${file}.corrupt`).catch(() => {})
    return null
  }
}

/** Whole or not at all, also when the power fails meanwhile. One writer per directory at a time. */
export async function saveRecord(directory: string, record: InstanceRecord): Promise<void> {
  const file = fileIn(directory)
  const temporary = `${file}.new`
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(record)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
}
