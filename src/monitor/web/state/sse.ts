export interface Frame {
  readonly id: string | null
  readonly event: string
  readonly data: string
}

const BLANK = /\r?\n\r?\n/
const MAX_PENDING = 4 * 1024 * 1024

/**
 * Reads text/event-stream piece by piece. Own reading instead of EventSource, because that hides the comments by which
 * an idle stream shows that it still lives.
 */
export function createFrameReader(onFrame: (frame: Frame) => void): (text: string) => void {
  let pending = ''
  return (text) => {
    pending += text
    if (pending.length > MAX_PENDING) throw new Error('an event is larger than this page accepts')
    for (let end = BLANK.exec(pending); end; end = BLANK.exec(pending)) {
      const frame = parseFrame(pending.slice(0, end.index))
      pending = pending.slice(end.index + end[0].length)
      if (frame) onFrame(frame)
    }
  }
}

function parseFrame(block: string): Frame | null {
  let id: string | null = null
  let event = 'message'
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'id') id = value
    if (field === 'event') event = value
    if (field === 'data') data.push(value)
  }
  return data.length === 0 ? null : { id, event, data: data.join('\n') }
}
