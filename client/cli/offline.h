// offline - what the commands without a broker share: watches and articles from files.
//
//   threads  one
#ifndef OFFLINE_H
#define OFFLINE_H

#include "watcher/match/matcher.h"
#include "watcher/rules/rules.h"
#include "watcher/source/article.h"

#include <argp.h>

struct offline_files { // names from the command line, in order; zero it
    const char **at;
    size_t count, room;
};

void offline_add(struct offline_files *files, const char *name);

// Reads watch files, or one query when `query` is not NULL. Prints every error, and what is
// dropped from a query. Gives *out (matcher_drop ends it).
//   TC_EPARSE  a file or the query has errors, which are printed
//   TC_EINVAL  the watches cannot be compiled; printed too
int offline_watches(const struct offline_files *files, const char *query,
                    const struct text_settings *settings, const struct rules_dialect *dialect,
                    struct matcher **out);

// Prints the errors of queries and watch files, and what is dropped from them, on standard error.
void offline_findings(struct tc_diags *diags);

// The next article of all files ("-" and no file at all: standard input). What cannot be read is said
// on standard error with its place and counted. All are first seen now, as `max_age` has it.
struct offline_articles {
    const struct offline_files *files;
    size_t next;        // file
    struct lines *open; // being read; NULL: none
    bool live;          // it is no regular file: what is there should not wait for more
    uint64_t unreadable;
    int64_t now_wall_ns; // of the whole run
};

void offline_articles_begin(struct offline_articles *articles, const struct offline_files *files);
struct article *offline_article(struct offline_articles *articles); // NULL: the end
void offline_articles_end(struct offline_articles *articles);

// The values of --dialect and --lucene-options; the same.
void offline_dialect(const char *value, struct rules_dialect *out, struct argp_state *state);
void offline_lucene_options(const char *value, struct rules_dialect *out, struct argp_state *state);

// The value of --words; ends the program with status 2 when it is none.
enum text_words offline_words(const char *value, struct argp_state *state);

#endif
