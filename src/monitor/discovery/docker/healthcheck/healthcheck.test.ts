import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { programOf, readHealthcheck, type Context, type Reading } from './index.ts'

const context: Context = {
  isSelf: (host) => /^(?:localhost|127\.[\d.]+|::1|0\.0\.0\.0|web)$/.test(host),
  ports: { PORT: 8080, HTTP_PORT: 8081 },
}

const shell = (line: string): Reading => readHealthcheck(['CMD-SHELL', line], context)
const cmd = (...words: readonly string[]): Reading => readHealthcheck(['CMD', ...words], context)

/** `liveness http http://localhost/ {…}`, one line a probe. */
function told(reading: Reading): string {
  if (reading.kind === 'elsewhere') return `elsewhere ${reading.host}`
  if (reading.kind === 'verdict') return 'verdict'
  return reading.drafts
    .map(({ role, kind, options: { url, port, expect: wanted, ...rest } }) => {
      const { status, ...more } = (wanted ?? {}) as { status?: unknown }
      const isAny = Array.isArray(status) && status.length === 5
      const isUsual = Array.isArray(status) && status.join() === '2xx,3xx'
      const said = isAny ? ' any' : isUsual ? '' : status === undefined ? '' : ` ${JSON.stringify(status)}`
      const others = JSON.stringify({ ...more, ...rest, format: undefined })
      return `${role} ${kind} ${JSON.stringify(url ?? port).replaceAll('"', '')}${said}${others === '{}' ? '' : ` ${others}`}`
    })
    .join('; ')
}

const strict = (url: string) => `liveness http ${url}`
const lenient = (url: string, more = ' ["2xx","3xx","4xx"]') => `liveness http ${url} any; readiness http ${url}${more}`

