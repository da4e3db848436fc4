// fault - places where a test makes a program die.
//
// A program calls tc_fault("outbox.committed") where a crash would be interesting. When the
// environment variable TOCSIN_FAULT names that point ("outbox.committed" or
// "outbox.committed:7" for the seventh time), the process kills itself with SIGKILL there:
// nothing is flushed, nothing is cleaned up. Without the variable it costs one load.
#ifndef TC_FAULT_H
#define TC_FAULT_H

#include <stdbool.h>

// Reads TOCSIN_FAULT. Call once, before threads start.
void tc_fault_init(void);

void tc_fault(const char *point);

// For places that fail in another way than dying: true at that pass and all later ones.
bool tc_fault_strikes(const char *point);

#endif
