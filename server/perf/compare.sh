#!/usr/bin/env bash
# Side by side with PostgreSQL 15 on this machine in one run, fsync on everywhere, as ratios.
#   server/perf/compare.sh [SECONDS per measurement, default 10] [one|three|both]
# One node against one PostgreSQL; three nodes against PostgreSQL with two synchronous standbys.
# The two systems take turns within every measurement, so that noise hits both.
set -euo pipefail
SECONDS_EACH=${1:-10}
WHICH=${2:-both}
ROUNDS=${ROUNDS:-2}
SCALE=${SCALE:-10}
PGBIN=${PGBIN:-/usr/lib/postgresql/15/bin}
SHARDDB=${SHARDDB:-${CARGO_TARGET_DIR:-target}/release/sharddb}
WORK=$(mktemp -d)
PIDS=()
chmod 755 "$WORK"
as_pg() { if [ "$(id -u)" = 0 ]; then su postgres -c "$*"; else bash -c "$*"; fi; }
cleanup() {
  for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
  for data in "$WORK"/pg/*/; do [ -f "$data/postmaster.pid" ] && as_pg "$PGBIN/pg_ctl -D $data -m immediate stop >/dev/null" || true; done
  wait 2>/dev/null || true
  rm -rf "$WORK"
}
trap cleanup EXIT

start_pg() { # standbys
  mkdir -p "$WORK/pg"; [ "$(id -u)" = 0 ] && chown postgres "$WORK/pg"
  local main="$WORK/pg/main" port=6543
  as_pg "$PGBIN/initdb -D $main -A trust --locale=C -E UTF8 >/dev/null"
  cat >> "$main/postgresql.conf" <<CONF
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$WORK/pg'
max_connections = 100
shared_buffers = 256MB
CONF
  as_pg "$PGBIN/pg_ctl -D $main -w -l $WORK/pg/main.log start >/dev/null"
  for i in $(seq 1 "$1"); do
    as_pg "$PGBIN/pg_basebackup -h 127.0.0.1 -p $port -U postgres -D $WORK/pg/s$i -R >/dev/null"
    sed -i "s/^port = .*/port = $((port + i))/" "$WORK/pg/s$i/postgresql.conf"
    sed -i "s/\(primary_conninfo = '\)/\1application_name=s$i /" "$WORK/pg/s$i/postgresql.auto.conf"
    as_pg "$PGBIN/pg_ctl -D $WORK/pg/s$i -w -l $WORK/pg/s$i.log start >/dev/null"
  done
  if [ "$1" -gt 0 ]; then
    psql -qh 127.0.0.1 -p $port -U postgres -c "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (s1, s2)'" -c "SELECT pg_reload_conf()" >/dev/null
  fi
  PG="-h 127.0.0.1 -p $port -U postgres"
}
stop_pg() { for d in "$WORK"/pg/*/; do as_pg "$PGBIN/pg_ctl -D $d -m immediate stop >/dev/null" || true; done; rm -rf "$WORK/pg"; }

start_sharddb() { # nodes
  local join="" args=()
  for i in $(seq 1 "$1"); do join="$join${join:+,}127.0.0.1:$((17430 + i))"; done
  local begin; begin=$(date +%s%N)
  for i in $(seq 1 "$1"); do
    args=(--data-dir "$WORK/n$i" --sql-listen "127.0.0.1:$((15430 + i))" --rpc-listen "127.0.0.1:$((17430 + i))" --http-listen "127.0.0.1:$((18080 + i))")
    [ "$1" -gt 1 ] && args+=(--join "$join")
    "$SHARDDB" start "${args[@]}" > "$WORK/n$i.log" 2>&1 & PIDS+=($!)
  done
  for i in $(seq 1 "$1"); do
    until grep -q '^ready' "$WORK/n$i.log"; do
      kill -0 "${PIDS[$((i - 1))]}" || { cat "$WORK/n$i.log" >&2; exit 1; }
      sleep 0.01
    done
  done
  echo "start to ready: $(( ($(date +%s%N) - begin) / 1000000 )) ms ($1 nodes, empty directories)"
  SD="-h 127.0.0.1 -p 15431 -U postgres"
}
stop_sharddb() { for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done; wait "${PIDS[@]}" 2>/dev/null || true; PIDS=(); rm -rf "$WORK"/n?; }

# A run that fails ends the comparison, and says why.
bench() { pgbench "$@" postgres 2>"$WORK/pgbench.err" || { echo "pgbench $* failed:" >&2; cat "$WORK/pgbench.err" >&2; return 1; }; }
tps() { bench "$@" | awk '/^tps/ {print $3} /failed transactions/ && $5 != "0" {print "failed:" $5 > "/dev/stderr"}'; }
median() { sort -n | awk '{a[NR]=$1} END {print a[int((NR+1)/2)]}'; }
line() { awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN {printf "%-46s %12.1f %12.1f %8.2f\n", n, a, b, (b > 0 ? a / b : 0)}'; }
seconds() { local b; b=$(date +%s%N); "$@" >/dev/null; echo "$(( ($(date +%s%N) - b) / 1000 ))" | awk '{print $1 / 1e6}'; }

compare() {
  printf '%-46s %12s %12s %8s\n' "measurement" "sharddb" "postgresql" "ratio"
  for target in "$SD" "$PG"; do bench $target -i -s "$SCALE" -q >/dev/null; psql $target -qc 'ANALYZE' postgres >/dev/null; done
  for script in select-only simple-update tpcb-like; do
    for clients in 1 16; do
      local a="" b=""
      for _ in $(seq 1 "$ROUNDS"); do
        a="$a$(tps $SD -n -M prepared -b $script -c $clients -j 2 -T "$SECONDS_EACH")"$'\n'
        b="$b$(tps $PG -n -M prepared -b $script -c $clients -j 2 -T "$SECONDS_EACH")"$'\n'
      done
      line "$script, prepared, $clients clients (tps)" "$(printf %s "$a" | median)" "$(printf %s "$b" | median)"
    done
  done
  awk 'BEGIN {for (i = 1; i <= 1000000; i++) printf "%d\t%d\trow number %d\n", i, i % 1000, i}' > "$WORK/rows.tsv"
  for target in "$SD" "$PG"; do psql $target -qc 'CREATE TABLE big (id int8 PRIMARY KEY, n int4, t text)' postgres; done
  a=$(seconds psql $SD -qc "\\copy big from '$WORK/rows.tsv'" postgres); b=$(seconds psql $PG -qc "\\copy big from '$WORK/rows.tsv'" postgres)
  line "COPY of 1 M rows (rows/s)" "$(awk -v s="$a" 'BEGIN {print 1e6 / s}')" "$(awk -v s="$b" 'BEGIN {print 1e6 / s}')"
  for target in "$SD" "$PG"; do psql $target -qc 'ANALYZE big' postgres; done
  a=""; b=""
  for _ in 1 2 3; do
    a="$a$(seconds psql $SD -qc 'SELECT count(*), sum(n) FROM big' postgres)"$'\n'
    b="$b$(seconds psql $PG -qc 'SELECT count(*), sum(n) FROM big' postgres)"$'\n'
  done
  line "count(*), sum() over 1 M rows (per second)" "$(printf %s "$a" | median | awk '{print 1 / $1}')" "$(printf %s "$b" | median | awk '{print 1 / $1}')"
}

idle() { # idle CPU and memory of a freshly started node, over 10 s
  sleep 3
  local pid=${PIDS[0]} t0 t1
  t0=$(awk '{print $14 + $15}' "/proc/$pid/stat"); sleep 10; t1=$(awk '{print $14 + $15}' "/proc/$pid/stat")
  echo "idle: $(awk -v t=$((t1 - t0)) 'BEGIN {printf "%.2f", t / 10}') % of a core, $(awk '/VmRSS/ {printf "%d", $2 / 1024}' "/proc/$pid/status") MiB resident (node 1)"
}

if [ "$WHICH" != three ]; then
  echo "== one node against one PostgreSQL"; start_sharddb 1; idle; start_pg 0; compare; stop_sharddb; stop_pg
fi
if [ "$WHICH" != one ]; then
  echo "== three nodes against PostgreSQL with two synchronous standbys (ANY 1)"; start_sharddb 3; idle; start_pg 2; compare; stop_sharddb; stop_pg
fi