describe('a HEALTHCHECK in a shell', () => {
  test.each([
    // curl
    ['curl -f http://localhost:8001/health || exit 1', strict('http://localhost:8001/health')],
    ['curl --fail http://localhost:8001/health', strict('http://localhost:8001/health')],
    ['curl -fsS http://127.0.0.1:8001/health > /dev/null 2>&1 || exit 1', strict('http://127.0.0.1:8001/health')],
    ['curl -sSfL -o /dev/null localhost:8001/health', strict('http://localhost:8001/health')],
    ['/usr/bin/curl -fso/dev/null "http://[::1]:8001/"', strict('http://[::1]:8001/')],
    [
      "curl -f -m 5 --connect-timeout 2 --retry 3 'http://0.0.0.0/health?deep=1'",
      strict('http://0.0.0.0/health?deep=1'),
    ],
    ['curl -f http://localhost:${PORT}/health', strict('http://localhost:8080/health')],
    ['curl -f http://localhost:$PORT/health', strict('http://localhost:8080/health')],
    ['curl -f "http://localhost:${HTTP_PORT:-3000}/health"', strict('http://localhost:8081/health')],
    ['curl -f http://localhost:${WEB_PORT:-3000}/health', strict('http://localhost:3000/health')],
    ['curl -f http://$HOSTNAME:8001/health', strict('http://localhost:8001/health')],
    ['curl -f http://$(hostname -i):8001/health', strict('http://localhost:8001/health')],
    ['curl -f http://web:8001/health', strict('http://web:8001/health')],
    ['curl -f -X GET http://localhost/', strict('http://localhost/')],
    ['curl -fI http://localhost/', strict('http://localhost/')],
    ['timeout 5 curl -f http://localhost/ || exit 1', strict('http://localhost/')],
    ['exec curl -f http://localhost/', strict('http://localhost/')],
    ['NO_PROXY=* curl -f http://localhost/', strict('http://localhost/')],
    ['curl -f http://localhost/a && curl -f http://localhost/b || exit 1', strict('http://localhost/a')],
    ['curl -f http://localhost/ || wget -q http://localhost/ || exit 1', strict('http://localhost/')],
    ['curl -f \\\n  http://localhost/ \\\n  || exit 1', strict('http://localhost/')],
    [
      "curl -f -H 'Host: shop.example' http://localhost/",
      `${strict('http://localhost/')} {"headers":{"Host":"shop.example"}}`,
    ],
    ['curl http://localhost:8001/health', lenient('http://localhost:8001/health')],
    [
      'curl -s http://localhost/ | grep -q ok',
      lenient('http://localhost/', ' ["2xx","3xx","4xx"] {"bodyContains":"ok"}'),
    ],
    ['curl -fs http://localhost/ | grep -q "o[kK]" || exit 1', lenient('http://localhost/')],
    ['curl -s -o /dev/null -w "%{http_code}" http://localhost/ | grep 204', lenient('http://localhost/', ' 204')],
    ["curl -s http://localhost/ | jq -e '.status'", lenient('http://localhost/')],
    ['curl -f http://localhost:8001/ready || exit 1', 'liveness tcp 8001; readiness http http://localhost:8001/ready'],
    ['curl -f http://localhost/health/ready', 'liveness tcp 80; readiness http http://localhost/health/ready'],
    ['curl -f http://redis-proxy:8001/health', 'elsewhere redis-proxy'],
    ['curl -fk https://localhost/health', 'verdict'],
    ['curl -f https://localhost/health', 'verdict'],
    ['curl -k http://localhost/', 'verdict'],
    ['curl -f http://localhost:$SECRET_THING/', 'verdict'],
    ['curl -f -u admin:[redacted] http://localhost/', 'verdict'],
    ['curl -f http://admin:[redacted]@localhost/', 'verdict'],
    ["curl -f -H 'Authorization: [redacted]' http://localhost/", 'verdict'],
    ['curl -f -X POST http://localhost/', 'verdict'],
    ["curl -f -d '{}' http://localhost/", 'verdict'],
    ['curl -f --unix-socket /run/app.sock http://localhost/', 'verdict'],
    ['curl -f http://localhost/a http://localhost/b', 'verdict'],
    ['curl -f http://localhost/a || curl -f http://localhost/b', 'verdict'],
    ['curl -f http://localhost/; date', 'verdict'],
    ['curl', 'verdict'],
    ['curl -f ftp://localhost/', 'verdict'],
    // wget
    ['wget -q --spider http://localhost:8080/health || exit 1', strict('http://localhost:8080/health')],
    ['wget --no-verbose --tries=1 --spider http://localhost:8080/', strict('http://localhost:8080/')],
    ['wget -nv -t1 -T 3 --spider http://localhost:8080/', strict('http://localhost:8080/')],
    ['wget -qO- http://127.0.0.1:8080/ping &> /dev/null || kill 1', strict('http://127.0.0.1:8080/ping')],
    ['wget -O /dev/null -q localhost:8080', strict('http://localhost:8080')],
    ['wget --quiet --output-document - "http://localhost:${PORT}/"', strict('http://localhost:8080/')],
    [
      'wget -q -O - http://localhost/ | grep -q ready',
      lenient('http://localhost/', ' ["2xx","3xx","4xx"] {"bodyContains":"ready"}'),
    ],
    ['wget --no-check-certificate -q --spider https://localhost/', 'verdict'],
    ["wget --post-data='' http://localhost/", 'verdict'],
    ['wget -q --spider http://other/', 'elsewhere other'],
    // others
    ['nc -z localhost 9000', 'liveness tcp 9000'],
    ['nc -zv -w 1 127.0.0.1 9000 || exit 1', 'liveness tcp 9000'],
    ['nc -z db 5432', 'elsewhere db'],
    ['echo ruok | nc localhost 2181', 'verdict'],
    ['pg_isready', 'liveness postgres 5432'],
    ['pg_isready -U postgres -d app', 'liveness postgres 5432 {"user":"postgres","database":"app"}'],
    ['pg_isready -U $POSTGRES_USER -d ${POSTGRES_DB} -h localhost -p 5433', 'liveness postgres 5433'],
    ['pg_isready -q -d postgres://x:[redacted]@localhost/x', 'liveness postgres 5432'],
    ['pg_isready -h /var/run/postgresql', 'liveness postgres 5432'],
    ['pg_isready -h primary', 'elsewhere primary'],
    ['redis-cli ping', 'liveness redis 6379'],
    ['redis-cli -a "$REDIS_PASSWORD" ping | grep PONG', 'liveness redis 6379'],
    ['redis-cli --raw -h 127.0.0.1 -p 6380 incr ping', 'liveness redis 6380'],
    ['valkey-cli ping', 'liveness redis 6379'],
    ['redis-cli --tls ping', 'verdict'],
    ['redis-cli -h $MASTER ping', 'verdict'],
    ['redis-cli -h master ping', 'elsewhere master'],
    ['mysqladmin ping -h localhost -u root -p$MYSQL_ROOT_PASSWORD', 'liveness tcp 3306'],
    ['mysqladmin ping -hlocalhost -psecret --silent', 'liveness tcp 3306'],
    ['mariadb-admin --port=3307 ping', 'liveness tcp 3307'],
    ['rabbitmq-diagnostics -q ping', 'liveness tcp 5672'],
    ['rabbitmq-diagnostics check_port_connectivity', 'liveness tcp 5672'],
    ['grpc_health_probe -addr=:50051 || exit 1', 'liveness tcp 50051'],
    ['/bin/grpc_health_probe -addr localhost:50051 -tls', 'liveness tcp 50051'],
    ["bash -c ':> /dev/tcp/127.0.0.1/8080' || exit 1", 'liveness tcp 8080'],
    ["bash -c 'exec 3<>/dev/tcp/localhost/9000'", 'liveness tcp 9000'],
    ['</dev/tcp/db/5432', 'elsewhere db'],
    ['sh -c "curl -f http://localhost/"', strict('http://localhost/')],
    ["psql -c 'select 1'", 'verdict'],
    ['test -f /tmp/alive', 'verdict'],
    ['[ "$(curl -s localhost)" = ok ]', 'verdict'],
    ['if curl -f http://localhost/; then exit 0; fi', 'verdict'],
    ['(curl -f http://localhost/)', 'verdict'],
    ['! curl -f http://localhost/', 'verdict'],
    ['/app/healthcheck.sh', 'verdict'],
    ['exit 0', 'verdict'],
    ['', 'verdict'],
    ['|| exit 1', 'verdict'],
    ["curl -f 'http://localhost", 'verdict'],
  ])('%s', (line, expected) => {
    expect(told(shell(line))).toBe(expected)
  })
})

