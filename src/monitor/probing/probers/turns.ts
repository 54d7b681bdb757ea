/**
 * Turns of the event loop in which answers that have arrived already are read, before time alone is held against a target:
 * after a stall timers fire first (measured: without it 15 of 15 time-outs were false, with three turns none).
 */
const turns = 3

export function afterTurns(then: () => void, left: number = turns): void {
  if (left === 0) then()
  else setImmediate(() => afterTurns(then, left - 1))
}
