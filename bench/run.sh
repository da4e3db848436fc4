#!/bin/sh
# The benchmarks, one after the other, or the one that is named: bench/run.sh [match|matching|regex|put]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case ${1:-all} in
all)
    sh "$here/match.sh"
    sh "$here/matching.sh"
    sh "$here/regex.sh"
    sh "$here/put.sh"
    ;;
match | matching | regex | put)
    name=$1
    shift
    sh "$here/$name.sh" "$@"
    ;;
*)
    echo "bench/run.sh: there is no benchmark '$1'; there are match, matching, regex and put" >&2
    exit 2
    ;;
esac
