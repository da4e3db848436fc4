// hits_test - what a hit shows: words, offsets, clauses, the excerpt.

#include "tests/watcher/match/try.h"

struct shown {
    struct tc_arena *arena;
    struct watch watch;
    struct matcher *matcher;
    struct article *article;
    struct scan *scan;
    struct tc_hit hit;
};

static struct shown show_article(const char *query, struct article *article)
{
    struct shown shown = {.arena = tc_arena_new(), .article = article, .scan = scan_new()};
    const struct scan_hit *hits;
    shown.watch = try_watch("test/watch", try_query(query, shown.arena));
    shown.matcher = try_matcher(&shown.watch, 1);
    const struct text *text = try_text(article);
    assert_int_equal(scan_run(shown.scan, shown.matcher, text, &hits), 1);
    scan_hit_fill(shown.scan, shown.matcher, text, &hits[0], &shown.hit);
    return shown;
}

static struct shown show(const char *query, const char *body)
{
    return show_article(query, try_plain(body));
}

static void shown_done(struct shown *shown)
{
    scan_free(shown->scan);
    matcher_drop(shown->matcher);
    article_free(shown->article);
    tc_arena_free(shown->arena);
}

// The matches as "clause:words clause:words".
static const char *words_of(const struct shown *shown)
{
    static char text[2048];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < shown->hit.match_count; i++) {
        const struct tc_match *match = &shown->hit.matches[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s%s%.*s", i ? "|" : "",
                                 TC_ARG(match->clause), match->clause.len ? ":" : "",
                                 TC_ARG(match->words));
    }
    return text;
}

