export { UNSEEN_EXIT_CODE } from './changes.ts'
export { openDockerHost, type DockerHostContext } from './host.ts'
export { resolveDockerSettings, type DockerFlags } from './settings.ts'
export type * from './view.ts'
