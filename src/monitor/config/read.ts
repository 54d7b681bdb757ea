import { isUtf8 } from 'node:buffer'
import { constants, type Stats } from 'node:fs'
import { open, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { messageOf } from '@medyk/health/internal'
import { ConfigError } from './problem.ts'

const MAX_BYTES = 1_048_576
const MAX_SECRET_BYTES = 4_096

/**
 * The text of a config file. A config names the commands that the daemon will run, so a file that others could write
 * is refused, as sshd and sudo do. Throws ConfigError.
 */
export async function readConfigFile(file: string): Promise<string> {
  const bytes = await readBytes(file, MAX_BYTES, exposure)
  if (!isUtf8(bytes))
    throw new ConfigError([{ file, at: placeOfBadByte(bytes), message: 'not UTF-8 from here on; expected UTF-8 text' }])
  return new TextDecoder().decode(bytes)
}

/** The text of a file with a secret: refused as well when others can read it. Throws ConfigError. */
export async function readSecretFile(file: string): Promise<string> {
  const bytes = await readBytes(file, MAX_SECRET_BYTES, async (name, stats) => {
    if (stats.mode & 0o006) return { what: 'every user can read or write this file', hint: `chmod 600 ${name}` }
    return await exposure(name, stats)
  })
  return bytes.toString('utf8')
}

type Exposure = (file: string, stats: Stats) => Promise<{ what: string; hint: string } | null>

async function readBytes(file: string, maxBytes: number, exposed: Exposure): Promise<Buffer> {
  const refuse = (message: string, hint?: string) =>
    new ConfigError([{ file, at: null, message }], hint === undefined ? {} : { hint })
  try {
    // Non-blocking: opening a FIFO that nobody writes to would wait for ever.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (stats.isDirectory())
      throw refuse(
        'this is a directory; expected a file',
        `name a file in it, such as ${path.join(file, 'medyk.yaml')}`,
      )
    if (!stats.isFile()) throw refuse('this is not a regular file; expected one')
    const danger = await exposed(file, stats)
    if (danger !== null) throw refuse(`${danger.what}; expected that only its owner can`, danger.hint)
    const buffer = Buffer.alloc(maxBytes + 1)
    let size = 0
    for (;;) {
      const { bytesRead } = await handle.read(buffer, size, buffer.length - size)
      if (bytesRead === 0) break
      size += bytesRead
      if (size > maxBytes)
        throw refuse(`larger than ${maxBytes} bytes; expected at most ${maxBytes === MAX_BYTES ? '1 MiB' : '4 KiB'}`)
    }
    return buffer.subarray(0, size)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') throw refuse('there is no such file', 'create it, or name another one')
    if (code === 'EACCES' || code === 'EPERM')
      throw refuse('no permission to read it', 'let the user that runs the daemon read it')
    if (code === 'ELOOP') throw refuse('its symbolic links go round in a circle')
    throw new ConfigError([{ file, at: null, message: `cannot be read: ${messageOf(error)}` }], { cause: error })
  }
}

/**
 * Who else could change the file: by its own mode, or by replacing it or a directory on the way to it. A sticky
 * directory such as /tmp protects entries of others, so there the entry's owner counts.
 */
const exposure: Exposure = async (file, stats) => {
  if (stats.mode & 0o002) return { what: 'every user can write this file', hint: `chmod o-w ${file}` }
  let entry = await realpath(file)
  let owner = stats.uid
  for (;;) {
    const directory = path.dirname(entry)
    if (directory === entry) return null
    const parent = await stat(directory)
    const writable = (parent.mode & 0o002) !== 0
    const sticky = (parent.mode & 0o1000) !== 0
    if (writable && !(sticky && isTrusted(owner))) {
      return {
        what: `every user can replace it: ${directory} is writable for all`,
        hint: `chmod o-w ${directory}, or move the file`,
      }
    }
    entry = directory
    owner = parent.uid
  }
}

function isTrusted(uid: number): boolean {
  return uid === 0 || process.getuid === undefined || uid === process.getuid()
}

function placeOfBadByte(bytes: Buffer): { line: number; column: number } {
  let start = 0
  for (let line = 1; ; line++) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline === -1 ? bytes.length : newline
    const part = bytes.subarray(start, end)
    // A newline byte is never part of a longer UTF-8 sequence, so lines can be judged one by one.
    if (!isUtf8(part) || newline === -1) return { line, column: part.toString('utf8').indexOf('\ufffd') + 1 || 1 }
    start = end + 1
  }
}
