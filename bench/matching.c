// matching - stored queries in Lucene's syntax against articles, with the check sum of their matches.
//
//   bench-matching [-w ascii|standard|tocsin] [-c WATCHES] [-a ARTICLES] [-p PASSES] [-s SUM]
//                  DOCS.txt WATCHES.lucene
//
// DOCS.txt has an article a line, WATCHES.lucene a query a line; watch i is line i, from 0. The sum, over
// the first 500 articles d and all watches w that match, is that of x ^ x >> 29 with
// x = (d << 32 | w) * 0x9E3779B97F4A7C15, modulo 2^64: whoever finds the same matches has the same sum,
// in whatever order. With -s SUM another sum ends with status 1.
//
// Times are CPU time of the one thread, an article from its bytes to the numbers of its watches, and
// the best of PASSES counts. Parsing the queries and compiling them are told apart.
#include "common/clock.h"
#include "common/mem.h"
#include "watcher/match/lucene/lucene.h"
#include "watcher/match/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unicode/uversion.h>
#include <unistd.h>

enum { CHECKED = 500, PASSES = 3 };

struct bench {
    struct text_settings settings;
    size_t most_watches, most_articles;
    unsigned passes;
    const char *wanted;
    struct tc_buf docs, queries;
    struct tc_arena *arena; // queries
    struct watch *watches;
    size_t count, room;
    tc_str *articles;
    size_t article_count, article_room;
    struct matcher *matcher;
    struct scan *scan;
    double parse_s, compile_s, text_us, match_us;
    uint64_t sum, matches;
};

static _Noreturn void die(const char *what, const char *which)
{
    fprintf(stderr, "bench-matching: %s: %s\n", what, which);
    exit(2);
}

static double cpu_s(void)
{
    return (double)tc_thread_cpu_ns() / TC_SECOND;
}

// ---- reading -------------------------------------------------------------------------------

static void read_file(const char *path, struct tc_buf *out)
{
    char part[1 << 16];
    size_t len;
    FILE *file = fopen(path, "r");
    if (!file)
        die("cannot read", path);
    while ((len = fread(part, 1, sizeof part, file)) > 0)
        tc_buf_add(out, part, len);
    fclose(file);
}

static void read_articles(struct bench *bench, const char *path)
{
    tc_str rest, line;
    read_file(path, &bench->docs);
    rest = tc_buf_view(&bench->docs);
    while (bench->article_count < bench->most_articles && tc_str_next(&rest, '\n', &line)) {
        if (!line.len)
            continue;
        bench->articles = tc_room(bench->articles, bench->article_count, &bench->article_room,
                                  sizeof *bench->articles);
        bench->articles[bench->article_count++] = line;
    }
}

static void read_watches(struct bench *bench, const char *path)
{
    static const struct lucene_options options = {.all = false};
    struct tc_diags *diags = tc_diags_new();
    tc_str rest, line;
    read_file(path, &bench->queries);
    rest = tc_buf_view(&bench->queries);
    double begun = cpu_s();
    while (bench->count < bench->most_watches && tc_str_next(&rest, '\n', &line)) {
        struct query_text_place where = {TC_STR("query"), line};
        struct query_place place = {query_wrong_in_text, diags, &where};
        if (!line.len)
            continue;
        bench->watches =
            tc_room(bench->watches, bench->count, &bench->room, sizeof *bench->watches);
        struct watch *watch = &bench->watches[bench->count++];
        *watch = (struct watch){.name = TC_STR("bench/watch"), .severity = TC_STR("info")};
        watch->query = lucene_read(line, &bench->settings, &options, bench->arena, &place, NULL);
        if (!watch->query)
            die("no query", tc_arena_str(bench->arena, line).ptr);
    }
    bench->parse_s = cpu_s() - begun;
    tc_diags_free(diags);
}

static void compile(struct bench *bench)
{
    struct tc_err err = {0};
    double begun = cpu_s();
    if (matcher_new(bench->watches, bench->count, NULL, NULL, &bench->matcher, &err) != TC_OK)
        die("cannot compile", err.text);
    bench->compile_s = cpu_s() - begun;
}

// ---- matching ------------------------------------------------------------------------------

static void add_match(struct bench *bench, uint64_t article, uint64_t watch)
{
    uint64_t x = (article << 32 | watch) * UINT64_C(0x9E3779B97F4A7C15);
    bench->sum += x ^ x >> 29;
}

