import { createHash, timingSafeEqual } from 'node:crypto'

/** Whom the API lets in. null: there is no such token. */
export interface AccessTokens {
  readonly viewer: string | null
  readonly operator: string | null
}

/** none: no token was sent · unknown: one that is nobody's */
export type Caller = 'operator' | 'viewer' | 'none' | 'unknown'

export interface Access {
  /** Without a viewer token everybody who gets past the guard may read. */
  readonly guardsReading: boolean
  /** Without an operator token nobody may change anything. */
  readonly hasOperator: boolean
  callerOf(authorization: string | undefined | null): Caller
}

export function createAccess({ viewer, operator }: AccessTokens): Access {
  const known = [
    ['operator', operator],
    ['viewer', viewer],
  ] as const
  const hashes = known.flatMap(([role, token]) => (token === null ? [] : [{ role, hash: sha256(token) }]))
  return {
    guardsReading: viewer !== null,
    hasOperator: operator !== null,
    callerOf(authorization) {
      if (authorization === undefined || authorization === null || authorization === '') return 'none'
      const given = sha256(/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '')
      let caller: Caller = 'unknown'
      // Hashes are of one length, and all are compared: how long it takes says nothing of any token.
      for (const { role, hash } of hashes) if (timingSafeEqual(hash, given)) caller = role
      return caller
    },
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest()
