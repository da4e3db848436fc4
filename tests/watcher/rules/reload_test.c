// reload_test - a file read over its last version is the file read from nothing.
//
// Watch files, one of lines and one in YAML, are edited at random: watches are added, removed, changed, moved,
// doubled and broken, comments, lists and defaults come and go. After every edit the set that builds on the one
// before is compared with one that is read anew: the same watches in the same order, or the same mistakes at
// the same places. The seed is printed; TEST_SEED repeats a run.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "tests/watcher/scratch.h"
#include "watcher/rules/rules.h"
#include "watcher/watchset.h"

enum { ROUNDS = 150, PIECES_MOST = 40, PIECE_BYTES = 400 };

static const struct text_settings text = {TEXT_WORDS_TOCSIN};
static uint64_t chance;

static int below(int limit)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((chance >> 33) % (uint64_t)limit);
}

struct stage {
    struct scratch scratch;
    struct file {
        char head[PIECE_BYTES];
        char pieces[PIECES_MOST][PIECE_BYTES];
        size_t count;
    } file, good_file; // as it is, and as it was last good
    int number;
    struct rules *before;         // the last version that was good
    size_t shared, refused, good; // what the rounds have met
};

static const char *word(void)
{
    static const char *const words[] = {"storm", "flood", "gale", "sturm", "@wind", "quake"};
    return words[below(sizeof words / sizeof *words)];
}

static void yaml_piece(struct stage *stage, char *out)
{
    int number =
        below(20) ? stage->number++ : below(stage->number + 1); // now and then a name twice
    switch (below(12)) {
    case 0:
        snprintf(out, PIECE_BYTES, "  - name: w%d\n    match: |\n      %s AND\n\n      tree\n",
                 number, word());
        break;
    case 1:
        snprintf(out, PIECE_BYTES, "  - {name: w%d, match: '%s OR \"a - b\"'}\n", number, word());
        break;
    case 2:
        snprintf(
            out, PIECE_BYTES,
            "  - name: w%d # - name: no\n    labels: {severity: high}\n    match:\n      any:\n"
            "        - tree\n        - '%s'\n  # between\n\n",
            number, word());
        break;
    case 3:
        snprintf(out, PIECE_BYTES,
                 "  - name: w%d\n    match: tree\n    tests: [{text: a tree, expect: hit}]\n",
                 number);
        break;
    case 4:
        if (below(3)) { // broken in one way or another
            static const char *const broken[] = {"  - name: b\n    match: '(tree'\n",
                                                 "  - name: b\n    match: 'tree\n",
                                                 "  - name: b\n    match: [tree\n",
                                                 "  - tree\n",
                                                 " - name: b\n   match: tree\n",
                                                 "    - name: b\n      match: tree\n",
                                                 "  - name: b\n    match: tree\n  other: 1\n",
                                                 "  - name: b\n    match: @tree\n",
                                                 "lists: {more: [x]}\n",
                                                 "  - name: b\n    nonsense: 1\n"};
            snprintf(out, PIECE_BYTES, "%s", broken[below(sizeof broken / sizeof *broken)]);
            break;
        }
        // fall through
    default: snprintf(out, PIECE_BYTES, "  - name: w%d\n    match: '%s'\n", number, word());
    }
}

static void lines_piece(struct stage *stage, char *out)
{
    int number = below(20) ? stage->number++ : below(stage->number + 1);
    const char *plain = word();
    plain += *plain == '@';
    switch (below(14)) {
    case 0: snprintf(out, PIECE_BYTES, "\n"); break;
    case 1:
        snprintf(out, PIECE_BYTES, "{\"name\":\"w%d\",\"match\":\"%s \\u0041ND tree\"}\n", number,
                 plain);
        break;
    case 2:
        if (below(3)) {
            static const char *const broken[] = {
                "{\"name\":\"b\",\"match\":\"(tree\"}\n",
                "{\"name\":\"b\",\"match\":}\n",
                "{\n",
                "{\"name\":\"b\",\"name\":\"c\",\"match\":\"x\"}\n",
                "{\"name\":1.5,\"match\":\"x\"}\n",
                "[]\n"};
            snprintf(out, PIECE_BYTES, "%s", broken[below(sizeof broken / sizeof *broken)]);
            break;
        }
        // fall through
    default:
        snprintf(
            out, PIECE_BYTES,
            "{\"name\": \"w%d\", \"match\": {\"any\": [\"%s\", \"tree\"]}, \"labels\": {\"a\": "
            "\"%d\"}}\n",
            number, plain, below(3));
    }
}

static void new_head(struct stage *stage)
{
    static const char *const defaults[] = {"", "defaults: {labels: {team: a}}\n",
                                           "defaults:\n  labels: {team: b}\n"};
    snprintf(stage->file.head, sizeof stage->file.head,
             "tocsin: 1\nnamespace: demo\n%slists:\n  wind: [%s]\n%swatches:%s\n",
             defaults[below(3)], below(2) ? "gale, breeze" : "gale",
             below(4) ? "" : "include: [more.yaml]\n", below(2) ? "" : "   # all of them");
}

