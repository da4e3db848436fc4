// scan_test - what each operator matches and what it does not, off by one included.

#include "common/clock.h"
#include "tests/watcher/match/try.h"

struct row {
    const char *query, *text;
    bool hit;
};

static void check(const struct row *rows, size_t count)
{
    int wrong = 0;
    for (size_t i = 0; i < count; i++) {
        bool hit = try_match(rows[i].query, rows[i].text);
        if (hit != rows[i].hit) {
            print_error("%s on \"%s\": %s\n", rows[i].query, rows[i].text, hit ? "hit" : "none");
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void words_fold_case_and_keep_marks(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"harbour", "The Harbour is closed.", true},
        {"harbour", "The harbours are closed.", false},
        {"=US", "The US said so.", true},
        {"=US", "Tell us so.", false},
        {"=US", "The U.S. said so.", true},
        {"tránh", "Hãy tránh xa.", true},
        {"tránh", "Một cuộc cạnh tranh.", false},
        {"China", "China's ports", true},
        {"\"China's\"", "China's ports", true},
    };
    CHECK(rows);
}

static void boolean_operators_look_at_the_whole_segment(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"ferry AND storm", "The ferry left.\nA storm came.", true},
        {"ferry AND storm", "The ferry left.", false},
        {"ferry OR storm", "A storm came.", true},
        {"ferry NOT storm", "The ferry left.", true},
        {"ferry NOT storm", "The ferry left.\nA storm came.", false},
        {"ferry AND (storm OR fog)", "Ferry in fog.", true},
        {"ferry AND NOT (storm OR fog)", "Ferry in fog.", false},
        {"ANY/2(ferry, storm, fog)", "Ferry in fog.", true},
        {"ANY/2(ferry, storm, fog)", "Fog and fog.", false},
        {"ANY/3(ferry, storm, fog)", "Ferry in fog.", false},
    };
    CHECK(rows);
}

static void phrases_stand_side_by_side_in_one_paragraph(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"\"night ferry\"", "The night ferry left.", true},
        {"\"night ferry\"", "The night the ferry left.", false},
        {"\"night ferry\"", "The ferry night.", false},
        {"\"night ferry\"", "It was night\n\nferry traffic stopped.", false},
        {"\"a b a b c\"", "a b a b a b c", true},
        {"\"a a\"", "a b a", false},
        {"\"night ferr*\"", "Two night ferries left.", true},
        {"\"night ferry\"", "A night-ferry left.", true},
        {"\"China ports\"", "China's ports", true},
        {"=\"night-ferry\"", "A night-ferry left.", true},
        {"=\"night-ferry\"", "A night ferry left.", false},
        {"=\"U.S.-China\"", "The US-China talks.", true},
        {"=\"talks on U.S.-China\"", "Two talks on U.S.-China", true},
        {"=\"Night ferry\"", "A night ferry left.", false},
        {"\"人工智能\"", "他说人工智能很好", true},
        {"人工智能", "他说人工很智能", false},
    };
    CHECK(rows);
}

static void slop_is_a_window_in_any_order(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"\"export chip\"~4", "export one two three four chip", true},
        {"\"export chip\"~4", "export one two three four five chip", false},
        {"\"export chip\"~4", "chip one two three four export", true},
        {"\"export chip ban\"~1", "ban export x chip", true},
        {"\"export chip ban\"~1", "ban y export x chip", false},
        {"\"a a\"~2", "a x x a", true},
        {"\"a a\"~2", "x a x", false},
        {"\"export chip\"~4", "export\n\nchip", false},
        // One place is one word of it, though it could be either.
        {"\"chip chip*\"~2", "the chip only", false},
        {"\"chip chip*\"~2", "chips and a chip", true},
        {"\"export chip chip*\"~0", "chip chip export", true},
        {"\"China China's growth\"~0", "China China's growth", true},
        {"\"exp* export* chip\"~1", "export new export chip", true},
        {"\"exp* export* chip\"~0", "expert chip exports", true},
        {"\"exp* export* chip\"~0", "expert chip expert", false},
    };
    CHECK(rows);
}

static void wildcards_and_near_spellings_are_predicates_on_one_word(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"semiconductor*", "Semiconductors rose.", true},
        {"semiconductor*", "A semiconductor.", true},
        {"*verbot*", "Das Reiseverbot gilt.", true},
        {"*verbot", "Reiseverbote gelten.", false},
        {"wom?n", "women", true},
        {"wom?n", "womn", false},
        {"b?rde", "Bürde", true},
        {"Hormus~1", "Hormuz", true},
        {"Hormus~1", "Homrus", true},
        {"Hormus~1", "Hormis", true},
        {"Hormus~1", "Homus", true},
        {"Hormus~1", "Hoormuss", false},
        {"restriction~2", "restritcions", true},
        {"restriction~2", "restritcionss", false},
    };
    CHECK(rows);
}

