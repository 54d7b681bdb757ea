#!/bin/sh
# Shows every service that Medyk watches, with its status. Needs curl, and one of jq, node, python3 or sed.
set -eu

usage() {
  cat <<'TEXT'
Usage: health-check-all.sh [--json] [--url URL]

Shows every service that Medyk watches, with its status and the reason where it is not healthy.

  --json      print what the daemon says, as it is
  --url URL   where the daemon is (default: $MEDYK_URL, else http://127.0.0.1:${MEDYK_PORT:-7700})

Environment: MEDYK_URL, MEDYK_PORT, MEDYK_TOKEN (where reading needs one), NO_COLOR.

Exit: 0 all services are healthy; 1 some are degraded or starting; 2 some are unhealthy or unknown;
3 the daemon does not answer, or watches nothing.
TEXT
}

url=${MEDYK_URL:-http://127.0.0.1:${MEDYK_PORT:-7700}}
json=
while [ $# -gt 0 ]; do
  case $1 in
    --json) json=1 ;;
    --url)
      [ $# -ge 2 ] || { usage >&2; exit 3; }
      url=$2
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *)
      printf 'Unknown option: %s\n\n' "$1" >&2
      usage >&2
      exit 3
      ;;
  esac
  shift
done
url=${url%/}

fail() {
  printf '%s\n' "$@" >&2
  exit 3
}

command -v curl >/dev/null || fail 'curl is missing: install it, or use medyk status.'

# The token goes in on stdin: arguments can be read by everybody on the machine.
answer=$(
  if [ -n "${MEDYK_TOKEN:-}" ]; then printf 'header = "Authorization: Bearer %s"\n' "$MEDYK_TOKEN"; fi |
    curl --config - --silent --show-error --max-time 10 --write-out '\n%{http_code}' "$url/api/v1/services" 2>&1
) || fail "Medyk does not answer at $url: ${answer%%
*}" 'Start it (npm start, or docker compose -f deploy/compose.yaml up -d), or say where it is with --url.'
code=${answer##*
}
body=${answer%
*}
case $code in
  200) ;;
  401 | 403) fail "Medyk at $url wants a token: set MEDYK_TOKEN." ;;
  *) fail "What answers at $url is not Medyk, or not well: HTTP $code." ;;
esac

# One line a service: name, status, cause and reason, with tabs between. What is not known is a dash.
if command -v jq >/dev/null; then
  lines=$(printf '%s' "$body" | jq -r '.services[] | [.name, .status, .cause // "-", .reason // "-"] | join("\t")')
elif command -v node >/dev/null; then
  lines=$(printf '%s' "$body" | node -e '
    const { services } = JSON.parse(require("fs").readFileSync(0, "utf8"))
    for (const s of services) console.log([s.name, s.status, s.cause ?? "-", s.reason ?? "-"].join("\t"))')
elif command -v python3 >/dev/null; then
  lines=$(printf '%s' "$body" | python3 -c '
import json, sys
for s in json.load(sys.stdin)["services"]:
    print("\t".join([s["name"], s["status"], s["cause"] or "-", s["reason"] or "-"]))')
else
  # Only the rows of services begin with a name; a quote inside a text has a backslash before it.
  tab=$(printf '\t')
  lines=$(printf '%s' "$body" | sed 's/{"name":/\
&/g' | sed -nE '/^\{"name":/ {
    s/^\{"name":"([^"]*)","status":"([^"]*)","cause":(null|"[^"]*"),"reason":(null|"([^"\\]|\\.)*").*/\1'"$tab"'\2'"$tab"'\3'"$tab"'\4/
    s/'"$tab"'null/'"$tab"'-/g
    s/'"$tab"'"/'"$tab"'/g
    s/"('"$tab"'|$)/\1/g
    s/\\(["\\])/\1/g
    p
  }')
fi || fail "What answers at $url is not Medyk: no list of services."

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  esc=$(printf '\033')
  green="${esc}[32m" yellow="${esc}[33m" red="${esc}[31m" cyan="${esc}[36m" magenta="${esc}[35m" plain="${esc}[0m"
else
  green='' yellow='' red='' cyan='' magenta='' plain=''
fi

[ -z "$json" ] || printf '%s\n' "$body"
[ -n "$lines" ] || fail "Medyk at $url watches no service."

exit_code=0 total=0 well=0 width=0
worse() { [ "$exit_code" -ge "$1" ] || exit_code=$1; }
while IFS='	' read -r name _; do
  [ ${#name} -le "$width" ] || width=${#name}
done <<EOT
$lines
EOT

while IFS='	' read -r name status cause reason; do
  total=$((total + 1))
  case $status in
    healthy) colour=$green mark='●' well=$((well + 1)) ;;
    degraded) colour=$yellow mark='◐' && worse 1 ;;
    starting) colour=$cyan mark='◌' && worse 1 ;;
    unhealthy) colour=$red mark='✗' && worse 2 ;;
    *) colour=$magenta mark='?' && worse 2 ;;
  esac
  [ -z "$json" ] || continue
  why=
  [ "$reason" = - ] || why=$reason
  [ "$cause" = - ] || why="$cause${why:+: $why}"
  printf "%-${width}s  %s%s %s%s%s\n" "$name" "$colour" "$mark" "$status" "$plain" "${why:+  ($why)}"
done <<EOT
$lines
EOT

[ -n "$json" ] || printf '\n%s of %s healthy\n' "$well" "$total"
exit "$exit_code"
