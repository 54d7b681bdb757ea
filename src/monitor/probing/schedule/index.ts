export {
  initialSchedule,
  maxInFlight,
  schedule,
  type Launch,
  type Scheduled,
  type ScheduleEvent,
  type ScheduleState,
} from './schedule.ts'
export { WakeQueue } from './wake-queue.ts'