static void distances_count_the_words_between(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a NEAR/2 b", "a x x b", true},
        {"a NEAR/2 b", "a x x x b", false},
        {"a NEAR/2 b", "b x x a", true},
        {"a NEAR/0 b", "a b", true},
        {"a NEAR/5 b", "a x\n\nx b", false},
        {"a ONEAR/2 b", "a x b", true},
        {"a ONEAR/2 b", "b x a", false},
        {"a ONEAR/2 b", "b a x b", true},
        {"a NEAR/3 a", "x a x", false},
        {"a NEAR/3 a", "a x a", true},
        {"a NOTNEAR/2 b", "a x x b", false},
        {"a NOTNEAR/2 b", "a x x x b", true},
        {"a NOTNEAR/2 b", "a b x x x a", true},
        {"a NOTNEAR/2 b", "c", false},
        {"a NOTNEAR/9 b", "a\n\nb", true},
        {"wom?n NEAR/5 women", "women", false},
        {"\"trade war\" NEAR/3 war", "trade war", false},
        {"\"trade war\" NEAR/3 war", "trade war war", true},
    };
    CHECK(rows);
}

static void chains_of_distances_go_left_to_right_on_spans(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"(a NEAR/1 b) NEAR/0 c", "a b c", true},
        {"(a NEAR/1 b) NEAR/0 c", "a x b c", true},
        {"(a NEAR/1 b) NEAR/0 c", "a x b x c", false},
        {"(a NEAR/2 b) NEAR/0 c", "a b b c", true},   // the longer pair reaches c
        {"(a NEAR/5 c) NEAR/3 b", "a x b x c", true}, // b stands in the gap
        {"(a NEAR/5 c) NEAR/3 a", "a x c", false},
        {"(a OR d) NEAR/1 (b OR e)", "x d x e", true},
        {"a ONEAR/1 b ONEAR/1 c", "a x b x c", true},
        {"a ONEAR/1 b ONEAR/1 c", "b x a c", false},
    };
    CHECK(rows);
}

static void except_forgives_a_text_that_has_both(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Apple EXCEPT \"Apple pie\"", "Apple pie.", false},
        {"Apple EXCEPT \"Apple pie\"", "Apple pie and Apple.", true},
        {"=Apple EXCEPT (\"Apple pie\" OR \"Big Apple\")", "The Big Apple.", false},
        {"=Apple EXCEPT (\"Apple pie\" OR \"Big Apple\")", "Big apple, Apple shop.", true},
    };
    CHECK(rows);
}

static void a_scope_narrows_everything_inside_it(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"SENTENCE(a AND b)", "We saw a house. Then b came.", false},
        {"SENTENCE(a AND b)", "We saw a house and b came.", true},
        {"SENTENCE(a NOT b)", "We saw a and b. Then a came.", true},
        {"SENTENCE(a NOT b)", "We saw a and b. Then c came.", false},
        {"a SENTENCE b", "We saw b and a.", true},
        {"PARAGRAPH(a AND b)", "We saw a house. Then b came.", true},
        {"PARAGRAPH(a AND b)", "We saw a house.\nThen b came.", false},
        {"FIRST/3(c)", "a b c d", true},
        {"FIRST/2(c)", "a b c d", false},
        {"lead:x", "We saw x.\nThen y.", true},
        {"lead:y", "We saw x.\nThen y.", false},
        {"body:x", "We saw x.", true},
    };
    CHECK(rows);
}

static void atleast_counts_occurrences_that_do_not_overlap(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"ATLEAST/3(a)", "a x a x a", true},          {"ATLEAST/3(a)", "a x a", false},
        {"ATLEAST/2(\"a a\")", "a a a", false},       {"ATLEAST/2(\"a a\")", "a a a a", true},
        {"ATLEAST/3(a OR b)", "a b a", true},         {"ATLEAST/2(a NEAR/1 b)", "a b x b", false},
        {"ATLEAST/2(a NEAR/1 b)", "a b x b a", true},
    };
    CHECK(rows);
}

// ---- metadata and parts of an article ------------------------------------------------------

static const char rich[] =
    "{\"id\":\"m1\",\"title\":\"Storm hits coast\",\"source\":\"Harbour Post\","
    "\"url\":\"https://www.example.com/world/sea/1\",\"author\":\"Mai T. Larsen\","
    "\"tags\":[\"Weather\",\"sea news\"],\"lang\":\"en\",\"text\":\"The ferry left early. It came "
    "back.\\nThe mayor of the town said that the harbour stays closed until the morning.\"}";

