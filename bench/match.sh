#!/bin/sh
# What an article costs against stored watches, as a table: CPU of reading its words and of matching, memory,
# load times, the slowest article in a hundred, two threads. Generated watches of three profiles on the longer
# articles of a corpus of news. Then the same through `tocsin match --stats`, one line a run.
#
#   TOCSIN_BIN=build/release/bin bench/match.sh [ARTICLES.jsonl[.gz] [MOST [WORDS]]]
#
# MOST is the number of watches to go up to (100000; a million takes some minutes and 3 GB), WORDS how words
# are cut (tocsin; ascii is what the comparisons with other programs use).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
articles=${1:-}
most=${2:-100000}
words=${3:-tocsin}
# shellcheck source=bench/articles.sh
. "$here/articles.sh"

row='import json, sys
d = json.load(sys.stdin)
g, c = d["guessed"], d["counted"]
print("%-5s %7d | %6.2f %8.1f %8.1f | %8.1f %8.1f | %8.1f | %6.0f | %6.2f %6.2f | %4.2f %s | %.2f" % (
      sys.argv[1], d["watches"], c["text_us"], g["match_us"], g["both_us"], c["match_us"],
      c["both_us"], c["p99_us"], c["bytes_per_watch"], c["compile_s"], d["load_s"],
      d["two_threads"], "same" if d["same_matches"] else "DIFFERENT", c["hits"]))'

measure() { # PROFILE COUNT
    head -n "$2" "$folder/$1.jsonl" >"$folder/bench.jsonl"
    "$bin/bench-watched" "$folder/bench.jsonl" "$folder/articles.jsonl" "$words" |
        python3 -c "$row" "$1"
}

echo 'us of CPU per article (matching with guessed and with counted frequencies; with the words: both)'
echo 'profile watches |  words   guessed     both |  counted     both |      p99 |  bytes | compile  load | threads | hits'
for profile in quiet broad; do
    python3 "$here/watches.py" "$folder/articles.jsonl" "$most" --profile $profile \
        >"$folder/$profile.jsonl"
    for count in 1000 10000 100000 1000000; do
        [ "$count" -gt "$most" ] || measure $profile $count
    done
done
python3 "$here/watches.py" "$folder/articles.jsonl" 10000 --profile long >"$folder/long.jsonl"
measure long 10000

show='import json, sys
text = sys.stdin.read().strip().splitlines()
if not text or not text[-1].startswith("{"):
    sys.exit("\n".join(text[:20]) or "no figures")
d = json.loads(text[-1])
each = lambda key: 1e6 * d[key] / d["articles"]
print("%-5s %6d watches %d threads: %7.0f articles/s %6.1f MB/s  "
      "CPU us/article: parse %.1f text %.1f match %.1f  "
      "candidates %.1f hits %.2f  load %.2f s, %.0f bytes a watch" % (
      sys.argv[1], d["watches"], d["threads"], d["articles_per_s"], d["mb_per_s"],
      each("parse_cpu_s"), each("text_cpu_s"), each("match_cpu_s"),
      d["candidates"] / d["articles"], d["hits"] / d["articles"], d["load_s"],
      d["bytes_per_watch"]))'

run() { # PROFILE COUNT THREADS
    head -n "$2" "$folder/$1.jsonl" >"$folder/bench.jsonl"
    "$bin/tocsin" match -w "$folder/bench.jsonl" --count --stats --words "$words" --threads "$3" \
        "$folder/articles.jsonl" 2>&1 >/dev/null | python3 -c "$show" "$1"
}

echo 'the whole command:'
for profile in quiet broad; do
    run $profile 10000 1
    run $profile 10000 "$(nproc)"
done