static void only_what_contributed_is_reported(void **state)
{
    (void)state;
    static const struct {
        const char *query, *body, *words;
    } rows[] = {
        {"ferry AND NOT storm", "A ferry and a ferry.", "ferry|ferry"},
        {"ferry NEAR/1 port", "The ferry saw a bay. The port and ferry.", "port|ferry"},
        {"\"night ferry\" OR ferry", "The night ferry.", "night ferry|ferry"},
        {"SENTENCE(ferry AND port)", "A ferry. A port and a ferry.", "port|ferry"},
        {"ferry EXCEPT \"night ferry\"", "Night ferry, day ferry.", "ferry"},
        {"ferry NOTNEAR/0 night", "Night ferry, day ferry.", "ferry"},
        {"one::ferry AND two::(port OR bay)", "A ferry in the bay.", "one:ferry|two:bay"},
        {"one::(two::ferry OR port)", "A ferry, a port.", "two:ferry|one:port"},
        {"ferry AND one::ferry", "A ferry.", "one:ferry"},
        {"ANY/2(ferry, port, bay)", "A ferry in the bay.", "ferry|bay"},
        {"(ferry AND storm) OR bay", "A ferry in the bay.", "bay"},
        {"(ferry OR night) NEAR/1 port", "Night. The ferry port.", "ferry|port"},
        {"ferry AND source:test", "A ferry.", "ferry|test"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct shown shown = show(rows[i].query, rows[i].body);
        assert_string_equal(words_of(&shown), rows[i].words);
        shown_done(&shown);
    }
}

static void offsets_point_into_the_original(void **state)
{
    (void)state;
    const char *body = "Caf\xc3\xa9. The  U.S.\tport-strike goes on.";
    struct shown shown = show("=US AND \"port strike\"", body);
    assert_int_equal(shown.hit.match_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct tc_match *match = &shown.hit.matches[i];
        assert_int_equal(match->field, TC_FIELD_BODY);
        assert_int_equal(match->words.len, match->end - match->start);
        assert_memory_equal(body + match->start, match->words.ptr, match->words.len);
    }
    assert_string_equal(words_of(&shown), "U.S.|port-strike");
    shown_done(&shown);
}

static void the_title_is_a_field_of_its_own(void **state)
{
    (void)state;
    struct shown shown = show_article(
        "ferry AND port",
        try_article("{\"id\":\"7\",\"title\":\"The ferry\",\"text\":\"It left the port.\"}"));
    assert_int_equal(shown.hit.match_count, 2);
    assert_int_equal(shown.hit.matches[0].field, TC_FIELD_TITLE);
    assert_int_equal(shown.hit.matches[0].start, 4);
    assert_int_equal(shown.hit.matches[1].field, TC_FIELD_BODY);
    assert_int_equal(shown.hit.matches[1].start, 12);
    shown_done(&shown);
}

static void the_excerpt_is_the_sentence_that_says_most(void **state)
{
    (void)state;
    static const struct {
        const char *query, *body, *excerpt;
    } rows[] = {
        {"ferry AND port", "A ferry left. The port saw a ferry. The end.",
         "The ⟦port⟧ saw a ⟦ferry⟧."},
        {"ferry AND (port NEAR/1 strike)", "Ferry, ferry, ferry. A port strike began.",
         "A ⟦port⟧ ⟦strike⟧ began."},
        {"\"night ferry\" OR ferry", "The night ferry left.", "The ⟦night ferry⟧ left."},
        {"ferry OR port^9", "Ferry by ferry. A port.", "A ⟦port⟧."},
        {"ferry", "He wrote ⟦ferry⟧ in brackets.", "He wrote [⟦ferry⟧] in brackets."},
        {"\"l'IA\" OR port", "Avec l'IA on va.", "Avec ⟦l'IA⟧ on va."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct shown shown = show(rows[i].query, rows[i].body);
        assert_int_equal(shown.hit.excerpt.len, strlen(rows[i].excerpt));
        assert_string_equal(shown.hit.excerpt.ptr, rows[i].excerpt);
        shown_done(&shown);
    }
}

static void line_breaks_in_an_excerpt_become_blanks(void **state)
{
    (void)state;
    const char *body = "The night ferry left the port at ten in the evening and\n"
                       "came back in the morning after the storm was over and \n"
                       "all of its passengers were well and went home at once.";
    struct shown shown = show("ferry", body);
    for (size_t i = 0; i < shown.hit.excerpt.len; i++)
        assert_true((unsigned char)shown.hit.excerpt.ptr[i] >= ' ');
    shown_done(&shown);
}

static size_t count_of(tc_str text, const char *piece)
{
    size_t count = 0, len = strlen(piece);
    for (size_t i = 0; i + len <= text.len; i++)
        count += memcmp(text.ptr + i, piece, len) == 0;
    return count;
}

static void a_long_sentence_is_cut_between_words_around_its_matches(void **state)
{
    (void)state;
    struct tc_buf body = {0};
    for (int i = 0; i < 3000; i++)
        tc_buf_puts(&body, i == 1500 || i == 1510 ? "f\xc3\xa6rge " : "ordinary ");
    struct shown shown = show("færge", body.ptr);
    tc_str excerpt = shown.hit.excerpt;
    assert_true(excerpt.len <= TC_HIT_EXCERPT_BYTES);
    assert_true(excerpt.len > TC_HIT_EXCERPT_BYTES / 2);
    assert_true(tc_str_starts(excerpt, TC_STR("…ordinary ")));
    assert_true(tc_str_ends(excerpt, TC_STR("ordinary…")));
    assert_int_equal(count_of(excerpt, TC_MARK_OPEN), 2);
    assert_int_equal(count_of(excerpt, TC_MARK_CLOSE), 2);
    shown_done(&shown);
    tc_buf_done(&body);
}

static void later_matches_are_left_out_past_the_limit(void **state)
{
    (void)state;
    struct tc_buf body = {0};
    for (int i = 0; i < 5000; i++)
        tc_buf_puts(&body, "ferry ");
    struct shown shown = show("ferry", body.ptr);
    assert_int_equal(shown.hit.match_count, TC_HIT_MATCHES_MOST);
    assert_int_equal(shown.hit.matches[0].start, 0);
    assert_int_equal(shown.hit.matches[1].start, 6);
    assert_true(shown.hit.excerpt.len <= TC_HIT_EXCERPT_BYTES);
    shown_done(&shown);
    tc_buf_done(&body);
}

static void bytes_that_are_no_utf8_never_reach_a_hit(void **state)
{
    (void)state;
    struct article *article = NULL;
    struct tc_err err;
    static const char page[] = "The night \xff ferry left port \xc3 today at noon.\n";
    assert_int_equal(article_from_text(TC_STR("p.txt"), tc_str_of(page), TC_STR("test"),
                                       ARTICLE_BYTES, &article, &err),
                     TC_OK);
    struct shown shown = show_article("ferry", article);
    assert_int_equal(count_of(shown.hit.excerpt, "\xff"), 0);
    assert_int_equal(count_of(shown.hit.excerpt, "\xef\xbf\xbd"), 2);
    shown_done(&shown);
}

static void the_id_is_made_of_watch_article_and_segment(void **state)
{
    (void)state;
    struct shown shown = show("ferry", "A ferry.");
    struct tc_id id =
        tc_hit_id(TC_STR("test/watch"), TC_STR("test"), TC_STR("t1"), shown.article->version, 0);
    assert_true(tc_id_eq(id, shown.hit.id));
    assert_true(isnan(shown.hit.score));
    shown_done(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_contributed_is_reported),
        cmocka_unit_test(offsets_point_into_the_original),
        cmocka_unit_test(the_title_is_a_field_of_its_own),
        cmocka_unit_test(the_excerpt_is_the_sentence_that_says_most),
        cmocka_unit_test(line_breaks_in_an_excerpt_become_blanks),
        cmocka_unit_test(a_long_sentence_is_cut_between_words_around_its_matches),
        cmocka_unit_test(later_matches_are_left_out_past_the_limit),
        cmocka_unit_test(bytes_that_are_no_utf8_never_reach_a_hit),
        cmocka_unit_test(the_id_is_made_of_watch_article_and_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
