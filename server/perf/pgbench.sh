#!/usr/bin/env bash
# The built-in scripts of pgbench in all three query modes with 16 clients. Ends with an error on any
# failed transaction, and when the sums of accounts, tellers, branches and history do not agree.
#   server/perf/pgbench.sh [SECONDS a run, default 30] [SCALE, default 10] [one|three|both|HOST:PORT]
# Starts one node, or three, in a temporary directory; or runs against what listens at HOST:PORT.
set -euo pipefail
SECONDS_EACH=${1:-30}
SCALE=${2:-10}
WHICH=${3:-both}
CLIENTS=${CLIENTS:-16}
PORT=${PORT:-15500}
SHARDDB=${SHARDDB:-${CARGO_TARGET_DIR:-target}/release/sharddb}
command -v pgbench >/dev/null || { echo "pgbench is not installed (Debian: package postgresql-15)" >&2; exit 2; }
WORK=$(mktemp -d)
PIDS=()
stop() { for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done; wait "${PIDS[@]}" 2>/dev/null || true; PIDS=(); }
trap 'stop; rm -rf "$WORK"' EXIT

start() { # nodes
  local join="" i
  [ "$1" -eq 1 ] || join=$(for i in $(seq 1 "$1"); do printf '127.0.0.1:%s,' $((PORT + 10 + i)); done)
  for i in $(seq 1 "$1"); do
    "$SHARDDB" start --data-dir "$WORK/$1-$i" --sql-listen "127.0.0.1:$((PORT + i))" \
      --rpc-listen "127.0.0.1:$((PORT + 10 + i))" --http-listen "127.0.0.1:$((PORT + 20 + i))" \
      ${join:+--join "${join%,}"} >"$WORK/$1-$i.log" 2>&1 &
    PIDS+=($!)
  done
  for i in $(seq 1 600); do
    grep -q '^ready' "$WORK/$1-1.log" && return
    sleep 0.1
  done
  echo "not ready:" >&2; cat "$WORK/$1-1.log" >&2; exit 1
}

sums() { # the four sums, one line
  psql -X -q -A -t -F ' ' "${AT[@]}" -c "SELECT (SELECT sum(abalance) FROM pgbench_accounts),
    (SELECT coalesce(sum(delta), 0) FROM pgbench_history), (SELECT sum(tbalance) FROM pgbench_tellers),
    (SELECT sum(bbalance) FROM pgbench_branches)" postgres
}

check_sums() { # script
  local accounts history tellers branches
  read -r accounts history tellers branches < <(sums)
  if [ "$accounts" != "$history" ] || [ "$tellers" != "$branches" ]; then
    echo "after $1: accounts $accounts, history $history, tellers $tellers, branches $branches" >&2
    exit 1
  fi
  # Only tpcb-like, which comes first, touches all four.
  if [ "$1" = tpcb-like ] && [ "$accounts" != "$tellers" ]; then
    echo "after $1: accounts $accounts, tellers $tellers" >&2
    exit 1
  fi
}

run() { # script mode
  local out
  if ! out=$(pgbench "${AT[@]}" -n -b "$1" -M "$2" -c "$CLIENTS" -j 2 -T "$SECONDS_EACH" postgres 2>&1); then
    echo "pgbench $1 $2: ended with an error" >&2; echo "$out" >&2; exit 1
  fi
  grep -q '^number of failed transactions: 0 ' <<<"$out" || { echo "pgbench $1 $2:" >&2; echo "$out" >&2; exit 1; }
  awk -v name="$1, $2" '/^number of transactions actually/ {n = $NF} /^tps/ {printf "%-28s %10s transactions, none failed %10.1f tps\n", name, n, $3}' <<<"$out"
}

measure() { # host port
  AT=(-h "$1" -p "$2" -U postgres)
  pgbench "${AT[@]}" -i -s "$SCALE" -q postgres >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log" >&2; exit 1; }
  local script mode
  for script in tpcb-like simple-update select-only; do
    for mode in simple extended prepared; do run "$script" "$mode"; done
    check_sums "$script"
  done
  echo "sums agree: $(sums)"
}

nodes() { start "$1"; echo "$1 node(s), scale $SCALE, $CLIENTS clients, $SECONDS_EACH s a run"; measure 127.0.0.1 $((PORT + 1)); stop; }

case $WHICH in
  one) nodes 1 ;;
  three) nodes 3 ;;
  both) nodes 1; nodes 3 ;;
  *:*) measure "${WHICH%:*}" "${WHICH##*:}" ;;
  *) echo "one, three, both or HOST:PORT" >&2; exit 2 ;;
esac
