// Runs the tests inside watch files: each watch alone, through the same matcher as live articles.
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/match/scan.h"
#include "watcher/rules/parts.h"

enum { DETAIL_BYTES = 600 };

struct run { // of one test
    const struct rules *rules;
    const struct rules_entry *entry;
    const struct rules_case *test;
    struct matcher *matcher; // of this watch alone
    struct scan *scan;
    char detail[DETAIL_BYTES];
};

static enum rules_outcome outcome(struct run *run, enum rules_outcome which, const char *format,
                                  ...) __attribute__((format(printf, 3, 4)));

static enum rules_outcome outcome(struct run *run, enum rules_outcome which, const char *format,
                                  ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(run->detail, sizeof run->detail, format, args);
    va_end(args);
    return which;
}

// ---- articles ------------------------------------------------------------------------------

// A title and a text, as if an article had come with them.
static struct article *article_of_text(const struct rules_case *test)
{
    struct tc_arena *arena = tc_arena_new();
    struct article *article = tc_arena_take(arena, sizeof *article);
    article->arena = arena;
    article->id = TC_STR("test");
    article->version = 1;
    article->title = tc_arena_str(arena, test->title);
    article->body = tc_arena_str(arena, test->text);
    return article;
}

static struct article *article_of_file(const struct rules_case *test, const char *path,
                                       struct tc_err *err)
{
    struct article *article = NULL;
    struct tc_buf bytes = {0};
    tc_str name = tc_str_of(path);
    if (rules_read_bytes(path, ARTICLE_BYTES, &bytes, err) == TC_OK) {
        if (tc_str_ends(name, TC_STR(".json")))
            article_from_json(tc_buf_view(&bytes), TC_STR("test"), ARTICLE_BYTES, &article, err);
        else
            article_from_text(name, tc_buf_view(&bytes), TC_STR("test"), ARTICLE_BYTES, &article,
                              err);
    }
    if (article && test->title.len > 0)
        article->title = tc_arena_str(article->arena, test->title);
    tc_buf_done(&bytes);
    return article;
}

// The file that the test's glob names; it must be exactly one.
static enum rules_outcome find_article(struct run *run, struct article **out)
{
    const struct rules_case *test = run->test;
    struct tc_err err;
    glob_t found = {0};
    char pattern[4096];
    enum rules_outcome result = RULES_PASS;
    snprintf(pattern, sizeof pattern, "%.*s/%.*s", TC_ARG(test->folder), TC_ARG(test->file));
    int code = glob(pattern, 0, NULL, &found);
    if (code == GLOB_NOMATCH || (code == 0 && found.gl_pathc == 0))
        result = outcome(run, RULES_SKIPPED, "no file %s", pattern);
    else if (code != 0)
        result = outcome(run, RULES_FAIL, "cannot look for %s", pattern);
    else if (found.gl_pathc > 1)
        result = outcome(run, RULES_FAIL, "%s names %zu files, not one", pattern,
                         (size_t)found.gl_pathc);
    else if (!(*out = article_of_file(test, found.gl_pathv[0], &err)))
        result = outcome(run, RULES_FAIL, "%s", err.text);
    globfree(&found);
    return result;
}

// ---- what was expected ---------------------------------------------------------------------

// The excerpt without the signs around its matches.
static tc_str without_marks(struct tc_arena *arena, tc_str excerpt)
{
    char *out = tc_arena_bytes(arena, excerpt.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < excerpt.len;) {
        tc_str rest = tc_str_cut(excerpt, i, excerpt.len);
        if (tc_str_starts(rest, TC_STR(TC_MARK_OPEN)) || tc_str_starts(rest, TC_STR(TC_MARK_CLOSE)))
            i += sizeof TC_MARK_OPEN - 1;
        else
            out[len++] = excerpt.ptr[i++];
    }
    return (tc_str){out, len};
}

