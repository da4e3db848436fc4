#!/bin/sh
# Who may link what: the broker knows nothing of Unicode tables, HTML, HTTP clients or regular expressions.
set -eu
broker=$(ldd "$TOCSIN_BIN/tocsin-broker")
for library in icu xml2 curl libhs stemmer; do
    if printf '%s\n' "$broker" | grep -i "$library"; then
        echo "tocsin-broker must not link $library"
        exit 1
    fi
done
for library in zmq sqlite3 yaml microhttpd; do
    printf '%s\n' "$broker" | grep -q "lib$library" || {
        echo "tocsin-broker should link $library: is this the right program?"
        exit 1
    }
done
if ldd "$TOCSIN_BIN/tocsin" | grep microhttpd; then
    echo "tocsin must not link microhttpd: only the daemons serve pages"
    exit 1
fi
