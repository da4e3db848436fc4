#include "common/yaml.h"

#include "common/buf.h"
#include "common/json.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct tc_arena *arena;
static struct tc_diags *diags;
static struct tc_yaml_file *file;

static int set_up(void **state)
{
    (void)state;
    arena = tc_arena_new();
    diags = tc_diags_new();
    file = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tc_diags_free(diags);
    tc_arena_free(arena);
    return 0;
}

static int read_text(tc_str text)
{
    return tc_yaml_read_text(TC_STR("w.yaml"), text, arena, diags, &file);
}

static int read_anew(tc_str text)
{
    tear_down(NULL);
    set_up(NULL);
    return read_text(text);
}

// All mistakes as "line:column+width code message" lines.
static const char *mistakes(void)
{
    tc_str all = {"", 0};
    tc_diags_sort(diags);
    for (size_t i = 0; i < tc_diags_count(diags); i++) {
        const struct tc_diag *diag = tc_diags_at(diags, i);
        all = tc_arena_printf(arena, "%s%d:%d+%d %s %s\n", all.ptr, diag->line, diag->column,
                              diag->width, diag->code, diag->message.ptr);
    }
    return all.ptr;
}

static const struct tc_yaml *item(const struct tc_yaml *node, size_t index)
{
    assert_true(index < node->count);
    return &node->items[index];
}

static void a_file_becomes_a_tree_with_places(void **state)
{
    (void)state;
    assert_int_equal(read_text(TC_STR("t\xc3\xaan: Trung Qu\xe1\xbb\x91\x63\n"
                                      "watches:\n"
                                      "  - {name: a, n: [NO, on]}\n"
                                      "  - name: 'b'\n")),
                     TC_OK);
    const struct tc_yaml *root = &file->root, *watches = tc_yaml_get(root, "watches");
    assert_int_equal(root->kind, TC_YAML_MAP);
    assert_int_equal(root->count, 2);
    assert_true(tc_str_eq(item(root, 0)->text, TC_STR("Trung Qu\xe1\xbb\x91\x63")));
    assert_int_equal(item(root, 0)->column, 6); // characters, not bytes
    assert_int_equal(watches->kind, TC_YAML_LIST);
    assert_int_equal(watches->count, 2);
    const struct tc_yaml *list = tc_yaml_get(item(watches, 0), "n");
    assert_true(tc_str_eq(item(list, 0)->text, TC_STR("NO")));
    assert_int_equal(item(list, 1)->line, 3);
    assert_int_equal(item(list, 1)->column, 23);
    assert_true(tc_yaml_get(item(watches, 1), "name")->quoted);
    assert_null(tc_yaml_get(root, "absent"));
    assert_null(tc_yaml_get(list, "absent"));
    assert_null(tc_yaml_get(NULL, "absent"));
}

static void nothing_is_a_map_without_keys(void **state)
{
    static const char *const empty[] = {"", "\n", "# only a comment\n", "---\n", "\xef\xbb\xbf"};
    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        assert_int_equal(read_anew(tc_str_of(empty[i])), TC_OK);
        assert_int_equal(file->root.kind, TC_YAML_MAP);
        assert_int_equal(file->root.count, 0);
    }
}

// Letters and digits of a value must lie in the file where its places say.
static void assert_places(const char *yaml, const struct tc_yaml *node)
{
    for (size_t i = 0; i < node->text.len; i++) {
        size_t place = node->places[i];
        unsigned char byte = (unsigned char)node->text.ptr[i];
        bool written = file->text.ptr[place] == '\\' || byte == ' ' || byte == '\n' ||
                       (unsigned char)file->text.ptr[place] == byte;
        if (place >= file->text.len || !written || (i > 0 && place < node->places[i - 1]))
            fail_msg("%s: byte %zu of \"%s\" is not at %zu", yaml, i, node->text.ptr, place);
    }
    assert_true(node->places[node->text.len] <= file->text.len);
    assert_true(node->text.len < 2 || node->places[1] > node->places[0] ||
                file->text.ptr[node->places[0]] == '\\');
}

