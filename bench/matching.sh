#!/bin/sh
# Stored queries in Lucene's syntax against articles: CPU time an article, load time, bytes a watch, and
# whether exactly the right watches matched. Needs ../shared, whose bench folder makes articles and
# queries (1,000 to COUNT of them, two profiles); the check sums are those of MATCHING.md there, where
# Lucene itself and a prototype found the same matches.
#
#   TOCSIN_BIN=build/release/bin bench/matching.sh [COUNT]     COUNT: 100000, at most 1000000
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=${TOCSIN_BIN:-$here/../build/release/bin}
shared=$here/../../shared
most=${1:-100000}
if [ ! -r "$shared/bench/watchgen.py" ]; then
    echo "bench/matching.sh: $shared/bench is not there" >&2
    exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

python3 "$shared/bench/jsonl2docs.py" "$shared/corpus/reuters/train.jsonl.gz" >"$folder/docs.txt"
for profile in broad quiet; do
    python3 "$shared/bench/watchgen.py" --docs "$folder/docs.txt" --count "$most" \
        --profile $profile --out-prefix "$folder/$profile" >&2
done

status=0
run() { # PROFILE COUNT SUM
    [ "$2" -le "$most" ] || return 0
    echo "== $1, $2 watches"
    "$bin/bench-matching" -c "$2" -s "$3" "$folder/docs.txt" "$folder/$1.lucene" || status=1
}
run broad 1000 52ee876c746e07ed
run broad 10000 8ad9a287f3209838
run broad 100000 e11a58d5b8012369
run broad 1000000 23dccb1f7d886932
run quiet 1000 b02a7a9097c9ca1c
run quiet 10000 48d0af7cd0f5ce2c
run quiet 100000 cbeaeb034aae431f
run quiet 1000000 b2c58a742dda5c6d
exit $status
