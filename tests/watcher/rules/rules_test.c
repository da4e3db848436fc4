#include "watcher/rules/rules.h"

#include "common/buf.h"
#include "watcher/match/expressions.h"
#include "watcher/match/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};

struct reading { // of one file, named from the folder of test data
    struct rules *rules;
    struct tc_diags *diags;
    int code;
};

static struct reading read_file(const char *path)
{
    struct reading reading = {.rules = rules_new(&settings), .diags = tc_diags_new()};
    reading.code = rules_add_file(reading.rules, path, reading.diags);
    tc_diags_sort(reading.diags);
    return reading;
}

static void done(struct reading *reading)
{
    rules_drop(reading->rules);
    tc_diags_free(reading->diags);
}

// A file of one's own in the temporary folder, for a case of a few lines.
static struct reading read_text(const char *extension, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/rules_test-%d%s", (int)getpid(), extension);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    struct reading reading = read_file(path);
    unlink(path);
    return reading;
}

static const struct watch *watch_named(const struct rules *rules, const char *name)
{
    for (size_t i = 0; i < rules_count(rules); i++) {
        if (tc_str_eq(rules_watch(rules, i)->name, tc_str_of(name)))
            return rules_watch(rules, i);
    }
    fail_msg("no watch %s", name);
    return NULL;
}

static void assert_definition(const struct watch *watch, const char *expected)
{
    assert_int_equal(watch->definition.len, strlen(watch->definition.ptr));
    assert_string_equal(watch->definition.ptr, expected);
    assert_true(tc_id_eq(watch->hash, tc_id_of_bytes(watch->definition)));
}

// ---- files ---------------------------------------------------------------------------------

static struct tc_buf contents(const char *path)
{
    struct tc_buf text = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        tc_buf_byte(&text, (char)c);
    fclose(file);
    tc_buf_byte(&text, '\0');
    return text;
}

static void assert_told(const char *path, const char *expected_path)
{
    struct reading reading = read_file(path);
    struct tc_buf report = {0}, expected = contents(expected_path);
    assert_int_equal(reading.code, TC_EPARSE);
    assert_int_equal(rules_count(reading.rules), 0);
    tc_diags_print(reading.diags, false, &report);
    assert_string_equal(report.ptr, expected.ptr);
    tc_buf_done(&report);
    tc_buf_done(&expected);
    done(&reading);
}

static void all_mistakes_of_a_file_are_told_with_their_places(void **state)
{
    (void)state;
    assert_told("rules/mistakes.yaml", "rules/mistakes.txt");
}

// W0204 and W0206 need a corpus: tests/client/corpus_test.py. W0208 needs a history.
static void every_code_has_its_exact_text(void **state)
{
    static const char *const codes[] = {
        "E0101", "E0102", "E0103", "E0104", "E0105", "E0106", "E0107", "E0108", "E0109",
        "E0110", "E0111", "E0112", "E0113", "E0114", "E0115", "E0116", "E0117", "W0201",
        "W0202", "W0203", "W0205", "W0207", "W0209", "W0210", "W0211", "W0301", "W0302"};
    struct tc_buf expected = contents("rules/every.txt");
    (void)state;
    assert_told("rules/every.yaml", "rules/every.txt");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (!strstr(expected.ptr, codes[i]))
            fail_msg("no example of %s", codes[i]);
    }
    tc_buf_done(&expected);
}

static void a_good_file_gives_its_watches_without_a_word(void **state)
{
    struct reading reading = read_file("rules/news.yaml");
    (void)state;
    assert_int_equal(reading.code, TC_OK);
    assert_int_equal(tc_diags_count(reading.diags), 0);
    assert_int_equal(rules_count(reading.rules), 6);
    assert_string_equal(rules_file_of(reading.rules, 0), "rules/news.yaml");
    assert_int_equal(rules_line_of(reading.rules, 1), 47);
    const struct watch *watch = watch_named(reading.rules, "news/travel-advice");
    assert_string_equal(watch->severity.ptr, "high");
    watch = watch_named(reading.rules, "news/chip-trade");
    assert_int_equal(watch->status, WATCH_SHADOW);
    assert_int_equal(watch->term_count, 4);
    watch = watch_named(reading.rules, "news/everything-from-one-source");
    assert_true(watch->all_articles);
    assert_int_equal(watch->where->lang_count, 2);
    done(&reading);
}

struct told {
    size_t passed, failed, skipped, not_run;
    char last[400]; // detail of the last that did not pass
};