static void edit(struct stage *stage, void piece(struct stage *, char *))
{
    size_t at = stage->file.count ? (size_t)below((int)stage->file.count) : 0;
    int what = stage->file.count < 5 ? 0 : below(6);
    if (what <= 1 && stage->file.count < PIECES_MOST) { // add
        memmove(stage->file.pieces[at + 1], stage->file.pieces[at],
                (stage->file.count - at) * PIECE_BYTES);
        piece(stage, stage->file.pieces[at]);
        stage->file.count++;
    } else if (what == 2) { // remove
        stage->file.count--;
        memmove(stage->file.pieces[at], stage->file.pieces[at + 1],
                (stage->file.count - at) * PIECE_BYTES);
    } else if (what == 3) { // change
        piece(stage, stage->file.pieces[at]);
    } else { // move, or double
        char moved[PIECE_BYTES];
        memcpy(moved, stage->file.pieces[at], PIECE_BYTES);
        if (below(10))
            memcpy(stage->file.pieces[at], stage->file.pieces[0], PIECE_BYTES);
        memcpy(stage->file.pieces[0], moved, PIECE_BYTES);
    }
}

static const char *write_file(struct stage *stage, const char *name, bool head)
{
    static char bytes[(PIECES_MOST + 1) * PIECE_BYTES];
    size_t len = 0;
    if (head)
        len += (size_t)snprintf(bytes, sizeof bytes, "%s", stage->file.head);
    for (size_t i = 0; i < stage->file.count; i++)
        len += (size_t)snprintf(bytes + len, sizeof bytes - len, "%s", stage->file.pieces[i]);
    return scratch_text(&stage->scratch, name, bytes);
}

static void expect_same_mistakes(struct tc_diags *one, struct tc_diags *other, bool errors_only)
{
    size_t k = 0;
    assert_int_equal(tc_diags_errors(one), tc_diags_errors(other));
    tc_diags_sort(one);
    tc_diags_sort(other);
    for (size_t i = 0; i < tc_diags_count(one); i++) {
        const struct tc_diag *left = tc_diags_at(one, i), *right = NULL;
        if (errors_only && left->severity != TC_DIAG_ERROR)
            continue;
        while ((right = tc_diags_at(other, k++))->severity != left->severity && errors_only)
            continue;
        assert_int_equal(left->line, right->line);
        assert_int_equal(left->column, right->column);
        assert_int_equal(left->width, right->width);
        assert_string_equal(left->code, right->code);
        assert_true(tc_str_eq(left->message, right->message));
        assert_true(tc_str_eq(left->source, right->source));
        assert_true(tc_str_eq(left->help, right->help));
    }
}

static void expect_same_watches(const struct rules *one, const struct rules *other)
{
    assert_int_equal(rules_count(one), rules_count(other));
    for (size_t i = 0; i < rules_count(one); i++) {
        assert_true(tc_str_eq(rules_watch(one, i)->name, rules_watch(other, i)->name));
        assert_true(tc_id_eq(rules_watch(one, i)->hash, rules_watch(other, i)->hash));
        assert_int_equal(rules_line_of(one, i), rules_line_of(other, i));
    }
}

// Reads the file over the last good version and from nothing, and compares.
static void read_both(struct stage *stage, const char *path)
{
    struct tc_diags *over_diags = tc_diags_new(), *anew_diags = tc_diags_new();
    struct rules *over = rules_new(&text), *anew = rules_new(&text);
    if (stage->before)
        rules_build_on(over, stage->before);
    int code = rules_add_file(over, path, over_diags);
    assert_int_equal(code, rules_add_file(anew, path, anew_diags));
    expect_same_mistakes(over_diags, anew_diags,
                         true); // warnings of what is shared are not repeated
    expect_same_watches(over, anew);
    stage->shared += rules_shared(over);
    stage->refused += code != TC_OK;
    stage->good += code == TC_OK;
    rules_drop(anew);
    if (code == TC_OK) {
        rules_drop(stage->before);
        stage->before = over;
        stage->good_file = stage->file;
    } else {
        rules_drop(over);
    }
    tc_diags_free(over_diags);
    tc_diags_free(anew_diags);
}

// A document's end behind the watches keeps a file from being cut: it is parsed as a whole, and must be the
// same.
static void read_as_a_whole(struct stage *stage, bool good)
{
    struct tc_diags *diags = tc_diags_new();
    struct rules *whole = rules_new(&text);
    char path[SCRATCH_PATH];
    snprintf(path, sizeof path, "%s", write_file(stage, "whole.yaml", true));
    FILE *file = fopen(path, "a");
    fputs("...\n", file);
    fclose(file);
    assert_int_equal(rules_add_file(whole, path, diags) == TC_OK, good);
    if (good)
        expect_same_watches(stage->before, whole);
    rules_drop(whole);
    tc_diags_free(diags);
}

