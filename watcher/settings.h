// settings - watcher.yaml, read strictly: every mistake at once, with its place.
//
//   memory   everything lives in the arena given
//   threads  none: plain data, never changed after it was read
//   source   docs/operating.md; config/watcher.yaml is an example with every key
#ifndef SETTINGS_H
#define SETTINGS_H

#include "common/arena.h"
#include "common/diag.h"
#include "common/http_settings.h"
#include "common/log.h"

enum {
    SETTINGS_THREADS_MOST = 256,
    SETTINGS_ARTICLE_BYTES_MOST = 64 * 1024 * 1024,
    SETTINGS_OUTBOX_ARTICLES = 50 * 1000, // default of max_outbox_articles
};

enum settings_kind { SETTINGS_LINES, SETTINGS_FOLDER, SETTINGS_SOCKET, SETTINGS_PULL };

struct settings_source {
    enum settings_kind kind;
    tc_str name;         // of articles that name no source
    const tc_str *paths; // LINES: files, "-" is standard input; FOLDER: one; zero-ended
    size_t path_count;
    tc_str endpoint; // SOCKET, PULL
};

struct settings {
    tc_str file;           // the configuration, empty when there is none
    tc_str name;           // "watcher"
    tc_str state;          // folder
    tc_str kept;           // folder in `state`: watch files as they were last good
    tc_str frequencies;    // file in `state`: word frequencies (frequencies.h)
    const tc_str *watches; // globs, absolute or as the process sees them; zero-ended
    size_t watch_count;
    tc_str broker;          // endpoint; empty: none
    tc_str tap;             // endpoint; empty: none
    tc_str keys;            // folder of keys for tcp endpoints, zero-ended; empty: none
    bool insecure_loopback; // plaintext tcp on loopback is wanted
    unsigned threads;
    uint64_t audit;   // one article in so many is checked against every watch; 0: none
    bool watch_files; // read watch files again when they change
    size_t max_article_bytes;
    uint64_t max_outbox_articles; // that wait; beyond it sources wait, too
    int64_t keep_acknowledged_ns; // what the broker has confirmed stays that long, to be sent again
    uint64_t keep_acknowledged_bytes; // and not more of it than that
    struct tc_http_settings http;
    enum tc_level log;
    const struct settings_source *sources;
    size_t source_count;
};

// Reads `file`; without one (empty) gives the defaults: the intake, no watches, a warning that says so.
// `arena` must outlive *out. Makes no folder.
//   TC_EPARSE, TC_EIO  mistakes were added to diags
int settings_read(tc_str file, struct tc_arena *arena, struct tc_diags *diags,
                  struct settings **out, struct tc_err *err);

#endif
