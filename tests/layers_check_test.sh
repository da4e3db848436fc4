#!/bin/sh
# The include test must be able to fail: a copy of the tree with one forbidden line is refused.
set -eu
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R include common watcher broker client "$copy"
printf '#include "watcher/text/text.h"\n' >"$copy/broker/intruder.c"
printf '#include <sqlite3.h>\n' >"$copy/watcher/match/intruder.c"
if said=$(sh tests/layers_test.sh "$copy"); then
    echo "a broker that includes watcher/text was let through"
    exit 1
fi
for sentence in 'broker may not include watcher/text/text.h' 'sqlite3.h> is not the business of watcher/match'; do
    printf '%s\n' "$said" | grep -qF "$sentence" || {
        printf 'missing: %s\nin: %s\n' "$sentence" "$said"
        exit 1
    }
done
