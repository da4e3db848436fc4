// What the rows of query-semantics.tsv do not show: messages, pages, single watches, rewriting.
#include "tests/watcher/match/try.h"
#include "watcher/match/lucene/lucene.h"

static struct query_node *read_with(const char *query, const struct text_settings *settings,
                                    const char *options, struct tc_arena *arena,
                                    struct tc_buf *messages)
{
    struct tc_diags *diags = tc_diags_new();
    struct query_text_place where = {TC_STR("query"), tc_str_of(query)};
    struct query_place place = {query_wrong_in_text, diags, &where};
    struct lucene_options read;
    tc_str unknown;
    assert_true(lucene_options_read(tc_str_of(options), &read, &unknown));
    struct query_node *root = lucene_read(tc_str_of(query), settings, &read, arena, &place, NULL);
    assert_int_equal(root == NULL, tc_diags_errors(diags) > 0);
    if (messages)
        tc_diags_print(diags, false, messages);
    tc_diags_free(diags);
    return root;
}

// Whether one watch, alone in its set, finds the article, with the index and without.
static bool finds(const char *query, const struct text_settings *settings, struct article *article)
{
    struct tc_arena *arena = tc_arena_new();
    struct query_node *root = read_with(query, settings, "-", arena, NULL);
    assert_non_null(root);
    struct watch watch = try_watch("test/watch", root);
    struct matcher *matcher = try_matcher(&watch, 1);
    struct scan *scan = scan_new();
    const struct text *text = NULL;
    struct tc_err err = {0};
    struct scan_hit hit = {.segment = 0};
    assert_int_equal(text_read(article, settings, &text, &err), TC_OK);
    size_t count = try_run(scan, matcher, text, &hit);
    assert_true(count <= 1);
    assert_int_equal(hit.segment, 0);
    scan_free(scan);
    matcher_drop(matcher);
    tc_arena_free(arena);
    return count > 0;
}

static void a_watch_alone_in_its_set_matches_whatever_it_asks(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        bool standard, tocsin;
    } cases[] = {
        {"merg*", true, true},
        {"/m.*er/", true, true},
        {"[merga TO mergz]", true, true},
        {"{merger TO mergf}", false, false},
        {"murger~1", true, true},
        {"*:*", true, true},
        {"*:* -merger", false, false},
        {"-merger", false, false},
        {"205\xe4\xb8\xad"
         "2",
         true, true},
        {"\"blocked key\"", true, true},
        {"\"key blocked\"~1", false, false},
        {"\"key blocked\"~2", true, true},
        {"author:\"dole bob\"~2", true, true},
        {"author:\"dole bob\"", false, false},
        {"lang:en AND source:wire-a", true, true},
        {"lang:EN", false, false},
        {"published:[20250301 TO 20250301]", true, true},
        {"published:2025*", true, true},
        {"nowhere:x OR title:china", true, true},
        {"title:(+china -japan) AND body:rates", true, true},
        {"U.S.", false, true}, // one word for tocsin, another for Lucene
    };
    static const struct text_settings standard = {.words = TEXT_WORDS_STANDARD};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct article *article = try_article("{\"id\": \"1\", \"title\": \"China, US\", \"text\": "
                                              "\"The merger was blocked.\\nKey rates fell "
                                              "in the US. \xe4\xb8\xad\", \"lang\": \"en\", "
                                              "\"source\": \"wire-a\", \"author\": \"Bob Dole\", "
                                              "\"published\": \"2025-03-01T23:30:00Z\"}");
        if (finds(cases[i].query, &standard, article) != cases[i].standard ||
            finds(cases[i].query, &try_settings, article) != cases[i].tocsin)
            fail_msg("%s", cases[i].query);
        article_free(article);
    }
}

static void all_segments_of_a_page_are_one_text_and_one_hit(void **state)
{
    (void)state;
    static const char page[] =
        "Parliament votes on the ferry budget today\n\n"
        "The vote on ferries took place in the harbour town on Monday.\n\n\n\n"
        "Storm closes the mountain railway for a week\n\n"
        "The railway in the mountains stays closed, said the operator.\n";
    struct article *article = NULL;
    struct tc_err err = {0};
    assert_int_equal(article_from_text(TC_STR("p.txt"), tc_str_of(page), TC_STR("test"),
                                       ARTICLE_BYTES, &article, &err),
                     TC_OK);
    assert_true(finds("harbour AND railway", &try_settings, article));
    assert_false(finds("harbour AND absent", &try_settings, article));
    article_free(article);
}

