#!/bin/sh
# What regular expressions cost, as a table: 10 to 10,000 generated watches of one each on the longer articles of a
# corpus of news. CPU of reading words and of matching, the slowest article in a hundred, memory,
# time to compile, calls of malloc while matching after warm-up.
#
#   TOCSIN_BIN=build/release/bin bench/regex.sh [ARTICLES.jsonl[.gz]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
articles=${1:-}
# shellcheck source=bench/articles.sh
. "$here/articles.sh"
python3 "$here/watches.py" "$folder/articles.jsonl" 10000 --profile regex >"$folder/regex.jsonl"

row='import json, sys
d = json.load(sys.stdin)
g = d["guessed"]
print("%11d | %5.2f %8.2f | %8.1f | %7.0f | %7.2f %6.2f | %7.2f | %7.2f %s | %.2f" % (
      d["watches"], g["text_us"], g["match_us"], g["p99_us"], g["bytes_per_watch"],
      g["compile_s"], d["load_s"], g["allocations"], d["two_threads"],
      "same" if d["same_matches"] else "DIFFERENT", g["hits"]))'

echo 'us of CPU per article'
echo 'expressions | words    match |      p99 |   bytes | compile   load | mallocs | threads      | hits'
for count in 10 100 1000 10000; do
    head -n "$count" "$folder/regex.jsonl" >"$folder/bench.jsonl"
    "$bin/bench-watched" "$folder/bench.jsonl" "$folder/articles.jsonl" tocsin | python3 -c "$row"
done
