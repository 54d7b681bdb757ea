import { z } from 'zod'
import type { ContainerView } from '../../docker/index.ts'

const name = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9][\w.-]*$/, 'is letters, digits, dots, dashes and underscores')

/** `runtimeOptions` of a service under Docker: a service of a Compose project, or one container. */
export const schema = z
  .strictObject({
    project: name.optional().describe('Compose project, as `docker compose ls` shows it; together with `service`.'),
    service: name.optional().describe('Service of that project, as its compose file names it.'),
    container: name.optional().describe('Name of a container; without `project` and `service`.'),
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
