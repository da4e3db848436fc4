#include "watcher/rules/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};

enum { QUERIES = 1000, QUERIES_A_FILE = 100, DEPTH = 5 };

// ---- helpers -------------------------------------------------------------------------------

// The canonical form of a file; fails the test with what is wrong.
static struct tc_buf formed_as(const char *path, const tc_str *text, enum rules_form form)
{
    struct tc_diags *diags = tc_diags_new();
    struct tc_buf out = {0}, report = {0};
    struct tc_err err = {0};
    int code = rules_format(path, text, form, &settings, &out, diags, &err);
    if (code != TC_OK) {
        tc_diags_print(diags, false, &report);
        fail_msg("%s: %s\n%.*s\n%.*s", path, err.text, TC_ARG(tc_buf_view(&report)),
                 TC_ARG(tc_buf_view(&out)));
    }
    tc_diags_free(diags);
    tc_buf_byte(&out, '\0');
    out.len--;
    return out;
}

static struct tc_buf formed(const char *path, enum rules_form form)
{
    return formed_as(path, NULL, form);
}

static struct tc_buf formed_again(const char *path, const struct tc_buf *text, enum rules_form form)
{
    tc_str view = tc_buf_view(text);
    return formed_as(path, &view, form);
}

static void assert_same(const struct tc_buf *a, const struct tc_buf *b)
{
    assert_string_equal(a->ptr, b->ptr);
}

static struct tc_buf contents(const char *path)
{
    struct tc_buf text = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        tc_buf_byte(&text, (char)c);
    fclose(file);
    tc_buf_byte(&text, '\0');
    text.len--;
    return text;
}

// text -> tree -> text and tree -> text -> tree are the identity, and so is each form again.
static void assert_round_trips(const char *path)
{
    struct tc_buf text = formed(path, RULES_FORM_TEXT), tree = formed(path, RULES_FORM_TREE);
    struct tc_buf text_of_tree = formed_again(path, &tree, RULES_FORM_TEXT);
    struct tc_buf tree_of_text = formed_again(path, &text, RULES_FORM_TREE);
    struct tc_buf kept_text = formed_again(path, &text, RULES_FORM_KEEP);
    struct tc_buf kept_tree = formed_again(path, &tree, RULES_FORM_KEEP);
    assert_same(&kept_text, &text);
    assert_same(&kept_tree, &tree);
    struct tc_buf text_twice = formed_again(path, &tree_of_text, RULES_FORM_TEXT);
    struct tc_buf tree_twice = formed_again(path, &text_of_tree, RULES_FORM_TREE);
    if (!strchr(text.ptr, '#') && !strchr(tree.ptr, '#')) { // comments may move once
        assert_same(&text_of_tree, &text);
        assert_same(&tree_of_text, &tree);
    }
    struct tc_buf *all[] = {&text,      &tree,      &text_of_tree, &tree_of_text,
                            &kept_text, &kept_tree, &text_twice,   &tree_twice};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tc_buf_done(all[i]);
}

// ---- files ---------------------------------------------------------------------------------

static void an_untidy_file_gets_one_form_and_keeps_its_comments(void **state)
{
    static const struct {
        const char *expected;
        enum rules_form form;
    } cases[] = {{"rules/fmt/tidy.txt", RULES_FORM_KEEP},
                 {"rules/fmt/tidy-text.txt", RULES_FORM_TEXT},
                 {"rules/fmt/tidy-tree.txt", RULES_FORM_TREE}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tc_buf got = formed("rules/fmt/untidy.yaml", cases[i].form);
        struct tc_buf expected = contents(cases[i].expected);
        struct tc_buf again = formed_again("rules/fmt/untidy.yaml", &got, cases[i].form);
        assert_same(&got, &expected);
        assert_same(&again, &got);
        tc_buf_done(&got);
        tc_buf_done(&expected);
        tc_buf_done(&again);
    }
}

