import { printable } from '@medyk/health/internal'
import { z } from 'zod'
import type { AttemptOutcome, Prober, RuntimeHealth } from '../../model/index.ts'

export const kind = 'runtime'

export const schema = z.strictObject({})

/** Asks nobody: what the runtime's own check of the instance (a HEALTHCHECK) said last. As old as that check is. */
export async function create(): Promise<Prober> {
  return {
    kind,
    async probe(_, { signal, target }) {
      if (signal.aborted) return { class: 'void', reason: 'aborted' }
      return target?.health ? said(target.health) : { class: 'void', reason: 'its runtime has no check of it' }
    },
  }
}

function said({ status, broken, detail }: RuntimeHealth): AttemptOutcome {
  const more = detail === '' ? '' : `: ${detail}`
  if (broken) {
    return { class: 'misconfigured', reason: printable(`the check of its runtime cannot run${more}`), latencyMs: 0 }
  }
  if (status === 'healthy') return { class: 'ok', latencyMs: 0, report: null }
  const reason = status === 'starting' ? 'starting' : printable(`its runtime calls it unhealthy${more}`)
  return { class: 'explicit', reason, latencyMs: 0, report: null, answered: true }
}
