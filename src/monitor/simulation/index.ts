export type { ScenarioEntry, ScenarioSize } from './expectation.ts'
export {
  percentiles,
  upperBound95,
  type Declaration,
  type Figures,
  type Percentiles,
  type Samples,
  type SimulatedAction,
} from './figures.ts'
export type { StoryKind, StoryLine } from './recorder.ts'
export { replayTrace, type ReplayDifference, type ReplayReport } from './replay.ts'
export {
  falsePositivesOf,
  listScenarios,
  runSimulation,
  type BoundedRate,
  type FalsePositives,
  type RunOptions,
  type RunReport,
} from './run.ts'
export type {
  Disturbance,
  Fault,
  NetworkPlan,
  Scenario,
  ServiceTrouble,
  SimulatedService,
  TroubleKind,
} from './scenario.ts'
export type { Failure } from './shrink.ts'
export { simulate, type SimulateOptions, type SimulationResult } from './simulate.ts'
export { formatStory } from './story.ts'
export {
  defaultTraceBytes,
  outputOf,
  TRACE_VERSION,
  TraceWriter,
  type DetectionOutput,
  type TraceRecord,
  type TraceSink,
  type TraceWriterOptions,
} from './trace.ts'
