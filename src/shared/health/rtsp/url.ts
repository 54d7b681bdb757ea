import { printable } from '../internal/index.ts'
import { rtspError } from './errors.ts'

export interface RtspTarget {
  /** What goes on the wire: without user, password or fragment. */
  readonly uri: string
  /** What goes into logs and errors: as `uri`, with secrets in the query masked. */
  readonly shown: string
  readonly host: string
  readonly port: number
  readonly credentials: RtspCredentials | null
}

export interface RtspCredentials {
  readonly username: string
  readonly password: string
}

/** Takes an `rtsp://[user:password@]host[:554]/path` apart. Throws `ERR_RTSP_URL`; the message never shows the password. */
export function parseRtspUrl(text: string): RtspTarget {
  const url = URL.parse(text)
  const hint = 'write rtsp://host:port/path, with user and password percent-encoded'
  if (url === null || url.protocol !== 'rtsp:' || url.hostname === '') {
    throw rtspError('ERR_RTSP_URL', `"${redactRtspUrl(text)}" is not an rtsp:// URL`, { hint })
  }
  const port = url.port === '' ? 554 : Number(url.port)
  if (port === 0) throw rtspError('ERR_RTSP_URL', 'port 0 cannot be connected to', { hint })
  const uri = `rtsp://${url.host}${url.pathname}${url.search}`
  return {
    uri,
    shown: printable(uri),
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    credentials: url.username === '' ? null : { username: decode(url.username), password: decode(url.password) },
  }
}

/** `text` fit to be shown: whatever stands before an `@` is dropped, even where the rest is not a URL at all. */
export function redactRtspUrl(text: string): string {
  return printable(text.slice(0, 2_000).replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/i, '$1'))
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
