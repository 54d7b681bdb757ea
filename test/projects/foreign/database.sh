#!/bin/bash
# A time-series database that takes its time: long to be made, long to stop.
set -euo pipefail
bin=$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

stop() {
  as "$bin/pg_ctl" -D "$data" -m fast stop >/dev/null || true
  sleep "${STOP_SECONDS:-8}"
  exit 0
}
trap stop TERM INT

if [ ! -s "$data/PG_VERSION" ]; then
  mkdir -p "$data"
  chown postgres: "$data"
  chmod 700 "$data"
  echo 'creating hypertables and their chunks'
  sleep "${INIT_SECONDS:-20}" & wait $!
  secret=$(as mktemp)
  echo "$POSTGRES_PASSWORD" >"$secret"
  as "$bin/initdb" --no-sync --auth=scram-sha-256 --username="$POSTGRES_USER" --pwfile="$secret" -D "$data" >/dev/null
  rm "$secret"
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
fi
rm -f "$data/postmaster.pid"
as "$bin/postgres" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off &
wait $!