static void every_byte_of_a_scalar_is_found_in_the_file(void **state)
{
    static const struct {
        const char *yaml;
        const char *text; // NULL: holds a zero byte
    } cases[] = {
        {"k: plain text", "plain text"},
        {"k: tr\xc3\xa1nh M\xe1\xbb\xb9 abc", "tr\xc3\xa1nh M\xe1\xbb\xb9 abc"},
        {"k: one\n  two\n\n  three\n\n\n  four", "one two\nthree\n\nfour"},
        {"k: one  \n   two # comment", "one two"},
        {"k: 'it''s \xe1\xbb\x99 fine'", "it's \xe1\xbb\x99 fine"},
        {"k: '  a\n\n  b\n  c  '", "  a\nb c  "},
        {"k: ''", ""},
        {"k: \"a\\tb\\u1ed9\\x41\\U0001F600z\\\"\"", "a\tb\xe1\xbb\x99"
                                                     "A\xf0\x9f\x98\x80z\""},
        {"k: \"a\\\n   b  \\\n   c\n\n   d\"", "ab  c\nd"},
        {"k: \"a\\\n\n  b\"", "a\nb"},
        {"k: \"\\\n  x\\_\\N\\L\\P\\e\\0\"", NULL},
        {"k: |\n  one\n   two\n\n  three\n", "one\n two\n\nthree\n"},
        {"k: |-\n  one\n\n\nx: y", "one"},
        {"k: |+\n  one\n\n\nx: y", "one\n\n\n"},
        {"k: |2-\n    one\n   two\n  three\n", "  one\n two\nthree"},
        {"k: |  # comment\n\n\n  one\n", "\n\none\n"},
        {"k: |\n  no line end", "no line end"},
        {"k: >\n  one\n  two\n\n  three\n", "one two\nthree\n"},
        {"k: >\n  one\n    more\n  two\n  three\n", "one\n  more\ntwo three\n"},
        {"k: >-\n\n  one\n\n    more\n\n  two\n\n", "\none\n\n  more\n\ntwo"},
        {"k: >+\n  a\n  b\n\n", "a b\n\n"},
        {"k: |\r\n  one\r\n  two\r\n", "one\ntwo\n"},
        {"k: one\r\n  two\r\n\r\n  three\r\n", "one two\nthree"},
        {"x:\n  - y\nk: |\n    \xe4\xb8\xad\xe5\x9b\xbd\n    b\n", "\xe4\xb8\xad\xe5\x9b\xbd\nb\n"},
        {"\xef\xbb\xbfk: after a byte order mark", "after a byte order mark"},
        {"{k: in a flow, \"x\": 'y'}", "in a flow"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int code = read_anew(tc_str_of(cases[i].yaml));
        const struct tc_yaml *node = tc_yaml_get(&file->root, "k");
        bool same = node && (!cases[i].text || tc_str_eq(node->text, tc_str_of(cases[i].text)));
        if (code != TC_OK || !same)
            fail_msg("%s: %s%s", cases[i].yaml, node ? node->text.ptr : "?", mistakes());
        assert_places(cases[i].yaml, node);
    }
}

static void a_scalar_that_cannot_be_followed_points_at_its_start(void **state)
{
    (void)state; // U+2028 breaks lines in YAML 1.1 and nowhere else
    assert_int_equal(read_text(TC_STR("k: a\xe2\x80\xa8  b")), TC_OK);
    const struct tc_yaml *node = tc_yaml_get(&file->root, "k");
    for (size_t i = 0; i < node->text.len; i++)
        assert_int_equal(node->places[i], 3);
}

static void every_mistake_is_reported_with_its_place(void **state)
{
    static const struct {
        tc_str yaml;
        const char *expected;
    } cases[] = {
        {TC_STR("a: 1\nb: 2\na: 3\nb: 4\na: 5\n"),
         "3:1+1 E0117 repeated key \"a\", first given in line 1\n"
         "4:1+1 E0117 repeated key \"b\", first given in line 2\n"
         "5:1+1 E0117 repeated key \"a\", first given in line 1\n"},
        {TC_STR("t\xc3\xaan: {t\xc3\xaan: 1, t\xc3\xaan: 2}"),
         "1:15+3 E0117 repeated key \"t\xc3\xaan\", first given in line 1\n"},
        {TC_STR("a: *x\nb: &y z\nc: !!str d\ne: ! f\n"),
         "1:4+2 E0117 aliases (*name) are not used here\n"
         "2:4+2 E0117 anchors (&name) are not used here\n"
         "3:4+5 E0117 tags (!name) are not used here\n"
         "4:4+1 E0117 tags (!name) are not used here\n"},
        {TC_STR("a: &x [1]\nb: !t {c: d}\n"), "1:4+2 E0117 anchors (&name) are not used here\n"
                                              "2:4+2 E0117 tags (!name) are not used here\n"},
        {TC_STR("? [a, b]\n: 1\n? {c: d}\n: 2\n"),
         "1:3+1 E0117 a key must be plain text, not a list\n"
         "3:3+1 E0117 a key must be plain text, not a map\n"
         "3:3+1 E0117 repeated key \"\", first given in line 1\n"},
        {TC_STR("a: 1\n---\nb: 2\n---\nc: 3\n"),
         "2:1+3 E0117 a file holds one document; a second one begins here\n"},
        {TC_STR("a: 1\na: 2\nb: [1, 2\nc: d\n"),
         "2:1+1 E0117 repeated key \"a\", first given in line 1\n"
         "4:2+1 E0117 while parsing a flow sequence (begun in line 3): did not find expected ',' "
         "or ']'\n"},
        {TC_STR("a: 'b\n\n\n"),
         "1:4+1 E0117 while scanning a quoted scalar: found unexpected end of stream\n"},
        {TC_STR("a: \xe1\xbb\x99\xff\n"), "1:5+1 E0117 the file is not UTF-8 here (byte 0xff)\n"},
        {TC_STR("a: 1\n\xe1\xbb\x99: \x01\n"), "2:4+1 E0117 character U+0001 is not allowed\n"},
        {TC_STR("\xef\xbb\xbf\x02"), "1:2+1 E0117 character U+0002 is not allowed\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_anew(cases[i].yaml), TC_EPARSE);
        assert_string_equal(mistakes(), cases[i].expected);
        assert_non_null(file);
    }
}

static void a_query_that_yaml_cannot_read_is_told_to_move_into_a_block(void **state)
{
    static const struct {
        const char *line, *help;
    } cases[] = {
        {"match: \"US\" AND visa", "put the query in a block, `match: |`"},
        {"match: @usa AND visa", "put the query in a block, `match: |`"},
        {"match: *verbot*", "put the query in a block, `match: |`"},
        {"match: *ban AND x", "put the query in a block, `match: |`"},
        {"match: *ban", "put the query in a block, `match: |`"},
        {"match: title: foo", "put the query in a block, `match: |`"},
        {"match: 'abc", "put the query in a block, `match: |`"},
        {"match: &x AND y", "put the query in a block, `match: |`"},
        {"summary: @x", "put the text in a block, `summary: |`"},
        {"score: {match: @usa, weight: 2}", "put the text between single quotes"},
        {"any: [=US, *verbot]", "put the text between single quotes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "watches:\n  - name: x\n    %s\n", cases[i].line);
        assert_int_equal(read_anew(tc_str_of(yaml)), TC_EPARSE);
        const struct tc_diag *diag = tc_diags_at(diags, 0);
        if (!strstr(diag->help.ptr, cases[i].help) || diag->line != 3)
            fail_msg("%s: %d: %s: %s", cases[i].line, diag->line, diag->message.ptr,
                     diag->help.ptr);
    }
}

static void a_tab_is_told_to_become_blanks(void **state)
{
    static const char *const cases[] = {"a:\n\tb: c\n", "a: b\n\tc: d\n", "- a\n\t- b: c\n\tx\n"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_anew(tc_str_of(cases[i])), TC_EPARSE);
        assert_non_null(strstr(tc_diags_at(diags, 0)->help.ptr, "indent with blanks"));
        assert_int_equal(tc_diags_at(diags, 0)->line, 2);
    }
}

static void a_comment_behind_a_plain_scalar_is_seen(void **state)
{
    static const struct {
        const char *yaml;
        bool comment;
    } cases[] = {
        {"k: AI # and travel", true}, {"k: AI", false},
        {"k: 'AI' # x", false},       {"k: #AI", true},
        {"k: a\n  b # x", false},     {"k: AI\t# x", true},
        {"k: | # x\n  AI", false},    {"k: AI#x", false},
        {"k: AI\n# x", false},        {"{k: AI # x\n}", true},
        {"k: AI   ", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_anew(tc_str_of(cases[i].yaml)), TC_OK);
        const struct tc_yaml *node = tc_yaml_get(&file->root, "k");
        if (!node || node->comment_behind != cases[i].comment)
            fail_msg("%s", cases[i].yaml);
    }
}

static void deep_nesting_is_refused_at_its_depth(void **state)
{
    static char deep[40000];
    (void)state;
    memset(deep, '[', sizeof deep);
    assert_int_equal(read_text((tc_str){deep, 20000}), TC_EPARSE);
    assert_string_equal(mistakes(), "1:257+1 E0117 lists and maps are nested deeper than 256\n");
    for (size_t i = 0; i < sizeof deep; i++)
        deep[i] = "- "[i % 2];
    assert_int_equal(read_anew((tc_str){deep, sizeof deep}), TC_EPARSE);
    assert_string_equal(mistakes(), "1:513+1 E0117 lists and maps are nested deeper than 256\n");
    memset(deep, '[', 256);
    memset(deep + 256, ']', 256);
    assert_int_equal(read_anew((tc_str){deep, 512}), TC_OK);
}

static void a_large_file_is_refused(void **state)
{
    char *large = calloc(1, TC_YAML_BYTES + 1);
    (void)state;
    memset(large, '#', TC_YAML_BYTES + 1);
    assert_int_equal(read_text((tc_str){large, TC_YAML_BYTES + 1}), TC_EPARSE);
    assert_string_equal(mistakes(), "0:0+1 E0117 the file is larger than 64 MiB\n");
    free(large);
}

static void a_file_that_cannot_be_read_is_said(void **state)
{
    (void)state;
    assert_int_equal(tc_yaml_read("/no/such.yaml", arena, diags, &file), TC_EIO);
    assert_null(file);
    assert_int_equal(tc_yaml_read("/", arena, diags, &file), TC_EIO);
    assert_int_equal(tc_diags_errors(diags), 2);
    assert_string_equal(tc_diags_at(diags, 0)->message.ptr,
                        "the file cannot be read: No such file or directory");
}

static void a_file_is_read_from_disk(void **state)
{
    char name[] = "/tmp/tocsin-yaml-XXXXXX";
    int fd = mkstemp(name);
    (void)state;
    assert_int_equal(write(fd, "a: b\n", 5), 5);
    close(fd);
    assert_int_equal(tc_yaml_read(name, arena, diags, &file), TC_OK);
    assert_true(tc_str_eq(tc_yaml_get(&file->root, "a")->text, TC_STR("b")));
    unlink(name);
}

static void unknown_keys_get_the_nearest_word(void **state)
{
    static const char *const known[] = {"name", "match", "labels", NULL};
    (void)state;
    assert_int_equal(read_text(TC_STR("name: x\nmacth: y\n\"zzz\": 1\n")), TC_OK);
    assert_int_equal(tc_yaml_only(&file->root, known, diags), 2);
    assert_string_equal(mistakes(), "2:1+5 E0115 unknown key \"macth\"\n"
                                    "3:1+5 E0115 unknown key \"zzz\"\n");
    assert_string_equal(tc_diags_at(diags, 0)->help.ptr, "did you mean match?");
    assert_string_equal(tc_diags_at(diags, 1)->help.ptr, "");
}

static void values_are_read_by_type(void **state)
{
    tc_str text = {0};
    bool yes = false;
    uint64_t number = 0;
    int64_t ns = 0;
    (void)state;
    assert_int_equal(read_text(TC_STR("s: a b\nb: true\nn: 42\nd: 5m\nz: 64KiB\ny: 4 MiB\n")),
                     TC_OK);
    const struct tc_yaml *root = &file->root;
    assert_true(tc_yaml_str(tc_yaml_get(root, "s"), &text, diags));
    assert_true(tc_str_eq(text, TC_STR("a b")));
    assert_true(tc_yaml_bool(tc_yaml_get(root, "b"), &yes, diags) && yes);
    assert_true(tc_yaml_u64(tc_yaml_get(root, "n"), 1, 42, &number, diags) && number == 42);
    assert_true(tc_yaml_duration(tc_yaml_get(root, "d"), &ns, diags) && ns == 300000000000);
    assert_true(tc_yaml_size(tc_yaml_get(root, "z"), &number, diags) && number == 65536);
    assert_true(tc_yaml_size(tc_yaml_get(root, "y"), &number, diags) && number == 4 << 20);
    assert_true(tc_yaml_u64(NULL, 0, 1, &number, diags) && number == 4 << 20);
    assert_int_equal(tc_diags_errors(diags), 0);
}

static void values_of_another_type_are_refused(void **state)
{
    tc_str text = {0};
    bool yes = false;
    uint64_t number = 7;
    int64_t ns = 0;
    (void)state;
    assert_int_equal(read_text(TC_STR("l: [a]\ny: yes\nn: 43\nd: 5\nz: 10\nb: 99999999999TiB\n")),
                     TC_OK);
    const struct tc_yaml *root = &file->root;
    assert_false(tc_yaml_str(tc_yaml_get(root, "l"), &text, diags));
    assert_false(tc_yaml_bool(tc_yaml_get(root, "y"), &yes, diags));
    assert_false(tc_yaml_u64(tc_yaml_get(root, "n"), 1, 42, &number, diags));
    assert_false(tc_yaml_duration(tc_yaml_get(root, "d"), &ns, diags));
    assert_false(tc_yaml_size(tc_yaml_get(root, "z"), &number, diags));
    assert_false(tc_yaml_size(tc_yaml_get(root, "b"), &number, diags));
    assert_int_equal(number, 7);
    assert_string_equal(mistakes(),
                        "1:4+1 E0117 expected text, found a list\n"
                        "2:4+3 E0117 expected true or false, found \"yes\"\n"
                        "3:4+2 E0117 expected a whole number from 1 to 42, found \"43\"\n"
                        "4:4+1 E0117 \"5\" is no duration\n"
                        "5:4+2 E0117 \"10\" is no size\n"
                        "6:4+14 E0117 \"99999999999TiB\" is no size\n");
}

static void carets_reach_inside_every_style(void **state)
{
    static const struct {
        const char *yaml, *word;
        const char *expected;
    } cases[] = {
        {"m: |\n  tr\xc3\xa1nh @ai\n  AND travel OR x\n", "OR", "3:14+2"},
        {"m: |\n  tr\xc3\xa1nh @ai\n  AND travel OR x\n", "@ai", "2:9+3"},
        {"m: >\n  tr\xc3\xa1nh @ai\n  AND travel OR x\n", "travel", "3:7+6"},
        {"m: 'it''s OR x'", "OR", "1:11+2"},
        {"m: \"\\u1ed9 \xe1\xbb\x99 OR x\"", "OR", "1:14+2"},
        {"m: \"x \\u1ed9\"", "\xe1\xbb\x99", "1:7+6"}, // an escape is longer than its letter
        {"m: plain\n   M\xe1\xbb\xb9 OR x", "OR", "2:7+2"},
        {"m: |\n  one\n  two\n", "one\ntwo", "2:3+3"},
        {"m: |\n  one AND\n\n", "", "2:10+1"}, // what is missing at the end
        {"m: one AND", "", "1:11+1"},
        {"m: ''", "", "1:5+1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_anew(tc_str_of(cases[i].yaml)), TC_OK);
        const struct tc_yaml *node = tc_yaml_get(&file->root, "m");
        const char *word = *cases[i].word ? strstr(node->text.ptr, cases[i].word) : NULL;
        size_t from = word ? (size_t)(word - node->text.ptr) : node->text.len;
        char place[64];
        tc_yaml_wrong_span(node, from, from + strlen(cases[i].word), TC_DIAG_WARNING, "W0209",
                           diags, TC_STR("h"), TC_STR("m"));
        const struct tc_diag *diag = tc_diags_at(diags, 0);
        snprintf(place, sizeof place, "%d:%d+%d", diag->line, diag->column, diag->width);
        if (strcmp(place, cases[i].expected) != 0 || diag->severity != TC_DIAG_WARNING)
            fail_msg("%s: %s", cases[i].yaml, place);
        tc_yaml_wrong_span(node, 99, 5, TC_DIAG_ERROR, "E0101", diags, TC_STR(""), TC_STR("far"));
    }
}

static void every_beginning_of_a_file_is_read_or_refused(void **state)
{
    tc_str whole = TC_STR("t\xc3\xaan: \"a\\u1ed9\\\n  b\"\nl: ['x''y', {k: *a}, &b !!str c]\n"
                          "m: |2-\n    one\n   two\n\nn: >+\n  a\n   b\n  c\n\n? [q]\n: p\n"
                          "--- x\n...\n");
    (void)state;
    for (size_t len = 0; len <= whole.len; len++) {
        int code = read_anew(tc_str_cut(whole, 0, len));
        assert_int_equal(code == TC_OK, tc_diags_errors(diags) == 0);
    }
}

// What the YAML test suite holds and we refuse on purpose, told by our own words.
static bool is_our_reason(const char *message)
{
    static const char *const reasons[] = {"aliases",      "anchors",    "tags",
                                          "repeated key", "a key must", "one document"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (strstr(message, reasons[i]))
            return true;
    }
    return false;
}

struct suite {
    size_t valid, read, ours, syntax; // of the valid streams: read, refused by us, by libyaml
    size_t invalid, accepted;
};

static void count_stream(struct suite *suite, bool is_invalid, int code)
{
    if (is_invalid) {
        suite->invalid++;
        suite->accepted += code == TC_OK;
        return;
    }
    suite->valid++;
    if (code == TC_OK)
        suite->read++;
    else if (is_our_reason(mistakes()))
        suite->ours++;
    else
        suite->syntax++;
}

static void the_yaml_test_suite_is_read_or_refused_with_a_line(void **state)
{
    FILE *streams = fopen(TEST_SHARED "/corpus/yaml/yaml-test-suite.jsonl", "r");
    struct suite suite = {0};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len = 0;
    (void)state;
    if (!streams) {
        print_message("skipped: %s is absent\n", TEST_SHARED "/corpus/yaml");
        skip();
    }
    while ((len = getline(&line, &capacity, streams)) > 0) {
        json_t *entry = NULL;
        assert_int_equal(tc_json_read((tc_str){line, (size_t)len}, &entry, NULL), TC_OK);
        int code = read_anew(tc_json_get_str(entry, "yaml"));
        for (size_t i = 0; i < tc_diags_count(diags); i++)
            assert_true(tc_diags_at(diags, i)->line > 0);
        assert_int_equal(code == TC_OK, tc_diags_errors(diags) == 0);
        count_stream(&suite, json_is_true(json_object_get(entry, "error")), code);
        json_decref(entry);
    }
    free(line);
    fclose(streams);
    print_message("valid %zu: read %zu, refused on purpose %zu, by libyaml %zu; invalid %zu: "
                  "accepted %zu\n",
                  suite.valid, suite.read, suite.ours, suite.syntax, suite.invalid, suite.accepted);
    assert_true(suite.read > 60);
    assert_true(suite.syntax <= 27); // measured for libyaml 0.2.5
    assert_true(suite.accepted <= 9);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_becomes_a_tree_with_places),
        TEST(nothing_is_a_map_without_keys),
        TEST(every_byte_of_a_scalar_is_found_in_the_file),
        TEST(a_scalar_that_cannot_be_followed_points_at_its_start),
        TEST(every_mistake_is_reported_with_its_place),
        TEST(a_query_that_yaml_cannot_read_is_told_to_move_into_a_block),
        TEST(a_tab_is_told_to_become_blanks),
        TEST(a_comment_behind_a_plain_scalar_is_seen),
        TEST(deep_nesting_is_refused_at_its_depth),
        TEST(a_large_file_is_refused),
        TEST(a_file_that_cannot_be_read_is_said),
        TEST(a_file_is_read_from_disk),
        TEST(unknown_keys_get_the_nearest_word),
        TEST(values_are_read_by_type),
        TEST(values_of_another_type_are_refused),
        TEST(carets_reach_inside_every_style),
        TEST(every_beginning_of_a_file_is_read_or_refused),
        TEST(the_yaml_test_suite_is_read_or_refused_with_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
