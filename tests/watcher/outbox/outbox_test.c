#include "watcher/outbox/outbox.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/watcher/scratch.h"

struct box {
    struct scratch scratch;
    struct outbox *outbox;
    struct tc_err err;
};

static int open_again(struct box *box)
{
    outbox_close(box->outbox);
    box->outbox = NULL;
    return outbox_open(tc_str_of(box->scratch.root), &box->outbox, &box->err);
}

static int make(void **state)
{
    struct box *box = calloc(1, sizeof *box);
    scratch_make(&box->scratch);
    *state = box;
    return open_again(box);
}

static int clean(void **state)
{
    struct box *box = *state;
    outbox_close(box->outbox);
    scratch_remove(&box->scratch);
    free(box);
    return 0;
}

static struct tc_id content(const char *text)
{
    return tc_id_of_bytes(tc_str_of(text));
}

static void ok(struct box *box, int code)
{
    if (code != TC_OK)
        fail_msg("%s", box->err.text);
}

static void add(struct box *box, const char *id, uint64_t version, const char *text,
                const char *header, const char *hits)
{
    ok(box, outbox_add(box->outbox,
                       &(struct outbox_article){.source = TC_STR("wire"),
                                                .id = tc_str_of(id),
                                                .version = version,
                                                .content = content(text),
                                                .seen_wall_ns = (int64_t)version * 100,
                                                .header = tc_str_of(header),
                                                .hits = tc_str_of(hits)},
                       &box->err));
}

static void add_one(struct box *box, const char *id, const char *header, const char *hits)
{
    ok(box, outbox_begin(box->outbox, &box->err));
    add(box, id, 1, id, header, hits);
    ok(box, outbox_commit(box->outbox, &box->err));
}

static void expect_known(struct box *box, const char *id, const char *text,
                         enum outbox_known expected, uint64_t version, int64_t seen)
{
    enum outbox_known known;
    uint64_t got = 99;
    int64_t first_seen = 99;
    ok(box, outbox_look(box->outbox, TC_STR("wire"), tc_str_of(id), content(text), &known, &got,
                        &first_seen, &box->err));
    assert_int_equal(known, expected);
    assert_int_equal(got, version);
    assert_int_equal(first_seen, seen);
}

static void marks_know_every_version_that_was_accepted(void **state)
{
    struct box *box = *state;
    expect_known(box, "a", "one", OUTBOX_NEW, 0, 0);
    ok(box, outbox_begin(box->outbox, &box->err));
    add(box, "a", 1, "one", "", "");
    add(box, "a", 2, "two", "", "");
    ok(box, outbox_commit(box->outbox, &box->err));
    expect_known(box, "a", "one", OUTBOX_SAME, 1, 100);
    expect_known(box, "a", "two", OUTBOX_SAME, 2, 100);
    expect_known(box, "a", "three", OUTBOX_CHANGED, 2, 100);
    expect_known(box, "b", "one", OUTBOX_NEW, 0, 0);
    assert_int_equal(open_again(box), TC_OK);
    expect_known(box, "a", "three", OUTBOX_CHANGED, 2, 100);
}

static void what_is_rolled_back_never_was(void **state)
{
    struct box *box = *state;
    ok(box, outbox_begin(box->outbox, &box->err));
    add(box, "a", 1, "one", "h", "x");
    outbox_rollback(box->outbox);
    expect_known(box, "a", "one", OUTBOX_NEW, 0, 0);
    assert_int_equal(outbox_counts(box->outbox).waiting, 0);
}

static void items_wait_in_order_and_within_bounds(void **state)
{
    struct box *box = *state;
    const struct outbox_item *items = NULL;
    size_t count = 0;
    add_one(box, "a", "header a", "hits a");
    add_one(box, "none", "", "");
    add_one(box, "b", "header b", "hits b");
    ok(box, outbox_waiting(box->outbox, 0, 64, 1000, &items, &count, &box->err));
    assert_int_equal(count, 2);
    assert_true(tc_str_eq(items[0].header, TC_STR("header a")));
    assert_true(tc_str_eq(items[1].hits, TC_STR("hits b")));
    uint64_t first = items[0].n, second = items[1].n;
    assert_true(first < second);
    ok(box, outbox_waiting(box->outbox, 0, 64, 3, &items, &count, &box->err));
    assert_int_equal(count, 1); // one always goes, however large
    ok(box, outbox_waiting(box->outbox, first, 64, 1000, &items, &count, &box->err));
    assert_int_equal(count, 1);
    assert_int_equal(items[0].n, second);
    ok(box, outbox_waiting(box->outbox, 0, 1, 1000, &items, &count, &box->err));
    assert_int_equal(count, 1);
}

