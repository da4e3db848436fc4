// scanner - from an article to its hits, ready for the outbox: text, match, frames.
//
//   memory   the scratch of one scan; frames go into the job
//   threads  one scanner a thread
#ifndef SCANNER_H
#define SCANNER_H

#include "watcher/job.h"
#include "watcher/text/text.h"

enum {
    SCANNER_FRAME_BYTES = 512 * 1024,  // a HITS frame is closed beyond it: PUT has a limit
    SCANNER_RECORD_BYTES = 16 * 1024,  // of PUT's first frame
    SCANNER_SEGMENT_TITLE_BYTES = 300, // longer titles of segments are cut in the record
};

struct scanner;

struct scanner *scanner_new(const struct text_settings *text, bool audit);
void scanner_free(struct scanner *scanner); // NULL is fine

// Reads and matches the job's article with job->matcher (NULL: no watches) and fills in the job's
// hits and frames, or why it was rejected.
void scanner_run(struct scanner *scanner, struct job *job);

// How many articles the index and the slow way disagreed on (settings: audit).
uint64_t scanner_disagreements(const struct scanner *scanner);

#endif
