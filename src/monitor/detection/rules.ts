/**
 * Every number of detection, in milliseconds where not said otherwise. "Law" marks what the design's reference on
 * detection fixes (measured or prototyped there); the rest is derived, and says from what.
 */
export const rules = {
  /** E1. */
  explicit: {
    /** Law: at least so many failures over at least so long without a success between; after one, look so soon again. */
    attempts: 3,
    spanMs: 600,
    paceMs: 300,
    /**
     * Whoever answers half of the requests with 500 fails three times in a row with a chance of 1/8, and must not be
     * restarted. So where something answered, liveness needs a longer run within the same second: 2^-10, within 720 ms.
     */
    answeredAttempts: 10,
    answeredPaceMs: 80,
    /** With a known share of errors: as long a run as that share would give by chance once in a million. */
    chance: 1e-6,
    /** Weight of one sample in that share, the least that is assumed while erroring, and the most that is believed. */
    shareWeight: 0.1,
    shareErroring: 0.5,
    shareMax: 0.95,
  },
  /**
   * E2. Law: attempts, span, stretch. Failures count among the attempts, but half must have had no answer at all: six
   * times 500 in a row is no silence. The span grows with a probe's own timeout, so that a patient probe stays patient.
   */
  silence: { attempts: 6, unanswered: 3, spanMs: 2_500, afterTimeoutMs: 1_200, stretchMs: 1_000 },
  /**
   * Law: no answer at max(400 ms, 4 × p99). Capped at a share of the silence span: six attempts have to start within it.
   */
  hedge: { minMs: 400, p99Factor: 4, maxShareOfSilence: 0.18 },
  /**
   * Of groups that were answered at all, the weighted share that only a hedge answered. Past `share` the network is
   * lossy and silence stretches: at 20 % loss six lost attempts in a row are no rarity (about one in 50,000 groups). It
   * stays so down to `untilShare`, for the share itself wavers: at 20 % loss between 0.1 and 0.5.
   */
  lossy: { weight: 0.05, share: 0.2, untilShare: 0.08 },
  /**
   * Law: slow, of, pace. The threshold never passes a share of the timeout, for later answers would be silence; at the usual
   * timeout that is 1,105 ms.
   */
  slow: { slow: 4, of: 5, paceMs: 500, minMs: 400, p99Factor: 4, maxShareOfTimeout: 0.85, baselineSamples: 3 },
  /** Law: p0 = max(0.02, 2 × baseline), p1, h (ln 1e6). */
  errors: {
    p0Min: 0.02,
    p0Max: 0.1,
    baselineFactor: 2,
    p1: 0.2,
    h: 13.8,
    baselineWeight: 0.001,
    /** Samples closer than this are one sample: a burst of retries is no independent evidence. */
    spacingMs: 250,
    /** Above this score (one failure, not yet followed by six successes) look more often. */
    suspectScore: 1,
    paceMs: 300,
  },
  /** Of a service that speaks as our own library does. */
  library: { intervalMs: 1_000 },
  /** A target's own word is believed the second time. */
  reported: { reports: 2 },
  /** As E1, though nothing follows from it. */
  misconfigured: { attempts: 3, spanMs: 600 },
  /** Law: three successes over a second. */
  healthy: { successes: 3, spanMs: 1_000, paceMs: 500 },
  /** While ill: look often at first, for a quick recovery is likely, then as usual. */
  ill: { paceMs: 500, forMs: 10_000 },
  /** From the start of a run until its first success. */
  starting: { paceMs: 200, forMs: 5_000, thenPaceMs: 500, thenForMs: 15_000 },
  /** A service without probes is healthy when it has run this long. */
  unprobed: { settleMs: 1_000 },
  /** No valid look at a probe for this long or so many intervals, whichever is more: the status is unknown. */
  stale: { ms: 10_000, intervals: 5 },
  /**
   * Self-health. Law: tick, lag, drift, unwell, holdMs, and 1 point up or down. A clean second has two ticks of slack, or
   * a sign that shows once a second would be forgiven just before it shows again.
   */
  observer: { tickMs: 50, lagMs: 250, gapMs: 1_000, driftMs: 2_000, unwell: 3, max: 6, holdMs: 3_000, cleanMs: 1_100 },
  /**
   * Host pressure: of the last second somebody waited so much for the processor, or everybody for memory. Then silence gets its
   * stretch and slowness is not counted; over when it falls below this share of that.
   */
  pressure: { cpu: 0.9, memory: 0.2, release: 0.7 },
} as const