static void tell(void *context, const struct rules_result *result)
{
    struct told *told = context;
    told->passed += result->outcome == RULES_PASS;
    told->failed += result->outcome == RULES_FAIL;
    told->skipped += result->outcome == RULES_SKIPPED;
    told->not_run += result->outcome == RULES_NOT_RUN;
    if (result->outcome != RULES_PASS)
        snprintf(told->last, sizeof told->last, "%.*s", TC_ARG(result->detail));
    if (result->outcome == RULES_FAIL)
        print_message("%.*s: %.*s: %s\n", TC_ARG(result->watch), TC_ARG(result->name), told->last);
}

static void the_tests_inside_a_good_file_pass(void **state)
{
    struct reading reading = read_file("rules/news.yaml");
    struct told told = {0};
    (void)state;
    assert_int_equal(rules_test(reading.rules, NULL, tell, &told), 0);
    assert_int_equal(told.failed, 0);
    assert_int_equal(told.not_run, 1); // the story
    if (told.skipped > 0)
        print_message("seven tests were skipped: the shared pages are absent\n");
    assert_int_equal(told.passed + told.skipped, 20);
    done(&reading);
}

static void lines_give_watches_of_both_forms(void **state)
{
    struct reading reading = read_file("rules/bulk.jsonl");
    (void)state;
    assert_int_equal(reading.code, TC_OK);
    assert_int_equal(tc_diags_count(reading.diags), 0);
    assert_definition(watch_named(reading.rules, "bulk/chips"),
                      "{\"name\":\"bulk/chips\",\"severity\":\"high\",\"status\":\"live\","
                      "\"labels\":{\"severity\":\"high\"},\"annotations\":{},\"alert\":{},"
                      "\"query\":\"chip AND \\\"export control\\\"\"}");
    assert_definition(watch_named(reading.rules, "desk/chips"),
                      "{\"name\":\"desk/chips\",\"severity\":\"info\",\"status\":\"live\","
                      "\"labels\":{},\"annotations\":{},\"alert\":{},"
                      "\"query\":\"=US OR trade NEAR/3 war\"}");
    assert_int_equal(rules_line_of(reading.rules, 2), 4);
    done(&reading);
}

static void mistakes_in_lines_are_told_at_their_line_and_column(void **state)
{
    static const struct {
        const char *code;
        int line, column;
    } expected[] = {{"E0105", 1, 28}, {"E0117", 2, 1}, {"E0117", 3, 10}, {"E0117", 4, 1},
                    {"E0115", 4, 21}, {"E0117", 5, 1}, {"E0106", 6, 34}};
    struct reading reading = read_file("rules/bulk-mistakes.jsonl");
    (void)state;
    assert_int_equal(reading.code, TC_EPARSE);
    assert_int_equal(tc_diags_count(reading.diags), 7);
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(tc_diags_at(reading.diags, i)->code, expected[i].code);
        assert_int_equal(tc_diags_at(reading.diags, i)->line, expected[i].line);
        assert_int_equal(tc_diags_at(reading.diags, i)->column, expected[i].column);
    }
    done(&reading);
}

// Lines with one expression each, and the last of them once more.
static void put_expressions(struct tc_buf *out, int from, int count)
{
    for (int i = from; i < from + count; i++)
        tc_buf_addf(out, "{\"namespace\":\"demo\",\"name\":\"w%d\",\"match\":\"/number%d/\"}\n", i,
                    i);
    tc_buf_addf(out, "{\"namespace\":\"demo\",\"name\":\"again%d\",\"match\":\"/number%d/\"}\n",
                from, from + count - 1);
    tc_buf_byte(out, '\0');
}

static void
more_expressions_than_a_set_may_have_are_refused_at_the_watch_with_the_first_of_them(void **state)
{
    struct tc_buf text = {0};
    (void)state;
    put_expressions(&text, 0, EXPRESSIONS_MOST);
    struct reading reading = read_text(".jsonl", text.ptr);
    assert_int_equal(reading.code, TC_OK);
    done(&reading);
    tc_buf_clear(&text);
    put_expressions(&text, 0, EXPRESSIONS_MOST + 2);
    reading = read_text(".jsonl", text.ptr);
    assert_int_equal(reading.code, TC_EPARSE);
    assert_int_equal(tc_diags_count(reading.diags), 1);
    const struct tc_diag *diag = tc_diags_at(reading.diags, 0);
    assert_string_equal(diag->code, "E0117");
    assert_int_equal(diag->line, EXPRESSIONS_MOST + 1);
    assert_non_null(strstr(diag->message.ptr, "/w10000\": with it all watches have more than 10000 "
                                              "different regular expressions"));
    done(&reading);
    tc_buf_done(&text);
}

