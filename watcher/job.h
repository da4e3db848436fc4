// job - one article on its way through the pipeline, and what came of it.
//
// Made at the door, looked up by the keeper, filled by a scanner, written and ended by the keeper.
//
//   memory   the article with its arena, and the frames
//   threads  one at a time: it is handed on through queues
#ifndef JOB_H
#define JOB_H

#include "common/buf.h"
#include "watcher/match/layers.h"
#include "watcher/source/article.h"

struct job {
    struct article *article;
    struct layers *layers;        // held: the watches that hit, until their definitions are written
    const struct watch **watches; // of the hits, in the article's arena
    size_t hits;                  // also the number of `watches`
    struct tc_buf record;         // first frame of PUT; empty when there is nothing to send
    struct tc_buf *frames;        // HITS frames, each at most SCANNER_FRAME_BYTES and one hit
    size_t frame_count;
    bool notice;   // an earlier version hit: the broker hears of this one, whatever its text says
    bool rejected; // the article cannot be read; `reason` says why
    char reason[TC_ERR_TEXT_BYTES];
};

struct job *job_new(struct article *article); // takes the article
void job_free(struct job *job);               // all but the article, which has been answered

#endif
