#!/bin/sh
# Chooses the program: `broker` and `watcher` are the daemons, everything else is the command tocsin.
set -eu

case ${1:-help} in
broker | watcher)
    name=$1
    shift
    exec "tocsin-$name" "$@"
    ;;
healthy) exec tocsin status --json >/dev/null ;;
*) exec tocsin "$@" ;;
esac