describe('a HEALTHCHECK without a shell', () => {
  test.each<[readonly string[], string]>([
    [['curl', '-f', 'http://localhost:8001/health'], strict('http://localhost:8001/health')],
    [['curl', '-f', 'http://localhost:8001/health', '||', 'exit', '1'], strict('http://localhost:8001/health')],
    [['curl', '-f', 'http://localhost:${PORT}/'], 'verdict'],
    [['sh', '-c', 'curl -f http://localhost:$PORT/'], strict('http://localhost:8080/')],
    [['/bin/bash', '-lc', 'wget -q --spider localhost'], strict('http://localhost')],
    [['pg_isready', '-U', 'app'], 'liveness postgres 5432 {"user":"app"}'],
    [['/probe'], 'verdict'],
    [[], 'verdict'],
  ])('%j', (words, expected) => {
    expect(told(cmd(...words))).toBe(expected)
  })
})

describe('a program in Python', () => {
  test.each([
    [
      "import urllib.request; urllib.request.urlopen('http://localhost:8000/health')",
      strict('http://localhost:8000/health'),
    ],
    ['from urllib.request import urlopen; urlopen("http://127.0.0.1:8000/")', strict('http://127.0.0.1:8000/')],
    [
      "import requests; requests.get('http://localhost:8000/health').raise_for_status()",
      strict('http://localhost:8000/health'),
    ],
    [
      "import requests; requests.get('http://localhost:8000/health', timeout=2)",
      lenient('http://localhost:8000/health'),
    ],
    [
      "import httpx,sys; sys.exit(httpx.get('http://localhost:8000/').status_code != 200)",
      strict('http://localhost:8000/'),
    ],
    [
      "import http.client; c = http.client.HTTPConnection('localhost', 8000); c.request('GET', '/health'); exit(c.getresponse().status != 200)",
      strict('http://localhost:8000/health'),
    ],
    ["import http.client; http.client.HTTPConnection('localhost:8000').connect()", 'liveness tcp 8000'],
    ["import socket; socket.create_connection(('localhost', 8554), timeout=1)", 'liveness tcp 8554'],
    ["import socket; s = socket.socket(); s.connect(('127.0.0.1', 8554))", 'liveness tcp 8554'],
    [
      'import os, urllib.request as u; u.urlopen(f\'http://localhost:{os.environ.get("PORT", "9")}/health\')',
      strict('http://localhost:8080/health'),
    ],
    ['import os, urllib.request as u; u.urlopen(f\'http://localhost:{os.environ["OTHER"]}/health\')', 'verdict'],
    ["import urllib.request as u; u.urlopen('http://redis-proxy/health')", 'elsewhere redis-proxy'],
    ["import urllib.request as u; u.urlopen('http://localhost/a'); u.urlopen('http://localhost/b')", 'verdict'],
    ['import app; app.check()', 'verdict'],
  ])('%s', (code, expected) => {
    expect(told(cmd('python', '-c', code))).toBe(expected)
    expect(told(cmd('/usr/local/bin/python3', '-u', '-c', code))).toBe(expected)
  })

  test('in a file of its own is left to Docker', () => {
    expect(told(cmd('python', '/app/healthcheck.py'))).toBe('verdict')
  })
})

