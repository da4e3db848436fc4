#include "client/cli/match_run.h"

#include "client/cli/cli.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/queue.h"
#include "watcher/match/scan.h"

#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

enum { PROGRESS_NS = 200 * 1000 * 1000 };

struct batch {
    struct article *articles[RUN_BATCH];
    const struct text *texts[RUN_BATCH]; // NULL: could not be read
    size_t count;
    uint64_t first; // number of its first article
    struct tc_buf lines, complaints;
    struct match_totals totals; // of this batch
    sem_t done;
};

struct room { // shared by the threads of a run
    const struct match_run *run;
    struct tc_queue *work;
    struct batch *ring;
    size_t ring_size;
    uint64_t given, taken; // batches: handed out, written
    pthread_t *workers;
    unsigned started;
    int64_t shown_ns;
};

static double thread_cpu_s(void)
{
    return (double)tc_thread_cpu_ns() / TC_SECOND;
}

// ---- one hit -------------------------------------------------------------------------------

static void put_match(struct tc_json *json, const struct tc_match *match)
{
    tc_json_open(json, '{');
    if (match->clause.len)
        tc_json_put_str(json, "clause", match->clause);
    tc_json_put_str(json, "field", tc_str_of(tc_field_name(match->field)));
    tc_json_put_u64(json, "start", match->start);
    tc_json_put_u64(json, "end", match->end);
    tc_json_put_str(json, "words", match->words);
    tc_json_close(json, '}');
}

void match_put_json(const struct tc_hit *hit, tc_str article, struct tc_buf *out)
{
    struct tc_json json = tc_json_on(out);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "watch", hit->watch);
    tc_json_put_str(&json, "article", article);
    tc_json_put_u64(&json, "segment", hit->segment);
    if (!isnan(hit->score)) {
        tc_json_key(&json, "score");
        tc_json_real(&json, hit->score);
    }
    tc_json_key(&json, "matches");
    tc_json_open(&json, '[');
    for (size_t i = 0; i < hit->match_count; i++)
        put_match(&json, &hit->matches[i]);
    tc_json_close(&json, ']');
    tc_json_put_str(&json, "excerpt", hit->excerpt);
    tc_json_close(&json, '}');
    tc_buf_byte(out, '\n');
}

static void put_count(const struct match_run *run, const struct text *text,
                      const struct scan_hit *hit, struct tc_buf *out)
{
    tc_buf_str(out, matcher_watch(run->matcher, hit->watch)->name);
    tc_buf_byte(out, '\t');
    tc_buf_str(out, text->article->id);
    tc_buf_addf(out, "\t%u\n", (unsigned)text->segments[hit->segment].number);
}

// ---- a worker ------------------------------------------------------------------------------

static bool same_hit(const struct scan_hit *a, const struct scan_hit *b)
{
    return a->watch == b->watch && a->segment == b->segment;
}

// Says which watch and segment the index and the check by brute force disagree on.
static void complain(const struct match_run *run, const struct text *text,
                     const struct scan_hit *hit, const char *what, struct batch *batch)
{
    tc_str watch = matcher_watch(run->matcher, hit->watch)->name;
    batch->totals.audit_misses++;
    tc_buf_addf(&batch->complaints, "tocsin: audit: %s %.*s on %.*s, segment %u\n", what,
                TC_ARG(watch), TC_ARG(text->article->id),
                (unsigned)text->segments[hit->segment].number);
}

// Both lists are in the same order: by segment, then watch.
static void audit(const struct match_run *run, struct scan *checker, const struct text *text,
                  const struct scan_hit *found, size_t count, struct batch *batch)
{
    const struct scan_hit *all;
    size_t all_count = scan_run_all(checker, run->matcher, text, &all), i = 0, k = 0;
    batch->totals.audited++;
    while (i < count || k < all_count) {
        if (i < count && k < all_count && same_hit(&found[i], &all[k])) {
            i++, k++;
            continue;
        }
        bool missed = i == count || (k < all_count && (all[k].segment != found[i].segment
                                                           ? all[k].segment < found[i].segment
                                                           : all[k].watch < found[i].watch));
        if (missed)
            complain(run, text, &all[k++], "the index missed", batch);
        else
            complain(run, text, &found[i++], "only the index found", batch);
    }
}

static void match_one(const struct match_run *run, struct scan *scan, const struct text *text,
                      struct batch *batch)
{
    const struct scan_hit *hits;
    size_t count = scan_run(scan, run->matcher, text, &hits);
    batch->totals.hits += count;
    for (size_t i = 0; i < count; i++) {
        struct tc_hit hit;
        if (run->count_only) {
            put_count(run, text, &hits[i], &batch->lines);
            continue;
        }
        scan_hit_fill(scan, run->matcher, text, &hits[i], &hit);
        match_put_json(&hit, text->article->id, &batch->lines);
    }
}

static void audit_one(const struct match_run *run, struct scan *scan, struct scan *checker,
                      const struct text *text, struct batch *batch)
{
    const struct scan_hit *hits;
    size_t count = scan_run(scan, run->matcher, text, &hits);
    audit(run, checker, text, hits, count, batch);
}

static void read_texts(const struct match_run *run, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct tc_err err = {0};
        struct article *article = batch->articles[i];
        batch->totals.bytes += article->title.len + article->body.len;
        batch->texts[i] = NULL;
        if (text_read(article, &run->settings, &batch->texts[i], &err) == TC_OK)
            continue;
        batch->totals.unreadable++;
        tc_buf_addf(&batch->complaints, "tocsin: %.*s: %s\n", TC_ARG(article->id), err.text);
    }
}

