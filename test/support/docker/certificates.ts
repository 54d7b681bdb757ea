import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from './command.ts'

export interface Certificates extends Disposable {
  /** Holds ca.pem, cert.pem and key.pem of a client, as DOCKER_CERT_PATH has them, and server-cert.pem and server-key.pem. */
  readonly directory: string
}

/** An authority of its own, a server at 127.0.0.1 and a client, all fresh. */
export async function makeCertificates(): Promise<Certificates> {
  const directory = mkdtempSync(join(tmpdir(), 'medyk-tls-'))
  const at = (name: string) => join(directory, name)
  const fresh = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'.split(' ')
  const make = (name: string, ...more: string[]) => {
    const files = ['-subj', `/CN=medyk test ${name}`, '-out', at(`${name}cert.pem`), '-keyout', at(`${name}key.pem`)]
    return command('openssl', [...fresh, ...files, ...more])
  }
  const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca-key.pem'), '-addext', 'basicConstraints=critical,CA:FALSE']
  await make('ca-', '-out', at('ca.pem'))
  await make('server-', ...signed, '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'extendedKeyUsage=serverAuth')
  await make('', ...signed, '-addext', 'extendedKeyUsage=clientAuth')
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}
