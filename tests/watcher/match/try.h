// try - one query (or a few) against one article, for the tests of this folder.
#ifndef TRY_H
#define TRY_H

#include "common/json.h"
#include "common/mem.h"
#include "watcher/match/scan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct text_settings try_settings = {.words = TEXT_WORDS_TOCSIN};

static struct query_node *try_query_with(const char *query, const struct query_lists *lists,
                                         struct tc_arena *arena)
{
    struct tc_diags *diags = tc_diags_new();
    struct query_text_place where = {TC_STR("query"), tc_str_of(query)};
    struct query_place place = {query_wrong_in_text, diags, &where};
    struct query_node *node = query_read(tc_str_of(query), &try_settings, lists, arena, &place);
    if (!node) {
        struct tc_buf buf = {0};
        tc_diags_print(diags, false, &buf);
        print_error("%s: %s\n", query, buf.ptr);
        tc_buf_done(&buf);
    }
    tc_diags_free(diags);
    assert_non_null(node);
    return node;
}

static inline struct query_node *try_query(const char *query, struct tc_arena *arena)
{
    static const struct query_lists none = {NULL, 0};
    return try_query_with(query, &none, arena);
}

static inline struct watch try_watch(const char *name, const struct query_node *query)
{
    return (struct watch){.name = tc_str_of(name), .severity = TC_STR("info"), .query = query};
}

static inline struct article *try_article(const char *json)
{
    struct article *article = NULL;
    struct tc_err err = {0};
    if (article_from_json(tc_str_of(json), TC_STR("test"), ARTICLE_BYTES, &article, &err))
        print_error("%s: %s\n", json, err.text);
    assert_non_null(article);
    return article;
}

// An article of one paragraph per line.
static inline struct article *try_plain(const char *text)
{
    struct tc_buf json = {0};
    struct tc_json out = tc_json_on(&json);
    tc_json_open(&out, '{');
    tc_json_put_str(&out, "id", TC_STR("t1"));
    tc_json_put_str(&out, "text", tc_str_of(text));
    tc_json_close(&out, '}');
    struct article *article = try_article(json.ptr);
    tc_buf_done(&json);
    return article;
}

static inline const struct text *try_text(struct article *article)
{
    const struct text *text = NULL;
    struct tc_err err = {0};
    assert_int_equal(text_read(article, &try_settings, &text, &err), TC_OK);
    return text;
}

static inline struct matcher *try_matcher(const struct watch *watches, size_t count)
{
    struct matcher *matcher = NULL;
    struct tc_err err = {0};
    assert_int_equal(matcher_new(watches, count, NULL, NULL, &matcher, &err), TC_OK);
    return matcher;
}

// Runs with and without the index, wants the same, and gives the number of hits.
static inline size_t try_run(struct scan *scan, struct matcher *matcher, const struct text *text,
                             struct scan_hit *first)
{
    const struct scan_hit *hits;
    size_t all = scan_run_all(scan, matcher, text, &hits);
    struct scan_hit *kept = tc_new((all + 1) * sizeof *kept);
    if (all)
        memcpy(kept, hits, all * sizeof *kept);
    size_t found = scan_run(scan, matcher, text, &hits);
    assert_int_equal(found, all);
    for (size_t i = 0; i < found; i++) {
        assert_int_equal(hits[i].watch, kept[i].watch);
        assert_int_equal(hits[i].segment, kept[i].segment);
    }
    if (found && first)
        *first = hits[0];
    free(kept);
    return found;
}

static inline bool try_match(const char *query, const char *text)
{
    struct tc_arena *arena = tc_arena_new();
    struct watch watch = try_watch("test/watch", try_query(query, arena));
    struct matcher *matcher = try_matcher(&watch, 1);
    struct article *article = try_plain(text);
    struct scan *scan = scan_new();
    bool found = try_run(scan, matcher, try_text(article), NULL) > 0;
    scan_free(scan);
    article_free(article);
    matcher_drop(matcher);
    tc_arena_free(arena);
    return found;
}

#endif
