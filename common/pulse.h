// pulse - finds out whether another thread's loop still goes round.
//
// The one who wants to know asks and waits for `beats`; the loop has `asks` among what it waits for and calls
// tc_pulse_beat() once a turn.
//
//   cost     a system call a turn
//   threads  any
#ifndef TC_PULSE_H
#define TC_PULSE_H

#include "common/err.h"

#include <stdbool.h>

struct tc_pulse {
    int asks, beats; // descriptors: readable when the loop was asked, when it has answered
};

#define TC_PULSE_NONE ((struct tc_pulse){-1, -1})

int tc_pulse_open(struct tc_pulse *out, struct tc_err *err);
void tc_pulse_close(struct tc_pulse *pulse);

void tc_pulse_ask(const struct tc_pulse *pulse);
void tc_pulse_beat(const struct tc_pulse *pulse);  // in the loop; TC_PULSE_NONE is fine
bool tc_pulse_heard(const struct tc_pulse *pulse); // whether it has beaten since it was last looked

#endif
