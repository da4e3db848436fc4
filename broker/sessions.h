// sessions - which watchers speak, and how far each has come.
//
// A session is one life of a watcher's link, begun by HELLO. Its batches count 1, 2, 3, ... without a
// hole, which keeps the order of a watcher's hits even when a batch in the middle is refused. What
// a transaction moved forward is taken back when it is rolled back.
//
// A name belongs to its newest session. Two watchers that both claim it would take it from each other
// for ever: so one that was told that it is replaced comes back with `yield`, and is let in when the
// other has been silent. A broker that stood still finds the HELLOs of connections that are long gone,
// in no order: the lives that one watcher counts tell which is its newest.
//
//   memory   SESSIONS_MOST rows; the one seen longest ago makes room. SESSIONS_REPLACED ids
//   threads  the broker's loop
#ifndef SESSIONS_H
#define SESSIONS_H

#include "common/hash.h"
#include "common/str.h"

enum {
    SESSIONS_MOST = 256,
    SESSIONS_REPLACED = 64,
    SESSION_NAME_BYTES = 64,
    SESSION_ALIVE_MS = 10 * 1000, // heard of within that time: it is still there
};

struct session {
    char name[SESSION_NAME_BYTES];
    struct tc_id id, instance; // instance: of the watcher's process; zeros when it tells none
    uint64_t life;             // how many sessions that process has begun
    uint64_t batch;            // the last that was taken, in this transaction too
    uint64_t committed;        // the last that is safe
    int64_t seen_wall_ns, seen_mono_ns;
};

struct sessions {
    struct session rows[SESSIONS_MOST];
    size_t count;
    struct tc_id replaced[SESSIONS_REPLACED]; // a ring
    size_t replaced_count;                    // ever
};

struct session_claim {
    tc_str name;
    struct tc_id id, instance;
    uint64_t life;
    bool yield;
};

enum session_verdict {
    SESSION_BEGINS,
    SESSION_REPLACES, // another watcher of that name, which was still there
    SESSION_REFUSED,  // that name is another's, or this is an older life of the one that has it
};

// Begins a session, if the name is to be had; an older one of the same name ends. The same session again
// changes nothing.
enum session_verdict sessions_begin(struct sessions *sessions, const struct session_claim *claim,
                                    int64_t now_wall_ns, int64_t now_mono_ns);

// NULL when no such session is open.
struct session *sessions_find(struct sessions *sessions, struct tc_id id);

// Whether another watcher took the name of that session.
bool sessions_replaced(const struct sessions *sessions, struct tc_id id);

// The session was heard of.
void sessions_seen(struct session *session, int64_t now_wall_ns, int64_t now_mono_ns);

void sessions_committed(struct sessions *sessions);
void sessions_rolled_back(struct sessions *sessions);

#endif
