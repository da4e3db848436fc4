// silent - watches that had alerts once, and none for long: W0208 of tocsin check --history.
//
// A watch that stops matching is as a rule broken: a name was spelled anew, a page changed. The broker hears of
// a watch with its first alert, so one that never had any says nothing; it may be new.
//
//   cost     two requests a watch at most, each answered from the broker's index of topics
#ifndef SILENT_H
#define SILENT_H

#include "client/cli/online.h"
#include "watcher/rules/rules.h"

struct silent {
    struct online online;
    int64_t since_ns;   // no alert from here on is long
    const char *period; // what that is called: "90 days"
    bool answered;      // the broker has been there
};

// Adds a warning for each silent watch of the set from index `first` on. Returns CLI_OK, or CLI_CANNOT after
// saying that no broker answers.
int silent_report(struct silent *silent, const struct rules *rules, size_t first,
                  struct tc_diags *diags);

#endif
