// silent - watches that had no alert for long: W0208 of tocsin check --history.
//
// A watch that stops matching is as a rule broken: a name was spelled anew, a page changed. One that never matched
// may be broken too, or new: the broker hears of a watch with its first alert. It is named where the history
// tells of it at all: where that is longer than the time asked about, and other watches had alerts in that time.
//
//   cost     two requests a watch at most, each answered from the broker's index of topics, and two more in all
#ifndef SILENT_H
#define SILENT_H

#include "client/cli/online.h"
#include "watcher/rules/rules.h"

struct silent {
    struct online online;
    int64_t since_ns;   // no alert from here on is long
    const char *period; // what that is called: "90 days"
    bool answered;      // the broker has been there
    bool asked, tells;  // whether the history tells of watches without alerts, once that was asked
};

// Adds a warning for each silent watch of the set from index `first` on. Returns CLI_OK, or CLI_CANNOT after
// saying that no broker answers.
int silent_report(struct silent *silent, const struct rules *rules, size_t first,
                  struct tc_diags *diags);

#endif
