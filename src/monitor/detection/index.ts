export { detect } from './detect.ts'
export type { AttemptFinished, AttemptStarted, Detected, DetectionInput, ObserverInput, PaceChange } from './input.ts'
export { rules } from './rules.ts'
export {
  initialSelfHealth,
  observeTick,
  penalize,
  press,
  type ObserverCondition,
  type SelfHealth,
  type SelfHealthSign,
} from './self-health.ts'
export { hasSucceeded, initialDetection, type DetectionState, type InitialOptions } from './state.ts'
