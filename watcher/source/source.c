#include "watcher/source/source.h"

#include <assert.h>
#include <stdio.h>

#include "common/mem.h"

void source_answer(struct article *article, enum source_fate fate, uint64_t hits,
                   const char *reason)
{
    struct tc_queue *outcomes = article->from;
    if (outcomes) {
        struct source_outcome *outcome = tc_new(sizeof *outcome);
        outcome->ticket = article->ticket;
        outcome->fate = fate;
        outcome->hits = hits;
        snprintf(outcome->reason, sizeof outcome->reason, "%s", reason ? reason : "");
        bool pushed = tc_queue_try_push(outcomes, outcome);
        assert(pushed); // a source has at most SOURCE_OPEN_MOST articles on the way
        (void)pushed;
    }
    article_free(article);
}
