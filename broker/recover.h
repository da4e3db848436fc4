// recover - a new store made of what can still be read of a damaged one.
//
// Every row that passes its checksum goes over. Numbers are given anew, dense, in a new epoch: clients are
// told, and the watchers send again what they still have, which fills what was lost in the last hours. For
// that to be right
//   - an alert whose hit is lost brings the hit's id along as one that was seen, so the hit that comes again
//     makes no second alert;
//   - a hit next to which an alert is lost, and which has none, is left out, so that it comes again as a
//     new one and its alert is made.
// Texts, ids and times of alerts stay as they were. The old file stays beside the new one.
//
//   memory   24 bytes a hit and an alert
//   threads  the caller's; nobody may have the store open
#ifndef RECOVER_H
#define RECOVER_H

#include "broker/store.h"

enum { RECOVER_PATH_BYTES = 1024 };

struct recover_report {
    uint64_t hits, alerts, articles, watches, consumers; // gone over
    uint64_t alerts_lost, hits_lost;
    char kept[RECOVER_PATH_BYTES]; // where the old file is now
};

// Whether anything of the store at `path` is damaged; `why` says what (TC_ERR_TEXT_BYTES).
//   TC_EIO
int recover_needed(const char *path, bool *needed, char *why, struct tc_err *err);

// Does it. Ends a recovery that was cut off before.
//   TC_EFULL, TC_EIO  nothing was changed
int recover_store(const char *path, int64_t now_wall_ns, struct recover_report *out,
                  struct tc_err *err);

// Whether a recovery was cut off while files changed their names.
bool recover_begun(const char *path);

#endif