static void a_file_that_is_not_there_cannot_be_read(void **state)
{
    struct reading yaml = read_file("rules/absent.yaml"), lines = read_file("rules/absent.jsonl");
    (void)state;
    assert_int_equal(yaml.code, TC_EIO);
    assert_int_equal(lines.code, TC_EIO);
    assert_int_equal(tc_diags_errors(yaml.diags), 1);
    assert_int_equal(tc_diags_errors(lines.diags), 1);
    done(&yaml);
    done(&lines);
}

// A query that YAML cannot read tears its watch off: nothing is said to be missing there.
static void what_yaml_tore_off_is_not_missed(void **state)
{
    (void)state;
    static const char *const queries[] = {"@usa AND visa", "*verbot*", "%ab"};
    char text[200];
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        snprintf(text, sizeof text,
                 "tocsin: 1\nnamespace: n\nwatches:\n  - name: a\n    match: %s\n", queries[i]);
        struct reading reading = read_text(".yaml", text);
        assert_int_equal(tc_diags_count(reading.diags), 1);
        assert_int_equal(tc_diags_at(reading.diags, 0)->line, 5);
        assert_non_null(
            strstr(tc_diags_at(reading.diags, 0)->help.ptr, "put the query in a block"));
        done(&reading);
    }
}

static void an_empty_file_is_refused_and_one_that_is_no_text_told_once(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# nothing\n", "\xff\xfe\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct reading reading = read_text(".yaml", texts[i]);
        assert_int_equal(reading.code, TC_EPARSE);
        if (i == 2)
            assert_int_equal(tc_diags_count(reading.diags), 1);
        done(&reading);
    }
}

static void a_name_is_unique_among_all_files(void **state)
{
    struct reading reading = read_file("rules/bulk.jsonl");
    (void)state;
    assert_int_equal(rules_add_file(reading.rules, "rules/bulk.jsonl", reading.diags), TC_EPARSE);
    assert_int_equal(rules_count(reading.rules), 3);
    assert_string_equal(tc_diags_at(reading.diags, 0)->message.ptr,
                        "watch \"bulk/chips\" is defined twice");
    assert_string_equal(tc_diags_at(reading.diags, 0)->help.ptr,
                        "the other one is in rules/bulk.jsonl:1");
    done(&reading);
}

// ---- both forms ----------------------------------------------------------------------------

static const struct {
    const char *tree, *text;
} pairs[] = {
    {"{all: [x, y, {none: [z]}]}", "x AND y AND NOT z"},
    {"{any: [x, y]}", "x OR y"},
    {"{near: {within: 5, ordered: true, of: [x, y]}}", "x ONEAR/5 y"},
    {"{near: {within: 2, of: [x, y, z]}}", "x NEAR/2 y NEAR/2 z"},
    {"{not_near: {within: 5, of: x, but: y}}", "x NOTNEAR/5 y"},
    {"{except: {of: x, but: [y]}}", "x EXCEPT y"},
    {"{except: {of: x, but: [y, a b]}}", "x EXCEPT (y OR \"a b\")"},
    {"{sentence: [x, y]}", "SENTENCE(x AND y)"},
    {"{paragraph: x}", "PARAGRAPH(x)"},
    {"{title: [x, {any: [y, z]}]}", "title:(x AND (y OR z))"},
    {"{lead: [x]}", "lead:x"},
    {"{page: [x, y]}", "PAGE(x AND y)"},
    {"{atleast: {n: 3, of: x}}", "ATLEAST/3(x)"},
    {"{some: {n: 2, of: [x, y, z]}}", "ANY/2(x, y, z)"},
    {"{first: {words: 50, of: x}}", "FIRST/50(x)"},
    {"{id: advice, sentence: [x, y]}", "advice::SENTENCE(x AND y)"},
    {"{any: [\"@usa\", x]}", "@usa OR x"},
    {"{q: \"x NEAR/2 y\"}", "x NEAR/2 y"},
    {"{phrase: {words: export chip, slop: 4}}", "\"export chip\"~4"},
    {"{fuzzy: {word: Hormus, edits: 1}}", "Hormus~1"},
    {"{all: [x, {field: {source: wsj.com}}]}", "x AND source:wsj.com"},
    {"{all: [x, {field: {lang: [de, fr]}}]}", "x AND lang:(de OR fr)"},
    {"{any: [=US, \"=United States\", wom?n]}", "=US OR =\"United States\" OR wom?n"},
    {"{any: [x, {boost: 9, q: y}]}", "x OR y^9"},
};

