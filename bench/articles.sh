#!/bin/sh
# What the benchmarks of watches on articles begin with; they read it with `.`. Needs $here (the folder of the benchmarks)
# and $articles (a file of articles; empty: the longer ones of ../shared). Gives $bin, a temporary $folder that goes when the script
# ends, and the articles in $folder/articles.jsonl. Prints what the machine is and does.
bin=${TOCSIN_BIN:-$here/../build/release/bin}
articles=${articles:-$here/../../shared/corpus/reuters/train.jsonl.gz}
if [ ! -r "$articles" ]; then
    echo "$0: no articles at $articles; name a .jsonl file of articles" >&2
    exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

printf 'machine: %s x %s, %s, load %s\n' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -sr)" \
    "$(cut -d' ' -f1-3 /proc/loadavg)"
printf 'versions: %s, %s\n' "$("$bin/tocsin" --version)" "$(python3 --version)"
python3 "$here/articles.py" "$articles" >"$folder/articles.jsonl"