static void work_on(const struct match_run *run, struct scan *scan, struct scan *checker,
                    struct batch *batch)
{
    double begun = thread_cpu_s();
    uint64_t candidates = scan_stats(scan).candidates;
    read_texts(run, batch);
    double read = thread_cpu_s();
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->texts[i])
            match_one(run, scan, batch->texts[i], batch);
    }
    batch->totals.candidates = scan_stats(scan).candidates - candidates;
    batch->totals.text_cpu_s = read - begun;
    batch->totals.match_cpu_s = thread_cpu_s() - read;
    for (size_t i = 0; i < batch->count && run->audit; i++) {
        if (batch->texts[i] && (batch->first + i) % run->audit == 0)
            audit_one(run, scan, checker, batch->texts[i], batch);
    }
    for (size_t i = 0; i < batch->count; i++)
        article_free(batch->articles[i]);
}

static void *worker(void *argument)
{
    struct room *room = argument;
    struct scan *scan = scan_new(), *checker = scan_new();
    struct batch *batch;
    while ((batch = tc_queue_pop(room->work, -1)) != NULL) {
        work_on(room->run, scan, checker, batch);
        sem_post(&batch->done);
    }
    scan_free(scan);
    scan_free(checker);
    return NULL;
}

// ---- reading and writing -------------------------------------------------------------------

static void show_progress(struct room *room, const struct match_totals *totals)
{
    int64_t now = tc_mono_ns();
    if (now - room->shown_ns < PROGRESS_NS)
        return;
    room->shown_ns = now;
    cli_progress("%llu articles, %llu hits", (unsigned long long)totals->articles,
                 (unsigned long long)totals->hits);
}

static void add_totals(struct match_totals *sum, const struct match_totals *more)
{
    sum->bytes += more->bytes;
    sum->hits += more->hits;
    sum->candidates += more->candidates;
    sum->unreadable += more->unreadable;
    sum->audited += more->audited;
    sum->audit_misses += more->audit_misses;
    sum->text_cpu_s += more->text_cpu_s;
    sum->match_cpu_s += more->match_cpu_s;
}

// Waits for the oldest batch and writes what it gave.
static void write_oldest(struct room *room, struct match_totals *totals)
{
    struct batch *batch = &room->ring[room->taken++ % room->ring_size];
    while (sem_wait(&batch->done) != 0)
        continue; // interrupted by a signal
    add_totals(totals, &batch->totals);
    totals->articles += batch->count;
    if (batch->complaints.len) {
        cli_progress(NULL);
        fwrite(batch->complaints.ptr, 1, batch->complaints.len, stderr);
    }
    if (batch->lines.len)
        fwrite(batch->lines.ptr, 1, batch->lines.len, room->run->out);
    tc_buf_clear(&batch->lines);
    tc_buf_clear(&batch->complaints);
    show_progress(room, totals);
}

// Fills a batch. What comes through a pipe is not kept waiting for more.
static bool fill(struct batch *batch, struct offline_articles *articles,
                 struct match_totals *totals)
{
    double begun = thread_cpu_s();
    struct article *article;
    batch->count = 0;
    batch->totals = (struct match_totals){0};
    while (batch->count < RUN_BATCH && (article = offline_article(articles)) != NULL) {
        batch->articles[batch->count++] = article;
        if (articles->live)
            break;
    }
    totals->parse_cpu_s += thread_cpu_s() - begun;
    return batch->count > 0;
}

static void run_all(struct room *room, struct offline_articles *articles,
                    struct match_totals *totals)
{
    uint64_t number = 0;
    for (;;) {
        if (room->given - room->taken == room->ring_size)
            write_oldest(room, totals);
        struct batch *batch = &room->ring[room->given % room->ring_size];
        if (!fill(batch, articles, totals))
            break;
        batch->first = number;
        number += batch->count;
        room->given++;
        tc_queue_push(room->work, batch);
        while (articles->live && room->taken < room->given)
            write_oldest(room, totals);
        if (articles->live)
            fflush(room->run->out);
    }
    while (room->taken < room->given)
        write_oldest(room, totals);
    cli_progress(NULL);
}

static int start(struct room *room, struct tc_err *err)
{
    room->ring_size = 2 * (size_t)room->run->threads + 2;
    room->ring = tc_new(room->ring_size * sizeof *room->ring);
    room->workers = tc_new(room->run->threads * sizeof *room->workers);
    room->work = tc_queue_new(room->ring_size);
    for (size_t i = 0; i < room->ring_size; i++)
        sem_init(&room->ring[i].done, 0, 0);
    for (; room->started < room->run->threads; room->started++) {
        int wrong = pthread_create(&room->workers[room->started], NULL, worker, room);
        if (wrong)
            return tc_fail(err, TC_EIO, "cannot start thread %u: %s", room->started + 1,
                           strerror(wrong));
        pthread_setname_np(room->workers[room->started], "match");
    }
    return TC_OK;
}

static void stop(struct room *room)
{
    tc_queue_close(room->work);
    for (unsigned i = 0; i < room->started; i++)
        pthread_join(room->workers[i], NULL);
    for (size_t i = 0; i < room->ring_size; i++) {
        sem_destroy(&room->ring[i].done);
        tc_buf_done(&room->ring[i].lines);
        tc_buf_done(&room->ring[i].complaints);
    }
    tc_queue_free(room->work);
    free(room->ring);
    free(room->workers);
}

int match_run(const struct match_run *run, struct offline_articles *articles,
              struct match_totals *totals, struct tc_err *err)
{
    struct room room = {.run = run};
    int64_t begun = tc_mono_ns();
    int code = start(&room, err);
    if (code == TC_OK)
        run_all(&room, articles, totals);
    stop(&room);
    totals->wall_s = (double)(tc_mono_ns() - begun) / 1e9;
    totals->unreadable += articles->unreadable;
    return code;
}