describe('a program in JavaScript', () => {
  test.each([
    [
      "require('http').get('http://localhost:3000/health', (r) => process.exit(r.statusCode === 200 ? 0 : 1))",
      strict('http://localhost:3000/health'),
    ],
    [
      "fetch('http://localhost:3000/health').then(r => process.exit(r.ok ? 0 : 1))",
      strict('http://localhost:3000/health'),
    ],
    ["fetch('http://localhost:3000/health').catch(() => process.exit(1))", lenient('http://localhost:3000/health')],
    [
      'fetch(`http://localhost:${process.env.PORT || 3000}/health`).then(r => process.exit(r.ok ? 0 : 1))',
      strict('http://localhost:8080/health'),
    ],
    [
      "require('http').get({ host: 'localhost', port: 3000, path: '/health' }, r => process.exit(r.statusCode !== 200))",
      strict('http://localhost:3000/health'),
    ],
    ["require('http').request({ port: 3000 }).end()", lenient('http://localhost:3000/')],
    ["require('http').get({ port: process.env.PORT })", 'verdict'],
    ["require('https').get('https://localhost:3000/')", 'verdict'],
    ["require('./check')", 'verdict'],
  ])('%s', (code, expected) => {
    expect(told(cmd('node', '-e', code))).toBe(expected)
  })
})

describe('the program that may be missing', () => {
  test.each([
    [['CMD-SHELL', 'curl -f http://localhost/ || exit 1'], 'curl'],
    [['CMD', '/usr/bin/wget', '-q', 'localhost'], 'wget'],
    [['CMD', 'sh', '-c', 'timeout 3 nc -z localhost 1'], 'nc'],
    [['CMD-SHELL', '$(true)'], null],
    [['NONE'], null],
  ])('of %j is %s', (words, program) => {
    expect(programOf(words)).toBe(program)
  })
})

test('no command whatever makes it throw, and what comes out asks nobody but the container itself', () => {
  const piece = fc.constantFrom(
    ...'curl wget nc python3 node -c -e -f -z sh bash $PORT ${PORT:-1} http://localhost:80/ localhost 80 | || && ; \' " ` $( ) > /dev/tcp/ \\ \n'.split(
      ' ',
    ),
    'http://evil/',
    "urlopen('http://localhost/')",
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), fc.constantFrom(' ', ''), (parts, glue) => {
      for (const reading of [shell(parts.join(glue)), cmd(...parts)]) {
        if (reading.kind !== 'probes') continue
        for (const { options } of reading.drafts) {
          if (typeof options['url'] === 'string') expect(context.isSelf(new URL(options['url']).hostname)).toBe(true)
          expect(options).not.toHaveProperty('host')
        }
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a hostile command costs no more than it is long', () => {
  const startedAt = performance.now()
  for (const text of ['$'.repeat(4_000), 'a '.repeat(2_000), '2>'.repeat(2_000), `curl ${'-H a:b '.repeat(500)}`])
    shell(text)
  for (const text of ["urlopen('".repeat(400), `urlopen(${' '.repeat(4_000)}`, '{os.getenv("a"'.repeat(200)]) {
    cmd('python', '-c', text)
    cmd('node', '-e', text)
  }
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})
