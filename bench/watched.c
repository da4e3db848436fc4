// watched - what an article costs against stored watches, inside one process.
//
//   bench-watched WATCHES.jsonl ARTICLES.jsonl [ascii|tocsin|standard]
//
// Reads the watches and the articles, then goes over the articles ROUNDS times and takes the
// best round: reading their words alone, and reading and matching. Times are CPU times of the thread, so
// that neighbours on the machine disturb little; what they still take is left out of `least_us`: every
// article's shortest time over all rounds, between which thousands of others were read. Measured twice: with frequencies guessed (as at a cold
// start) and counted (as after some articles). Two threads then match the same articles at once. One line
// of JSON on standard output.
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "watcher/match/counts.h"
#include "watcher/match/scan.h"
#include "watcher/rules/rules.h"
#include "watcher/source/article.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 9, CHECKED = 500, COUNTED = 1000, PERCENT_99 = 99 };

struct bench {
    struct text_settings settings;
    struct article **articles;
    size_t count, room;
    const struct matcher *matcher;
};

struct measured {
    double text_us, both_us, least_us, p50_us, p99_us, hits, candidates, bytes, compile_s,
        allocations;
    uint64_t check;
};

// ---- allocations ---------------------------------------------------------------------------

// The linker leads malloc and its like here (see CMakeLists.txt), so that matching can be seen not to call
// them.
static _Thread_local uint64_t allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    allocations++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    allocations++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    allocations++;
    return __real_realloc(old, bytes);
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench-watched: %s: %s\n", what, why);
    exit(2);
}

static double cpu_s(void)
{
    return (double)tc_thread_cpu_ns() / TC_SECOND;
}

// ---- input ---------------------------------------------------------------------------------

static void read_articles(struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    if (!file)
        die(path, "cannot be opened");
    while ((len = getline(&line, &room, file)) > 0) {
        struct tc_err err = {0};
        struct article *article;
        if (article_from_json((tc_str){line, (size_t)len}, TC_STR("bench"), ARTICLE_BYTES, &article,
                              &err) != TC_OK)
            die(path, err.text);
        bench->articles =
            tc_room(bench->articles, bench->count, &bench->room, sizeof *bench->articles);
        bench->articles[bench->count++] = article;
    }
    free(line);
    fclose(file);
}

static struct matcher *read_watches(const struct bench *bench, const char *path, double *load_s)
{
    struct rules *rules = rules_new(&bench->settings);
    struct tc_diags *diags = tc_diags_new();
    struct matcher *matcher;
    struct tc_err err = {0};
    double begun = cpu_s();
    rules_add_file(rules, path, diags);
    if (tc_diags_errors(diags))
        die(path, "has errors; see tocsin check");
    if (rules_matcher(rules, &matcher, &err) != TC_OK)
        die(path, err.text);
    *load_s = cpu_s() - begun;
    tc_diags_free(diags);
    rules_drop(rules);
    return matcher;
}

// ---- one article ---------------------------------------------------------------------------

static const struct text *read_text(const struct bench *bench, size_t number,
                                    struct tc_arena *arena, struct article *copy)
{
    const struct text *text;
    struct tc_err err = {0};
    tc_arena_empty(arena);
    *copy = *bench->articles[number];
    copy->arena = arena;
    if (text_read(copy, &bench->settings, &text, &err) != TC_OK)
        die("an article", err.text);
    return text;
}

static uint64_t check_of(size_t article, const struct scan_hit *hits, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t x = ((uint64_t)article << 32 | hits[i].watch) * UINT64_C(0x9e3779b97f4a7c15);
        sum += x ^ x >> 29;
    }
    return sum;
}

// CPU seconds of all articles; with a scan they are matched too. `hits` and `check` get the sums, `least`
// (may be NULL) every article's shortest time so far.
static double go_over(const struct bench *bench, struct scan *scan, uint64_t *hits, uint64_t *check,
                      int64_t *least)
{
    struct tc_arena *arena = tc_arena_new();
    double begun = cpu_s();
    *hits = *check = 0;
    for (size_t i = 0; i < bench->count; i++) {
        struct article copy;
        const struct scan_hit *found;
        int64_t start = tc_mono_ns();
        const struct text *text = read_text(bench, i, arena, &copy);
        if (!scan)
            continue;
        size_t count = scan_run(scan, bench->matcher, text, &found);
        int64_t spent_ns = tc_mono_ns() - start;
        if (least && spent_ns < least[i])
            least[i] = spent_ns;
        *hits += count;
        if (i < CHECKED)
            *check += check_of(i, found, count);
    }
    double spent = cpu_s() - begun;
    tc_arena_free(arena);
    return spent;
}

