import { MedykError, printable } from '@medyk/health/internal'
import { z } from 'zod'
import type { ContainerView } from '../../docker/index.ts'
import type { ServiceSpec } from '../../model/index.ts'

const nameSchema = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9][\w.-]*$/, 'is letters, digits, dots, dashes and underscores')

/** `runtimeOptions` of a service under Docker: a service of a Compose project, or one container. */
export const schema = z
  .strictObject({
    project: nameSchema
      .optional()
      .describe('Compose project, as `docker compose ls` shows it; together with `service`.'),
    service: nameSchema.optional().describe('Service of that project, as its compose file names it.'),
    container: nameSchema.optional().describe('Name of a container; without `project` and `service`.'),
  })
  .refine(
    ({ project, service, container }) =>
      container === undefined
        ? project !== undefined && service !== undefined
        : project === undefined && service === undefined,
    'name either a project with its service, or a container',
  )

export type DockerOptions = z.infer<typeof schema>

const PROJECT = 'com.docker.compose.project'
const SERVICE = 'com.docker.compose.service'
const ONE_OFF = 'com.docker.compose.oneoff'

/** Whether a container is an instance of the service with these options; what `compose run` started never is. */
export function selects(
  { project, service, container }: DockerOptions,
  { name: called, labels }: ContainerView,
): boolean {
  if (labels[ONE_OFF]?.toLowerCase() === 'true') return false
  if (container !== undefined) return called === container
  return labels[PROJECT] === project && labels[SERVICE] === service
}

export interface Wanted {
  readonly service: string
  readonly options: DockerOptions
}

/** All problems of all services in one error: ERR_RUNTIME. */
export function validated(services: readonly ServiceSpec[]): readonly Wanted[] {
  const problems: string[] = []
  const wanted = services.flatMap(({ name, runtimeOptions }): Wanted[] => {
    const parsed = schema.safeParse(runtimeOptions)
    if (parsed.success) return [{ service: name, options: parsed.data }]
    for (const { path, message } of parsed.error.issues) {
      problems.push(
        `service "${printable(name, 80)}": ${['runtimeOptions', ...path.map(String)].join('.')}: ${message}`,
      )
    }
    return []
  })
  if (problems.length === 0) return wanted
  throw new MedykError('ERR_RUNTIME', problems.join('\n'), {
    hint: 'a docker service needs runtimeOptions.project and .service of a compose file, or .container',
  })
}
