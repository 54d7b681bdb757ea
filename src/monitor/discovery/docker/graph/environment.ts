import { printable } from '@medyk/health/internal'
import type { EnvironmentHost } from '../../../docker/view.ts'
import type { Group } from '../containers.ts'
import type { Directory, Wish } from './declared.ts'

/** A host outside of what is watched, as several services may name it. */
export interface Outside {
  readonly from: Group
  readonly host: string
  readonly port: number
  readonly via: string
}

/** Names under which a service is known to others, or its visitors' addresses: no host that it needs. */
const notNeeded =
  /PUBLIC|EXTERNAL_?URL|ORIGIN|CORS|ALLOWED|CALLBACK|REDIRECT|WEBHOOK|ADVERTISE|LISTEN|BIND|(?:^|_)SITE_|(?:^|_)ROOT_URL|FRONTEND|HOMEPAGE|DOCS?_|SUPPORT|ISSUER|NO_PROXY|REPOSITORY|SOURCE_URL|DOWNLOAD|^HOSTNAME$|VIRTUAL_HOST|LETSENCRYPT/i

const portOfScheme: Readonly<Record<string, number>> = {
  redis: 6379,
  rediss: 6379,
  postgres: 5432,
  postgresql: 5432,
  mysql: 3306,
  mariadb: 3306,
  mongodb: 27017,
  amqp: 5672,
  amqps: 5671,
  rtsp: 554,
  rtsps: 322,
  http: 80,
  https: 443,
  ws: 80,
  wss: 443,
  nats: 4222,
  kafka: 9092,
  mqtt: 1883,
  mqtts: 8883,
  ldap: 389,
  ldaps: 636,
  smtp: 25,
  smtps: 465,
  memcached: 11211,
  clickhouse: 9000,
  sqlserver: 1433,
}

/** Words in a variable's name that say what listens there. */
const portOfName: readonly (readonly [RegExp, number])[] = [
  [/REDIS|VALKEY/i, 6379],
  [/POSTGRES|(?:^|_)PG|TIMESCALE/i, 5432],
  [/MYSQL|MARIADB/i, 3306],
  [/MONGO/i, 27017],
  [/RABBIT|AMQP/i, 5672],
  [/KAFKA/i, 9092],
  [/NATS/i, 4222],
  [/MQTT|MOSQUITTO/i, 1883],
  [/MEMCACHE/i, 11211],
  [/ELASTIC|OPENSEARCH/i, 9200],
  [/INFLUX/i, 8086],
  [/RTSP/i, 554],
  [/MINIO/i, 9000],
]

export function environmentWishes(
  group: Group,
  { reach, groupOf }: Directory,
): { readonly wishes: readonly Wish[]; readonly outside: readonly Outside[] } {
  const wishes: Wish[] = []
  const outside: Outside[] = []
  const from = group.newest
  for (const found of from.hosts) {
    const { variable, host } = found
    if (notNeeded.test(variable) || host.length > 253) continue
    const via = `environment ${printable(variable, 80)}`
    const port = portOf(found, from.ports)
    const container = reach.find(from, host, port)
    const to = container && groupOf(container.id)
    if (to) {
      wishes.push({ from: group, to, source: 'environment', via, restart: false, called: host, isJob: false })
    } else if (container) {
      // There, but nobody watches it: its address of now is what can be looked at from here.
      const address = container.networks.find((one) => one.address !== '')?.address
      const isLeftOut = container.labels['io.medyk.role'] === 'daemon' || container.id === from.id
      if (address !== undefined && port !== null && !isLeftOut) outside.push({ from: group, host: address, port, via })
    } else if (port !== null && mayBeDialled(host)) outside.push({ from: group, host: host.toLowerCase(), port, via })
  }
  return { wishes, outside }
}

function portOf({ variable, port, scheme }: EnvironmentHost, ports: Readonly<Record<string, number>>): number | null {
  if (port !== null) return port
  const [first = ''] = (scheme ?? '').split('+', 1)
  if (scheme !== null) return Object.hasOwn(portOfScheme, first) ? (portOfScheme[first] ?? null) : null
  const sibling = variable.replace(/HOST(?:NAME)?$/i, 'PORT')
  if (sibling !== variable && Object.hasOwn(ports, sibling)) return ports[sibling] ?? null
  return portOfName.find(([pattern]) => pattern.test(variable))?.[1] ?? null
}

/**
 * Whether a host may be looked at from here. A bare name without a dot is one of Docker's own and means nothing outside;
 * addresses of this machine, of its link, of many, and of a cloud's metadata are nobody's dependency.
 */
export function mayBeDialled(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  if (/^[\d.]+$/.test(name)) {
    const bytes = name.split('.').map(Number)
    if (bytes.length !== 4 || bytes.some((byte) => byte > 255)) return false
    const [a = 0, b = 0] = bytes
    if (bytes.some((byte, i) => String(byte) !== name.split('.')[i])) return false
    return a !== 0 && a !== 127 && a < 224 && !(a === 169 && b === 254)
  }
  if (name.includes(':')) {
    return (
      !/^(?:::|::1|fe[89ab][0-9a-f]:.*|ff.*|fd00:ec2:.*|::ffff:.*|0*:.*)$/.test(name) && /^[0-9a-f:]{3,39}$/.test(name)
    )
  }
  if (!/^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_-]{1,63})*\.[a-z][a-z0-9-]{0,62}$/.test(name))
    return false
  return !/(?:^|\.)(?:localhost|invalid|docker\.internal)$|^metadata\./.test(name)
}
