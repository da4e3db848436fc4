// source - what a source of articles and the pipeline are to each other.
//
// A source runs on a thread of its own. It gives articles to its host (the pipeline) and learns of
// each, exactly once, what became of it: through a queue of outcomes that the source owns. Only
// then does it tell whoever sent the article, or move a file. So nothing is acknowledged that
// is not on disk.
//
//   memory   one small allocation per article on the way
//   threads  the host's functions may be called from any source's thread
#ifndef SOURCE_H
#define SOURCE_H

#include "common/err.h"
#include "common/json.h"
#include "common/queue.h"
#include "watcher/source/article.h"

// How many articles of one source may be on the way. Also the capacity of its queue of outcomes,
// so that answering never waits.
enum { SOURCE_OPEN_MOST = 512 };

enum source_fate {
    SOURCE_ACCEPTED,  // its hits are safe on disk
    SOURCE_DUPLICATE, // the same content was accepted before
    SOURCE_REJECTED,  // it cannot be read; `reason` says why
    SOURCE_UNDONE,    // not taken, because the watcher stops or cannot write: give it again later
};

struct source_outcome {
    uint64_t ticket; // as the source set it in the article
    enum source_fate fate;
    uint64_t hits;
    char reason[TC_ERR_TEXT_BYTES];
};

struct source_host {
    void *context;

    // Takes the article and waits for room. False, and the article is still yours, when the
    // watcher stops.
    bool (*give)(void *context, struct article *article);

    // Takes the article if there is room now. False when there is none.
    bool (*offer)(void *context, struct article *article);

    // Tells of trouble that is no article's fate (a bad line, a file that cannot be moved).
    void (*trouble)(void *context, const char *event, const struct tc_err *err);

    // Counts an article that could not even be read.
    void (*refused)(void *context);

    // Adds the members of the STATS answer (docs/protocol.md) to an open object.
    void (*stats)(void *context, struct tc_json *json);

    const struct tc_curve *curve; // guards tcp intakes; NULL: no keys
    int stop_fd;                  // readable when the source has to end
    size_t max_article_bytes;     // limit for each article
    bool once;                    // end when everything that is there has been read
};

// Called by the host when the fate of an article is known: pushes the outcome to the queue in
// article->from (none when NULL) and frees the article. `reason` may be NULL.
void source_answer(struct article *article, enum source_fate fate, uint64_t hits,
                   const char *reason);

#endif
