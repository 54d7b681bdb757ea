/**
 * Every code that an error of this package can carry, with its meaning. Stable. Those of `@medyk/health/rtsp` stand in
 * `RTSP_ERRORS` there.
 */
export const errorCodes = {
  ERR_DEADLINE: 'Something took longer than it was given',
  ERR_DURATION: 'A text is not a duration such as 300ms, 5s or 1m30s',
  ERR_LISTEN: 'A server cannot listen at this address',
  ERR_METRIC: 'A metric has a bad name, or its name is taken',
  ERR_OPTIONS: 'An option has a value that it cannot have',
  ERR_PORT_TAKEN: 'Another process listens on this port',
  ERR_REGISTRATION: 'One or more checks cannot be registered; the message lists every problem',
  ERR_STATE: 'Something was asked for at a time when it cannot be had',
  ERR_TOO_LARGE: 'Something is longer than is accepted',
} as const satisfies Record<string, string>

export type ErrorCode = keyof typeof errorCodes
