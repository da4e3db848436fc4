// desk - takes requests, and answers them after the commit. No sockets.
//
// The broker's loop drains what has arrived into one turn: desk_take() for each request, then
// desk_finish(). All that was submitted in a turn shares one transaction and one fsync, and no
// answer leaves before it: an answer is a promise. FETCHes of a turn run after the commit, so
// that they see it.
//
// A full disk refuses what wanted to write (NAK disk, ERR disk) and answers the rest. A failing
// disk ends the turn without any answer: the process must end, its successor reads the WAL.
//
//   memory   the answers of one turn; parked FETCHes (fetch.h)
//   threads  the broker's loop
//   clock    arguments
#ifndef DESK_H
#define DESK_H

#include "broker/backup.h"
#include "broker/stats.h"
#include "broker/store.h"

struct desk;

// Where answers and echoes go. The texts view the desk during the call.
struct desk_out {
    void *context;
    void (*answer)(void *context, const struct answer *answer);
    void (*publish)(void *context, tc_str topic, tc_str body);
    uint64_t (*published)(void *context); // alerts sent live so far, for STATS
    // What an operator should read in the log: "store.full", "store.damaged".
    void (*tell)(void *context, const char *event, const char *reason);
    const struct gauges *gauges; // for STATS
    struct backup *backup;       // for BACKUP; NULL: there is none
    int64_t fetch_ns;            // that the FETCHes of a turn may take
};

// `store` is borrowed until desk_close(). Gives *out.
int desk_open(struct store *store, const struct desk_out *out_to, int64_t now_wall_ns,
              struct desk **out, struct tc_err *err);
void desk_close(struct desk *desk); // parked FETCHes stay unanswered: their clients ask again

// Takes one request into the turn.
void desk_take(struct desk *desk, const struct request *request, int64_t now_wall_ns,
               int64_t now_mono_ns);

// Refuses what is no request at all.
void desk_refuse(struct desk *desk, const struct request *request, const char *code,
                 const char *reason);

// Commits, answers, runs FETCHes that are due.
//   TC_EIO, TC_ECORRUPT  the disk failed: stop
int desk_finish(struct desk *desk, int64_t now_mono_ns, struct tc_err *err);

// Other rights hold from now on: FETCHes that wait were opened with the old ones and are answered.
void desk_access_changed(struct desk *desk);

// STATS says from now on that the broker ends.
void desk_stopping(struct desk *desk);

// Writes what consumers have acknowledged, before the end. Without it that is delivered again.
//   TC_EFULL, TC_EIO, TC_ECORRUPT
int desk_settle(struct desk *desk, int64_t now_mono_ns, struct tc_err *err);

// How far the consumer that is furthest behind has read; UINT64_MAX when there are none.
uint64_t desk_lowest_cursor(const struct desk *desk);

// When desk_finish() has something to do without a request: now (0), never (INT64_MAX), or then.
int64_t desk_next_mono_ns(const struct desk *desk);

// Items taken in this turn: requests, and the articles in them.
size_t desk_taken(const struct desk *desk);

#endif
