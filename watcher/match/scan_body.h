// scan_body - what a scan is made of, for the files of this room that fill hits and explain.
#ifndef SCAN_BODY_H
#define SCAN_BODY_H

#include "watcher/match/eval.h"
#include "watcher/match/matcher_body.h"
#include "watcher/match/scan.h"

struct scan_page { // all segments of a text as one, for PAGE(...)
    struct text_segment segment;
    struct text_word *words;
    struct text_sentence *sentences;
    struct text_paragraph *paragraphs;
    size_t word_room, sentence_room, paragraph_room;
};

struct scan_score {
    uint32_t watch;
    double score;
};

struct scan {
    struct tc_id matcher; // whose numbers the scratch below speaks of
    struct view segment, page;
    struct scan_page whole;
    struct memo folded, surface; // what is known of words, by form
    struct expressions_scratch expressions;
    bool one_by_one; // expressions are looked for without vectorscan
    struct eval eval;
    const struct text *text; // what the views show; NULL: nothing
    uint32_t number;         // of the segment shown
    struct plan desk;        // the plan of a watch whose own is not kept
    struct plan_watch on_desk;
    uint32_t *picks;              // candidates: where their acts are, then those that are watches
    uint32_t *programs, *ordered; // and those that are programs
    size_t pick_room;
    uint64_t *fired;       // a bit for each watch that matched the segment
    uint64_t *fired_words; // a bit for each of fired[] that is not 0
    size_t fired_room;
    struct scan_score *scores; // of the watches that fired and have one
    size_t score_count, score_room;
    uint32_t *tried; // by watch: the round its program was last run in, when once
    size_t tried_room;
    uint32_t round;
    struct scan_hit *hits;
    size_t hit_count, hit_room;
    struct tc_buf excerpt;
    char note[200]; // of scan_explain
    struct scan_stats stats;
};

// Makes the views show a segment of a text, and the evaluator look at it.
void scan_show(struct scan *scan, const struct matcher *matcher, const struct text *text,
               uint32_t segment);

// The plan of a watch, which the evaluator then works on: the one that is kept, or one laid out on the
// desk until another is asked for.
const struct plan_watch *scan_planned(struct scan *scan, const struct matcher *matcher,
                                      uint32_t watch);

// Whether everything that its `where` asks holds for the segment shown.
bool scan_where_holds(struct scan *scan, const struct matcher *matcher, uint32_t watch);

// Whether a watch matches the segment shown, and its score (NaN when it has none).
bool scan_watch_holds(struct scan *scan, const struct matcher *matcher, uint32_t watch,
                      double *score);

// Whether the limits of its `where` that are numbers hold; NULL, or which one does not. It has a `where`.
const char *scan_where_wrong(const struct scan *scan, const struct watch *watch);

// An occurrence as hits have it, without a clause.
struct tc_match scan_match(const struct view *view, struct span span, struct tc_arena *arena);

#endif
