#!/bin/sh
# The benchmarks, one after the other, or the one that is named: bench/run.sh [match|matching|regex|reload|whole|put|delivery|history|crowd]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case ${1:-all} in
all)
    sh "$here/match.sh"
    sh "$here/matching.sh"
    sh "$here/regex.sh"
    sh "$here/reload.sh"
    python3 "$here/whole.py"
    sh "$here/put.sh"
    /usr/bin/python3 "$here/delivery.py"
    /usr/bin/python3 "$here/crowd.py"
    ;;
delivery | crowd) # Debian's own Python has the package that speaks ZeroMQ
    name=$1
    shift
    /usr/bin/python3 "$here/$name.py" "$@"
    ;;
whole)
    shift
    python3 "$here/whole.py" "$@"
    ;;
history) # not among all: it needs twice the disk
    shift
    /usr/bin/python3 "$here/history.py" "$@"
    ;;
match | matching | regex | reload | put)
    name=$1
    shift
    sh "$here/$name.sh" "$@"
    ;;
*)
    echo "bench/run.sh: there is no benchmark '$1'; there are match, matching, regex, reload, whole, put, delivery, history and crowd" >&2
    exit 2
    ;;
esac
