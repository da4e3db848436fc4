#include "common/diag.h"

#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_printed(const struct tc_diag *diag, const char *expected)
{
    struct tc_buf out = {0};
    tc_diag_print(diag, false, &out);
    assert_string_equal(out.ptr, expected);
    tc_buf_done(&out);
}

static struct tc_diag mistake(int line, int column, int width, tc_str source)
{
    return (struct tc_diag){
        .code = "E0107",
        .file = TC_STR("w.yaml"),
        .line = line,
        .column = column,
        .width = width,
        .message = TC_STR("wrong"),
        .source = source,
    };
}

static void the_caret_stands_under_the_span(void **state)
{
    struct tc_diag diag = {
        .code = "E0107",
        .file = TC_STR("watches/china.yaml"),
        .line = 7,
        .column = 30,
        .width = 2,
        .message = TC_STR("AND/NOT and OR are mixed without parentheses"),
        .help = TC_STR("readings differ between search products"),
    };
    (void)state;
    diag.source = TC_STR("      @ai_experts AND travel OR visa");
    assert_printed(&diag, "watches/china.yaml:7:30: error[E0107]: AND/NOT and OR are mixed without "
                          "parentheses\n"
                          "     7 |       @ai_experts AND travel OR visa\n"
                          "       |                              ^~\n"
                          "  help: readings differ between search products\n");
}

static void further_lines_of_help_are_indented(void **state)
{
    struct tc_diag diag = mistake(10, 1, 3, TC_STR("a b"));
    (void)state;
    diag.severity = TC_DIAG_WARNING;
    diag.help = TC_STR("write one of\n\"a b\"   (phrase)\na AND b");
    assert_printed(&diag, "w.yaml:10:1: warning[E0107]: wrong\n"
                          "    10 | a b\n"
                          "       | ^~~\n"
                          "  help: write one of\n"
                          "          \"a b\"   (phrase)\n"
                          "          a AND b\n");
}

static void the_caret_is_placed_by_width(void **state)
{
    static const struct {
        int column, width;
        tc_str source;
        const char *caret; // the last line
    } cases[] = {
        {3, 1, TC_STR("\t\tx"), "       | \t\t^\n"},
        {3, 2, TC_STR("\xe4\xb8\xad\xe5\x9b\xbd ab"), "       |     ^~\n"}, // two wide ones
        {1, 2, TC_STR("\xe4\xb8\xad\xe5\x9b\xbd ab"), "       | ^~~~\n"},   // under wide ones
        {4, 1, TC_STR("\x65\xcc\x82\xcc\x81x"), "       |  ^\n"},           // e and two marks
        {4, 1, TC_STR("\xe1\xba\xbf b"), "       |    ^\n"},                // behind the end
        {1, 99, TC_STR("abc"), "       | ^~~\n"},                           // wider than it is
        {2, 1, TC_STR("\x1b[31m"), "       |  ^\n"},                        // a control
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tc_diag diag = mistake(1, cases[i].column, cases[i].width, cases[i].source);
        struct tc_buf out = {0};
        tc_diag_print(&diag, false, &out);
        const char *last = strstr(out.ptr, "       | ");
        assert_non_null(last);
        assert_string_equal(last, cases[i].caret);
        assert_null(strchr(out.ptr, '\x1b'));
        tc_buf_done(&out);
    }
}

static void a_mistake_of_the_whole_file_has_no_line(void **state)
{
    struct tc_diag diag = mistake(0, 0, 1, (tc_str){"", 0});
    (void)state;
    assert_printed(&diag, "w.yaml: error[E0107]: wrong\n");
}

static void a_caret_outside_its_line_is_not_drawn(void **state)
{
    struct tc_diag diag = mistake(3, 50, 1, TC_STR("short"));
    (void)state;
    assert_printed(&diag, "w.yaml:3:50: error[E0107]: wrong\n     3 | short\n");
}

static void colours_come_only_when_asked_for(void **state)
{
    struct tc_diag diag = mistake(1, 1, 1, TC_STR("x"));
    struct tc_buf out = {0};
    (void)state;
    tc_diag_print(&diag, true, &out);
    assert_non_null(strstr(out.ptr, "\033[31merror[E0107]\033[0m"));
    tc_buf_done(&out);
}

