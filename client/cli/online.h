// online - what the commands share that talk to a daemon: endpoints, filters, being stopped.
//
// An online command puts `online_argp` among the children of its own argp, with a struct online as
// the child's input, and so understands --fetch, --live, --intake and --patience.
#ifndef ONLINE_H
#define ONLINE_H

#include "client/cli/cli.h"

#include <tocsin/tocsin.h>

struct online {
    struct tocsin_options options;
    struct tocsin *tocsin; // online_close() ends it
};

extern const struct argp online_argp;

// Opens the handle. Says why and returns false when that cannot be.
bool online_open(struct online *online);
void online_close(struct online *online);

// Prints the handle's last failure. Returns CLI_CANNOT.
int online_fail(const struct online *online);

// The topics and labels of a command line, as the library wants them.
struct online_filters {
    char *texts[TOCSIN_FILTERS_MOST];
    size_t count;
};

// A topic as people type it: "china-ai", "china-ai/travel-advice" get their last '/'.
void online_add_topic(struct online_filters *filters, const char *topic, struct argp_state *state);

// KEY=VALUE.
void online_add_label(struct online_filters *filters, const char *label, struct argp_state *state);
void online_filters_done(struct online_filters *filters);

// A moment: a duration before now ("2h"), or a date or time. argp ends the process with a sentence when
// it is neither.
int64_t online_moment(const char *text, struct argp_state *state);

// A number from 1; argp_error() when it is none.
uint64_t online_count(const char *text, struct argp_state *state);

// A duration in milliseconds, "30s"; argp_error() when it is none.
int online_milliseconds(const char *text, struct argp_state *state);

// From now on SIGINT and SIGTERM do not end the process; online_stopped() is true after one.
void online_catch_signals(void);
bool online_stopped(void);

// tocsin_next() for commands that catch signals: also TOCSIN_NOTHING now and then.
int online_next(struct tocsin *tocsin, int timeout_ms, struct tocsin_event *event);

// What a stream says besides alerts (gaps, outages, another history), as a message. `endpoint` is
// the stream's; `answered` whether anybody has been there. Returns false when the command cannot go
// on: nobody has, for as long as an answer may take.
bool online_notice(const struct tocsin_event *event, const char *endpoint, bool answered);

#endif
