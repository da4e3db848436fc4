#include "watcher/source/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <zlib.h>

#include <cmocka.h>

#include "tests/watcher/scratch.h"

static struct scratch scratch;

static int make(void **state)
{
    (void)state;
    scratch_make(&scratch);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    scratch_remove(&scratch);
    return 0;
}

static struct lines *open_ok(const char *path, size_t limit)
{
    struct lines *lines = NULL;
    struct tc_err err;
    if (lines_open(path, TC_STR("test"), limit, &lines, &err) != TC_OK)
        fail_msg("%s", err.text);
    return lines;
}

// Reads on and checks the id of the next article; an empty id expects `code`.
static void expect(struct lines *lines, int code, const char *id)
{
    struct article *article = NULL;
    struct tc_err err = {0};
    int got = lines_next(lines, &article, &err);
    if (got != code)
        fail_msg("code %d, expected %d: %s", got, code, err.text);
    if (code == TC_OK)
        assert_true(tc_str_eq(article->id, tc_str_of(id)));
    article_free(article);
}

static void a_bad_line_is_named_and_the_next_one_read(void **state)
{
    struct article *article = NULL;
    struct tc_err err;
    (void)state;
    struct lines *lines = open_ok(scratch_text(&scratch, "a.jsonl",
                                               "\xef\xbb\xbf{\"id\":\"1\",\"text\":\"a\"}\r\n"
                                               "\n   \n"
                                               "{\"id\":\"2\"\n"
                                               "{\"id\":\"3\",\"text\":\"c\"}"),
                                  1000);
    expect(lines, TC_OK, "1");
    assert_int_equal(lines_number(lines), 1);
    assert_int_equal(lines_next(lines, &article, &err), TC_EPARSE);
    assert_int_equal(err.line, 4);
    assert_non_null(strstr(err.file, "a.jsonl"));
    expect(lines, TC_OK, "3");
    expect(lines, TC_ENOENT, "");
    expect(lines, TC_ENOENT, "");
    lines_close(lines);
}

static void a_line_that_is_too_long_is_skipped(void **state)
{
    static char text[400 * 1000];
    (void)state;
    int head = snprintf(text, sizeof text, "{\"id\":\"1\",\"text\":\"");
    memset(text + head, 'x', 300 * 1000);
    snprintf(text + head + 300 * 1000, 1000, "\"}\n{\"id\":\"2\",\"text\":\"b\"}\n");
    struct lines *lines = open_ok(scratch_text(&scratch, "a.jsonl", text), 1000);
    expect(lines, TC_EFULL, "");
    assert_int_equal(lines_number(lines), 1);
    expect(lines, TC_OK, "2");
    lines_close(lines);
}