// Whether the rounds have met what they are for. A run of bad luck goes on a little longer.
static bool met_enough(const struct stage *stage)
{
    return stage->shared > ROUNDS && stage->good > ROUNDS / 10 && stage->refused > 3;
}

// Two edits in three begin with a good file. A small one, which may be good in ways that bear nothing beside
// it, is now and then begun anew under the same head.
static void mend_perhaps(struct stage *stage)
{
    if (below(3))
        stage->file = stage->good_file;
    if (stage->file.count < 5 && below(10) == 0)
        stage->file.count = 0;
}

static void a_yaml_file_read_over_its_last_version_is_the_file(void **state)
{
    struct stage *stage = *state;
    new_head(stage);
    stage->good_file = stage->file;
    scratch_text(&stage->scratch, "more.yaml", "tocsin: 1\nlists:\n  more: [x]\n");
    for (int round = 0; round < ROUNDS || (!met_enough(stage) && round < 10 * ROUNDS); round++) {
        mend_perhaps(stage);
        edit(stage, yaml_piece);
        if (below(15) == 0)
            new_head(stage);
        if (below(15) == 0)
            scratch_text(&stage->scratch, "more.yaml",
                         below(2) ? "tocsin: 1\nlists:\n  more: [x, y]\n"
                                  : "tocsin: 1\nlists:\n  more: [x]\n");
        size_t good = stage->good;
        read_both(stage, write_file(stage, "w.yaml", true));
        read_as_a_whole(stage, stage->good > good);
    }
    assert_true(met_enough(stage));
}

static void a_file_of_lines_read_over_its_last_version_is_the_file(void **state)
{
    struct stage *stage = *state;
    for (int round = 0; round < ROUNDS || (!met_enough(stage) && round < 10 * ROUNDS); round++) {
        mend_perhaps(stage);
        edit(stage, lines_piece);
        read_both(stage, write_file(stage, "w.jsonl", false));
    }
    assert_true(met_enough(stage));
}

// What was replaced does not pile up: at last everything is read anew.
static void what_was_replaced_is_let_go_at_last(void **state)
{
    struct stage *stage = *state;
    size_t anew = 0;
    enum { READINGS = 1100 };
    for (int round = 0; round < READINGS; round++) {
        char line[PIECE_BYTES];
        snprintf(line, sizeof line,
                 "{\"name\":\"kept\",\"match\":\"tree\"}\n{\"name\":\"a\",\"match\":\"tree%d\"}\n",
                 round);
        const char *path = scratch_text(&stage->scratch, "w.jsonl", line);
        size_t before = stage->shared;
        read_both(stage, path);
        anew += stage->shared == before;
    }
    assert_int_equal(anew, 2); // the first, and one of those after the thousandth
}

// Only watches that changed run their tests, and a list that changed changes the watches that name it.
static void only_what_changed_is_tested(void **state)
{
    struct stage *stage = *state;
    static const char first[] =
        "tocsin: 1\nnamespace: demo\nwatches:\n"
        "  - name: one\n    match: tree\n    tests: [{text: tree, expect: hit}]\n"
        "  - name: two\n    match: rock\n    tests: [{text: rock, expect: hit}]\n";
    static const char second[] =
        "tocsin: 1\nnamespace: demo\nwatches:\n"
        "  - name: one\n    match: tree\n    tests: [{text: tree, expect: hit}]\n"
        "  - name: two\n    match: rock\n    tests: [{text: tree, expect: hit}]\n";
    read_both(stage, scratch_text(&stage->scratch, "w.yaml", first));
    struct rules *over = rules_new(&text);
    struct tc_diags *diags = tc_diags_new();
    rules_build_on(over, stage->before);
    assert_int_equal(rules_add_file(over, scratch_text(&stage->scratch, "w.yaml", second), diags),
                     TC_OK);
    assert_int_equal(rules_shared(over), 1);
    tc_diags_free(diags);
    rules_drop(over);
}

static int make(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    scratch_make(&stage->scratch);
    *state = stage;
    return 0;
}

static int clean(void **state)
{
    struct stage *stage = *state;
    rules_drop(stage->before);
    scratch_remove(&stage->scratch);
    free(stage);
    return 0;
}

#define RELOAD_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELOAD_TEST(a_yaml_file_read_over_its_last_version_is_the_file),
        RELOAD_TEST(a_file_of_lines_read_over_its_last_version_is_the_file),
        RELOAD_TEST(what_was_replaced_is_let_go_at_last),
        RELOAD_TEST(only_what_changed_is_tested),
    };
    const char *seed = getenv("TEST_SEED");
    chance = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    print_message("TEST_SEED=%llu\n", (unsigned long long)chance);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
