#!/bin/sh
# What libtocsin promises about itself, read from its symbol table: it gives tocsin_* and nothing else,
# and it takes nothing that prints, ends the process, catches signals or starts threads.
set -eu
library=$TOCSIN_BUILD/client/libtocsin.so
bad=0

given=$(nm -D --defined-only "$library" | awk '$2 ~ /[TDBRVW]/ {print $3}' | sed 's/@.*//')
for name in $given; do
    case $name in
    tocsin_*) ;;
    *)
        echo "exported, and should not be: $name"
        bad=1
        ;;
    esac
done
for name in tocsin_open tocsin_close tocsin_next tocsin_consume tocsin_publish; do
    printf '%s\n' "$given" | grep -qx "$name" || {
        echo "missing: $name; is this the right library?"
        bad=1
    }
done
# Every function of the header is there.
for name in $(grep -o 'tocsin_[a-z_]*(' "$TOCSIN_SOURCE/include/tocsin/tocsin.h" | tr -d '(' | sort -u); do
    printf '%s\n' "$given" | grep -qx "$name" || {
        echo "in the header and not in the library: $name"
        bad=1
    }
done

taken=$(nm -D --undefined-only "$library" | awk '{print $NF}' | sed 's/@.*//')
for name in exit _exit quick_exit abort __assert_fail raise kill \
    printf vprintf puts putchar fputs fputc fwrite putc fprintf vfprintf perror write \
    stdout stderr __printf_chk __fprintf_chk __vfprintf_chk \
    signal sigaction sigprocmask pthread_sigmask pthread_create thrd_create fork system; do
    if printf '%s\n' "$taken" | grep -qx "$name"; then
        echo "used, and must not be: $name"
        bad=1
    fi
done
exit $bad