// One pass over all articles; counts matches when `count`.
static void pass(struct bench *bench, bool count)
{
    struct tc_arena *arena = tc_arena_new();
    double text_s = 0, match_s = 0;
    for (size_t i = 0; i < bench->article_count; i++) {
        struct article article = {.arena = arena, .body = bench->articles[i]};
        const struct text *text;
        const struct scan_hit *hits;
        struct tc_err err;
        double begun = cpu_s();
        if (text_read(&article, &bench->settings, &text, &err) != TC_OK)
            die("no text", err.text);
        double read = cpu_s();
        size_t found = scan_run(bench->scan, bench->matcher, text, &hits);
        match_s += cpu_s() - read;
        text_s += read - begun;
        bench->matches += count ? found : 0;
        for (size_t k = 0; k < found && count && i < CHECKED; k++)
            add_match(bench, i, hits[k].watch);
        tc_arena_empty(arena);
    }
    double text_us = 1e6 * text_s / (double)bench->article_count;
    double match_us = 1e6 * match_s / (double)bench->article_count;
    if (bench->match_us == 0 || text_us + match_us < bench->text_us + bench->match_us) {
        bench->text_us = text_us;
        bench->match_us = match_us;
    }
    tc_arena_free(arena);
}

static void print(const struct bench *bench)
{
    struct utsname machine;
    uname(&machine);
    printf("machine: %ld x %s, %s %s; tocsin %s, ICU %s\n", sysconf(_SC_NPROCESSORS_ONLN),
           machine.machine, machine.sysname, machine.release, TOCSIN_VERSION, U_ICU_VERSION);
    printf("%zu watches: parsed %.3f s, compiled %.3f s, %.0f bytes a watch\n", bench->count,
           bench->parse_s, bench->compile_s,
           (double)matcher_bytes(bench->matcher) / (double)bench->count);
    printf("%zu articles: text %.2f us, match %.2f us, together %.2f us CPU an article\n",
           bench->article_count, bench->text_us, bench->match_us, bench->text_us + bench->match_us);
    printf("%.2f matches an article, check %016llx\n",
           (double)bench->matches / (double)bench->article_count, (unsigned long long)bench->sum);
}

static void read_options(struct bench *bench, int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "w:c:a:p:s:")) != -1) {
        switch (option) {
        case 'w':
            bench->settings.words = !strcmp(optarg, "ascii")      ? TEXT_WORDS_ASCII
                                    : !strcmp(optarg, "standard") ? TEXT_WORDS_STANDARD
                                                                  : TEXT_WORDS_TOCSIN;
            break;
        case 'c': bench->most_watches = strtoull(optarg, NULL, 10); break;
        case 'a': bench->most_articles = strtoull(optarg, NULL, 10); break;
        case 'p': bench->passes = (unsigned)strtoul(optarg, NULL, 10); break;
        case 's': bench->wanted = optarg; break;
        default: die("usage", "bench-matching [OPTION...] DOCS.txt WATCHES.lucene");
        }
    }
    if (argc - optind != 2)
        die("usage", "bench-matching [OPTION...] DOCS.txt WATCHES.lucene");
}

int main(int argc, char **argv)
{
    struct bench bench = {.settings = {.words = TEXT_WORDS_ASCII},
                          .most_watches = SIZE_MAX,
                          .most_articles = SIZE_MAX,
                          .passes = PASSES,
                          .arena = tc_arena_new()};
    char sum[20];
    read_options(&bench, argc, argv);
    read_articles(&bench, argv[optind]);
    read_watches(&bench, argv[optind + 1]);
    if (!bench.article_count || !bench.count)
        die("nothing to do", "no articles or no watches");
    compile(&bench);
    bench.scan = scan_new();
    for (unsigned i = 0; i < (bench.passes ? bench.passes : 1); i++)
        pass(&bench, i == 0);
    print(&bench);
    snprintf(sum, sizeof sum, "%016llx", (unsigned long long)bench.sum);
    scan_free(bench.scan);
    matcher_drop(bench.matcher);
    free(bench.watches);
    free(bench.articles);
    tc_buf_done(&bench.docs);
    tc_buf_done(&bench.queries);
    tc_arena_free(bench.arena);
    if (!bench.wanted || !strcmp(bench.wanted, sum))
        return 0;
    printf("the check should be %s\n", bench.wanted);
    return 1;
}
