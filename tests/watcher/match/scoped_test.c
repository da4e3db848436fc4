// scoped_test - what counts in the title or the body only, and all of dialect lucene: the index and its
// programs against the evaluator, on random queries and texts. The seed is printed; TEST_SEED repeats a run.

#include "tests/watcher/match/try.h"
#include "watcher/match/lucene/lucene.h"
#include "watcher/match/matcher_body.h"

#include <time.h>

enum { ROUNDS = 120, WATCHES = 30, TEXTS = 4, WORDS_MOST = 30, DEPTH = 2, KINDS = 128 };

// Words with an apostrophe are two at one position.
static const char *const vocabulary[] = {"kalo", "kami",  "lomi's", "lomi",
                                         "nupe", "l'oro", "oro",    "sato"};
enum { VOCABULARY = sizeof vocabulary / sizeof *vocabulary };

static uint64_t chance;

static unsigned below(unsigned most)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((chance >> 33) % most);
}

static const char *any_word(void)
{
    return vocabulary[below(VOCABULARY)];
}

// ---- queries -------------------------------------------------------------------------------

// A regular expression; in dialect lucene they are words.
static void put_expression(struct tc_buf *out)
{
    const char *a = any_word(), *b = any_word();
    while (strchr(a, '\'')) // three letters in a row
        a = any_word();
    switch (below(5)) {
    case 0: tc_buf_addf(out, "/%.3s[a-z]*/", a); break;
    case 1: tc_buf_addf(out, "/%.3s.{0,30}o/i", a); break;
    case 2: tc_buf_addf(out, "/\\b%.3s[aiou]\\b/i", a); break;
    case 3: tc_buf_addf(out, "/%.3s\\w* %.3s/", a, b); break;
    default: tc_buf_addf(out, "/^%.3s/i", a); break;
    }
}

static void put_leaf(struct tc_buf *out)
{
    const char *a = any_word(), *b = any_word();
    switch (below(5)) {
    case 0: tc_buf_addf(out, "\"%s %s\"", a, b); break;
    case 1: tc_buf_addf(out, "\"%s %s %s\"", a, b, any_word()); break;
    case 2: tc_buf_addf(out, "%.3s*", a); break;
    default: tc_buf_addf(out, "%s", a); break;
    }
}

static void put_near(struct tc_buf *out, bool lucene)
{
    const char *a = any_word(), *b = any_word();
    if (lucene)
        tc_buf_addf(out, "\"%s %s\"~%u", a, b, below(6));
    else
        tc_buf_addf(out, "(%s %s/%u %s)", a, below(2) ? "NEAR" : "ONEAR", below(6), b);
}

static void put_query(struct tc_buf *out, bool lucene, int depth)
{
    static const char *const scopes[] = {"", "", "title:", "body:"};
    unsigned kind = below(5);
    if (!depth || kind == 0) {
        tc_buf_puts(out, scopes[below(4)]);
        if (!lucene && below(5) == 0)
            put_expression(out);
        else if (below(4))
            put_leaf(out);
        else
            put_near(out, lucene);
        return;
    }
    tc_buf_puts(out, scopes[below(4)]);
    tc_buf_puts(out, lucene && kind != 1 ? "(+" : "(");
    put_query(out, lucene, depth - 1);
    tc_buf_puts(out, kind == 1   ? lucene ? " " : " OR "
                     : kind == 2 ? lucene ? " -" : " NOT "
                     : lucene    ? " +"
                                 : " AND ");
    put_query(out, lucene, depth - 1);
    tc_buf_byte(out, ')');
}

static struct query_node *read_lucene(const char *query, struct tc_arena *arena)
{
    struct tc_diags *diags = tc_diags_new();
    struct query_text_place where = {TC_STR("query"), tc_str_of(query)};
    struct query_place place = {query_wrong_in_text, diags, &where};
    struct lucene_options options = {.all = false};
    struct query_node *node =
        lucene_read(tc_str_of(query), &try_settings, &options, arena, &place, NULL);
    assert_int_equal(tc_diags_errors(diags), 0);
    tc_diags_free(diags);
    return node;
}

static struct watch any_watch(struct tc_arena *arena)
{
    bool lucene = below(2);
    struct tc_buf query = {0};
    put_query(&query, lucene, DEPTH);
    tc_str kept = tc_arena_str(arena, tc_buf_view(&query));
    tc_buf_done(&query);
    return try_watch(kept.ptr, lucene ? read_lucene(kept.ptr, arena) : try_query(kept.ptr, arena));
}

