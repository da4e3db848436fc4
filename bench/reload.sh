#!/bin/sh
# A changed watch file in a running watcher: how long until it is in force, what articles feel of it, how long
# the start takes, and memory; for a file of lines and for YAML. See bench/reload.py for what is printed.
#
#   TOCSIN_BIN=build/release/bin bench/reload.sh [COUNT [CHANGED [ARTICLES.jsonl[.gz]]]]
#
# COUNT watches (100000; a million takes some minutes and 3 GB of memory, half of it for the state), CHANGED of
# them at once (1000).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
count=${1:-100000}
changed=${2:-1000}
articles=${3:-}
# shellcheck source=bench/articles.sh
. "$here/articles.sh"
python3 "$here/watches.py" "$folder/articles.jsonl" "$count" --profile quiet >"$folder/watches.jsonl"
# Debian's own Python has the package that speaks ZeroMQ.
TOCSIN_BIN=$bin /usr/bin/python3 "$here/reload.py" \
    "$folder/watches.jsonl" "$folder/articles.jsonl" "$changed"
