#!/bin/sh
# Chooses the program: `broker` and `watcher` are the daemons, everything else is the command tocsin.
set -eu

state=$XDG_STATE_HOME/tocsin

# Keys, once for all containers of the volume, so that a port can be published without another step: a pair for
# the daemons, a pair for whoever runs in a container, and the list that lets that one in. All or nothing.
make_keys() {
    mkdir -p "$state"
    (
        flock 9
        [ ! -e "$state/keys" ] || exit 0
        rm -rf "$state/keys.new"
        mkdir -m 0700 "$state/keys.new"
        cd "$state/keys.new"
        tocsin keygen server >/dev/null
        key=$(tocsin keygen client | sed "s/.*key: '\(.*\)'.*/\1/")
        cp server.public broker.public
        cp server.public watcher.public
        cat >access.yaml <<END
# Who may come in by tcp: docs/operating.md, "Keys". Read again at SIGHUP.
peers:
  - {name: container, key: '$key', roles: [watcher, publisher, subscriber, admin]}
END
        mv "$state/keys.new" "$state/keys"
    ) 9>"$state/.keys.lock"
}

case ${1:-help} in
broker | watcher)
    name=$1
    shift
    make_keys
    exec "tocsin-$name" "$@"
    ;;
healthy)
    # A container answers for its own daemon, which is process 1.
    daemon=$(sed 's/^tocsin-//' /proc/1/comm)
    tocsin status --json --patience 2s | grep -q "\"$daemon\":{"
    ;;
*) exec tocsin "$@" ;;
esac
