// sessions - which watchers speak, and how far each has come.
//
// A session is one life of a watcher's link, begun by HELLO. Its batches count 1, 2, 3, ... without a
// hole, which keeps the order of a watcher's hits even when a batch in the middle is refused. What
// a transaction moved forward is taken back when it is rolled back.
//
//   memory   SESSIONS_MOST rows; the one seen longest ago makes room
//   threads  the broker's loop
#ifndef SESSIONS_H
#define SESSIONS_H

#include "common/hash.h"
#include "common/str.h"

enum { SESSIONS_MOST = 256, SESSION_NAME_BYTES = 64 };

struct session {
    char name[SESSION_NAME_BYTES];
    struct tc_id id;
    uint64_t batch;     // the last that was taken, in this transaction too
    uint64_t committed; // the last that is safe
    int64_t seen_wall_ns;
};

struct sessions {
    struct session rows[SESSIONS_MOST];
    size_t count;
};

// Begins a session; an older one of the same name ends. The same session again changes nothing.
void sessions_begin(struct sessions *sessions, tc_str name, struct tc_id id, int64_t now_wall_ns);

// NULL when no such session is open.
struct session *sessions_find(struct sessions *sessions, struct tc_id id);

void sessions_committed(struct sessions *sessions);
void sessions_rolled_back(struct sessions *sessions);

#endif
