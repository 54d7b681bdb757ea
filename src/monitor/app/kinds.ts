import type { z } from 'zod'
import type { Kinds } from '../config/index.ts'
import { probers } from '../probing/probers/index.ts'
import { runtimes } from '../runtimes/index.ts'

/** The option schemas of every plug-in, for checking a config. */
export async function loadKinds(): Promise<Kinds> {
  return { runtimes: await schemasOf(runtimes), probers: await schemasOf(probers) }
}

async function schemasOf(
  map: Readonly<Record<string, () => Promise<{ readonly schema: z.ZodObject }>>>,
): Promise<Record<string, z.ZodObject>> {
  const entries = Object.entries(map).map(async ([kind, load]) => [kind, (await load()).schema] as const)
  return Object.fromEntries(await Promise.all(entries))
}