static void names_tell_what_a_file_holds(void **state)
{
    static const struct {
        const char *name, *text;
        int code;
        const char *id;
    } cases[] = {
        {"a.json", "{\n\"id\":\"7\",\n\"text\":\"b\"}\n", TC_OK, "7"},
        {"page.txt", "{not json", TC_OK, "page.txt"},
        {"page", "Some words\nmore", TC_OK, "page"},
        {"wire", "\n{\"id\":\"8\",\"text\":\"b\"}\n{\"id\":\"9\",\"text\":\"c\"}\n", TC_OK, "8"},
        {"object", "{\n\"id\":\"10\",\"text\":\"b\"}", TC_OK, "10"},
        {"a.html", "<p>", TC_EPARSE, ""},
        {"empty.txt", "", TC_EPARSE, ""},
        {"empty.json", "", TC_EPARSE, ""},
        {"empty.jsonl", "", TC_ENOENT, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lines *lines = open_ok(scratch_text(&scratch, cases[i].name, cases[i].text), 1000);
        struct article *article = NULL;
        struct tc_err err = {0};
        int code = lines_next(lines, &article, &err);
        if (code != cases[i].code)
            fail_msg("%s: %d %s", cases[i].name, code, err.text);
        if (article)
            assert_true(tc_str_eq(article->id, tc_str_of(cases[i].id)));
        article_free(article);
        lines_close(lines);
    }
}

// Writes gzip of `text` in members of `split` bytes, the last cut short by `cut` bytes.
static const char *write_gzip(const char *name, const char *text, size_t split, size_t cut)
{
    static unsigned char packed[64 * 1024];
    size_t len = strlen(text), used = 0;
    for (size_t at = 0; at < len; at += split) {
        z_stream zip = {0};
        deflateInit2(&zip, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
        zip.next_in = (Bytef *)(uintptr_t)(text + at);
        zip.avail_in = (uInt)(len - at < split ? len - at : split);
        zip.next_out = packed + used;
        zip.avail_out = (uInt)(sizeof packed - used);
        deflate(&zip, Z_FINISH);
        used = sizeof packed - zip.avail_out;
        deflateEnd(&zip);
    }
    return scratch_write(&scratch, name, packed, used - cut);
}

static void gzip_is_unpacked_in_any_number_of_members(void **state)
{
    const char *text = "{\"id\":\"1\",\"text\":\"a\"}\n{\"id\":\"2\",\"text\":\"b\"}\n";
    (void)state;
    for (size_t split = 5; split < 60; split += 9) {
        struct lines *lines = open_ok(write_gzip("a.jsonl.gz", text, split, 0), 1000);
        expect(lines, TC_OK, "1");
        expect(lines, TC_OK, "2");
        expect(lines, TC_ENOENT, "");
        lines_close(lines);
    }
    struct lines *page = open_ok(write_gzip("page.txt.gz", "words", 100, 0), 1000);
    expect(page, TC_OK, "page.txt");
    lines_close(page);
}

static void a_damaged_or_cut_gzip_file_is_an_error(void **state)
{
    (void)state;
    struct lines *cut =
        open_ok(write_gzip("a.jsonl.gz", "{\"id\":\"1\",\"text\":\"a\"}\n", 100, 6), 1000);
    expect(cut, TC_OK, "1");
    expect(cut, TC_EIO, "");
    expect(cut, TC_ENOENT, "");
    lines_close(cut);
    struct lines *bad = open_ok(scratch_text(&scratch, "b.jsonl.gz", "\x1f\x8bnonsense"), 1000);
    expect(bad, TC_EIO, "");
    lines_close(bad);
}

static void files_that_are_not_there_are_named(void **state)
{
    struct lines *lines = NULL;
    struct tc_err err;
    (void)state;
    assert_int_equal(lines_open("/nowhere/x.jsonl", TC_STR("s"), 10, &lines, &err), TC_ENOENT);
    assert_non_null(strstr(err.text, "/nowhere/x.jsonl"));
    assert_int_equal(lines_open(scratch.root, TC_STR("s"), 10, &lines, &err), TC_EIO);
    assert_non_null(strstr(err.text, "is a folder"));
}

static void a_live_pipe_gives_each_line_at_once_and_can_be_stopped(void **state)
{
    struct lines *lines = NULL;
    struct tc_err err;
    int pipe_fds[2], stop = eventfd(0, 0);
    (void)state;
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(lines_open_fd(pipe_fds[0], "-", TC_STR("s"), 1000, &lines, &err), TC_OK);
    lines_stop_on(lines, stop);
    assert_true(write(pipe_fds[1], "{\"id\":\"1\",\"text\":\"a\"}\n", 23) == 23);
    expect(lines, TC_OK, "1");
    assert_int_equal(eventfd_write(stop, 1), 0);
    expect(lines, TC_ESTOP, "");
    lines_close(lines);
    close(pipe_fds[1]);
    close(stop);
}

static void the_news_corpus_is_read_to_its_end(void **state)
{
    const char *path = TEST_SHARED "/corpus/reuters/train.jsonl.gz";
    struct article *article = NULL;
    size_t count = 0;
    (void)state;
    if (access(path, R_OK) != 0) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    struct lines *lines = open_ok(path, ARTICLE_BYTES);
    while (lines_next(lines, &article, NULL) == TC_OK) {
        count++;
        article_free(article);
    }
    assert_int_equal(count, 9603);
    lines_close(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_bad_line_is_named_and_the_next_one_read, make, clean),
        cmocka_unit_test_setup_teardown(a_line_that_is_too_long_is_skipped, make, clean),
        cmocka_unit_test_setup_teardown(names_tell_what_a_file_holds, make, clean),
        cmocka_unit_test_setup_teardown(gzip_is_unpacked_in_any_number_of_members, make, clean),
        cmocka_unit_test_setup_teardown(a_damaged_or_cut_gzip_file_is_an_error, make, clean),
        cmocka_unit_test_setup_teardown(files_that_are_not_there_are_named, make, clean),
        cmocka_unit_test(a_live_pipe_gives_each_line_at_once_and_can_be_stopped),
        cmocka_unit_test(the_news_corpus_is_read_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