static int by_time(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

// Each article's best of a few goes, because the clock on the wall sees the neighbours too.
static void take_times(const struct bench *bench, struct scan *scan, struct measured *measured)
{
    struct tc_arena *arena = tc_arena_new();
    int64_t *times = tc_new(bench->count * sizeof *times);
    uint64_t allocated = 0;
    for (size_t i = 0; i < bench->count; i++) {
        struct article copy;
        const struct scan_hit *found;
        const struct text *text = read_text(bench, i, arena, &copy);
        times[i] = INT64_MAX;
        for (int round = 0; round < 3; round++) {
            uint64_t before = allocations;
            int64_t begun = tc_mono_ns();
            scan_run(scan, bench->matcher, text, &found);
            int64_t spent = tc_mono_ns() - begun;
            times[i] = spent < times[i] ? spent : times[i];
            allocated += allocations - before;
        }
    }
    qsort(times, bench->count, sizeof *times, by_time);
    measured->allocations = (double)allocated;
    measured->p50_us = (double)times[bench->count / 2] / 1e3;
    measured->p99_us = (double)times[bench->count * PERCENT_99 / 100] / 1e3;
    free(times);
    tc_arena_free(arena);
}

static struct measured measure(struct bench *bench, const struct matcher *matcher)
{
    struct scan *scan = scan_new();
    double text = 1e9, both = 1e9, each = 1e6 / (double)bench->count;
    uint64_t hits = 0, check = 0;
    struct measured measured = {0};
    int64_t *least = tc_new(bench->count * sizeof *least);
    bench->matcher = matcher;
    for (size_t i = 0; i < bench->count; i++)
        least[i] = INT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        double spent = go_over(bench, NULL, &hits, &check, NULL);
        text = spent < text ? spent : text;
        spent = go_over(bench, scan, &hits, &check, least);
        both = spent < both ? spent : both;
    }
    for (size_t i = 0; i < bench->count; i++)
        measured.least_us += (double)least[i] / 1e3 / (double)bench->count;
    free(least);
    measured.text_us = text * each;
    measured.both_us = both * each;
    measured.hits = (double)hits / (double)bench->count;
    measured.candidates =
        (double)scan_stats(scan).candidates / (double)bench->count / (double)ROUNDS;
    measured.check = check;
    measured.bytes = (double)matcher_bytes(matcher) / (double)matcher_count(matcher);
    take_times(bench, scan, &measured);
    scan_free(scan);
    return measured;
}

// ---- frequencies ---------------------------------------------------------------------------

static struct matcher *compile_anew(const struct matcher *matcher, const struct counts *counts,
                                    double *spent)
{
    struct matcher *anew;
    struct tc_err err = {0};
    double best = 1e9;
    size_t count = matcher_count(matcher);
    const struct watch **watches = tc_new((count + 1) * sizeof(const struct watch *));
    for (size_t i = 0; i < count; i++)
        watches[i] = matcher_watch(matcher, i);
    for (int round = 0; round < 3; round++) {
        double begun = cpu_s();
        // The list is needed as long as the last of them: to the end of the program.
        if (matcher_new_of(watches, count, counts, NULL, NULL, NULL, &anew, &err) != TC_OK)
            die("compiling", err.text);
        double took = cpu_s() - begun;
        best = took < best ? took : best;
        if (round < 2)
            matcher_drop(anew);
    }
    *spent = best;
    return anew;
}

static void count_words(const struct bench *bench, struct counts *counts)
{
    struct tc_arena *arena = tc_arena_new();
    for (size_t i = 0; i < bench->count && i < COUNTED; i++) {
        struct article copy;
        counts_add(counts, read_text(bench, i, arena, &copy));
    }
    tc_arena_free(arena);
}

// ---- two threads ---------------------------------------------------------------------------

struct half {
    const struct bench *bench;
    pthread_t thread;
    double spent;
    uint64_t hits, check;
};