static void acknowledged_and_dead_items_wait_no_more(void **state)
{
    struct box *box = *state;
    const struct outbox_item *items = NULL;
    size_t count = 0;
    uint64_t hseq = 0, n[3];
    char epoch[TC_ID_TEXT_BYTES];
    assert_int_equal(outbox_last_acked(box->outbox, epoch, &hseq, &box->err), TC_ENOENT);
    for (size_t i = 0; i < 3; i++)
        add_one(box, i == 0 ? "a" : i == 1 ? "b" : "c", "header", "hits");
    ok(box, outbox_waiting(box->outbox, 0, 64, 1000, &items, &count, &box->err));
    for (size_t i = 0; i < 3; i++)
        n[i] = items[i].n;
    ok(box, outbox_begin(box->outbox, &box->err));
    ok(box, outbox_acked(box->outbox, n[0], TC_STR("epoch"), 17, 1000, &box->err));
    ok(box, outbox_acked(box->outbox, n[0], TC_STR("epoch"), 99, 1000, &box->err));
    ok(box, outbox_dead(box->outbox, n[1], TC_STR("nobody wants it"), 1000, &box->err));
    ok(box, outbox_dead(box->outbox, n[1], TC_STR("again"), 1000, &box->err));
    ok(box, outbox_commit(box->outbox, &box->err));
    assert_int_equal(open_again(box), TC_OK);
    ok(box, outbox_last_acked(box->outbox, epoch, &hseq, &box->err));
    assert_string_equal(epoch, "epoch");
    assert_int_equal(hseq, 17);
    ok(box, outbox_waiting(box->outbox, 0, 64, 1000, &items, &count, &box->err));
    assert_int_equal(count, 1);
    assert_int_equal(items[0].n, n[2]);
    struct outbox_counts counts = outbox_counts(box->outbox);
    assert_int_equal(counts.waiting, 1);
    assert_int_equal(counts.acked, 1);
    assert_int_equal(counts.dead, 1);
    assert_int_equal(counts.marks, 3);
}

static void definitions_are_kept_once(void **state)
{
    struct box *box = *state;
    tc_str body = {"", 0};
    ok(box, outbox_define(box->outbox, content("w"), TC_STR("{\"name\":\"w\"}"), &box->err));
    ok(box, outbox_define(box->outbox, content("w"), TC_STR("{\"name\":\"w\"}"), &box->err));
    ok(box, outbox_definition(box->outbox, content("w"), &body, &box->err));
    assert_true(tc_str_eq(body, TC_STR("{\"name\":\"w\"}")));
    assert_int_equal(outbox_definition(box->outbox, content("v"), &body, &box->err), TC_ENOENT);
}

// Trims until nothing is left to remove.
static void trim_all(struct box *box, int64_t now)
{
    for (bool more = true; more;)
        ok(box, outbox_trim(box->outbox, now, &more, &box->err));
}

static bool defined(struct box *box, const char *name)
{
    tc_str body = {"", 0};
    return outbox_definition(box->outbox, content(name), &body, &box->err) == TC_OK;
}

static void definitions_stay_as_long_as_an_item_may_need_them(void **state)
{
    struct box *box = *state;
    const struct outbox_item *items = NULL;
    size_t count = 0;
    ok(box, outbox_define(box->outbox, content("early"), TC_STR("{}"), &box->err));
    add_one(box, "first", "header", "hits");
    ok(box, outbox_define(box->outbox, content("used"), TC_STR("{}"), &box->err));
    ok(box, outbox_waiting(box->outbox, 0, 1, 1000, &items, &count, &box->err));
    uint64_t first = items[0].n;
    ok(box, outbox_begin(box->outbox, &box->err));
    for (int i = 0; i < 20 * 1000; i++)
        ok(box, outbox_add_item(box->outbox, TC_STR("header"), TC_STR("hits"), &box->err));
    ok(box, outbox_define(box->outbox, content("used"), TC_STR("{}"), &box->err));
    ok(box, outbox_commit(box->outbox, &box->err));
    trim_all(box, 1000);
    assert_true(defined(box, "early")); // the first item may need it
    ok(box, outbox_acked(box->outbox, first, TC_STR("e"), 1, 1000, &box->err));
    ok(box, outbox_begin(box->outbox, &box->err));
    for (uint64_t n = first + 1; n <= first + 15 * 1000; n++)
        ok(box, outbox_acked(box->outbox, n, TC_STR("e"), 1, 1000, &box->err));
    ok(box, outbox_commit(box->outbox, &box->err));
    trim_all(box, OUTBOX_HORIZON_NS + 2000);
    assert_int_equal(outbox_counts(box->outbox).acked, 0);
    assert_false(defined(box, "early"));
    assert_true(defined(box, "used"));
    ok(box, outbox_define(box->outbox, content("early"), TC_STR("{}"), &box->err));
    assert_true(defined(box, "early")); // it came back
    assert_int_equal(open_again(box), TC_OK);
    trim_all(box, 2000);
    assert_true(defined(box, "used"));
}

