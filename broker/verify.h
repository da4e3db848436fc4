// verify - reads a whole store and says what in it is not as it must be.
//
// Every row's checksum, ids that are hashes of what they name, numbers without a hole, marks against rows,
// what refers to what, events against their rows; and, when nobody writes the file, the pages and indexes
// by SQLite's own check. May run beside the broker (reader.h).
//
//   memory   16 bytes an alert
//   cost     about 100,000 rows a second
//   threads  the caller's
#ifndef VERIFY_H
#define VERIFY_H

#include "broker/store.h"

enum { VERIFY_SENTENCES_MOST = 100 }; // told; all are counted

struct verify_report {
    struct store_marks marks;
    uint64_t hits, alerts, articles, watches, ids, consumers; // read
    uint64_t faults;
    bool pages; // checked as well
};

struct verify_to {
    void *context;
    void (*fault)(void *context, const char *sentence);
    bool (*stop)(void *context); // NULL, or asked now and then
};

// Fills in *out, also when there are faults.
//   TC_ENOENT, TC_EVERSION, TC_ECORRUPT, TC_EIO  it cannot be read at all, as reader_open()
//   TC_ESTOP  asked to stop
int verify_store(const char *path, bool pages, const struct verify_to *to,
                 struct verify_report *out, struct tc_err *err);

#endif
