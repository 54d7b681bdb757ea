import type { ContainerView } from '../../docker/view.ts'

const databases =
  /postgres|postgis|timescale|mysql|mariadb|percona|mongo|redis|valkey|keydb|dragonfly|memcached|rabbitmq|kafka|redpanda|pulsar|elasticsearch|opensearch|clickhouse|influx|minio|nats|etcd|consul|vault|cassandra|scylla|zookeeper|mssql|sqlserver|couch|neo4j|cockroach|questdb|victoria-?metrics|prometheus|loki|qdrant|weaviate|milvus|meilisearch|typesense|mosquitto|emqx/
/** Programs around a database that keep no data of their own. */
const around =
  /exporter|pgadmin|phpmyadmin|adminer|-ui\b|-commander|-express|-insight|-proxy|bouncer|-backup|-client|-cli\b|-operator/

const databasePorts = new Set([
  5432, 3306, 6379, 27017, 5672, 9092, 9200, 8123, 8086, 4222, 2379, 9042, 2181, 1433, 5984, 7687, 26257, 11211,
])

/** `timescale/timescaledb` of `registry.example:5000/timescale/timescaledb:2-pg16@sha256:…`. */
function imageName(image: string): string {
  const [withTag = ''] = image.split('@')
  const path = withTag.replace(/^[^/]*[.:][^/]*\//, '')
  return path.replace(/:[^/]*$/, '').toLowerCase()
}

/** Why a container is taken to keep data that a restart in the wrong moment could harm; null: it is not. */
export function keepsData({ image, exposed, mounts }: ContainerView): string | null {
  const name = imageName(image)
  const program = name.slice(name.lastIndexOf('/') + 1)
  if (databases.test(name) && !around.test(program)) return `it keeps data (image ${name.slice(0, 100)})`
  const port = around.test(program) ? undefined : exposed.find((one) => databasePorts.has(one))
  if (port !== undefined) return `it keeps data (port ${port} is a database's)`
  const volume = mounts.find((mount) => mount.type === 'volume' && mount.name !== '' && !isAnonymous(mount.name))
  return volume ? `it keeps data (volume ${volume.name.slice(0, 100)})` : null
}

function isAnonymous(volume: string): boolean {
  return /^[0-9a-f]{64}$/.test(volume)
}

/** Servers whose own protocol a prober speaks. */
export function wireOf(image: string): 'postgres' | 'redis' | null {
  const name = imageName(image)
  const program = name.slice(name.lastIndexOf('/') + 1)
  if (around.test(program)) return null
  if (/postgres|postgis|timescale/.test(program)) return 'postgres'
  return /^(?:redis|valkey|keydb)/.test(program) ? 'redis' : null
}