static void mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *query, *message;
    } cases[] = {
        {"a AND",
         "query:1:6: error[E0104]: a term is missing\n     1 | a AND\n       |      ^\n  help: "
         "a literal sign needs \\ before it\n"},
        {"(a", "query:1:1: error[E0102]: \"(\" is never closed\n     1 | (a\n       | ^\n"},
        {"a)", "query:1:2: error[E0103]: \")\" without \"(\"\n     1 | a)\n       |  ^\n"},
        {"\"a", "query:1:1: error[E0101]: \" is never closed\n     1 | \"a\n       | ^\n  help: a "
                "literal one is written \\\"\n"},
        {"*a", "query:1:1: error[E0110]: a word does not begin with a wildcard in Lucene's "
               "syntax\n     1 "
               "| *a\n       | ^~\n  help: --lucene-options=leadingwild allows it\n"},
        {"x /a(b/",
         "query:1:7: error[E0117]: in the expression: \")\" is missing\n     1 | x /a(b/\n     "
         "  |       ^\n"},
        {"-a",
         "query:1:1: warning[W0212]: this query never matches: it has negatives only, or none of "
         "its fields is one of title, body, author, lang, published, source\n     1 | -a\n       "
         "| ^~\n  help: add a term that must be present, or *:*\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tc_arena *arena = tc_arena_new();
        struct tc_buf messages = {0};
        read_with(cases[i].query, &try_settings, "-", arena, &messages);
        tc_buf_byte(&messages, '\0');
        assert_string_equal(messages.ptr, cases[i].message);
        tc_buf_done(&messages);
        tc_arena_free(arena);
    }
}

static void what_is_rewritten_says_where_it_differs(void **state)
{
    (void)state;
    static const struct {
        const char *query, *options, *text, *notes; // text NULL: it cannot be
    } cases[] = {
        {"a b", "-", "body:(a OR b)", ""},
        {"a b", "op=AND", "body:(a AND b)", ""},
        {"a OR b AND c", "-", "body:(b AND c)", ""},
        {"wi-fi", "autophrase", "body:\"wi fi\"", ""},
        {"+title:x -y", "-", "title:x AND NOT body:y", ""},
        {"\"a b\"~2", "-", "body:\"a b\"~2",
         "\"a b\"~2: also finds the words in another order with up to 2 others between\n"},
        {"x*", "-", NULL, "tocsin refuses it: a wildcard needs at least 2 letters beside it\n"},
        {"-a", "-", NULL,
         "it never matches in Lucene: negatives only, or a field that no article has\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tc_arena *arena = tc_arena_new();
        struct tc_buf text = {0}, notes = {0};
        struct query_node *root =
            read_with(cases[i].query, &try_settings, cases[i].options, arena, NULL);
        bool fine = lucene_rewrite(root, &try_settings, &text, &notes);
        tc_buf_byte(&text, '\0');
        tc_buf_byte(&notes, '\0');
        assert_int_equal(fine, cases[i].text != NULL);
        if (fine)
            assert_string_equal(text.ptr, cases[i].text);
        assert_string_equal(notes.ptr, cases[i].notes);
        tc_buf_done(&text);
        tc_buf_done(&notes);
        tc_arena_free(arena);
    }
}

static void unknown_options_are_named(void **state)
{
    (void)state;
    struct lucene_options options;
    tc_str unknown;
    assert_false(lucene_options_read(TC_STR("op=AND,wild"), &options, &unknown));
    assert_true(tc_str_eq(unknown, TC_STR("wild")));
    assert_true(lucene_options_read(TC_STR("leadingwild,op=AND"), &options, &unknown));
    assert_string_equal(lucene_options_text(&options), "op=AND,leadingwild");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watch_alone_in_its_set_matches_whatever_it_asks),
        cmocka_unit_test(all_segments_of_a_page_are_one_text_and_one_hit),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(what_is_rewritten_says_where_it_differs),
        cmocka_unit_test(unknown_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