static void without_items_no_definition_is_kept(void **state)
{
    struct box *box = *state;
    ok(box, outbox_define(box->outbox, content("w"), TC_STR("{}"), &box->err));
    trim_all(box, 1000);
    assert_false(defined(box, "w"));
}

static void the_newest_dead_letters_are_kept(void **state)
{
    enum { MORE = 700 };
    struct box *box = *state;
    ok(box, outbox_begin(box->outbox, &box->err));
    for (uint64_t n = 1; n <= OUTBOX_DEAD_MOST + MORE; n++) {
        ok(box, outbox_add_item(box->outbox, TC_STR("header"), TC_STR("hits"), &box->err));
        ok(box, outbox_dead(box->outbox, n, TC_STR("why"), 1000, &box->err));
    }
    ok(box, outbox_commit(box->outbox, &box->err));
    bool more = false;
    ok(box, outbox_trim(box->outbox, 1000, &more, &box->err));
    assert_true(more);
    assert_true(outbox_counts(box->outbox).dead > OUTBOX_DEAD_MOST); // in slices
    trim_all(box, 1000);
    assert_int_equal(outbox_counts(box->outbox).dead, OUTBOX_DEAD_MOST);
    assert_int_equal(outbox_counts(box->outbox).dead_dropped, MORE);
    assert_int_equal(open_again(box), TC_OK);
    assert_int_equal(outbox_counts(box->outbox).dead, OUTBOX_DEAD_MOST);
}

static void trimming_takes_what_is_beyond_the_horizon(void **state)
{
    struct box *box = *state;
    const struct outbox_item *items = NULL;
    size_t count = 0;
    add_one(box, "old", "header", "hits");
    add_one(box, "new", "header", "hits");
    add_one(box, "waiting", "header", "hits");
    ok(box, outbox_waiting(box->outbox, 0, 64, 1000, &items, &count, &box->err));
    uint64_t old = items[0].n, young = items[1].n;
    ok(box, outbox_acked(box->outbox, old, TC_STR("e"), 1, 1000, &box->err));
    ok(box, outbox_acked(box->outbox, young, TC_STR("e"), 2, 5000, &box->err));
    trim_all(box, OUTBOX_HORIZON_NS + 2000);
    assert_int_equal(outbox_counts(box->outbox).acked, 1);
    assert_int_equal(outbox_counts(box->outbox).waiting, 1);
    assert_int_equal(outbox_counts(box->outbox).marks, 3);
    trim_all(box, OUTBOX_MARKS_NS + 2000);
    assert_int_equal(outbox_counts(box->outbox).acked, 0);
    assert_int_equal(outbox_counts(box->outbox).waiting, 1);
    assert_int_equal(outbox_counts(box->outbox).marks, 0);
}

static void a_second_process_is_kept_out(void **state)
{
    struct box *box = *state;
    struct outbox *other = NULL;
    assert_int_equal(outbox_open(tc_str_of(box->scratch.root), &other, &box->err), TC_EBUSY);
    assert_non_null(strstr(box->err.text, "outbox.lock"));
}

static void run_sql(struct box *box, const char *sql)
{
    sqlite3 *db = NULL;
    outbox_close(box->outbox);
    box->outbox = NULL;
    sqlite3_open(scratch_path(&box->scratch, "outbox.db"), &db);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int commit_one(struct box *box)
{
    ok(box, outbox_begin(box->outbox, &box->err));
    ok(box, outbox_add_item(box->outbox, TC_STR("header"), TC_STR("hits"), &box->err));
    int code = outbox_commit(box->outbox, &box->err);
    if (code != TC_OK)
        outbox_rollback(box->outbox);
    return code;
}

static void nothing_is_written_to_a_file_that_was_taken_away(void **state)
{
    static const char *const names[] = {"outbox.db", "outbox.db-wal"};
    struct box *box = *state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char from[SCRATCH_PATH], to[SCRATCH_PATH];
        snprintf(from, sizeof from, "%s", scratch_path(&box->scratch, names[i]));
        snprintf(to, sizeof to, "%s", scratch_path(&box->scratch, "away"));
        assert_int_equal(commit_one(box), TC_OK);
        assert_int_equal(rename(from, to), 0);
        assert_int_equal(commit_one(box), TC_EIO);
        assert_non_null(strstr(box->err.text, "moved or removed"));
        scratch_text(&box->scratch, names[i], ""); // another in its place
        assert_int_equal(commit_one(box), i == 0 ? TC_EIO : TC_OK);
        assert_int_equal(rename(to, from), 0);
    }
    assert_int_equal(commit_one(box), TC_OK);
}

