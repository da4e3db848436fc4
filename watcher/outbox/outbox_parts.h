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
    SET_ACKED,
    COPY_DEAD,
    DROP_ITEM,
    LAST_ACKED,
    OLD_ITEMS,
    OLD_MARKS,
    OLD_DEFINITIONS,
    OLD_DEAD,
    STATEMENTS
};

// A definition that is surely in the file, for items up to `until`. Without such a span every hit would
// write the number of its item to the definition; with it, one in DEFINITION_SPAN items does, and a
// definition stays that much longer than it must.
struct known {
    struct tc_id hash;
    uint64_t until;
};

struct outbox {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    char *path, *wal_path;
    int lock_fd;
    struct tc_arena *view;                      // what the last call gave
    struct outbox_counts counts, counts_before; // now, and when the transaction began
    uint64_t acked_bytes, acked_bytes_before;
    uint64_t last_n;                       // number of the last item, also of one that is gone
    struct known known[KNOWN_DEFINITIONS]; // placed by the first bytes of their hashes
};

// The SQL of a statement, for messages.
const char *outbox_sql(enum statement which);

// Says what SQLite said, sorted by what can be done about it.
int outbox_failed(struct outbox *outbox, const char *what, struct tc_err *err);

// Runs SQL without parameters and rows.
int outbox_run(struct outbox *outbox, const char *text, struct tc_err *err);

static inline uint64_t column_number(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

#endif
