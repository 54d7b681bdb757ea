import type { DockerConfig } from './build.ts'
import { quote } from './problem.ts'
import type { Overrides } from './resolve.ts'
import { dockerHost, maxProjects, projectName } from './schema.ts'

/**
 * What is to be discovered on a Docker host: flags > environment > file, key by key. DOCKER_HOST alone asks for nothing:
 * it only says where. `wrong` is told each flag or variable that is, by its name.
 */
export function resolveDocker(
  file: DockerConfig | null,
  env: Readonly<Record<string, string | undefined>>,
  flags: Overrides,
  wrong: (from: string, message: string) => void,
): DockerConfig | null {
  const projects = projectsOf(env, flags, wrong)
  const observe = observeOf(env, flags, wrong)
  const flag = flags.dockerHost || null
  if (file === null && projects === null && observe === null && flag === null) return null
  const host = flag ?? (env['DOCKER_HOST'] || null)
  if (host !== null && !dockerHost.safeParse(host).success) {
    const from = flag === null ? 'DOCKER_HOST' : '--docker-host'
    wrong(from, `${quote(host)} cannot be used; expected unix:///path/to/docker.sock or tcp://host:port`)
  }
  return {
    host: host ?? file?.host ?? null,
    projects: projects ?? file?.projects ?? [],
    observe: observe ?? file?.observe ?? false,
  }
}

function projectsOf(
  env: Readonly<Record<string, string | undefined>>,
  { project = [] }: Overrides,
  wrong: (from: string, message: string) => void,
): readonly string[] | null {
  const listed = (env['MEDYK_PROJECTS'] ?? '').split(',').map((name) => name.trim())
  const given = project.filter((name) => name !== '')
  const [names, from] =
    given.length > 0 ? [given, '--project'] : [listed.filter((name) => name !== ''), 'MEDYK_PROJECTS']
  if (names.length === 0) return null
  for (const name of names) {
    if (projectName.safeParse(name).success) continue
    wrong(from, `${quote(name)} is not a compose project; expected lower-case letters, digits, - and _`)
  }
  if (names.length > maxProjects) wrong(from, `these are ${names.length} projects; expected at most ${maxProjects}`)
  return [...new Set(names)]
}

function observeOf(
  env: Readonly<Record<string, string | undefined>>,
  { observe }: Overrides,
  wrong: (from: string, message: string) => void,
): boolean | null {
  if (observe !== undefined) return observe
  const text = env['MEDYK_OBSERVE'] ?? ''
  if (text === '') return null
  if (text === 'true' || text === '1') return true
  if (text !== 'false' && text !== '0')
    wrong('MEDYK_OBSERVE', `${quote(text)} is not known here; expected true or false`)
  return false
}
