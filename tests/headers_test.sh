#!/bin/sh
# Every header compiles alone; the public one as C and as C++ where a C++ compiler is.
set -eu
cd "$(dirname "$0")/.."
flags=$(pkg-config --cflags libzmq yaml-0.1 sqlite3 jansson icu-uc libsodium)
bad=0
# shellcheck disable=SC2044 # no blanks in our file names
for header in $(find include common watcher broker client -name '*.h'); do
    # shellcheck disable=SC2086 # flags are words
    printf '#include "%s"\n' "$header" |
        gcc -std=c17 -D_GNU_SOURCE -I. -Iinclude $flags -Wall -Wextra -Werror -fsyntax-only -x c - || bad=1
done
if command -v g++ >/dev/null; then
    printf '#include <tocsin/tocsin.h>\n' | g++ -std=c++17 -Iinclude -Wall -Wextra -Werror -fsyntax-only -x c++ - || bad=1
fi
exit $bad
