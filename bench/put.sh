#!/bin/sh
# Hits per second through PUT (batch 64, window 32), one at a time (batch 1, window 1), and FETCH,
# against a broker of its own in a temporary folder. Prints machine, versions and one JSON line each.
#
#   TOCSIN_BIN=build/release/bin bench/put.sh [HITS]
set -eu
bin=${TOCSIN_BIN:-build/release/bin}
hits=${1:-200000}
folder=$(mktemp -d)
broker=
finish() {
    [ -z "$broker" ] || kill "$broker" 2>/dev/null || :
    [ -z "$broker" ] || wait "$broker" || :
    rm -rf "$folder"
}
trap finish EXIT INT TERM

printf 'machine: %s x %s, %s, load %s\n' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -sr)" \
    "$(cut -d' ' -f1-3 /proc/loadavg)"
printf 'versions: %s, libzmq %s, SQLite %s\n' "$("$bin/tocsin-broker" --version)" \
    "$(pkg-config --modversion libzmq 2>/dev/null || echo '?')" \
    "$(pkg-config --modversion sqlite3 2>/dev/null || echo '?')"

export TOCSIN_RUNTIME_DIR="$folder/run" XDG_STATE_HOME="$folder/state" XDG_CONFIG_HOME="$folder"
"$bin/tocsin-broker" 2>"$folder/log" &
broker=$!
"$bin/bench-put" "ipc://$folder/run/fetch.sock" "$hits" 64 32
"$bin/bench-put" "ipc://$folder/run/fetch.sock" 5000 1 1
