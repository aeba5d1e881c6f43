#!/bin/bash
# Starts the real Python guirpc consumer; prints READY when it is about to consume.
# Stops on SIGTERM/SIGINT, and when whoever started it is gone.
# usage: py_server.sh --venv DIR --queue Q [--exchange E] [--routing-key RK] [--host H] [--port P] [--vhost V] [--user U]
#                     [--password P] [--exchange-type T] [--prefetch N] [--workers N (HEAD only)] [--app FILE.py] [--quiet]
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
parent=$PPID
venv=venv; host=127.0.0.1; port=5672; vhost=/; user=guest; password=guest; exchange=rpc_gateway; type=direct
queue=my_queue; rk=; prefetch=1; workers=4; app=$HERE/py_server_app.py; quiet=0
need() { [ "$1" -ge 2 ] || { echo "missing value for $2" >&2; exit 2; }; }
while [ $# -gt 0 ]; do case "$1" in
  --quiet) quiet=1; shift; continue;; -h|--help) sed -n 2,5p "$0"; exit 0;; esac
  need $# "$1"
  case "$1" in --venv) venv=$2;; --host) host=$2;; --port) port=$2;; --vhost) vhost=$2;; --user) user=$2;; --password) password=$2;;
    --exchange) exchange=$2;; --exchange-type) type=$2;; --queue) queue=$2;; --routing-key) rk=$2;; --prefetch) prefetch=$2;;
    --workers) workers=$2;; --app) app=$2;; *) echo "unknown option $1" >&2; exit 2;; esac; shift 2; done
[ -x "$venv/bin/guirpc" ] || { echo "no guirpc in venv $venv" >&2; exit 2; }
rk=${rk:-$queue}
dir=$(mktemp -d); child=
cleanup() { if [ -n "$child" ]; then kill -TERM "$child" 2>/dev/null; wait "$child" 2>/dev/null; fi; rm -rf "$dir"; }
trap 'cleanup; exit 0' TERM INT
trap 'rm -rf "$dir"' EXIT
# url-quote, then double % for configparser. 0.1 hard-codes vhost %2F after the port; a "#" turns that suffix into an ignored URL fragment.
q() { "$venv/bin/python" -c 'import sys,urllib.parse as u; print(u.quote(sys.argv[1], safe="").replace("%","%%"))' "$1"; }
{ printf '[server]\nverbose_name = py_server\nroot = %s\n[server.connection]\nhost = %s\nport = %s/%s#\nuser = %s\npassword = %s\n' \
    "$app" "$host" "$port" "$(q "$vhost")" "$(q "$user")" "$(q "$password")"
  printf '[server.amqp_entities]\nexchange = %s\nexchange_type = %s\nqueue = %s\nrouting_key = %s\n[server.options]\nmax_workers = %s\nprefetch_count = %s\n' \
    "${exchange//%/%%}" "$type" "${queue//%/%%}" "${rk//%/%%}" "$workers" "$prefetch"; } > "$dir/server.ini"
unset AMQP_URI
log="$dir/log"; : > "$log"
PYTHONUNBUFFERED=1 "$venv/bin/guirpc" runconsumer -c "$dir/server.ini" > "$log" 2>&1 &
child=$!
ready=0; shown=0
while kill -0 "$child" 2>/dev/null; do
  kill -0 "$parent" 2>/dev/null || { cleanup; exit 0; }
  if [ $ready = 0 ] && grep -q 'Adding consumer cancellation callback' "$log"; then echo "READY pid=$child queue=$queue"; ready=1; fi
  if [ $quiet = 0 ]; then n=$(wc -c < "$log"); if [ "$n" -gt "$shown" ]; then tail -c +$((shown+1)) "$log" | head -c $((n-shown)) >&2; shown=$n; fi; fi
  sleep .1
done
wait "$child"; rc=$?; child=; tail -5 "$log" >&2; echo "consumer exited rc=$rc" >&2; exit $rc