static const char *query_of(const struct rules *rules, size_t index)
{
    return strstr(rules_watch(rules, index)->definition.ptr, "\"query\"");
}

static void tree_and_text_give_the_same_definition(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "tocsin: 1\nnamespace: t\nlists: {usa: [=US, =USA]}\nwatches:\n"
                 "  - {name: tree, match: %s}\n"
                 "  - name: text\n    match: |\n      %s\n",
                 pairs[i].tree, pairs[i].text);
        struct reading reading = read_text(".yaml", text);
        if (reading.code != TC_OK)
            fail_msg("%s: %.*s", pairs[i].tree, TC_ARG(tc_diags_at(reading.diags, 0)->message));
        assert_string_equal(query_of(reading.rules, 0), query_of(reading.rules, 1));
        done(&reading);
    }
}

// ---- settings ------------------------------------------------------------------------------

static void a_definition_is_canonical(void **state)
{
    struct reading reading = read_text(
        ".yaml", "tocsin: 1\nnamespace: ns\n"
                 "defaults: {labels: {team: a, desk: b}, alert: {when: every, per: article}}\n"
                 "watches:\n"
                 "  - tests: []\n"
                 "    match: 'trade   AND (  war  )'\n"
                 "    alert: {throttle: 6h, update_on: [correction, sources: 5, new_language],"
                 " when: {window: 1h, count: 5}}\n"
                 "    labels: {severity: high, desk: c}\n"
                 "    where: {lang: de, words: '>= 80', max_age: 3d}\n"
                 "    annotations: {summary: 'A: {{ title }}'}\n"
                 "    expires: 2030-01-01\n"
                 "    renamed_from: old\n"
                 "    status: paused\n"
                 "    name: w\n");
    (void)state;
    assert_int_equal(reading.code, TC_OK);
    assert_definition(
        rules_watch(reading.rules, 0),
        "{\"name\":\"ns/w\",\"severity\":\"high\",\"status\":\"paused\",\"expires\":\"2030-01-01\","
        "\"renamed_from\":\"old\",\"labels\":{\"desk\":\"c\",\"severity\":\"high\",\"team\":\"a\"},"
        "\"annotations\":{\"summary\":\"A: {{ title }}\"},"
        "\"alert\":{\"when\":{\"count\":5,\"window\":\"1h\"},\"per\":\"article\","
        "\"update_on\":[\"new_language\",{\"sources\":5},\"correction\"],\"throttle\":\"6h\"},"
        "\"query\":\"trade AND war\","
        "\"where\":{\"lang\":[\"de\"],\"words\":\">= 80\",\"max_age\":\"3d\"}}");
    assert_int_equal(rules_watch(reading.rules, 0)->where->words_least, 80);
    done(&reading);
}

static void a_changed_list_changes_the_hash(void **state)
{
    static const char form[] = "tocsin: 1\nnamespace: ns\nlists: {l: [%s]}\n"
                               "watches: [{name: w, match: '@l AND x'}]\n";
    char one[200], two[200];
    (void)state;
    snprintf(one, sizeof one, form, "a");
    snprintf(two, sizeof two, form, "a, b");
    struct reading first = read_text(".yaml", one), second = read_text(".yaml", two);
    assert_int_equal(first.code, TC_OK);
    assert_false(tc_id_eq(rules_watch(first.rules, 0)->hash, rules_watch(second.rules, 0)->hash));
    done(&first);
    done(&second);
}

static void only_running_watches_are_matched(void **state)
{
    struct reading reading = read_text(
        ".jsonl", "{\"namespace\":\"n\",\"name\":\"a\",\"match\":\"x\",\"status\":\"paused\"}\n"
                  "{\"namespace\":\"n\",\"name\":\"b\",\"match\":\"x\",\"status\":\"shadow\"}\n"
                  "{\"namespace\":\"n\",\"name\":\"c\",\"match\":\"x\",\"status\":\"retired\"}\n"
                  "{\"namespace\":\"n\",\"name\":\"d\",\"match\":\"x\"}\n");
    struct matcher *matcher = NULL;
    struct tc_err err;
    (void)state;
    assert_int_equal(reading.code, TC_OK);
    assert_int_equal(rules_matcher(reading.rules, &matcher, &err), TC_OK);
    done(&reading); // the matcher holds its rules
    assert_int_equal(matcher_count(matcher), 2);
    assert_string_equal(matcher_watch(matcher, 0)->name.ptr, "n/b");
    assert_string_equal(matcher_watch(matcher, 1)->name.ptr, "n/d");
    matcher_drop(matcher);
}

