#include "watcher/scanner.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/match/scan.h"

struct scanner {
    struct text_settings settings;
    bool audit;
    struct scan *scan;
    uint64_t disagreements;
};

struct scanner *scanner_new(const struct text_settings *text, bool audit)
{
    struct scanner *scanner = tc_new(sizeof *scanner);
    scanner->settings = *text;
    scanner->audit = audit;
    scanner->scan = scan_new();
    return scanner;
}

void scanner_free(struct scanner *scanner)
{
    if (!scanner)
        return;
    scan_free(scanner->scan);
    free(scanner);
}

uint64_t scanner_disagreements(const struct scanner *scanner)
{
    return scanner->disagreements;
}

static void reject(struct job *job, const char *reason)
{
    job->rejected = true;
    job->hits = 0;
    snprintf(job->reason, sizeof job->reason, "%s", reason);
}

// ---- the record ---------------------------------------------------------------------------

static tc_str valid_start(tc_str text, size_t most)
{
    tc_str cut = tc_utf8_cut(text, most);
    return tc_str_cut(cut, 0, tc_utf8_valid(cut));
}

static void put_segment(struct tc_json *json, const struct text_segment *segment)
{
    tc_str title = valid_start(segment->title, SCANNER_SEGMENT_TITLE_BYTES);
    tc_json_open(json, '{');
    tc_json_put_u64(json, "number", segment->number);
    if (title.len)
        tc_json_put_str(json, "title", title);
    if (segment->lang[0])
        tc_json_put_str(json, "language", tc_str_of(segment->lang));
    tc_json_close(json, '}');
}

// The article's record with the segments that hit, which come in order. A page of very many
// segments names as many as the record holds.
static void put_record(struct job *job, const struct text *text, const struct scan_hit *found)
{
    // What one more segment can take: its title with every byte escaped, and the keys around it.
    enum { SEGMENT_ROOM = 6 * SCANNER_SEGMENT_TITLE_BYTES + 100 };
    struct tc_json json = tc_json_on(&job->record);
    article_record(job->article, &json);
    tc_json_key(&json, "segments");
    tc_json_open(&json, '[');
    for (size_t i = 0; i < job->hits; i++) {
        bool repeated = i && found[i].segment == found[i - 1].segment;
        if (!repeated && (i == 0 || job->record.len + SEGMENT_ROOM < SCANNER_RECORD_BYTES))
            put_segment(&json, &text->segments[found[i].segment]);
    }
    tc_json_close(&json, ']');
    tc_json_close(&json, '}');
    if (job->record.len > SCANNER_RECORD_BYTES)
        reject(job, "what is known about the article takes more than 16 KiB");
}

// ---- the hits -----------------------------------------------------------------------------

// Bytes that are no UTF-8 become U+FFFD: a hit travels in JSON.
static tc_str repaired(struct tc_arena *arena, tc_str text)
{
    if (tc_utf8_valid(text) == text.len)
        return text;
    char *out = tc_arena_bytes(arena, 3 * text.len + 1);
    size_t len = 0;
    for (size_t at = 0; at < text.len;)
        len += tc_utf8_put(tc_utf8_next(text, &at), out + len);
    return (tc_str){out, len};
}

static void repair_hit(struct tc_arena *arena, struct tc_hit *hit)
{
    struct tc_match *matches = tc_arena_take(arena, (hit->match_count + 1) * sizeof *matches);
    for (size_t i = 0; i < hit->match_count; i++) {
        matches[i] = hit->matches[i];
        matches[i].words = valid_start(repaired(arena, matches[i].words), TC_HIT_WORDS_BYTES);
    }
    hit->matches = matches;
    hit->excerpt = repaired(arena, hit->excerpt);
}

static struct tc_buf *open_frame(struct job *job)
{
    job->frames = tc_grow(job->frames, job->frame_count + 1, sizeof *job->frames);
    struct tc_buf *frame = &job->frames[job->frame_count++];
    *frame = (struct tc_buf){0};
    tc_hits_begin(frame);
    return frame;
}

static void put_hits(struct scanner *scanner, struct job *job, const struct text *text,
                     const struct scan_hit *found)
{
    struct tc_buf *frame = open_frame(job);
    for (size_t i = 0; i < job->hits; i++) {
        struct tc_hit hit;
        scan_hit_fill(scanner->scan, job->matcher, text, &found[i], &hit);
        repair_hit(job->article->arena, &hit);
        if (frame->len > SCANNER_FRAME_BYTES) {
            tc_hits_finish(frame, tc_buf_view(&job->record));
            frame = open_frame(job);
        }
        tc_hits_add(frame, &hit);
    }
    tc_hits_finish(frame, tc_buf_view(&job->record));
}

// ---- matching -----------------------------------------------------------------------------

// The found hits, and their watches, copied out of the scan.
static const struct scan_hit *keep(struct job *job, const struct scan_hit *found)
{
    struct scan_hit *kept = tc_arena_take(job->article->arena, (job->hits + 1) * sizeof *kept);
    uint32_t *watches = tc_arena_take(job->article->arena, (job->hits + 1) * sizeof *watches);
    for (size_t i = 0; i < job->hits; i++) {
        kept[i] = found[i];
        watches[i] = found[i].watch;
    }
    job->watches = watches;
    return kept;
}

static void audit(struct scanner *scanner, const struct job *job, const struct text *text,
                  const struct scan_hit *kept)
{
    const struct scan_hit *all = NULL;
    bool same = scan_run_all(scanner->scan, job->matcher, text, &all) == job->hits;
    for (size_t i = 0; same && i < job->hits; i++)
        same = all[i].segment == kept[i].segment && all[i].watch == kept[i].watch;
    scanner->disagreements += !same;
}

void scanner_run(struct scanner *scanner, struct job *job)
{
    const struct text *text = NULL;
    const struct scan_hit *found = NULL;
    struct tc_err err;
    if (text_read(job->article, &scanner->settings, &text, &err) != TC_OK) {
        reject(job, err.text);
        return;
    }
    if (!job->matcher)
        return;
    job->hits = scan_run(scanner->scan, job->matcher, text, &found);
    const struct scan_hit *kept = keep(job, found);
    if (scanner->audit)
        audit(scanner, job, text, kept);
    if (!job->hits)
        return;
    put_record(job, text, kept);
    if (!job->rejected)
        put_hits(scanner, job, text, kept);
}
