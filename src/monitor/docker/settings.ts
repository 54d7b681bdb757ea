import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { MedykError, messageOf, printable } from '@medyk/health/internal'
import type { DockerSettings } from './view.ts'

const DEFAULT_HOST = 'unix:///var/run/docker.sock'
const MAX_PEM_BYTES = 1_048_576

/** What an operator may say on the command line; it goes before the environment. */
export interface DockerFlags {
  /** As DOCKER_HOST. */
  readonly host?: string
  /** Directory with ca.pem, cert.pem and key.pem; as DOCKER_CERT_PATH. */
  readonly certPath?: string
}

/**
 * Where Docker is, from flags, then DOCKER_HOST, DOCKER_CERT_PATH and DOCKER_TLS_VERIFY, then the socket of a usual
 * installation. With TLS the server's certificate is always verified: naming a certificate directory is enough.
 * Throws MedykError ERR_RUNTIME when it cannot be understood or a certificate cannot be read.
 */
export function resolveDockerSettings(
  env: Readonly<Record<string, string | undefined>>,
  flags: DockerFlags = {},
): DockerSettings {
  const host = (flags.host ?? env.DOCKER_HOST ?? '').trim() || DEFAULT_HOST
  const endpoint = endpointOf(host)
  const certPath = flags.certPath ?? env.DOCKER_CERT_PATH ?? ''
  const secure = endpoint.kind === 'tcp' && (certPath !== '' || (env.DOCKER_TLS_VERIFY ?? '') !== '')
  if (!secure) return { host, tls: null }
  const directory = certPath || join(homedir(), '.docker')
  const cert = pem(join(directory, 'cert.pem'))
  const key = pem(join(directory, 'key.pem'))
  if ((cert === null) !== (key === null)) {
    throw new MedykError('ERR_RUNTIME', `"${directory}" has only one of cert.pem and key.pem`, {
      hint: 'a client certificate needs both; without one leave out both',
    })
  }
  return { host, tls: { ca: pem(join(directory, 'ca.pem')), cert, key } }
}

export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** Takes a DOCKER_HOST apart. Throws MedykError ERR_RUNTIME for what is not supported, and says what is. */
export function endpointOf(host: string): Endpoint {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/i.exec(host) ?? []
  switch (scheme.toLowerCase()) {
    case 'unix':
      if (isAbsolute(rest)) return { kind: 'unix', path: rest }
      throw unsupported(host, 'a socket needs an absolute path', 'write unix:///var/run/docker.sock')
    case 'tcp':
      return tcpOf(host, rest)
    case 'ssh':
      throw unsupported(host, 'ssh is not supported', 'run Medyk on that host, or forward its socket and name that one')
    case '':
      throw unsupported(host, 'it has no scheme', 'write unix:///path/to/docker.sock or tcp://host:port')
    default:
      throw unsupported(host, `"${scheme}" is not supported`, 'use unix:// or tcp://')
  }
}

function tcpOf(host: string, rest: string): Endpoint {
  const url = URL.parse(`http://${rest}`)
  const plain = url !== null && url.username === '' && url.password === '' && /^\/?$/.test(url.pathname + url.search)
  if (!plain || !url.hostname) {
    throw unsupported(host, 'that is not host:port', 'write tcp://host:2375, or tcp://host:2376 with TLS')
  }
  // URL leaves out 80, the default of http; Docker's own default without TLS is 2375.
  const port = url.port || (/:80\/?$/.test(rest) ? '80' : '2375')
  return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(port) }
}

function unsupported(host: string, reason: string, hint: string): MedykError {
  return new MedykError('ERR_RUNTIME', `Docker host "${printable(host, 200)}": ${reason}`, { hint })
}

function pem(file: string): string | null {
  try {
    const content = readFileSync(file, 'utf8')
    if (content.length > MAX_PEM_BYTES) throw new Error(`${content.length} bytes are too many`)
    return content
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new MedykError('ERR_RUNTIME', `cannot read ${file}: ${messageOf(error)}`, {
      hint: 'DOCKER_CERT_PATH names a directory with ca.pem, cert.pem and key.pem that Medyk may read',
      cause: error,
    })
  }
}
