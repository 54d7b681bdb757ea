import { readFileSync, statSync } from 'node:fs'
import { MedykError, messageOf } from '@medyk/health/internal'

const MAX_BYTES = 4_096

/** The token to send: of the file that was named, else MEDYK_TOKEN; null: none. Throws ERR_TOKEN_FILE. */
export function tokenOf(file: string | undefined, env: NodeJS.ProcessEnv): string | null {
  if (file === undefined) return env['MEDYK_TOKEN'] || null
  try {
    const { mode, size } = statSync(file)
    if (size > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`)
    if (mode & 0o002) throw new Error('every user can write it')
    const token = readFileSync(file, 'utf8').trim()
    if (token === '') throw new Error('it is empty')
    return token
  } catch (error) {
    throw new MedykError('ERR_TOKEN_FILE', `no token can be read from ${file}: ${messageOf(error)}`, {
      hint: 'name a file that holds the token and nothing else, for its owner only (chmod 600)',
      cause: error,
    })
  }
}
