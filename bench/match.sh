#!/bin/sh
# Articles and bytes per second through `tocsin match --stats`: generated watches of two profiles on a
# corpus of news, on one thread and on all cores. Prints machine, versions and one line a run; the
# figures of a run are those of --stats (CPU seconds by stage, wall-clock, candidates, hits).
#
#   TOCSIN_BIN=build/release/bin bench/match.sh [ARTICLES.jsonl[.gz]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=${TOCSIN_BIN:-$here/../build/release/bin}
articles=${1:-$here/../../shared/corpus/reuters/train.jsonl.gz}
if [ ! -r "$articles" ]; then
    echo "bench/match.sh: no articles at $articles; name a .jsonl file of articles" >&2
    exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

printf 'machine: %s x %s, %s, load %s\n' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -sr)" \
    "$(cut -d' ' -f1-3 /proc/loadavg)"
printf 'versions: %s, %s\n' "$("$bin/tocsin" --version)" "$(python3 --version)"

# Unpacked before, so that the reading of .gz is not part of the figures.
case $articles in
*.gz) gzip -dc "$articles" >"$folder/articles.jsonl" ;;
*) cp "$articles" "$folder/articles.jsonl" ;;
esac

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
    "$bin/tocsin" match -w "$folder/bench.jsonl" --count --stats --threads "$3" \
        "$folder/articles.jsonl" 2>&1 >/dev/null | python3 -c "$show" "$1"
}

for profile in quiet broad; do
    python3 "$here/watches.py" "$folder/articles.jsonl" 100000 --profile $profile \
        >"$folder/$profile.jsonl"
    for count in 1000 10000 100000; do
        run $profile $count 1
    done
    run $profile 10000 "$(nproc)"
done