// ---- texts ---------------------------------------------------------------------------------

static void put_words(struct tc_buf *out)
{
    for (unsigned count = 1 + below(WORDS_MOST); count > 0; count--)
        tc_buf_addf(out, "%s%s", any_word(), below(8) ? " " : below(3) ? ". " : "\n");
}

// With or without a title, or a page of several stories.
static struct article *any_article(void)
{
    struct tc_buf text = {0}, title = {0}, line = {0};
    bool page = below(3) == 0;
    unsigned stories = page ? 1 + below(3) : 1;
    while (stories--) {
        put_words(&text);
        tc_buf_puts(&text, "\n\n\n");
    }
    if (!page && below(3))
        put_words(&title);
    struct tc_json json = tc_json_on(&line);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "id", TC_STR("t"));
    if (title.len)
        tc_json_put_str(&json, "title", tc_buf_view(&title));
    tc_json_put_str(&json, "text", tc_buf_view(&text));
    tc_json_put_bool(&json, "page", page);
    tc_json_close(&json, '}');
    struct article *article = try_article(line.ptr);
    tc_buf_done(&text);
    tc_buf_done(&title);
    tc_buf_done(&line);
    return article;
}

// ---- the comparison ------------------------------------------------------------------------

static bool scoped[KINDS]; // kinds of clauses that were written for one part of the text

static void note_programs(const struct matcher *matcher)
{
    const struct index *index = matcher->index;
    uint32_t terms;
    for (size_t at = 0; at < index->code_count; at++) {
        for (at++; index->code[at] != PROGRAM_END;
             at += 1 + program_operands(index->code[at], &terms))
            scoped[program_kind(index->code[at])] |= program_scope(index->code[at]) != 0;
    }
}

static size_t compare(struct scan *scan)
{
    struct tc_arena *arena = tc_arena_new();
    struct watch watches[WATCHES];
    size_t hits = 0;
    for (size_t i = 0; i < WATCHES; i++)
        watches[i] = any_watch(arena);
    struct matcher *matcher = try_matcher(watches, WATCHES);
    note_programs(matcher);
    for (int i = 0; i < TEXTS; i++) {
        struct article *article = any_article();
        hits += try_run(scan, matcher, try_text(article), NULL);
        article_free(article);
    }
    matcher_drop(matcher);
    tc_arena_free(arena);
    return hits;
}

static void parts_of_a_text_match_with_the_index_as_without(void **state)
{
    (void)state;
    const char *wanted = getenv("TEST_SEED");
    chance = wanted ? strtoull(wanted, NULL, 10) : (uint64_t)time(NULL);
    print_message("TEST_SEED=%llu\n", (unsigned long long)chance);
    struct scan *scan = scan_new();
    size_t hits = 0;
    for (int round = 0; round < ROUNDS; round++)
        hits += compare(scan);
    assert_true(hits > ROUNDS * TEXTS);
    assert_true(scoped[PROGRAM_PHRASE] && scoped[PROGRAM_NEAR] && scoped[PROGRAM_ONEAR] &&
                scoped[PROGRAM_SLOPPY]);
    scan_free(scan);
}

static void a_word_in_the_title_alone_is_none_of_the_body(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        bool found;
    } rows[] = {
        {"title:kalo", true},
        {"body:kalo", false},
        {"body:lomi", true},
        {"title:lomi", false},
        {"kalo AND lomi", true},
        {"body:(kalo AND lomi)", false},
        {"body:(lomi NOT kalo)", true},
        {"title:\"kalo kami\"", true},
        {"body:\"kalo kami\"", false},
        {"title:(kalo NEAR/1 nupe)", false},
    };
    struct article *article =
        try_article("{\"id\": \"1\", \"title\": \"kalo kami\", \"text\": \"nupe lomi\"}");
    const struct text *text = try_text(article);
    struct scan *scan = scan_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tc_arena *arena = tc_arena_new();
        struct watch watch = try_watch("test/watch", try_query(rows[i].query, arena));
        struct matcher *matcher = try_matcher(&watch, 1);
        if ((try_run(scan, matcher, text, NULL) > 0) != rows[i].found)
            fail_msg("%s", rows[i].query);
        matcher_drop(matcher);
        tc_arena_free(arena);
    }
    scan_free(scan);
    article_free(article);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_text_match_with_the_index_as_without),
        cmocka_unit_test(a_word_in_the_title_alone_is_none_of_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
