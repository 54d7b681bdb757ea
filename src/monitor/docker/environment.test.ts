import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEnvironment } from './environment.ts'

const hostsOf = (...lines: string[]) =>
  readEnvironment(lines).hosts.map(({ host, port, scheme }) => [scheme, host, port].map(String).join(' '))

describe('the hosts that an environment names', () => {
  it.each([
    ['DATABASE_URL=postgres://app:hunter2@db:5432/orders?sslmode=off', ['postgres db 5432']],
    ['X=redis://:hunter2@cache', ['redis cache null']],
    ['RTSP_URL=rtsp://admin:hunter2@camera-1:554/stream', ['rtsp camera-1 554']],
    [
      'DB=jdbc:postgresql://db1:5432,db2:5433/x?user=a&password=hunter2',
      ['postgresql db1 5432', 'postgresql db2 5433'],
    ],
    ['DB=jdbc:sqlserver://sql:1433;databaseName=x;password=hunter2', ['sqlserver sql 1433']],
    ['MONGO=mongodb+srv://u:hunter2@cluster.example.net/x', ['mongodb+srv cluster.example.net null']],
    ['MONGO=mongodb://u:hunter2@a:27017,b:27017/x', ['mongodb a 27017', 'mongodb b 27017']],
    ['NATS_URL=nats://a:4222,nats://b:4222', ['nats a 4222', 'nats b 4222']],
    ['U=HTTP://Api.example.com:80/x', ['http Api.example.com 80']],
    ['U=http://[2001:db8::1]:8080/', ['http 2001:db8::1 8080']],
    ['REDIS_HOST=cache', ['null cache null']],
    ['REDIS_HOST=cache:6380', ['null cache 6380']],
    ['KAFKA_BROKERS=k1:9092, k2:9092', ['null k1 9092', 'null k2 9092']],
    ['API_ENDPOINT=api.internal:8000', ['null api.internal 8000']],
    ['MYSQL_DSN=app:hunter2@tcp(mysql:3306)/x', ['null mysql 3306']],
    ['PG_DSN=host=db port=5433 user=a password=hunter2', ['null db 5433']],
    ['memcached_servers=m1,m2:11211', ['null m1 null', 'null m2 11211']],
    // A password with a slash or an at sign in it: rather nothing than a part of it.
    ['DATABASE_URL=postgres://app:hun/ter2@db/x', []],
    ['DATABASE_URL=postgres://app:hun@ter2@db/x', ['postgres db null']],
    ['U=https://user:hun/ter2@host/x', []],
    ['REDIS_HOST=localhost', []],
    ['REDIS_HOST=127.0.0.1:6379', []],
    ['BIND_ADDR=0.0.0.0:80', []],
    ['U=http://localhost:8000/health', []],
    ['DB_URL=sqlite:///data/x.db', []],
    ['DOCKER_HOST=unix:///var/run/docker.sock', []],
    ['CACHE_SERVER=true', []],
    ['X_SERVERS=5', []],
    ['GREETING_HOST=hello world', []],
    ['UPSTREAM=api:8000', []],
    ['SECRET_TOKEN_URL=hunter2hunter2', []],
    ['API_KEY_HOST=hunter2', []],
    ['A_HOST=a:99999', []],
    ['A_HOST=', []],
    ['A_HOST', []],
  ])('%s', (line, expected) => {
    expect(hostsOf(line)).toEqual(expected)
  })

  it('get their port from the sibling with the same prefix', () => {
    expect(hostsOf('REDIS_HOST=cache', 'REDIS_PORT=6380', 'PORT=1')).toEqual(['null cache 6380'])
    expect(hostsOf('PGHOST=db', 'PGPORT=5433')).toEqual(['null db 5433'])
    expect(hostsOf('REDIS_HOST=cache:1', 'REDIS_PORT=6380')).toEqual(['null cache 1'])
  })
})

it('keeps the ports that variables name, and no other number', () => {
  const { ports, environment } = readEnvironment(['PORT=8000', 'HTTP_PORT=80', 'A_PORT=70000', 'B_PORT=x', 'PIN=1234'])
  expect(ports).toEqual({ PORT: 8000, HTTP_PORT: 80 })
  expect(environment).toEqual(['PORT', 'HTTP_PORT', 'A_PORT', 'B_PORT', 'PIN'])
})

it('is not taken in by a variable called __proto__', () => {
  const { ports } = readEnvironment(['__proto__=x', 'constructor_PORT=80'])
  expect(Object.getPrototypeOf(ports)).toBe(Object.prototype)
  expect(ports).toEqual({ constructor_PORT: 80 })
})

it('bears anything', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      expect(readEnvironment(value).hosts.length).toBeLessThanOrEqual(64)
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (lines) => {
      for (const { port } of readEnvironment(lines).hosts)
        expect(port === null || (port >= 1 && port <= 65_535)).toBe(true)
    }),
  )
})