static void every_watch_file_of_the_project_round_trips(void **state)
{
    static const char *const files[] = {"../../config/watches/china-ai.yaml",
                                        "../../config/watches/companies.yaml",
                                        "../../config/watches/health.yaml",
                                        "../../config/watches/shipping.yaml",
                                        "../../config/watches/lists/places.yaml",
                                        "rules/lists/places.yaml",
                                        "rules/fmt/untidy.yaml"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_round_trips(files[i]);
}

static void a_file_with_mistakes_has_no_canonical_form(void **state)
{
    struct tc_diags *diags = tc_diags_new();
    struct tc_buf out = {0};
    struct tc_err err = {0};
    (void)state;
    assert_int_equal(
        rules_format("rules/mistakes.yaml", NULL, RULES_FORM_KEEP, &settings, &out, diags, &err),
        TC_EPARSE);
    assert_true(tc_diags_errors(diags) > 0);
    assert_int_equal(
        rules_format("rules/absent.yaml", NULL, RULES_FORM_KEEP, &settings, &out, diags, &err),
        TC_EIO);
    assert_int_equal(out.len, 0);
    tc_buf_done(&out);
    tc_diags_free(diags);
}

// ---- single queries ------------------------------------------------------------------------

static void assert_tree(const char *query, const char *tree)
{
    static const char before[] = "tocsin: 1\nnamespace: one\n\nlists:\n  usa: [=US, =USA]\n\n"
                                 "watches:\n  - name: w\n    match:";
    struct tc_buf text = {0}, wanted = {0};
    tc_buf_addf(&text, "%s |\n      %s\n", before, query);
    tc_buf_addf(&wanted, "%s\n      %s\n", before, tree);
    tc_buf_byte(&wanted, '\0');
    struct tc_buf got = formed_again("random.yaml", &text, RULES_FORM_TREE);
    struct tc_buf back = formed_again("random.yaml", &got, RULES_FORM_TEXT);
    tc_buf_byte(&text, '\0');
    assert_same(&got, &wanted);
    assert_same(&back, &text);
    tc_buf_done(&text);
    tc_buf_done(&wanted);
    tc_buf_done(&got);
    tc_buf_done(&back);
}

static void every_operator_has_its_tree(void **state)
{
    static const struct {
        const char *query, *tree;
    } cases[] = {
        {"ab AND bc AND NOT cd", "all:\n        - ab\n        - bc\n        - none: [cd]"},
        {"ab OR =US", "any: [ab, =US]"},
        {"ab AND NOT (bc OR cd)", "all:\n        - ab\n        - none: [bc, cd]"},
        {"ab NEAR/5 bc NEAR/5 cd", "near: {within: 5, of: [ab, bc, cd]}"},
        {"ab ONEAR/5 bc", "near: {within: 5, ordered: true, of: [ab, bc]}"},
        {"ab NOTNEAR/5 bc", "not_near: {within: 5, of: ab, but: bc}"},
        {"ab EXCEPT (\"ab cd\" OR ef)", "except: {of: ab, but: [ab cd, ef]}"},
        {"SENTENCE(ab AND bc)", "sentence: [ab, bc]"},
        {"PARAGRAPH(ab OR bc)", "paragraph: {any: [ab, bc]}"},
        {"title:risk*", "title: risk*"},
        {"lead:(ab AND bc)", "lead: [ab, bc]"},
        {"body:ab", "body: ab"},
        {"PAGE(ab AND bc)", "page: [ab, bc]"},
        {"ATLEAST/3(@usa)", "atleast: {n: 3, of: \"@usa\"}"},
        {"ANY/2(ab, bc, cd)", "some: {n: 2, of: [ab, bc, cd]}"},
        {"FIRST/50(ab)", "first: {words: 50, of: ab}"},
        {"advice::(ab OR bc)", "id: advice\n      any: [ab, bc]"},
        {"my_clause::ab", "id: my_clause\n      all: [ab]"},
        {"iPhone^9", "boost: 9\n      all: [iPhone]"},
        {"ab AND source:wsj.com", "all:\n        - ab\n        - field: {source: wsj.com}"},
        {"ab AND (lang:de OR lang:fr)", "all:\n        - ab\n        - field: {lang: [de, fr]}"},
        {"@usa", "all: [\"@usa\"]"},
        {"\"export chip\"~4", "phrase: {words: export chip, slop: 4}"},
        {"Hormus~1", "fuzzy: {word: Hormus, edits: 1}"},
        {"=\"KI-Reisen\"", "phrase: {words: =KI-Reisen}"},
        {"/gpt-?[0-9]+/i", "regex: /gpt-?[0-9]+/i"},
        {"\"Rock AND Roll\"", "phrase: {words: Rock AND Roll}"},
        {"\"=ab\"", "phrase: {words: =ab, exact: false}"},
        {"no OR 1.5", "any: [\"no\", \"1.5\"]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_tree(cases[i].query, cases[i].tree);
}

// ---- random queries ------------------------------------------------------------------------

static uint64_t seed;

static uint32_t roll(uint32_t sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % sides;
}

static void put_random(struct tc_buf *out, int depth);

static void put_leaf(struct tc_buf *out)
{
    static const char *const leaves[] = {"DeepSeek",
                                         "=US",
                                         "=\"KI-Koryphäen\"",
                                         "KI-Koryphäen",
                                         "\"Rock AND Roll\"",
                                         "\"=foo\"",
                                         "\"@usa\"",
                                         "\"say \\\"hi\\\"\"",
                                         "\\=ab",
                                         "\\@usa",
                                         "Hormus~1",
                                         "Semiconductor~2",
                                         "\"export chip\"~4",
                                         "wom?n",
                                         "semiconduct*",
                                         "*verbot*",
                                         "S&P",
                                         "C++",
                                         "C#",
                                         ".NET",
                                         "$1bn",
                                         "5%",
                                         "#hashtag",
                                         "\"no\"",
                                         "1.5",
                                         "true",
                                         "人工智能",
                                         "l'IA",
                                         "U.S.",
                                         "\"two: words\"",
                                         "\"x # y\"",
                                         "@usa",
                                         "\"Business  Objects\"",
                                         "=\"Business Objects\"",
                                         "\"tail\\\\\"",
                                         "「新聞」",
                                         "\"{curly}\"",
                                         "\"- dash\"",
                                         "\"it's\"",
                                         "\"'\\\"q\"",
                                         "NO",
                                         "\"a\nb\"",
                                         "\"SENTENCE\"",
                                         "=\"foo(bar)\"",
                                         "Mỹ",
                                         "_x_",
                                         "/gpt-?[0-9o]+/i",
                                         "/it's \"\\/: # x{2}/",
                                         "/\\bÜber[^a-z]{1,3}\\p{Lu}?/"};
    tc_buf_puts(out, leaves[roll(sizeof leaves / sizeof *leaves)]);
}

static void put_group(struct tc_buf *out, int depth)
{
    tc_buf_byte(out, '(');
    put_random(out, depth - 1);
    tc_buf_byte(out, ')');
}

static void put_chain(struct tc_buf *out, const char *between, int depth)
{
    uint32_t count = 2 + roll(3);
    for (uint32_t i = 0; i < count; i++) {
        tc_buf_puts(out, i ? between : "");
        if (i > 0 && roll(6) == 0 && strcmp(between, " AND ") == 0)
            tc_buf_puts(out, "NOT ");
        put_group(out, depth);
    }
}

static void put_proximity(struct tc_buf *out, int depth)
{
    static const char *const operators[] = {" NEAR/5 ", " ONEAR/0 ",  " NOTNEAR/3 ",
                                            " EXCEPT ", " SENTENCE ", " PARAGRAPH "};
    const char *between = operators[roll(6)];
    for (uint32_t i = 0, count = 2 + roll(2); i < count; i++) {
        tc_buf_puts(out, i ? between : "");
        if (roll(3) == 0)
            put_group(out, depth < 2 ? depth : 2);
        else
            put_leaf(out);
    }
}

static void put_call(struct tc_buf *out, int depth)
{
    static const char *const calls[] = {"SENTENCE", "PARAGRAPH", "ATLEAST/3", "FIRST/50", "title:",
                                        "lead:",    "body:",     "PAGE",      "advice::", "a_b::"};
    tc_buf_puts(out, calls[roll(10)]);
    put_group(out, depth);
    if (roll(4) == 0)
        tc_buf_addf(out, "^%u", 1 + roll(9));
}

static void put_some(struct tc_buf *out, int depth)
{
    tc_buf_addf(out, "ANY/%u(", 1 + roll(2));
    for (uint32_t i = 0, count = 2 + roll(3); i < count; i++) {
        tc_buf_puts(out, i ? ", " : "");
        put_random(out, depth - 1);
    }
    tc_buf_byte(out, ')');
}

static void put_field(struct tc_buf *out)
{
    static const char *const fields[] = {"(lang:de OR lang:fr)",
                                         "source:wsj.com",
                                         "url:wsj.com/world/china",
                                         "tag:\"a \\\"b\\\"\"",
                                         "author:\"Yoko Kubota\"",
                                         "(tag:x OR lang:de)",
                                         "section:no"};
    put_leaf(out);
    tc_buf_puts(out, " AND ");
    tc_buf_puts(out, fields[roll(7)]);
}

static void put_random(struct tc_buf *out, int depth)
{
    switch (depth <= 0 ? 0 : roll(10)) {
    case 0:
    case 1:
        put_leaf(out);
        if (roll(6) == 0)
            tc_buf_addf(out, "^%u", 1 + roll(9));
        break;
    case 2:
    case 3: put_chain(out, " AND ", depth); break;
    case 4:
    case 5: put_chain(out, " OR ", depth); break;
    case 6: put_proximity(out, depth); break;
    case 7: put_call(out, depth); break;
    case 8: put_some(out, depth); break;
    default: put_field(out); break;
    }
}

static bool is_right(tc_str query)
{
    struct rules *rules = rules_new(&settings);
    struct tc_diags *diags = tc_diags_new();
    bool right = rules_add_query(rules, query, diags) == TC_OK;
    tc_diags_free(diags);
    rules_drop(rules);
    return right;
}

// One query that can be read, its list written out because -q knows none.
static void put_watch(struct tc_buf *out, unsigned number)
{
    struct tc_buf query = {0}, plain = {0};
    tc_str rest, line;
    do {
        tc_buf_clear(&query);
        tc_buf_clear(&plain);
        put_random(&query, DEPTH);
        for (size_t i = 0; i < query.len; i++) // a list is a term for the grammar
            tc_buf_byte(&plain, query.ptr[i] == '@' && i > 0 && !strchr("\"\\", query.ptr[i - 1])
                                    ? 'x'
                                    : query.ptr[i]);
        if (plain.len > 0 && plain.ptr[0] == '@')
            plain.ptr[0] = 'x';
    } while (!is_right(tc_buf_view(&plain)));
    tc_buf_addf(out, "  - name: w%u\n    match: |\n", number);
    rest = tc_buf_view(&query);
    while (tc_str_next(&rest, '\n', &line))
        tc_buf_addf(out, "      %.*s\n", TC_ARG(line));
    tc_buf_done(&query);
    tc_buf_done(&plain);
}

static void random_queries_round_trip(void **state)
{
    const char *given = getenv("FMT_SEED");
    seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    print_message("FMT_SEED=%llu\n", (unsigned long long)seed);
    seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    (void)state;
    for (unsigned done = 0; done < QUERIES; done += QUERIES_A_FILE) {
        struct tc_buf text = {0};
        tc_buf_puts(&text, "tocsin: 1\nnamespace: r\nlists: {usa: [=US, =USA]}\nwatches:\n");
        for (unsigned i = 0; i < QUERIES_A_FILE; i++)
            put_watch(&text, i);
        struct tc_buf strings = formed_again("random.yaml", &text, RULES_FORM_TEXT);
        struct tc_buf trees = formed_again("random.yaml", &strings, RULES_FORM_TREE);
        struct tc_buf strings_again = formed_again("random.yaml", &trees, RULES_FORM_TEXT);
        struct tc_buf trees_again = formed_again("random.yaml", &strings_again, RULES_FORM_TREE);
        assert_same(&strings_again, &strings);
        assert_same(&trees_again, &trees);
        assert_null(strstr(trees.ptr, "q:"));
        tc_buf_done(&text);
        tc_buf_done(&strings);
        tc_buf_done(&trees);
        tc_buf_done(&strings_again);
        tc_buf_done(&trees_again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untidy_file_gets_one_form_and_keeps_its_comments),
        cmocka_unit_test(every_watch_file_of_the_project_round_trips),
        cmocka_unit_test(a_file_with_mistakes_has_no_canonical_form),
        cmocka_unit_test(every_operator_has_its_tree),
        cmocka_unit_test(random_queries_round_trip),
    };
    if (chdir(TEST_DATA) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
