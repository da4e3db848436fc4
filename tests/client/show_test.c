// Alerts for people: widths, marks, and nothing from outside that moves the cursor.
#include "client/cli/show.h"
#include "common/err.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void shows(bool colour, int width, int indent, const char *text, const char *wanted)
{
    const struct show show = {.colour = colour, .width = width};
    struct tc_buf out = {0};
    show_text(&show, text, indent, &out);
    assert_string_equal(out.ptr ? out.ptr : "", wanted);
    tc_buf_done(&out);
}

static void words_are_wrapped_at_the_width(void **state)
{
    shows(false, 11, 0, "one two three four", "one two\nthree four\n");
    shows(false, 13, 2, "one two three four", "  one two\n  three four\n");
    shows(false, 10, 0, "  one   two ", "one two\n");
    shows(false, 6, 0, "a wonderfully b", "a\nwonderfully\nb\n");
    shows(false, 10, 0, "", "");
    (void)state;
}

static void chinese_counts_two_columns_and_breaks_between_characters(void **state)
{
    shows(false, 10, 0, "中国建议人工智能", "中国建议人\n工智能\n");
    shows(false, 11, 0, "中国建议人工智能", "中国建议人\n工智能\n");
    shows(false, 10, 0, "AI专家避免前往", "AI专家避免\n前往\n");
    (void)state;
}

static void no_line_begins_with_a_full_stop_or_ends_with_a_bracket(void **state)
{
    shows(false, 10, 0, "中国建议人。工智", "中国建议\n人。工智\n");
    shows(false, 10, 0, "中国建议「人工」", "中国建议\n「人工」\n");
    (void)state;
}

static void vietnamese_letters_count_one_column_composed_or_not(void **state)
{
    shows(false, 9, 0, "chuyên gia AI", "chuyên\ngia AI\n");
    shows(false, 10, 0, "chuye\xcc\x82n gia AI", "chuye\xcc\x82n gia\nAI\n");
    (void)state;
}

static void marks_stay_without_colours_and_become_colours_with(void **state)
{
    shows(false, 80, 0, "to ⟦avoid travel⟧ to", "to ⟦avoid travel⟧ to\n");
    shows(true, 80, 0, "to ⟦avoid travel⟧ to", "to \033[1m\033[33mavoid travel\033[0m to\n");
    shows(true, 80, 0, "⟦avoid", "\033[1m\033[33mavoid\033[0m\n");
    (void)state;
}

static void a_colour_ends_with_its_line_and_begins_again_on_the_next(void **state)
{
    shows(true, 8, 2, "⟦avoid travel⟧",
          "  \033[1m\033[33mavoid\033[0m\n  \033[1m\033[33mtravel\033[0m\n");
    (void)state;
}

static void control_characters_and_broken_text_cannot_reach_the_terminal(void **state)
{
    shows(false, 80, 0, "a\033[31mb\rc\x07", "a [31mb c\n");
    shows(false, 80, 0,
          "a\xe2\x80\xae"
          "b\xc2\x9b"
          "31m",
          "a b 31m\n");
    shows(false, 80, 0,
          "a\xff"
          "b\xe4\xb8",
          "a\xef\xbf\xbd"
          "b\xef\xbf\xbd\xef\xbf\xbd\n");
    (void)state;
}

static struct tocsin_event an_alert(void)
{
    return (struct tocsin_event){
        .kind = TOCSIN_ALERT,
        .seq = 42,
        .time = "2025-03-01T05:01:00.000Z",
        .severity = "high",
        .watch = "china-ai/travel-advice",
        .article = "page.txt",
        .title = "Trung Quốc khuyên chuyên gia AI",
        .source = "Báo Mẫu",
        .language = "vi",
        .url = "",
        .excerpt = "⟦tránh⟧ đi lại",
    };
}

static void an_alert_is_a_header_a_title_its_origin_and_the_excerpt(void **state)
{
    const struct show show = {.width = 80};
    const struct tocsin_event alert = an_alert();
    struct tc_buf out = {0};
    show_alert(&show, &alert, &out);
    assert_string_equal(out.ptr, "2025-03-01 05:01:00  high  china-ai/travel-advice  #42\n"
                                 "Trung Quốc khuyên chuyên gia AI\n"
                                 "Báo Mẫu · vi\n"
                                 "    ⟦tránh⟧ đi lại\n\n");
    tc_buf_done(&out);
    (void)state;
}

static void what_is_not_known_is_left_out(void **state)
{
    const struct show show = {.width = 80};
    struct tocsin_event alert = an_alert();
    struct tc_buf out = {0};
    alert.seq = 0;
    alert.title = alert.source = alert.language = alert.excerpt = "";
    alert.time = "some day";
    show_alert(&show, &alert, &out);
    assert_string_equal(out.ptr, "some day  high  china-ai/travel-advice\npage.txt\n\n");
    tc_buf_done(&out);
    (void)state;
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_wrapped_at_the_width),
        cmocka_unit_test(chinese_counts_two_columns_and_breaks_between_characters),
        cmocka_unit_test(no_line_begins_with_a_full_stop_or_ends_with_a_bracket),
        cmocka_unit_test(vietnamese_letters_count_one_column_composed_or_not),
        cmocka_unit_test(marks_stay_without_colours_and_become_colours_with),
        cmocka_unit_test(a_colour_ends_with_its_line_and_begins_again_on_the_next),
        cmocka_unit_test(control_characters_and_broken_text_cannot_reach_the_terminal),
        cmocka_unit_test(an_alert_is_a_header_a_title_its_origin_and_the_excerpt),
        cmocka_unit_test(what_is_not_known_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
