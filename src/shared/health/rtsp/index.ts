export { playRtsp, type PlayOptions, type RtspSession } from './client.ts'
export { RTSP_ERRORS, type RtspErrorCode } from './errors.ts'
export { type AccessUnit } from './h264.ts'
export { type ReplayFault } from './replay-faults.ts'
export { type VideoTrack } from './sdp.ts'
export { ReplayServer, type ReplayServerOptions, type ReplayStats } from './server.ts'
export { redactRtspUrl } from './url.ts'
export {
  watchStream,
  type Backoff,
  type StreamSnapshot,
  type StreamWatch,
  type WatchedUnit,
  type WatchOptions,
  type WatchState,
} from './watch.ts'
