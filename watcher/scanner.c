#include "watcher/scanner.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/utf8.h"

struct scanner {
    struct scanner_settings set;
    struct layers_scan *scan;
    struct layers_scan
        *checker; // of the audit, which shares nothing with the other; NULL: there is none
    uint64_t articles;
};

struct scanner *scanner_new(const struct scanner_settings *settings)
{
    struct scanner *scanner = tc_new(sizeof *scanner);
    scanner->set = *settings;
    scanner->scan = layers_scan_new();
    scanner->checker = settings->audit ? layers_scan_new() : NULL;
    return scanner;
}

void scanner_free(struct scanner *scanner)
{
    if (!scanner)
        return;
    layers_scan_free(scanner->scan);
    layers_scan_free(scanner->checker);
    free(scanner);
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
static void put_record(struct job *job, const struct text *text, const struct layers_hit *found)
{
    // What one more segment can take: its title with every byte escaped, and the keys around it.
    enum { SEGMENT_ROOM = 6 * SCANNER_SEGMENT_TITLE_BYTES + 100 };
    struct tc_json json = tc_json_on(&job->record);
    article_record(job->article, &json);
    if (!job->hits)
        tc_json_put_str(&json, "kind", TC_STR("notice"));
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
                     const struct layers_hit *found)
{
    struct tc_buf *frame = open_frame(job);
    for (size_t i = 0; i < job->hits; i++) {
        struct tc_hit hit;
        layers_hit_fill(scanner->scan, job->layers, text, &found[i], &hit);
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
static const struct layers_hit *keep(struct job *job, const struct layers_hit *found)
{
    struct tc_arena *arena = job->article->arena;
    struct layers_hit *kept = tc_arena_room(arena, (job->hits + 1) * sizeof *kept);
    job->watches = tc_arena_room(arena, (job->hits + 1) * sizeof(const struct watch *));
    for (size_t i = 0; i < job->hits; i++) {
        kept[i] = found[i];
        job->watches[i] = layers_watch(job->layers, found[i].watch);
    }
    return kept;
}

struct audit {
    const struct scanner *scanner;
    const struct job *job;
};

static void tell_difference(void *context, enum audit_fault fault, const struct layers_hit *hit)
{
    const struct audit *audit = context;
    const struct scanner_settings *set = &audit->scanner->set;
    set->differed(set->context, audit->job->article, fault,
                  layers_watch(audit->job->layers, hit->watch));
}

static void check(struct scanner *scanner, const struct job *job, const struct text *text,
                  const struct layers_hit *kept)
{
    const struct layers_hit *all = NULL;
    struct audit audit = {scanner, job};
    size_t count = layers_run_all(scanner->checker, job->layers, text, &all);
    audit_compare(kept, job->hits, all, count, tell_difference, &audit);
    scanner->set.audited(scanner->set.context, job->article);
}

static const struct layers_hit *match(struct scanner *scanner, struct job *job,
                                      const struct text *text)
{
    const struct layers_hit *found = NULL;
    if (!job->layers)
        return NULL;
    job->hits = layers_run(scanner->scan, job->layers, text, &found);
    const struct layers_hit *kept = keep(job, found);
    if (scanner->checker && scanner->articles++ % scanner->set.audit == 0)
        check(scanner, job, text, kept);
    return kept;
}

void scanner_run(struct scanner *scanner, struct job *job)
{
    const struct text *text = NULL;
    struct tc_err err;
    if (text_read(job->article, &scanner->set.text, &text, &err) != TC_OK) {
        reject(job, err.text);
        return;
    }
    if (scanner->set.sampler)
        sampler_note(scanner->set.sampler, text);
    const struct layers_hit *kept = match(scanner, job, text);
    if (!job->hits && !job->notice)
        return;
    put_record(job, text, kept);
    if (!job->rejected)
        put_hits(scanner, job, text, kept);
}