static bool matches_json(const char *query, const char *json)
{
    struct tc_arena *arena = tc_arena_new();
    struct watch watch = try_watch("test/watch", try_query(query, arena));
    struct matcher *matcher = try_matcher(&watch, 1);
    struct article *article = try_article(json);
    struct scan *scan = scan_new();
    bool found = try_run(scan, matcher, try_text(article), NULL) > 0;
    scan_free(scan);
    article_free(article);
    matcher_drop(matcher);
    tc_arena_free(arena);
    return found;
}

static void metadata_and_fields_are_asked_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        bool hit;
    } rows[] = {
        {"title:storm", true},
        {"title:ferry", false},
        {"body:storm", false},
        {"lead:ferry", true},
        {"lead:mayor", false},
        {"ferry AND source:example.com", true},
        {"ferry AND source:www.example.com", true},
        {"ferry AND source:ample.com", false},
        {"ferry AND url:example.com/world", true},
        {"ferry AND url:example.com/sport", false},
        {"ferry AND author:Larsen", true},
        {"ferry AND author:\"mai t\"", true},
        {"ferry AND author:Lars", false},
        {"ferry AND tag:weather", true},
        {"ferry AND tag:sea", false},
        {"ferry AND tag:\"sea news\"", true},
        {"ferry AND lang:en", true},
        {"ferry AND lang:de", false},
        {"ferry NOT source:example.com", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (matches_json(rows[i].query, rich) != rows[i].hit)
            fail_msg("%s: expected %s", rows[i].query, rows[i].hit ? "hit" : "none");
    }
}

static size_t hits_with(const struct watch *watch, const char *json)
{
    struct matcher *matcher = try_matcher(watch, 1);
    struct article *article = try_article(json);
    struct scan *scan = scan_new();
    article->seen_wall_ns = 100 * TC_SECOND;
    article->published_wall_ns = 40 * TC_SECOND;
    size_t found = try_run(scan, matcher, try_text(article), NULL);
    scan_free(scan);
    article_free(article);
    matcher_drop(matcher);
    return found;
}

static void where_is_checked_beside_the_query(void **state)
{
    (void)state;
    static const tc_str en[] = {{"de", 2}, {"en", 2}}, de[] = {{"de", 2}};
    static const tc_str post[] = {{"harbour post", 12}};
    struct tc_arena *arena = tc_arena_new();
    struct watch watch = try_watch("test/watch", try_query("ferry", arena));
    struct watch_where where = {0};
    watch.where = &where;
    where.langs = en, where.lang_count = 2;
    assert_int_equal(hits_with(&watch, rich), 1);
    where.sources = post, where.source_count = 1;
    assert_int_equal(hits_with(&watch, rich), 1);
    where.langs = de, where.lang_count = 1;
    assert_int_equal(hits_with(&watch, rich), 0);
    where.lang_count = 0;
    where.words_least = 20; // the body has 21 words
    assert_int_equal(hits_with(&watch, rich), 1);
    where.words_least = 22;
    assert_int_equal(hits_with(&watch, rich), 0);
    where.words_least = 0;
    where.max_age_ns = 60 * TC_SECOND;
    assert_int_equal(hits_with(&watch, rich), 1);
    where.max_age_ns = 59 * TC_SECOND;
    assert_int_equal(hits_with(&watch, rich), 0);
    watch = (struct watch){.name = TC_STR("test/all"), .all_articles = true};
    assert_int_equal(hits_with(&watch, rich), 1);
    tc_arena_free(arena);
}

static void a_score_sums_the_weights_of_what_matches(void **state)
{
    (void)state;
    static const struct {
        double threshold;
        size_t hits;
    } rows[] = {{3, 1}, {4, 0}, {-1, 1}, {8, 0}};
    struct tc_arena *arena = tc_arena_new();
    struct watch_term terms[] = {
        {try_query("ferry", arena), 5}, // there
        {try_query("airport", arena), 5},
        {try_query("mayor", arena), -2}, // there
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct watch watch = {.name = TC_STR("test/score"),
                              .terms = terms,
                              .term_count = 3,
                              .threshold = rows[i].threshold};
        assert_int_equal(hits_with(&watch, rich), rows[i].hits);
    }
    tc_arena_free(arena);
}