static void *run_half(void *argument)
{
    struct half *half = argument;
    struct scan *scan = scan_new();
    half->spent = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double spent = go_over(half->bench, scan, &half->hits, &half->check, NULL);
        half->spent = spent < half->spent ? spent : half->spent;
    }
    scan_free(scan);
    return NULL;
}

// How much faster two threads are than one, by their CPU times while both run.
static double two_threads(struct bench *bench, const struct measured *one, bool *same)
{
    struct half halves[2] = {{.bench = bench}, {.bench = bench}};
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&halves[i].thread, NULL, run_half, &halves[i]) != 0)
            die("a thread", "cannot be started");
    }
    for (int i = 0; i < 2; i++)
        pthread_join(halves[i].thread, NULL);
    *same = halves[0].check == one->check && halves[1].check == one->check &&
            halves[0].hits == halves[1].hits;
    double mean_us = (halves[0].spent + halves[1].spent) / 2 * 1e6 / (double)bench->count;
    return 2 * one->both_us / mean_us;
}

// ---- the line ------------------------------------------------------------------------------

static void put_real(struct tc_json *json, const char *key, double value)
{
    tc_json_key(json, key);
    tc_json_real(json, value);
}

static void put_measured(struct tc_json *json, const char *key, const struct measured *measured)
{
    char check[TC_ID_TEXT_BYTES];
    snprintf(check, sizeof check, "%016llx", (unsigned long long)measured->check);
    tc_json_key(json, key);
    tc_json_open(json, '{');
    put_real(json, "text_us", measured->text_us);
    put_real(json, "match_us", measured->both_us - measured->text_us);
    put_real(json, "both_us", measured->both_us);
    put_real(json, "least_us", measured->least_us);
    put_real(json, "p50_us", measured->p50_us);
    put_real(json, "p99_us", measured->p99_us);
    put_real(json, "hits", measured->hits);
    put_real(json, "candidates", measured->candidates);
    put_real(json, "bytes_per_watch", measured->bytes);
    put_real(json, "compile_s", measured->compile_s);
    put_real(json, "allocations", measured->allocations); // of all articles, after warm-up
    tc_json_put_str(json, "check", tc_str_of(check));
    tc_json_close(json, '}');
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    struct counts counts;
    struct measured guessed, counted;
    double load_s, compile_s;
    bool same;
    if (argc < 3)
        die("usage", "bench-watched WATCHES.jsonl ARTICLES.jsonl [ascii|tocsin|standard]");
    const char *words = argc > 3 ? argv[3] : "tocsin";
    bench.settings.words = strcmp(words, "ascii") == 0      ? TEXT_WORDS_ASCII
                           : strcmp(words, "standard") == 0 ? TEXT_WORDS_STANDARD
                                                            : TEXT_WORDS_TOCSIN;
    read_articles(&bench, argv[2]);
    struct matcher *matcher = read_watches(&bench, argv[1], &load_s);
    counts_init(&counts);
    count_words(&bench, &counts);

    struct matcher *anew = compile_anew(matcher, NULL, &compile_s);
    guessed = measure(&bench, anew);
    guessed.compile_s = compile_s;
    matcher_drop(anew);
    anew = compile_anew(matcher, &counts, &compile_s);
    counted = measure(&bench, anew);
    counted.compile_s = compile_s;
    double ratio = two_threads(&bench, &counted, &same);

    struct tc_buf line = {0};
    struct tc_json json = tc_json_on(&line);
    tc_json_open(&json, '{');
    tc_json_put_u64(&json, "watches", matcher_count(matcher));
    tc_json_put_u64(&json, "articles", bench.count);
    put_real(&json, "load_s", load_s);
    put_measured(&json, "guessed", &guessed);
    put_measured(&json, "counted", &counted);
    put_real(&json, "two_threads", ratio);
    tc_json_put_bool(&json, "same_matches", same && guessed.check == counted.check);
    tc_json_close(&json, '}');
    printf("%.*s\n", TC_ARG(tc_buf_view(&line)));
    tc_buf_done(&line);
    matcher_drop(anew);
    matcher_drop(matcher);
    counts_done(&counts);
    for (size_t i = 0; i < bench.count; i++)
        article_free(bench.articles[i]);
    free(bench.articles);
    return same ? 0 : 1;
}
