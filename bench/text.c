// text - megabytes per second that text_read turns into words.
//
//   bench-text [-p PASSES] [-w tocsin|standard|ascii] FILE.jsonl[.gz][:LANG]...
//
// Reads all articles of a file (those in LANG), then reads their texts PASSES times, one thread.
// The best pass counts, by CPU time of the thread: neighbours on the machine cost a pass, not the
// figure. Only text_read is inside the clock; the arena is emptied between articles and stays warm,
// as in a watcher that runs. One table on standard output, the machine and the versions above it.
#include "watcher/text/text.h"
#include "common/clock.h"
#include "common/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicode/uversion.h>
#include <unistd.h>
#include <zlib.h>

enum { PASSES = 15, LINE_BYTES = 1 << 22 };

struct sample {
    struct tc_arena *texts;
    struct article *articles;
    size_t count, bytes, words;
    size_t held; // most of the arena for one article
    int64_t best_ns;
};

static _Noreturn void die(const char *what, const char *which)
{
    fprintf(stderr, "bench-text: %s: %s\n", what, which);
    exit(2);
}

// ---- the sample ------------------------------------------------------------------------------

// The texts alone: other keys of a corpus may mean something else to an article.
static tc_str text_of(json_t *object, const char *key, struct tc_arena *arena)
{
    json_t *value = json_object_get(object, key);
    return json_is_string(value)
               ? tc_arena_str(arena, (tc_str){json_string_value(value), json_string_length(value)})
               : (tc_str){0};
}

static void add_article(struct sample *sample, const char *line, tc_str lang)
{
    json_t *object = json_loads(line, 0, NULL);
    if (!json_is_object(object))
        die("no article", line);
    struct article article = {.lang = text_of(object, "lang", sample->texts)};
    if (lang.len == 0 || tc_str_eq(article.lang, lang)) {
        article.title = text_of(object, "title", sample->texts);
        article.body = text_of(object, "text", sample->texts);
        sample->articles = tc_grow(sample->articles, sample->count + 1, sizeof article);
        sample->articles[sample->count++] = article;
        sample->bytes += article.title.len + article.body.len;
    }
    json_decref(object);
}

static void load(struct sample *sample, const char *path, tc_str lang)
{
    gzFile file = gzopen(path, "rb");
    char *line = tc_grow(NULL, LINE_BYTES, 1);
    if (!file)
        die("cannot open", path);
    while (gzgets(file, line, LINE_BYTES))
        add_article(sample, line, lang);
    gzclose(file);
    free(line);
    if (sample->count == 0)
        die("no article in this language in", path);
}

static void unload(struct sample *sample)
{
    tc_arena_free(sample->texts);
    free(sample->articles);
}

// ---- the measurement -------------------------------------------------------------------------

static void read_one(struct sample *sample, const struct article *article,
                     const struct text_settings *settings, struct tc_arena *arena)
{
    struct article again = *article; // reads into our arena, not into its own
    const struct text *text;
    struct tc_err err;
    again.arena = arena;
    tc_arena_empty(arena);
    if (text_read(&again, settings, &text, &err) != TC_OK)
        die("cannot read", err.text);
    for (uint32_t i = 0; i < text->segment_count; i++)
        sample->words += text->segments[i].word_count;
    if (tc_arena_held(arena) > sample->held)
        sample->held = tc_arena_held(arena);
}

static void measure(struct sample *sample, const struct text_settings *settings, size_t passes)
{
    struct tc_arena *arena = tc_arena_new();
    for (size_t pass = 0; pass < passes; pass++) {
        sample->words = 0;
        int64_t began = tc_thread_cpu_ns();
        for (size_t i = 0; i < sample->count; i++)
            read_one(sample, &sample->articles[i], settings, arena);
        int64_t took = tc_thread_cpu_ns() - began;
        if (pass == 0 || took < sample->best_ns)
            sample->best_ns = took;
    }
    tc_arena_free(arena);
}

// ---- the report ------------------------------------------------------------------------------

static void print_machine(void)
{
    char line[256], model[256] = "unknown processor\n";
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info && fgets(line, sizeof line, info))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':'))
            snprintf(model, sizeof model, "%s", strchr(line, ':') + 2);
    if (info)
        fclose(info);
    printf("# %ld x %s", sysconf(_SC_NPROCESSORS_ONLN), model);
    printf("# compiler %s, Unicode data of ICU %s, tocsin %s\n", __VERSION__, U_ICU_VERSION,
           TOCSIN_VERSION);
    printf("%-42s %9s %11s %9s %9s %8s %8s\n", "sample", "articles", "bytes", "MB/s", "us/article",
           "ns/word", "arena KB");
}

static void print_sample(const char *name, const struct sample *sample)
{
    const char *slash = strrchr(name, '/');
    double ns = (double)sample->best_ns;
    printf("%-42s %9zu %11zu %9.1f %9.2f %8.2f %8zu\n", slash ? slash + 1 : name, sample->count,
           sample->bytes, (double)sample->bytes * 1000 / ns, ns / 1000 / (double)sample->count,
           ns / (double)sample->words, sample->held / 1024);
}

static void run(const char *name, const struct text_settings *settings, size_t passes)
{
    struct sample sample = {.texts = tc_arena_new()};
    char *path = strdup(name), *colon = strrchr(path, ':');
    if (colon)
        *colon = '\0';
    load(&sample, path, tc_str_of(colon ? colon + 1 : NULL));
    measure(&sample, settings, passes);
    print_sample(name, &sample);
    unload(&sample);
    free(path);
}

static enum text_words words_named(const char *name)
{
    static const char *const names[] = {"tocsin", "standard", "ascii"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum text_words)i;
    die("no such words", name);
}

int main(int argc, char **argv)
{
    struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    size_t passes = PASSES;
    for (int option; (option = getopt(argc, argv, "p:w:")) != -1;) {
        if (option == 'p')
            passes = strtoul(optarg, NULL, 10);
        else if (option == 'w')
            settings.words = words_named(optarg);
        else
            return 2;
    }
    if (optind == argc || passes == 0)
        die("usage", "bench-text [-p PASSES] [-w WORDS] FILE.jsonl[.gz][:LANG]...");
    print_machine();
    for (int i = optind; i < argc; i++)
        run(argv[i], &settings, passes);
    return 0;
}
