import { rtspError } from './errors.ts'

/** One `m=` section of a session description (RFC 8866), as far as a receiver of video needs it. */
export interface SdpMedia {
  readonly kind: string
  readonly payloadTypes: readonly number[]
  readonly codecs: ReadonlyMap<number, { readonly name: string; readonly clockRate: number }>
  readonly formats: ReadonlyMap<number, ReadonlyMap<string, string>>
  readonly control: string | null
  readonly frameRate: number | null
}

export interface Sdp {
  readonly control: string | null
  readonly media: readonly SdpMedia[]
}

export interface VideoTrack {
  readonly codec: 'H264'
  readonly payloadType: number
  /** RTP timestamp units per second. */
  readonly clockRate: number
  /** What the server announces; null when it says nothing. */
  readonly frameRate: number | null
  readonly control: string | null
  /** SPS and PPS from `sprop-parameter-sets`, without start codes. */
  readonly parameterSets: readonly Uint8Array[]
}

const MAX_LINES = 1_000

/** Parses leniently what it does not need and strictly what it does. Throws `ERR_RTSP_PROTOCOL`. */
export function parseSdp(text: string): Sdp {
  const lines = text.split(/\r\n|\r|\n/)
  if (lines.length > MAX_LINES) throw rtspError('ERR_RTSP_PROTOCOL', `SDP of more than ${MAX_LINES} lines`)
  if (lines[0]?.trim() !== 'v=0') throw rtspError('ERR_RTSP_PROTOCOL', 'the description is not SDP: it lacks "v=0"')
  const [session = [], ...media] = sections(lines)
  return { control: attribute(session, 'control'), media: media.map(parseMedia) }
}

function sections(lines: readonly string[]): string[][] {
  const out: string[][] = [[]]
  for (const line of lines) {
    if (line.startsWith('m=')) out.push([])
    out.at(-1)?.push(line)
  }
  return out
}

function parseMedia(lines: readonly string[]): SdpMedia {
  const [kind = '', , , ...types] = (lines[0] ?? '').slice(2).split(' ')
  const codecs = new Map<number, { name: string; clockRate: number }>()
  const formats = new Map<number, ReadonlyMap<string, string>>()
  for (const line of lines) {
    const rtpmap = /^a=rtpmap:(\d{1,3}) ([\w.-]{1,40})\/(\d{1,7})/.exec(line)
    if (rtpmap) codecs.set(Number(rtpmap[1]), { name: (rtpmap[2] ?? '').toUpperCase(), clockRate: Number(rtpmap[3]) })
    const fmtp = /^a=fmtp:(\d{1,3}) (.*)$/.exec(line)
    if (fmtp) formats.set(Number(fmtp[1]), parameters(fmtp[2] ?? ''))
  }
  const frameRate = Number(attribute(lines, 'framerate') ?? Number.NaN)
  return {
    kind,
    payloadTypes: types.filter((type) => /^\d{1,3}$/.test(type)).map(Number),
    codecs,
    formats,
    control: attribute(lines, 'control'),
    frameRate: frameRate > 0 && frameRate <= 1_000 ? frameRate : null,
  }
}

function attribute(lines: readonly string[], name: string): string | null {
  const found = lines.find((line) => line.startsWith(`a=${name}:`))
  return found === undefined ? null : found.slice(name.length + 3).trim()
}

function parameters(text: string): Map<string, string> {
  return new Map(
    text.split(';').map((part) => {
      const [key = '', ...value] = part.trim().split('=')
      return [key.toLowerCase(), value.join('=')] as const
    }),
  )
}

/** The first video track that can be read. Throws `ERR_RTSP_NO_VIDEO`, naming what the server has instead. */
export function selectVideo(sdp: Sdp): VideoTrack {
  for (const media of sdp.media.filter(({ kind }) => kind === 'video')) {
    for (const payloadType of media.payloadTypes) {
      const codec = media.codecs.get(payloadType)
      if (codec?.name !== 'H264' || codec.clockRate === 0) continue
      const sprop = media.formats.get(payloadType)?.get('sprop-parameter-sets') ?? ''
      return {
        codec: 'H264',
        payloadType,
        clockRate: codec.clockRate,
        frameRate: media.frameRate,
        control: media.control,
        parameterSets: sprop.split(',').flatMap((set) => {
          const bytes = Buffer.from(set, 'base64')
          return bytes.length > 0 ? [bytes] : []
        }),
      }
    }
  }
  const offered = sdp.media.map(({ kind, codecs }) => `${kind} ${[...codecs.values()].map((c) => c.name).join('/')}`)
  throw rtspError('ERR_RTSP_NO_VIDEO', `no H.264 video; the stream offers ${offered.join(', ') || 'nothing'}`, {
    hint: 'set the camera to H.264',
  })
}

/**
 * The URI to SETUP a track with. Servers expect the control text to be appended to the base, as ffmpeg and VLC do, and
 * not the resolution that RFC 2326 C.1.1 describes.
 */
export function controlUri(base: string, control: string | null): string {
  if (control === null || control === '' || control === '*') return base
  if (/^rtsps?:\/\//i.test(control)) return control
  return base.endsWith('/') ? `${base}${control}` : `${base}/${control}`
}