static void a_list_looks_at_the_language_only_where_it_is_sure(void **state)
{
    (void)state;
    struct tc_arena *arena = tc_arena_new();
    struct query_list_entry entries[] = {
        {TC_STR("de"), try_query("die", arena)},
        {TC_STR(""), try_query("ferry", arena)},
    };
    struct query_list list = {TC_STR("boats"), entries, 2, 1};
    const struct query_list *known[] = {&list};
    struct query_lists lists = {known, 1};
    struct watch watch = try_watch("test/w", try_query_with("@boats", &lists, arena));
    assert_int_equal(hits_with(&watch, "{\"id\":\"1\",\"lang\":\"en\",\"text\":\"Some die.\"}"), 0);
    assert_int_equal(hits_with(&watch, "{\"id\":\"1\",\"lang\":\"de\",\"text\":\"Nur die.\"}"), 1);
    assert_int_equal(hits_with(&watch, "{\"id\":\"1\",\"text\":\"die\"}"), 1);
    assert_int_equal(hits_with(&watch, "{\"id\":\"1\",\"lang\":\"en\",\"text\":\"A ferry.\"}"), 1);
    tc_arena_free(arena);
}

static void page_looks_past_the_segment(void **state)
{
    (void)state;
    static const char page[] =
        "Storm closes the northern harbour today\n\nThe ferry stayed in port "
        "all night long.\n\n\nCity council votes on new tram line\n\nThe "
        "tram line will open in spring, officials said.\n";
    static const char headed[] = "Storm closes the northern harbour.\n\n\n\nFerries stay.\n";
    static const struct {
        const char *page, *query;
        size_t hits;
    } rows[] = {
        {page, "ferry AND tram", 0},
        {page, "PAGE(ferry AND tram)", 2},
        {page, "tram AND PAGE(ferry)", 1},
        {page, "PAGE(ferry NOT tram)", 0},
        {page, "PAGE(lead:ferry)", 2},
        {page, "PAGE(zebra) OR title:tram", 1}, // a title of the page's second segment
        {page, "ANY/2(PAGE(zebra), spring, title:tram)", 1},
        {page, "PAGE(northern) AND title:on", 1},
        {page, "PAGE(lead:tram)", 0},
        {headed, "lead:ferries", 1},
        {headed, "PAGE(lead:ferries)", 0}, // the first segment is a title only: there is no lead
    };
    struct tc_err err;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tc_arena *arena = tc_arena_new();
        struct watch watch = try_watch("test/watch", try_query(rows[i].query, arena));
        struct matcher *matcher = try_matcher(&watch, 1);
        struct article *article = NULL;
        assert_int_equal(article_from_text(TC_STR("p.txt"), tc_str_of(rows[i].page), TC_STR("test"),
                                           ARTICLE_BYTES, &article, &err),
                         TC_OK);
        struct scan *scan = scan_new();
        const struct text *text = try_text(article);
        assert_int_equal(text->segment_count, 2);
        assert_int_equal(try_run(scan, matcher, text, NULL), rows[i].hits);
        scan_free(scan);
        article_free(article);
        matcher_drop(matcher);
        tc_arena_free(arena);
    }
}

static void one_scan_serves_one_matcher_after_the_other(void **state)
{
    (void)state;
    struct tc_arena *arena = tc_arena_new();
    struct watch many[] = {
        try_watch("t/a", try_query("ferry", arena)),
        try_watch("t/b", try_query("ferr*", arena)),
        try_watch("t/c", try_query("airport", arena)),
    };
    struct watch one = try_watch("t/d", try_query("harb*", arena));
    struct matcher *first = try_matcher(many, 3), *second = try_matcher(&one, 1);
    struct scan *scan = scan_new();
    struct article *article = try_article(rich);
    const struct text *text = try_text(article);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(try_run(scan, first, text, NULL), 2);
        assert_int_equal(try_run(scan, second, text, NULL), 1);
    }
    scan_free(scan);
    article_free(article);
    matcher_drop(first);
    matcher_drop(second);
    tc_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_fold_case_and_keep_marks),
        cmocka_unit_test(boolean_operators_look_at_the_whole_segment),
        cmocka_unit_test(phrases_stand_side_by_side_in_one_paragraph),
        cmocka_unit_test(slop_is_a_window_in_any_order),
        cmocka_unit_test(wildcards_and_near_spellings_are_predicates_on_one_word),
        cmocka_unit_test(distances_count_the_words_between),
        cmocka_unit_test(chains_of_distances_go_left_to_right_on_spans),
        cmocka_unit_test(except_forgives_a_text_that_has_both),
        cmocka_unit_test(a_scope_narrows_everything_inside_it),
        cmocka_unit_test(atleast_counts_occurrences_that_do_not_overlap),
        cmocka_unit_test(metadata_and_fields_are_asked_by_name),
        cmocka_unit_test(where_is_checked_beside_the_query),
        cmocka_unit_test(a_score_sums_the_weights_of_what_matches),
        cmocka_unit_test(a_list_looks_at_the_language_only_where_it_is_sure),
        cmocka_unit_test(page_looks_past_the_segment),
        cmocka_unit_test(one_scan_serves_one_matcher_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
