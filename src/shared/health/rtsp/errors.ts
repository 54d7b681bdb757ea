import { MedykError, printable } from '../internal/index.ts'

/** Every code that this folder raises, with what it means. A caller decides by code, never by message. */
export const RTSP_ERRORS = {
  ERR_RTSP_URL: 'the address is not an rtsp:// URL that can be used',
  ERR_RTSP_CONNECT: 'no TCP connection: refused, unreachable, unknown name',
  ERR_RTSP_AUTH: 'the server wants other credentials than it was given',
  ERR_RTSP_NOT_FOUND: 'the server runs, but has no stream at this path',
  ERR_RTSP_NO_VIDEO: 'the stream has no video that can be read here',
  ERR_RTSP_PROTOCOL: 'the server broke the protocol or refused a step',
  ERR_RTSP_TIMEOUT: 'a step was not answered in time',
  ERR_RTSP_CLOSED: 'the server closed the connection',
  ERR_RTSP_STALLED: 'the session stands, but no picture arrives',
  ERR_RTSP_CLIP: 'the replay clip is not an H.264 byte stream that can be looped',
} as const

export type RtspErrorCode = keyof typeof RTSP_ERRORS

/** A MedykError whose message is one printable, redacted line: it often quotes what a foreign server sent. */
export function rtspError(
  code: RtspErrorCode,
  message: string,
  options: { hint?: string; cause?: unknown } = {},
): MedykError {
  return new MedykError(code, printable(message), options)
}