static void mistakes_are_sorted_by_file_line_and_column(void **state)
{
    static const struct {
        const char *file;
        int line, column;
    } added[] = {{"b", 5, 1}, {"a", 9, 9}, {"b", 1, 7}, {"a", 9, 2}, {"b", 1, 7}};
    static const char *const expected[] = {"b:1:7 2", "b:1:7 4", "b:5:1 0", "a:9:2 3", "a:9:9 1"};
    struct tc_diags *diags = tc_diags_new();
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        char text[2] = {(char)('0' + i), 0};
        struct tc_diag diag = mistake(added[i].line, added[i].column, 1, TC_STR("x"));
        diag.file = tc_str_of(added[i].file);
        diag.message = tc_str_of(text);
        tc_diags_add(diags, &diag);
    }
    tc_diags_sort(diags);
    for (size_t i = 0; i < 5; i++) {
        const struct tc_diag *diag = tc_diags_at(diags, i);
        char text[64];
        snprintf(text, sizeof text, "%s:%d:%d %s", diag->file.ptr, diag->line, diag->column,
                 diag->message.ptr);
        assert_string_equal(text, expected[i]);
    }
    assert_null(tc_diags_at(diags, 5));
    tc_diags_free(diags);
}

static void more_than_the_most_are_counted_and_errors_come_first(void **state)
{
    struct tc_diags *diags = tc_diags_new();
    struct tc_err err = {0};
    struct tc_buf out = {0};
    (void)state;
    struct tc_diag diag = mistake(4, 2, 1, TC_STR("x"));
    diag.severity = TC_DIAG_WARNING;
    for (int i = 0; i < TC_DIAG_MOST + 5; i++)
        tc_diags_add(diags, &diag);
    assert_int_equal(tc_diags_result(diags, &err), TC_OK);
    diag.severity = TC_DIAG_ERROR;
    tc_diags_add(diags, &diag);
    assert_int_equal(tc_diags_count(diags), TC_DIAG_MOST);
    assert_int_equal(tc_diags_warnings(diags), TC_DIAG_MOST + 5);
    assert_int_equal(tc_diags_errors(diags), 1);
    assert_int_equal(tc_diags_result(diags, &err), TC_EPARSE);
    assert_string_equal(err.file, "w.yaml");
    assert_int_equal(err.line, 4);
    tc_diags_print(diags, false, &out);
    assert_non_null(strstr(out.ptr, "\n6 more mistakes are not shown\n"));
    tc_buf_done(&out);
    tc_diags_free(diags);
    tc_diags_free(NULL);
}

static void a_long_line_is_kept_up_to_a_limit(void **state)
{
    static char line[1 << 20];
    struct tc_diags *diags = tc_diags_new();
    struct tc_buf out = {0};
    (void)state;
    memset(line, 'x', sizeof line);
    struct tc_diag diag = mistake(1, 1 << 19, 5, (tc_str){line, sizeof line});
    for (int i = 0; i < TC_DIAG_MOST; i++)
        tc_diags_add(diags, &diag);
    tc_diags_print(diags, false, &out);
    assert_true(out.len < TC_DIAG_MOST * 5000);
    tc_buf_done(&out);
    tc_diags_free(diags);
}

static void the_nearest_word_is_found(void **state)
{
    static const char *const known[] = {"name", "match", "labels", "annotations", "status", "text"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"nmae", "name"},
        {"macth", "match"},
        {"Match", "match"},
        {"lable", "labels"},
        {"label", "labels"},
        {"anotation", "annotations"},
        {"tests", NULL},
        {"no", NULL},
        {"", NULL},
        {"zzzzzz", NULL},
        {"statsu", "status"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = tc_nearest(tc_str_of(cases[i].word), known, 6);
        if ((nearest != NULL) != (cases[i].nearest != NULL) ||
            (nearest && strcmp(nearest, cases[i].nearest) != 0))
            fail_msg("%s: %s", cases[i].word, nearest ? nearest : "none");
    }
}

static void a_line_is_found_without_its_end(void **state)
{
    tc_str text = TC_STR("one\r\n\nthree");
    (void)state;
    assert_true(tc_str_eq(tc_line_at(text, 1), TC_STR("one")));
    assert_int_equal(tc_line_at(text, 2).len, 0);
    assert_true(tc_str_eq(tc_line_at(text, 3), TC_STR("three")));
    assert_int_equal(tc_line_at(text, 4).len, 0);
    assert_int_equal(tc_line_at(text, 0).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_caret_stands_under_the_span),
        cmocka_unit_test(further_lines_of_help_are_indented),
        cmocka_unit_test(the_caret_is_placed_by_width),
        cmocka_unit_test(a_mistake_of_the_whole_file_has_no_line),
        cmocka_unit_test(a_caret_outside_its_line_is_not_drawn),
        cmocka_unit_test(colours_come_only_when_asked_for),
        cmocka_unit_test(mistakes_are_sorted_by_file_line_and_column),
        cmocka_unit_test(more_than_the_most_are_counted_and_errors_come_first),
        cmocka_unit_test(a_long_line_is_kept_up_to_a_limit),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(a_line_is_found_without_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
