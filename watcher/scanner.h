// scanner - from an article to its hits, ready for the outbox: text, match, frames.
//
//   memory   the scratch of one scan; frames go into the job
//   threads  one scanner a thread
#ifndef SCANNER_H
#define SCANNER_H

#include "watcher/audit.h"
#include "watcher/frequencies.h"
#include "watcher/job.h"
#include "watcher/text/text.h"

enum {
    SCANNER_FRAME_BYTES = 512 * 1024,  // a HITS frame is closed beyond it: PUT has a limit
    SCANNER_RECORD_BYTES = 16 * 1024,  // of PUT's first frame
    SCANNER_SEGMENT_TITLE_BYTES = 300, // longer titles of segments are cut in the record
};

struct scanner;

struct scanner_settings {
    struct text_settings text;
    uint64_t audit;          // one article in so many is checked against every watch; 0: none
    struct sampler *sampler; // counts words of what is read; borrowed, NULL: none
    // Hears of every article that was checked, and (before that) of every difference in it.
    void (*audited)(void *context, const struct article *article);
    void (*differed)(void *context, const struct article *article, enum audit_fault fault,
                     const struct watch *watch);
    void *context;
};

struct scanner *scanner_new(const struct scanner_settings *settings);
void scanner_free(struct scanner *scanner); // NULL is fine

// Reads and matches the job's article with job->layers (NULL: no watches) and fills in the job's
// hits and frames, or why it was rejected. A notice has a frame without hits when nothing matches.
void scanner_run(struct scanner *scanner, struct job *job);

#endif
