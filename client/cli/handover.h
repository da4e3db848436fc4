// handover - what became of an alert that was handed to somebody.
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdint.h>

enum handover_outcome {
    HANDOVER_TAKEN, // dealt with
    HANDOVER_LATER, // try again
    HANDOVER_NEVER, // trying again is useless
};

enum { HANDOVER_WHY_BYTES = 300 };

struct handover {
    enum handover_outcome outcome;
    int64_t wait_ms;              // LATER: at least so long, as the other side asked; else 0
    char why[HANDOVER_WHY_BYTES]; // not TAKEN: a few words for a person
};

#endif