static bool holds(tc_str text, tc_str part)
{
    return part.len <= text.len && memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

// A quote is found when the matched words hold it, or the excerpt does around matched words.
static bool is_quoted(const struct tc_hit *hit, tc_str quote, struct tc_arena *arena)
{
    bool inside = false;
    for (size_t i = 0; i < hit->match_count; i++) {
        if (holds(hit->matches[i].words, quote))
            return true;
        inside = inside || holds(quote, hit->matches[i].words);
    }
    return inside && holds(without_marks(arena, hit->excerpt), quote);
}

static enum rules_outcome check_quote(struct run *run, const struct text *text,
                                      struct article *article, const struct scan_hit *hits,
                                      size_t count)
{
    tc_str excerpt = {0};
    for (size_t i = 0; i < count; i++) {
        struct tc_hit hit = {0};
        scan_hit_fill(run->scan, run->matcher, text, &hits[i], &hit);
        if (is_quoted(&hit, run->test->quote, article->arena))
            return RULES_PASS;
        excerpt = hit.excerpt;
    }
    return outcome(run, RULES_FAIL, "\"%.*s\" is not among the matched words: %.*s",
                   TC_ARG(run->test->quote), TC_ARG(excerpt));
}

static void add_numbers(struct tc_buf *out, const struct scan_hit *hits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tc_buf_addf(out, "%s%u", i ? ", " : "", hits[i].segment);
}

static enum rules_outcome check_segments(struct run *run, const struct scan_hit *hits, size_t count)
{
    bool same = count == run->test->segment_count;
    struct tc_buf found = {0};
    for (size_t i = 0; same && i < count; i++) {
        bool wanted = false;
        for (size_t k = 0; k < run->test->segment_count; k++)
            wanted = wanted || run->test->segments[k] == hits[i].segment;
        same = wanted;
    }
    if (same)
        return RULES_PASS;
    add_numbers(&found, hits, count);
    enum rules_outcome result =
        outcome(run, RULES_FAIL, "other segments matched: %.*s", TC_ARG(tc_buf_view(&found)));
    tc_buf_done(&found);
    return result;
}

static enum rules_outcome compare(struct run *run, const struct text *text, struct article *article)
{
    const struct scan_hit *hits = NULL;
    size_t count = scan_run(run->scan, run->matcher, text, &hits);
    if (run->test->expect == RULES_EXPECT_NONE) {
        struct tc_hit hit = {0};
        if (count == 0)
            return RULES_PASS;
        scan_hit_fill(run->scan, run->matcher, text, &hits[0], &hit);
        return outcome(run, RULES_FAIL, "expected no hit, but it matched: %.*s",
                       TC_ARG(hit.excerpt));
    }
    if (count == 0)
        return outcome(run, RULES_FAIL, "expected a hit, found none");
    if (run->test->segments_given) {
        enum rules_outcome result = check_segments(run, hits, count);
        if (result != RULES_PASS)
            return result;
    }
    return run->test->quote.len > 0 ? check_quote(run, text, article, hits, count) : RULES_PASS;
}

// ---- running -------------------------------------------------------------------------------

static enum rules_outcome run_test(struct run *run)
{
    struct article *article = NULL;
    const struct text *text = NULL;
    struct tc_err err;
    enum rules_outcome result = RULES_PASS;
    run->detail[0] = '\0';
    if (run->test->expect == RULES_EXPECT_STORY)
        return outcome(run, RULES_NOT_RUN, "needs the story engine");
    if (run->test->from_file)
        result = find_article(run, &article);
    else
        article = article_of_text(run->test);
    if (!article)
        return result;
    if (run->test->lang.len > 0)
        article->lang = run->test->lang;
    if (run->test->source.len > 0)
        article->source = run->test->source;
    if (text_read(article, rules_text_settings(run->rules), &text, &err) != TC_OK)
        result = outcome(run, RULES_FAIL, "%s", err.text);
    else
        result = compare(run, text, article);
    article_free(article);
    return result;
}

static size_t run_watch(struct run *run,
                        void (*tell)(void *context, const struct rules_result *result),
                        void *context)
{
    const struct rules_entry *entry = run->entry;
    struct tc_err err = {0};
    size_t failed = 0;
    int code = matcher_new(&entry->watch, 1, NULL, NULL, &run->matcher, &err);
    for (size_t i = 0; i < entry->case_count; i++) {
        run->test = &entry->cases[i];
        enum rules_outcome result =
            code == TC_OK ? run_test(run) : outcome(run, RULES_FAIL, "%s", err.text);
        struct rules_result told = {.outcome = result,
                                    .watch = entry->watch.name,
                                    .name = run->test->name,
                                    .file = entry->file,
                                    .line = run->test->line,
                                    .detail = tc_str_of(run->detail)};
        tell(context, &told);
        failed += result == RULES_FAIL;
    }
    matcher_drop(run->matcher);
    run->matcher = NULL;
    return failed;
}

size_t rules_test(struct rules *rules, const char *only_file,
                  void (*tell)(void *context, const struct rules_result *result), void *context)
{
    struct run run = {.rules = rules, .scan = scan_new()};
    size_t failed = 0;
    for (size_t i = 0; i < rules_count(rules); i++) {
        const struct rules_slot *slot = rules_slot_at(rules, i);
        run.entry = slot->entry;
        bool wanted = !slot->shared && (!only_file || strcmp(run.entry->file, only_file) == 0);
        if (wanted && run.entry->case_count > 0)
            failed += run_watch(&run, tell, context);
    }
    scan_free(run.scan);
    return failed;
}
