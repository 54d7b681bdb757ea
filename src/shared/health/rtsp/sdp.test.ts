import { describe, expect, it } from 'vitest'
import { controlUri, parseSdp, selectVideo } from './sdp.ts'

const H264 = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=x',
  'a=control:rtsp://cam/live/',
  'm=audio 0 RTP/AVP 0',
  'a=control:audio',
  'm=video 0 RTP/AVP 26 97',
  'a=rtpmap:26 JPEG/90000',
  'a=rtpmap:97 h264/90000',
  'a=fmtp:97 packetization-mode=1; sprop-parameter-sets=Z0IAKeKQFAe2,aM48gA==;x',
  'a=framerate:29.97',
  'a=control:trackID=2',
]

describe('parseSdp and selectVideo', () => {
  it('finds the H.264 track among others', () => {
    const sdp = parseSdp(H264.join('\r\n'))
    expect(sdp.control).toBe('rtsp://cam/live/')
    const video = selectVideo(sdp)
    expect(video).toMatchObject({ payloadType: 97, clockRate: 90_000, frameRate: 29.97, control: 'trackID=2' })
    expect(video.parameterSets.map((set) => (set[0] ?? 0) & 31)).toEqual([7, 8])
  })

  it('takes bare line feeds, as some cameras send them', () => {
    expect(selectVideo(parseSdp(H264.join('\n'))).payloadType).toBe(97)
  })

  it.each([
    ['an empty text', ''],
    ['HTML', '<html>'],
    ['endless lines', `v=0\r\n${'a=x\r\n'.repeat(2_000)}`],
  ])('refuses %s', (_, text) => {
    expect(() => parseSdp(text)).toThrow(expect.objectContaining({ code: 'ERR_RTSP_PROTOCOL' }))
  })

  it.each([
    ['no media at all', ['v=0'], 'nothing'],
    ['audio only', ['v=0', 'm=audio 0 RTP/AVP 97', 'a=rtpmap:97 MPEG4-GENERIC/48000'], 'audio MPEG4-GENERIC'],
    ['a codec that is not read yet', ['v=0', 'm=video 0 RTP/AVP 96', 'a=rtpmap:96 H265/90000'], 'video H265'],
    ['a clock rate of zero', ['v=0', 'm=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/0'], 'video H264'],
  ])('says what there is instead: %s', (_, lines, offered) => {
    expect(() => selectVideo(parseSdp(lines.join('\r\n')))).toThrow(
      expect.objectContaining({ code: 'ERR_RTSP_NO_VIDEO', message: expect.stringContaining(offered) }),
    )
  })
})

describe('controlUri', () => {
  it.each([
    ['rtsp://c/a', null, 'rtsp://c/a'],
    ['rtsp://c/a', '*', 'rtsp://c/a'],
    ['rtsp://c/a/', 'track1', 'rtsp://c/a/track1'],
    ['rtsp://c/a', 'track1', 'rtsp://c/a/track1'],
    ['rtsp://c/a', 'RTSP://d/b', 'RTSP://d/b'],
  ])('%s and %s make %s', (base, control, uri) => {
    expect(controlUri(base, control)).toBe(uri)
  })
})
