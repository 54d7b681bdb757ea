import { describe, expect, it } from 'vitest'
import { isMedykError } from '../internal/index.ts'
import { parseRtspUrl, redactRtspUrl } from './url.ts'

describe('parseRtspUrl', () => {
  it.each([
    ['rtsp://cam/live', { uri: 'rtsp://cam/live', host: 'cam', port: 554, credentials: null }],
    ['rtsp://10.0.0.5:8554/a?ch=1', { uri: 'rtsp://10.0.0.5:8554/a?ch=1', host: '10.0.0.5', port: 8554 }],
    ['rtsp://[::1]:8554/a', { uri: 'rtsp://[::1]:8554/a', host: '::1', port: 8554 }],
    ['rtsp://u:p%40ss@cam/a', { uri: 'rtsp://cam/a', credentials: { username: 'u', password: 'p@ss' } }],
    ['rtsp://u@cam/a', { uri: 'rtsp://cam/a', credentials: { username: 'u', password: '' } }],
    ['rtsp://u:%zz@cam/a', { uri: 'rtsp://cam/a', credentials: { username: 'u', password: '%zz' } }],
  ])('takes %s apart', (text, expected) => {
    expect(parseRtspUrl(text)).toMatchObject(expected)
  })

  it.each(['', 'http://cam/', 'cam/live', 'rtsp://', 'rtsp://:8554/x', 'rtsp://cam:0/', 'rtsp://u:geheim@:99999/'])(
    'refuses "%s" with a code, and without showing a password',
    (text) => {
      let thrown: unknown
      try {
        parseRtspUrl(text)
      } catch (error) {
        thrown = error
      }
      expect(isMedykError(thrown, 'ERR_RTSP_URL')).toBe(true)
      expect((thrown as Error).message).not.toContain('geheim')
    },
  )
})

describe('redactRtspUrl', () => {
  it.each([
    ['rtsp://u:geheim@cam/a', 'rtsp://cam/a'],
    ['rtsp://u:ge@heim@cam/a', 'rtsp://cam/a'],
    ['u:geheim@cam', 'cam'],
    ['rtsp://cam/a', 'rtsp://cam/a'],
  ])('shows %s as %s', (text, shown) => {
    expect(redactRtspUrl(text)).toBe(shown)
  })

  it('masks secrets in the query', () => {
    expect(redactRtspUrl('rtsp://cam/a?user=x&password=geheim')).not.toContain('geheim')
    expect(parseRtspUrl('rtsp://cam/a?password=geheim').shown).not.toContain('geheim')
  })
})
