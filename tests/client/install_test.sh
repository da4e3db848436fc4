#!/bin/sh
# A user's program finds libtocsin by pkg-config where `cmake --install` put it, and runs.
#
#   install_test.sh [SANITIZERS]   what the library was built with
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake -DCMAKE_INSTALL_PREFIX="$folder/usr" -P "$TOCSIN_BUILD/client/cmake_install.cmake" >"$folder/log"

pc=$(find "$folder/usr" -name tocsin.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH LD_LIBRARY_PATH
flags=$(pkg-config --cflags --libs tocsin)
# shellcheck disable=SC2086 # flags are words
cc -std=c99 -Wall -Wextra -Wpedantic -Werror ${1:+-fsanitize=$1} tests/client/probe.c $flags -o "$folder/probe"
ldd "$folder/probe" | grep -qF "$LD_LIBRARY_PATH/libtocsin.so.0" || {
    echo "the program does not use the library that was installed"
    exit 1
}
status=0
"$folder/probe" || status=$?
test "$status" -eq 2 # no argument: its way of saying so
"$folder/usr/bin/tocsin" --version | grep -qx "tocsin $(pkg-config --modversion tocsin)"
