// load - a database of ours at work, transaction by transaction, and what must be in it afterwards.
//
// What transaction t writes is a function of the seed and t, so that a database can be judged by the number
// of transactions that it shall hold: those that were promised (their commit returned TC_OK), or one more when
// that was on the way. The code at work is the real store and the real outbox.
//
//   threads  one
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>

#include "common/err.h"
#include "tests/chance.h"

enum { LOAD_WHY_BYTES = 512, LOAD_STEPS_MOST = 512, LOAD_FOLDER_BYTES = 256 };

struct load {
    const struct load_kind *kind;
    uint64_t seed;
    void *db;     // struct store or struct outbox; NULL while it is closed
    void *memory; // the kind's own; copies of a load share it
    bool judged;  // a copy, open in another folder than the one at work
    char folder[LOAD_FOLDER_BYTES];
    unsigned promised, begun;
    char why[LOAD_WHY_BYTES]; // what holds() found wrong
};

// What a damaged database gave.
struct load_survey {
    unsigned damaged, missing; // rows
    unsigned altered;          // rows whose text is another one, and which were not given as whole
};

struct load_kind {
    const char *name;
    const char *file; // in the folder
    void (*begin)(struct load *load);
    void (*end)(struct load *load);
    int (*open)(struct load *load, struct tc_err *err); // in load->folder
    void (*close)(struct load *load);
    // Transaction `t`; those before it are in the database.
    int (*step)(struct load *load, unsigned t, struct tc_err *err);
    // Whether the open database holds transactions 1 to `steps`, and nothing else.
    bool (*holds)(struct load *load, unsigned steps);
    // Whether what an open, perhaps damaged database of so many transactions gives for whole is what was
    // written. A row that is missing or named as damaged is counted.
    bool (*honest)(struct load *load, unsigned steps, struct load_survey *out);
};

extern const struct load_kind store_load, outbox_load;

struct load load_begin(const struct load_kind *kind, uint64_t seed);
void load_end(struct load *load); // closes it
int load_open(struct load *load, const char *folder, struct tc_err *err);

// The next transaction. TC_OK: it is promised.
int load_step(struct load *load, struct tc_err *err);

enum load_verdict { LOAD_WHOLE, LOAD_SHORT, LOAD_CORRUPT };

// Opens the database in another folder, without disturbing the one at work: whether it holds what was
// promised; SHORT: it is sound but holds less. load->why says what is wrong. With `go_on` it also has to
// take the transactions that follow.
enum load_verdict load_judge(struct load *load, const char *folder, bool go_on);

// ---- for the kinds ------------------------------------------------------------------------

// Says what is wrong; gives false.
bool load_wrong(struct load *load, const char *format, ...) __attribute__((format(printf, 2, 3)));

// What is random about transaction t.
struct chance load_chance(const struct load *load, unsigned t);

// Text number (t, i), some length: fills `out`, gives its length.
enum { LOAD_TEXT_BYTES = 1600 };
size_t load_text(const struct load *load, unsigned t, unsigned i, char *out);

#endif
