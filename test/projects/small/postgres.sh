#!/bin/bash
set -euo pipefail
bin=$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data
as="setpriv --reuid=postgres --regid=postgres --init-groups"
if [ ! -s "$data/PG_VERSION" ]; then
  mkdir -p "$data"
  chown postgres: "$data"
  chmod 700 "$data"
  $as "$bin/initdb" --no-sync --auth=trust -D "$data" >/dev/null
  echo 'host all all all trust' >>"$data/pg_hba.conf"
fi
rm -f "$data/postmaster.pid"
# In the place of this shell, so that Docker's signals reach it: SIGINT is the fast stop.
exec $as "$bin/postgres" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off
