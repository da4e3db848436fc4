// outbox_parts - what the two halves of the outbox share; nobody else includes it.
//
// outbox_open.c opens, checks and closes the file and knows the SQL; outbox.c writes and reads rows.
#ifndef OUTBOX_PARTS_H
#define OUTBOX_PARTS_H

#include <sqlite3.h>

#include "common/arena.h"
#include "watcher/outbox/outbox.h"

enum { KNOWN_DEFINITIONS = 16 * 1024 };

enum statement {
    LOOK_SAME,
    LOOK_ANY,
    ADD_MARK,
    ADD_ITEM,
    ADD_DEFINITION,
    GET_WAITING,
    GET_DEFINITION,
    SIZE_OF,
    ADD_ACKED,
    COPY_DEAD,
    DROP_ITEM,
    LAST_ACKED,
    LOST_ACKED,
    DROP_LOST,
    OLDEST,
    OLD_ACKED,
    DROP_ACKED,
    EMPTY_ACKED,
    DROP_ITEMS,
    OLD_MARKS,
    OLD_DEFINITIONS,
    OLD_DEAD,
    PUT_META,
    STATEMENTS
};

// A definition that is surely in the file, for items up to `until`. Without such a span every hit would
// write the number of its item to the definition; with it, one in DEFINITION_SPAN items does, and a
// definition stays that much longer than it must.
struct known {
    struct tc_id hash;
    uint64_t until;
};

// What a transaction changes in memory, too.
struct outbox_state {
    struct outbox_counts counts;
    uint64_t acked_bytes;
    uint64_t upto;      // items up to here are acknowledged, those behind it wait
    uint64_t recovered; // items up to here were acknowledged once
};

struct outbox {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    char *path, *wal_path;
    bool opened;
    int lock_fd;
    struct tc_arena *view;           // what the last call gave
    struct outbox_state now, before; // now, and when the transaction began
    int64_t horizon_ns;
    uint64_t horizon_bytes;
    int64_t clock_ns, clock_mono_ns; // the outbox's clock, and the monotonic one at that moment
    char *boot;
    uint64_t last_n;                       // number of the last item, also of one that is gone
    struct known known[KNOWN_DEFINITIONS]; // placed by the first bytes of their hashes
};

// The SQL of a statement, for messages.
const char *outbox_sql(enum statement which);

// Says what SQLite said, sorted by what can be done about it.
int outbox_failed(struct outbox *outbox, const char *what, struct tc_err *err);

// Runs SQL without parameters and rows.
int outbox_run(struct outbox *outbox, const char *text, struct tc_err *err);

// Runs a statement without rows whose parameters are bound.
int outbox_finish(struct outbox *outbox, enum statement which, struct tc_err *err);

// Writes the clock down, in an open transaction.
int outbox_put_clock(struct outbox *outbox, struct tc_err *err);

static inline uint64_t column_number(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

#endif
