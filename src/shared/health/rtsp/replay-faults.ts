/** What a ReplayServer can be made to do wrong. One line in `EFFECTS` adds one. */
export type ReplayFault =
  /** Signalling goes on, no packet is sent. */
  | { readonly kind: 'stall' }
  /** Sends this many pictures a second instead of the clip's own rate. */
  | { readonly kind: 'fps'; readonly fps: number }
  /** Leaves out this share (0–1) of RTP packets; their sequence numbers are spent. */
  | { readonly kind: 'loss'; readonly share: number }
  /** Cuts every connection, once. */
  | { readonly kind: 'kick' }

/** The places where a fault can take hold. A missing one changes nothing. */
export interface FaultEffect {
  readonly fps?: number
  /** Asked for every picture and client. */
  readonly sendsUnit?: () => boolean
  /** Asked for every packet and client. */
  readonly sendsPacket?: () => boolean
  readonly kicks?: boolean
}

type Effects = {
  readonly [K in ReplayFault['kind']]: (fault: Extract<ReplayFault, { kind: K }>, random: () => number) => FaultEffect
}

const EFFECTS: Effects = {
  stall: () => ({ sendsUnit: () => false }),
  fps: ({ fps }) => ({ fps }),
  loss: ({ share }, random) => ({ sendsPacket: () => random() >= share }),
  kick: () => ({ kicks: true }),
}

export function effectOf(fault: ReplayFault, random: () => number): FaultEffect {
  const make = EFFECTS[fault.kind] as (fault: ReplayFault, random: () => number) => FaultEffect
  return make(fault, random)
}
