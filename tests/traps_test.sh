#!/bin/sh
# Traps of libzmq 4.3.4 that no test would show until it is too late: what must not be used anywhere, and what
# must be done first. The headers of common/sock.c, monitor.h and probe.h say why.
set -eu
cd "${TOCSIN_SOURCE:-$(dirname "$0")/..}"
bad=0

# Lines of code without their comments.
code() {
    find common watcher broker client include -name '*.[ch]' -exec sed 's,//.*,,' {} + 
}

complain() {
    printf '%s\n' "$*"
    bad=1
}

for word in ZMQ_HEARTBEAT_ ZMQ_XPUB_MANUAL ZMQ_XPUB_NODROP ZMQ_CONFLATE ZMQ_ROUTER_HANDOVER; do
    if code | grep -q "$word"; then complain "$word must not be used: see common/sock.c"; fi
done

# Sockets that reach others come from common/sock.c, which sets TCP keepalive and the other options. What
# else opens one is a PAIR or REP inside the process.
others=$(grep -r 'zmq_socket(' --include='*.c' common watcher broker client |
    grep -v '^common/sock\.c:\|ZMQ_PAIR\|ZMQ_REP' || true)
[ -z "$others" ] || complain "opens a socket without the options of common/sock.c: $others"

# Signals are blocked before the first context or thread: zmq_poll delays messages otherwise.
for main in broker watcher; do
    blocked=$(grep -n 'tc_signals_block(' $main/main.c | head -1 | cut -d: -f1)
    opened=$(grep -n 'broker_open(\|pipeline_open(' $main/main.c | head -1 | cut -d: -f1)
    if [ -z "$blocked" ] || [ -z "$opened" ] || [ "$blocked" -ge "$opened" ]; then
        complain "$main/main.c: signals are not blocked before sockets are opened"
    fi
    if sed 's,//.*,,' $main/main.c | grep -q 'zmq_ctx_new\|pthread_create'; then
        complain "$main/main.c: opens a context or a thread itself"
    fi
done

# Identity comes from tc_frames_user() alone, which reads a body frame.
if grep -rl 'zmq_msg_gets\|"User-Id"' --include='*.c' common watcher broker client | grep -qv '^common/frame.c$'; then
    complain "User-Id is read outside common/frame.c"
fi

# Ports that documents and examples name lie outside Linux's ephemeral range: a client could connect to itself.
ports=$(grep -rhoE 'tcp(://[^ :"`]*:| )[0-9]{4,5}' docs config include README.md docker | grep -oE '[0-9]+$' | sort -u)
[ -n "$ports" ] || complain "no port is named anywhere: is this the right folder?"
for port in $ports; do
    if [ "$port" -ge 32768 ] && [ "$port" -le 60999 ]; then
        complain "port $port lies in the ephemeral range 32768 to 60999"
    fi
done

exit $bad