// ---- tests inside --------------------------------------------------------------------------

static const struct {
    const char *test;
    enum rules_outcome outcome;
    const char *detail;
} inside[] = {
    {"{text: A trade war., expect: hit}", RULES_PASS, ""},
    {"{text: A trade war., expect: none}", RULES_FAIL,
     "expected no hit, but it matched: A ⟦trade war⟧."},
    {"{text: Peace., expect: hit}", RULES_FAIL, "expected a hit, found none"},
    {"{text: A trade war., expect: hit, quote: trade war}", RULES_PASS, ""},
    {"{text: A trade war., expect: hit, quote: peace}", RULES_FAIL,
     "\"peace\" is not among the matched words: A ⟦trade war⟧."},
    {"{text: A trade war., expect: hit, segments: [0]}", RULES_PASS, ""},
    {"{text: A trade war., expect: hit, segments: [1]}", RULES_FAIL, "other segments matched: 0"},
    {"{text: Peace., title: A trade war, expect: hit}", RULES_PASS, ""},
    {"{file: '*.absent', expect: hit}", RULES_SKIPPED, "no file /tmp/*.absent"},
    {"{files: [a, b], expect: story, stories: 1}", RULES_NOT_RUN, "needs the story engine"},
};

static void each_outcome_of_a_test_has_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        char text[400];
        struct told told = {0};
        snprintf(text, sizeof text,
                 "tocsin: 1\nnamespace: ns\nwatches:\n"
                 "  - {name: w, match: '\"trade war\"', tests: [%s]}\n",
                 inside[i].test);
        struct reading reading = read_text(".yaml", text);
        assert_int_equal(reading.code, TC_OK);
        size_t failed = rules_test(reading.rules, NULL, tell, &told);
        assert_int_equal(failed, inside[i].outcome == RULES_FAIL);
        assert_int_equal(told.passed, inside[i].outcome == RULES_PASS);
        assert_int_equal(told.skipped, inside[i].outcome == RULES_SKIPPED);
        assert_int_equal(told.not_run, inside[i].outcome == RULES_NOT_RUN);
        assert_string_equal(told.last, inside[i].detail);
        done(&reading);
    }
}

static void a_single_query_is_a_watch_of_its_own(void **state)
{
    struct rules *rules = rules_new(&settings);
    struct tc_diags *diags = tc_diags_new();
    (void)state;
    assert_int_equal(rules_add_query(rules, TC_STR("trade AND"), diags), TC_EPARSE);
    assert_int_equal(rules_add_query(rules, TC_STR("trade AND war"), diags), TC_OK);
    assert_definition(rules_watch(rules, 0),
                      "{\"name\":\"query\",\"severity\":\"info\",\"status\":\"live\",\"labels\":{},"
                      "\"annotations\":{},\"alert\":{},\"query\":\"trade AND war\"}");
    rules_drop(rules);
    tc_diags_free(diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_mistakes_of_a_file_are_told_with_their_places),
        cmocka_unit_test(every_code_has_its_exact_text),
        cmocka_unit_test(a_good_file_gives_its_watches_without_a_word),
        cmocka_unit_test(the_tests_inside_a_good_file_pass),
        cmocka_unit_test(lines_give_watches_of_both_forms),
        cmocka_unit_test(mistakes_in_lines_are_told_at_their_line_and_column),
        cmocka_unit_test(
            more_expressions_than_a_set_may_have_are_refused_at_the_watch_with_the_first_of_them),
        cmocka_unit_test(a_file_that_is_not_there_cannot_be_read),
        cmocka_unit_test(what_yaml_tore_off_is_not_missed),
        cmocka_unit_test(an_empty_file_is_refused_and_one_that_is_no_text_told_once),
        cmocka_unit_test(a_name_is_unique_among_all_files),
        cmocka_unit_test(tree_and_text_give_the_same_definition),
        cmocka_unit_test(a_definition_is_canonical),
        cmocka_unit_test(a_changed_list_changes_the_hash),
        cmocka_unit_test(only_running_watches_are_matched),
        cmocka_unit_test(each_outcome_of_a_test_has_its_reason),
        cmocka_unit_test(a_single_query_is_a_watch_of_its_own),
    };
    if (chdir(TEST_DATA) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