static void a_newer_format_is_refused(void **state)
{
    struct box *box = *state;
    run_sql(box, "PRAGMA user_version = 3");
    assert_int_equal(open_again(box), TC_EVERSION);
    assert_non_null(strstr(box->err.text, "made by a newer tocsin"));
}

static void the_format_before_is_taken_over(void **state)
{
    struct box *box = *state;
    add_one(box, "a", "header", "hits");
    ok(box, outbox_define(box->outbox, content("w"), TC_STR("{}"), &box->err));
    run_sql(box, "DROP INDEX definition_until; ALTER TABLE definition DROP COLUMN until;"
                 "PRAGMA user_version = 1");
    for (int again = 0; again < 2; again++) {
        assert_int_equal(open_again(box), TC_OK);
        trim_all(box, 1000);
        assert_true(defined(box, "w"));
        assert_int_equal(outbox_counts(box->outbox).waiting, 1);
    }
}

static void what_is_no_outbox_is_refused(void **state)
{
    struct box *box = *state;
    run_sql(box, "PRAGMA application_id = 7");
    assert_int_equal(open_again(box), TC_ECORRUPT);
    assert_non_null(strstr(box->err.text, "no outbox of tocsin"));
    scratch_text(&box->scratch, "outbox.db", "This was never a database, not even a small one.\n");
    assert_int_equal(open_again(box), TC_ECORRUPT);
    assert_non_null(strstr(box->err.text, "Move it away"));
}

static void a_damaged_page_is_found_at_the_start(void **state)
{
    struct box *box = *state;
    char rubbish[4096];
    for (int i = 0; i < 200; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        add_one(box, id, "some header", "some hits");
    }
    outbox_close(box->outbox);
    box->outbox = NULL;
    memset(rubbish, 0x5a, sizeof rubbish);
    int fd = open(scratch_path(&box->scratch, "outbox.db"), O_RDWR);
    for (off_t at = 4096; at < 4096 * 6; at += 4096)
        assert_true(pwrite(fd, rubbish, sizeof rubbish, at) == sizeof rubbish);
    close(fd);
    assert_int_equal(open_again(box), TC_ECORRUPT);
    assert_non_null(strstr(box->err.text, "Move it away"));
}

// Dies with an open transaction and after a commit; what was committed is there.
static void only_what_was_committed_outlives_a_kill(void **state)
{
    struct box *box = *state;
    outbox_close(box->outbox);
    box->outbox = NULL;
    pid_t child = fork();
    if (child == 0) {
        if (open_again(box) != TC_OK)
            _exit(1);
        outbox_begin(box->outbox, NULL);
        add(box, "kept", 1, "kept", "header", "hits");
        outbox_commit(box->outbox, NULL);
        outbox_begin(box->outbox, NULL);
        add(box, "lost", 1, "lost", "header", "hits");
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(open_again(box), TC_OK);
    assert_int_equal(outbox_counts(box->outbox).waiting, 1);
    expect_known(box, "kept", "kept", OUTBOX_SAME, 1, 100);
    expect_known(box, "lost", "lost", OUTBOX_NEW, 0, 0);
}

#define OUTBOX_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OUTBOX_TEST(marks_know_every_version_that_was_accepted),
        OUTBOX_TEST(what_is_rolled_back_never_was),
        OUTBOX_TEST(items_wait_in_order_and_within_bounds),
        OUTBOX_TEST(acknowledged_and_dead_items_wait_no_more),
        OUTBOX_TEST(definitions_are_kept_once),
        OUTBOX_TEST(definitions_stay_as_long_as_an_item_may_need_them),
        OUTBOX_TEST(without_items_no_definition_is_kept),
        OUTBOX_TEST(the_newest_dead_letters_are_kept),
        OUTBOX_TEST(trimming_takes_what_is_beyond_the_horizon),
        OUTBOX_TEST(a_second_process_is_kept_out),
        OUTBOX_TEST(nothing_is_written_to_a_file_that_was_taken_away),
        OUTBOX_TEST(a_newer_format_is_refused),
        OUTBOX_TEST(the_format_before_is_taken_over),
        OUTBOX_TEST(what_is_no_outbox_is_refused),
        OUTBOX_TEST(a_damaged_page_is_found_at_the_start),
        OUTBOX_TEST(only_what_was_committed_outlives_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
