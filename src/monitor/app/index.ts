export { core, type CoreState } from './core.ts'
export { startDaemon, type Daemon, type DaemonOptions } from './daemon.ts'
export { loadKinds } from './kinds.ts'
