import { describe, expect, it } from 'vitest'
import { MAX_BATCH, parseFrames, parseTrackRows } from './frame.ts'

const frame = { camera: 'a', session: 's', number: 1, rtpTimestamp: 0, bytes: 9, keyframe: true, capturedAt: 5 }

describe('parseFrames', () => {
  it('takes frames, and leaves what it does not know', () => {
    expect(parseFrames({ frames: [{ ...frame, extra: 1 }] })).toEqual([frame])
  })

  it.each([
    ['null', null, 'frames'],
    ['no list', { frames: 7 }, 'frames'],
    ['a text for a number', { frames: [frame, { ...frame, number: '1' }] }, 'frames[1].number'],
    ['a negative number', { frames: [{ ...frame, bytes: -1 }] }, 'frames[0].bytes'],
    ['a name with a newline', { frames: [{ ...frame, camera: 'a\nb' }] }, 'frames[0].camera'],
    ['an inherited field', { frames: [Object.create(frame)] }, 'frames[0].camera'],
    ['nothing in the list', { frames: [null] }, 'frames[0].camera'],
    ['too many', { frames: Array.from({ length: MAX_BATCH + 1 }, () => frame) }, `${MAX_BATCH + 1} entries`],
  ])('refuses %s, naming the place', (_, body, place) => {
    expect(() => parseFrames(body)).toThrow(
      expect.objectContaining({ code: 'ERR_INPUT', message: expect.stringContaining(place) }),
    )
  })
})

describe('parseTrackRows', () => {
  it('takes null where nothing is known, and nowhere else', () => {
    const row = { ...frame, gapFrames: 0, keyframeIntervalMs: null, bitrateBps: 1.5 }
    expect(parseTrackRows({ rows: [row] })).toEqual([row])
    expect(() => parseTrackRows({ rows: [{ ...row, gapFrames: null }] })).toThrow(/rows\[0\]\.gapFrames/)
  })
})
