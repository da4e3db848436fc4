#!/bin/sh
# Who may include whom. The table is the architecture: a file knows only what lies below it.
#
#   layers_test.sh [ROOT]   prints each forbidden include and ends with 1 when there is one
set -eu
cd "${1:-$(dirname "$0")/..}"

# A room, then the rooms (or single headers) whose headers it may include besides its own.
table='
include/tocsin
common
watcher/source    common
watcher/text      common watcher/source/article.h
watcher/match/regexp      common
watcher/match/expression  common watcher/text
watcher/match     common watcher/text watcher/match/regexp watcher/match/expression watcher/source/article.h
watcher/match/lucene      common watcher/text watcher/match
watcher/outbox    common
watcher/rules     common watcher/source watcher/text watcher/match watcher/match/lucene
watcher           common watcher/source watcher/text watcher/match watcher/rules watcher/outbox
broker/story      common
broker/alert      common broker/story
broker            common broker/story broker/alert
client            common include/tocsin
client/cli        common include/tocsin client watcher/source watcher/text watcher/match watcher/rules broker/story broker/alert broker/verify.h
'

# Libraries that belong to one place: a header pattern and the rooms that may include it.
libraries='
yaml\.h      common/yaml.c common/yaml_parts.h
sqlite3\.h   watcher/outbox broker
zmq\.h       common watcher/source watcher/outbox watcher broker client client/cli
unicode/     watcher/text watcher/match watcher/match/expression
hs\.h        watcher/match
sodium\.h    common
zlib\.h      common watcher/source
microhttpd\.h common/http.c
jansson\.h   common watcher/source watcher/rules watcher/outbox watcher broker client client/cli
libsmartcols client/cli
curl/        client/cli/post.c
libstemmer\.h watcher/text
'

find include common watcher broker client -name '*.[ch]' | sort | awk -v table="$table" -v libraries="$libraries" '
function room_of(path) {
    sub(/\/[^\/]*$/, "", path)
    return path
}
BEGIN {
    n = split(table, lines, "\n")
    for (i = 1; i <= n; i++) {
        m = split(lines[i], word, " ")
        if (!m) continue
        rooms[word[1]] = 1
        for (j = 2; j <= m; j++) may[word[1], word[j]] = 1
    }
    n = split(libraries, lines, "\n")
    for (i = 1; i <= n; i++) {
        m = split(lines[i], word, " ")
        if (!m) continue
        library[++libs] = word[1]
        for (j = 2; j <= m; j++) owner[libs, word[j]] = 1
    }
}
{
    file = $0
    room = room_of(file)
    files++
    if (!(room in rooms)) {
        print file ": the folder " room " is in no row of the table"
        bad++
        next
    }
    while ((getline line < file) > 0) {
        if (line !~ /^[ \t]*#[ \t]*include/) continue
        includes++
        if (match(line, /"[^"]+"/)) {
            what = substr(line, RSTART + 1, RLENGTH - 2)
            theirs = room_of(what)
            if (theirs == what) {
                if (what ~ /^(schema\.h|unicode_tables\.inc)$/) continue # made by the build
                print file ": " what " is not a path from the root"
                bad++
            } else if (theirs != room && !((room, theirs) in may) && !((room, what) in may)) {
                print file ": " room " may not include " what
                bad++
            }
        } else if (match(line, /<[^>]+>/)) {
            what = substr(line, RSTART + 1, RLENGTH - 2)
            if (what ~ /^tocsin\// && room !~ /^(client|client\/cli|include\/tocsin)$/) {
                print file ": " room " may not include <" what ">"
                bad++
            }
            for (i = 1; i <= libs; i++)
                if (what ~ "^" library[i] && !((i, room) in owner) && !((i, file) in owner)) {
                    print file ": <" what "> is not the business of " room
                    bad++
                }
        }
    }
    close(file)
}
END {
    printf "%d files, %d includes, %d against the table\n", files, includes, bad
    exit bad || !files ? 1 : 0
}'
