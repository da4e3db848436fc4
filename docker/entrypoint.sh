#!/bin/sh
# Chooses the program: `broker` and `watcher` are the daemons, everything else is the command tocsin.
set -eu

case ${1:-help} in
broker | watcher)
    name=$1
    shift
    exec "tocsin-$name" "$@"
    ;;
healthy)
    # A container answers for its own daemon, which is process 1.
    daemon=$(sed 's/^tocsin-//' /proc/1/comm)
    tocsin status --json --patience 2s | grep -q "\"$daemon\":{"
    ;;
*) exec tocsin "$@" ;;
esac
