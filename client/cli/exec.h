// exec - hands an alert to a command of the shell.
//
// The command has the alert's JSON on standard input, in a file in memory (so a command that does not
// read it hangs nobody), and its fields in the environment, TOCSIN_ALERT_TITLE and so on. It runs in a
// process group of its own: a Ctrl-C that ends us lets it finish its alert.
#ifndef EXEC_H
#define EXEC_H

#include "client/cli/handover.h"

#include <tocsin/tocsin.h>

struct exec_order {
    const char *command;
    const char *consumer;
    uint64_t attempt; // from 1
    int timeout_ms;   // then the group is ended; 0: never
};

// Runs it once and waits for its end, also when signals come (says so then).
void exec_run(const struct exec_order *order, const struct tocsin_event *alert,
              struct handover *out);

#endif
