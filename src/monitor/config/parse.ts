import path from 'node:path'
import { buildConfig, type Config } from './build.ts'
import { parseYaml } from './document.ts'
import { checkAcross } from './graph.ts'
import { checked } from './issues.ts'
import { ConfigError, type Problem } from './problem.ts'
import { readConfigFile } from './read.ts'
import { configSchema, type Kinds } from './schema.ts'

/**
 * The configuration in `text`, whole or not at all: throws ConfigError (`ERR_CONFIG`) that lists every problem with its
 * place. `filename` is shown in messages as it is given; relative paths in the text refer to its directory.
 */
export function parseConfig(text: string, filename: string, kinds: Kinds): Config {
  const problems: Problem[] = []
  const document = parseYaml(text, filename)
  problems.push(...document.problems)
  // Where the text itself is wrong, what stands for it is a makeshift whose type says nothing.
  const makeshift = new Set(problems.map(placeOf))
  const report = (problem: Problem) => void (makeshift.has(placeOf(problem)) || problems.push(problem))
  if (document.value === undefined) throw new ConfigError(problems)
  const input = checked(configSchema(kinds, path.dirname(path.resolve(filename))), document, report)
  checkAcross(document, kinds, report)
  if (problems.length > 0 || input === undefined) throw new ConfigError(problems)
  return buildConfig(input, filename)
}

function placeOf({ at }: Problem): string {
  return `${at?.line}:${at?.column}`
}

/** `parseConfig` of a file, which must be UTF-8, at most 1 MiB, and not writable by every user. */
export async function loadConfig(file: string, kinds: Kinds): Promise<Config> {
  return parseConfig(await readConfigFile(file), file, kinds)
}
