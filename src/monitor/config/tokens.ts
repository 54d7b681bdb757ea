import path from 'node:path'
import type { Config } from './build.ts'
import { ConfigError } from './problem.ts'
import { readSecretFile } from './read.ts'

/** Whom the API lets in. null: there is no such token. */
export interface Tokens {
  readonly viewer: string | null
  readonly operator: string | null
}

const MIN_LENGTH = 16
const MAX_LENGTH = 512
const HINT = 'make one with: openssl rand -hex 32'

interface Sources {
  readonly config: Pick<Config, 'server'>
  readonly env: Readonly<Record<string, string | undefined>>
  /** What relative paths in `env` refer to. */
  readonly cwd: string
}

/**
 * The tokens: `MEDYK_VIEWER_TOKEN` or the file that `MEDYK_VIEWER_TOKEN_FILE` names, else the file of the config; the same
 * for the operator. Empty text counts as not said. Throws ConfigError for one that is weak, malformed, or in a file that
 * others can read or write.
 */
export async function loadTokens({ config, env, cwd }: Sources): Promise<Tokens> {
  const { tokens } = config.server
  const load = async (variable: string, configured: string | undefined): Promise<string | null> => {
    const [text, file] = [env[variable] || undefined, env[`${variable}_FILE`] || undefined]
    if (text !== undefined && file !== undefined)
      throw wrong(variable, `both ${variable} and ${variable}_FILE are set`, 'unset one of the two')
    if (text !== undefined) return checked(variable, text)
    const named = file === undefined ? configured : path.resolve(cwd, file)
    return named === undefined ? null : checked(named, (await readSecretFile(named)).trim())
  }
  const viewer = await load('MEDYK_VIEWER_TOKEN', tokens?.viewerFile)
  const operator = await load('MEDYK_OPERATOR_TOKEN', tokens?.operatorFile)
  if (viewer !== null && viewer === operator)
    throw wrong('MEDYK_OPERATOR_TOKEN', 'it is the same as the viewer token, so whoever reads could change', HINT)
  return { viewer, operator }
}

function checked(from: string, token: string): string {
  if (token.length < MIN_LENGTH)
    throw wrong(from, `a token of ${token.length} characters; expected at least ${MIN_LENGTH}`, HINT)
  // It travels in a header: no blanks, no control characters, nothing that two programs might encode differently.
  if (token.length > MAX_LENGTH || !/^[\x21-\x7e]+$/.test(token))
    throw wrong(
      from,
      `not a token; expected ${MIN_LENGTH} to ${MAX_LENGTH} printable ASCII characters without blanks`,
      HINT,
    )
  return token
}

function wrong(from: string, message: string, hint: string): ConfigError {
  return new ConfigError([{ file: from, at: null, message }], { hint })
}
