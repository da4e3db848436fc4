#include "watcher/outbox/outbox.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/fault.h"
#include "tests/watcher/scratch.h"

#define HOUR (3600 * TC_SECOND)

struct box {
    struct scratch scratch;
    const char *boot;    // of the machine that the tests run on
    int64_t mono_ns;     // its clock
    uint64_t most_bytes; // of what is acknowledged
    struct outbox *outbox;
    struct tc_err err;
};

static int open_again(struct box *box)
{
    outbox_close(box->outbox);
    box->outbox = NULL;
    struct outbox_settings settings = {
        .dir = tc_str_of(box->scratch.root),
        .horizon_ns = OUTBOX_HORIZON_NS,
        .horizon_bytes = box->most_bytes,
        .boot = tc_str_of(box->boot),
        .now_mono_ns = box->mono_ns,
    };
    return outbox_open(&settings, &box->outbox, &box->err);
}

// Time passes while the watcher runs.
static void pass(struct box *box, int64_t ns)
{
    box->mono_ns += ns;
    outbox_tick(box->outbox, box->mono_ns);
}

static int make(void **state)
{
    struct box *box = calloc(1, sizeof *box);
    scratch_make(&box->scratch);
    box->boot = "one";
    box->mono_ns = 1000 * TC_SECOND;
    box->most_bytes = OUTBOX_HORIZON_BYTES;
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

// The broker confirms what waits up to number n, in its commit `commits`.
static void acked(struct box *box, uint64_t n, uint64_t commits)
{
    struct outbox_place place = {"epoch", "run", commits, 10 * commits};
    ok(box, outbox_begin(box->outbox, &box->err));
    ok(box, outbox_acked(box->outbox, n, &place, &box->err));
    ok(box, outbox_commit(box->outbox, &box->err));
}

// The numbers of what waits, at most 64 of them.
static size_t waiting(struct box *box, uint64_t *n)
{
    const struct outbox_item *items = NULL;
    size_t all = 0, count = 1;
    while (count) {
        ok(box, outbox_waiting(box->outbox, all ? n[all - 1] : 0, 64 - all, 1 << 20, &items, &count,
                               &box->err));
        for (size_t i = 0; i < count; i++)
            n[all++] = items[i].n;
    }
    return all;
}

static void expect_known(struct box *box, const char *id, const char *text,
                         enum outbox_known expected, uint64_t version, int64_t seen)
{
    struct outbox_mark mark = {OUTBOX_SAME, 99, 99, true};
    ok(box,
       outbox_look(box->outbox, TC_STR("wire"), tc_str_of(id), content(text), &mark, &box->err));
    assert_int_equal(mark.known, expected);
    assert_int_equal(mark.version, version);
    assert_int_equal(mark.seen_wall_ns, seen);
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

static void marks_know_what_has_hit(void **state)
{
    struct box *box = *state;
    struct outbox_mark mark;
    for (uint64_t version = 1; version <= 3; version++) {
        struct outbox_article article = {.source = TC_STR("wire"),
                                         .id = TC_STR("a"),
                                         .version = version,
                                         .content = content(version == 1   ? "1"
                                                            : version == 2 ? "2"
                                                                           : "3"),
                                         .hit = version == 2};
        ok(box, outbox_begin(box->outbox, &box->err));
        ok(box, outbox_add(box->outbox, &article, &box->err));
        ok(box, outbox_commit(box->outbox, &box->err));
        ok(box,
           outbox_look(box->outbox, TC_STR("wire"), TC_STR("a"), content("x"), &mark, &box->err));
        assert_int_equal(mark.hit, version >= 2);
    }
    ok(box, outbox_look(box->outbox, TC_STR("wire"), TC_STR("b"), content("x"), &mark, &box->err));
    assert_false(mark.hit);
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
    uint64_t n[3];
    struct outbox_place last = {"epoch", "", 3, 17};
    assert_int_equal(outbox_last_acked(box->outbox, &last, &box->err), TC_ENOENT);
    for (size_t i = 0; i < 3; i++)
        add_one(box, i == 0 ? "a" : i == 1 ? "b" : "c", "header", "hits");
    ok(box, outbox_waiting(box->outbox, 0, 64, 1000, &items, &count, &box->err));
    for (size_t i = 0; i < 3; i++)
        n[i] = items[i].n;
    ok(box, outbox_begin(box->outbox, &box->err));
    ok(box, outbox_acked(box->outbox, n[0], &last, &box->err));
    ok(box, outbox_acked(box->outbox, n[0], &(struct outbox_place){"epoch", "", 9, 99}, &box->err));
    ok(box, outbox_dead(box->outbox, n[1], TC_STR("nobody wants it"), 1000, &box->err));
    ok(box, outbox_dead(box->outbox, n[1], TC_STR("again"), 1000, &box->err));
    ok(box, outbox_commit(box->outbox, &box->err));
    assert_int_equal(open_again(box), TC_OK);
    memset(&last, 0, sizeof last);
    ok(box, outbox_last_acked(box->outbox, &last, &box->err));
    assert_string_equal(last.epoch, "epoch");
    assert_string_equal(last.run, "");
    assert_int_equal(last.commits, 3);
    assert_int_equal(last.hseq, 17);
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
static void trim_all(struct box *box)
{
    for (bool more = true; more;)
        ok(box, outbox_trim(box->outbox, &more, &box->err));
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
    trim_all(box);
    assert_true(defined(box, "early")); // the first item may need it
    for (uint64_t n = first; n <= first + 15 * 1000; n += OUTBOX_ACK_MOST)
        acked(box, n, 1);
    pass(box, OUTBOX_HORIZON_NS + 1);
    trim_all(box);
    assert_int_equal(outbox_counts(box->outbox).acked, 0);
    assert_false(defined(box, "early"));
    assert_true(defined(box, "used"));
    ok(box, outbox_define(box->outbox, content("early"), TC_STR("{}"), &box->err));
    assert_true(defined(box, "early")); // it came back
    assert_int_equal(open_again(box), TC_OK);
    trim_all(box);
    assert_true(defined(box, "used"));
}

static void without_items_no_definition_is_kept(void **state)
{
    struct box *box = *state;
    ok(box, outbox_define(box->outbox, content("w"), TC_STR("{}"), &box->err));
    trim_all(box);
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
    ok(box, outbox_trim(box->outbox, &more, &box->err));
    assert_true(more);
    assert_true(outbox_counts(box->outbox).dead > OUTBOX_DEAD_MOST); // in slices
    trim_all(box);
    assert_int_equal(outbox_counts(box->outbox).dead, OUTBOX_DEAD_MOST);
    assert_int_equal(outbox_counts(box->outbox).dead_dropped, MORE);
    assert_int_equal(open_again(box), TC_OK);
    assert_int_equal(outbox_counts(box->outbox).dead, OUTBOX_DEAD_MOST);
}

static void trimming_takes_what_is_beyond_the_horizon(void **state)
{
    struct box *box = *state;
    add_one(box, "old", "header", "hits");
    add_one(box, "new", "header", "hits");
    add_one(box, "waiting", "header", "hits");
    acked(box, 1, 1);
    pass(box, 3000);
    acked(box, 2, 2);
    pass(box, OUTBOX_HORIZON_NS - 1000);
    trim_all(box);
    assert_int_equal(outbox_counts(box->outbox).acked, 1);
    assert_int_equal(outbox_counts(box->outbox).waiting, 1);
    assert_int_equal(outbox_counts(box->outbox).marks, 3);
    pass(box, OUTBOX_MARKS_NS);
    trim_all(box);
    assert_int_equal(outbox_counts(box->outbox).acked, 0);
    assert_int_equal(outbox_counts(box->outbox).waiting, 1);
    assert_int_equal(outbox_counts(box->outbox).marks, 0);
}

static void a_second_process_is_kept_out(void **state)
{
    struct box *box = *state;
    struct outbox *other = NULL;
    struct outbox_settings settings = {.dir = tc_str_of(box->scratch.root)};
    assert_int_equal(outbox_open(&settings, &other, &box->err), TC_EBUSY);
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
    run_sql(box, "PRAGMA user_version = 4");
    assert_int_equal(open_again(box), TC_EVERSION);
    assert_non_null(strstr(box->err.text, "made by a newer tocsin"));
}

static void the_format_before_is_taken_over(void **state)
{
    struct box *box = *state;
    add_one(box, "a", "header", "hits");
    ok(box, outbox_define(box->outbox, content("w"), TC_STR("{}"), &box->err));
    run_sql(
        box,
        "DROP TABLE acked; DROP TABLE meta; DROP INDEX mark_at; DROP TABLE item;"
        "ALTER TABLE mark DROP COLUMN at; ALTER TABLE mark DROP COLUMN hit;"
        "CREATE TABLE item(n INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL,"
        " epoch TEXT, hseq INTEGER, at INTEGER, header BLOB NOT NULL, hits BLOB NOT NULL);"
        "CREATE INDEX item_waiting ON item(n) WHERE state = 0;"
        "CREATE INDEX item_acked ON item(n) WHERE state = 1;"
        "INSERT INTO item VALUES(1, 1, 'e', 1, 1, 'h', 'x'), (2, 0, NULL, NULL, NULL, 'h', 'x');"
        "DROP INDEX definition_until; ALTER TABLE definition DROP COLUMN until;"
        "PRAGMA user_version = 1");
    for (int again = 0; again < 2; again++) {
        assert_int_equal(open_again(box), TC_OK);
        trim_all(box);
        expect_known(box, "a", "a", OUTBOX_SAME, 1, 100);
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

static void what_was_acknowledged_since_a_commit_waits_again_in_its_order(void **state)
{
    static const struct {
        uint64_t since, items, first;
    } cases[] = {{10, 0, 7}, {7, 1, 6}, {6, 3, 4}, {4, 4, 3}, {1, 6, 1}, {1, 6, 1}};
    struct box *box = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t n[64], count = 99;
        char id[16];
        for (size_t added = 0; added < (i ? 0 : 7); added++) {
            snprintf(id, sizeof id, "%zu", added);
            add_one(box, id, "header", "hits");
        }
        size_t already = 7 - waiting(box, n);
        for (uint64_t upto = already + 1; upto <= 6; upto++)
            acked(box, upto, upto == 5 ? 6 : upto == 6 ? 7 : upto == 4 ? 6 : upto == 3 ? 4 : upto);
        ok(box, outbox_requeue(box->outbox, cases[i].since, &count, &box->err));
        assert_int_equal(count, cases[i].items);
        if (i % 2)
            assert_int_equal(open_again(box), TC_OK); // it is safe at once
        assert_int_equal(waiting(box, n), 1 + cases[i].items);
        for (size_t at = 0; at < 1 + cases[i].items; at++)
            assert_int_equal(n[at], cases[i].first + at);
        assert_int_equal(outbox_counts(box->outbox).waiting, 1 + cases[i].items);
        assert_int_equal(outbox_counts(box->outbox).acked, 6 - cases[i].items);
    }
}

static void what_waits_again_is_not_mixed_with_what_never_was_acknowledged(void **state)
{
    struct box *box = *state;
    const struct outbox_item *items = NULL;
    uint64_t again = 0;
    size_t count = 0;
    for (size_t i = 0; i < 4; i++)
        add_one(box, i == 0 ? "a" : i == 1 ? "b" : i == 2 ? "c" : "d", "header", "hits");
    acked(box, 2, 1);
    ok(box, outbox_requeue(box->outbox, 1, &again, &box->err));
    for (int restart = 0; restart < 2; restart++) {
        ok(box, outbox_waiting(box->outbox, 0, 64, 1 << 20, &items, &count, &box->err));
        assert_int_equal(count, 2);
        assert_true(items[0].recovered && items[1].recovered);
        ok(box, outbox_waiting(box->outbox, 2, 64, 1 << 20, &items, &count, &box->err));
        assert_int_equal(count, 2);
        assert_true(!items[0].recovered && !items[1].recovered);
        assert_int_equal(open_again(box), TC_OK);
    }
}

static void a_kill_while_it_begins_to_wait_again_loses_nothing(void **state)
{
    struct box *box = *state;
    uint64_t n[64];
    for (size_t i = 0; i < 3; i++)
        add_one(box, i == 0 ? "a" : i == 1 ? "b" : "c", "header", "hits");
    acked(box, 3, 1);
    outbox_close(box->outbox);
    box->outbox = NULL;
    pid_t child = fork();
    if (child == 0) {
        uint64_t count = 0;
        setenv("TOCSIN_FAULT", "outbox.requeue", 1);
        tc_fault_init();
        if (open_again(box) == TC_OK)
            outbox_requeue(box->outbox, 1, &count, NULL);
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(open_again(box), TC_OK);
    assert_int_equal(outbox_counts(box->outbox).acked, 3);
    uint64_t count = 0;
    ok(box, outbox_requeue(box->outbox, 1, &count, &box->err)); // the broker asks again
    assert_int_equal(waiting(box, n), 3);
}

static void trimmed_items_do_not_come_back_and_the_last_place_stays_known(void **state)
{
    struct box *box = *state;
    struct outbox_place last;
    uint64_t n[64], count = 0;
    add_one(box, "a", "header", "hits");
    acked(box, 1, 5);
    pass(box, OUTBOX_HORIZON_NS + 1);
    trim_all(box);
    ok(box, outbox_last_acked(box->outbox, &last, &box->err));
    assert_int_equal(last.commits, 5);
    add_one(box, "b", "header", "hits");
    acked(box, 2, 6);
    trim_all(box);
    ok(box, outbox_requeue(box->outbox, 1, &count, &box->err));
    assert_int_equal(count, 1);
    assert_int_equal(waiting(box, n), 1);
    assert_int_equal(n[0], 2);
}

static void more_bytes_than_the_horizon_holds_go_before_their_time(void **state)
{
    struct box *box = *state;
    box->most_bytes = 50;
    assert_int_equal(open_again(box), TC_OK);
    for (uint64_t i = 1; i <= 10; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", (int)i);
        add_one(box, id, "header", "hits"); // ten bytes
        acked(box, i, i);
    }
    trim_all(box);
    assert_int_equal(outbox_counts(box->outbox).acked, 5);
    assert_int_equal(open_again(box), TC_OK);
    assert_int_equal(outbox_counts(box->outbox).acked, 5);
}

// The wall clock is not asked at all; what could jump is time that nobody watched.
static void ages_count_while_this_boot_of_the_machine_lasts(void **state)
{
    static const struct {
        const char *boot; // that comes next, NULL: the watcher goes on
        int64_t mono_ns;  // after that
        bool there;
    } steps[] = {
        {NULL, 1000 * TC_SECOND + 20 * HOUR, true},  // runs
        {"one", 1000 * TC_SECOND + 23 * HOUR, true}, // stopped for three hours
        {"two", 40000 * HOUR, true},                 // another boot: nobody knows
        {"two", 1 * HOUR, true},                     // a clock that went back counts nothing
        {"", 90000 * HOUR, true},                    // no boot is told
        {"", 180000 * HOUR, true},
        {NULL, 180000 * HOUR + 2 * HOUR, false}, // 25 hours that were seen
    };
    struct box *box = *state;
    add_one(box, "a", "header", "hits");
    acked(box, 1, 1);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        box->mono_ns = steps[i].mono_ns;
        if (steps[i].boot) {
            box->boot = steps[i].boot;
            assert_int_equal(open_again(box), TC_OK);
        }
        outbox_tick(box->outbox, box->mono_ns);
        trim_all(box);
        assert_int_equal(outbox_counts(box->outbox).acked, steps[i].there);
    }
}

static void the_oldest_that_waits_tells_its_age(void **state)
{
    struct box *box = *state;
    int64_t age = 0;
    uint64_t count = 0;
    ok(box, outbox_oldest(box->outbox, &age, &box->err));
    assert_int_equal(age, -1);
    add_one(box, "a", "header", "hits");
    pass(box, 5 * TC_SECOND);
    add_one(box, "b", "header", "hits");
    pass(box, 2 * TC_SECOND);
    ok(box, outbox_oldest(box->outbox, &age, &box->err));
    assert_int_equal(age, 7 * TC_SECOND);
    acked(box, 1, 1);
    ok(box, outbox_oldest(box->outbox, &age, &box->err));
    assert_int_equal(age, 2 * TC_SECOND);
    acked(box, 2, 2);
    ok(box, outbox_oldest(box->outbox, &age, &box->err));
    assert_int_equal(age, -1);
    ok(box, outbox_requeue(box->outbox, 1, &count, &box->err));
    assert_int_equal(open_again(box), TC_OK);
    ok(box, outbox_oldest(box->outbox, &age, &box->err));
    assert_int_equal(age, 7 * TC_SECOND);
}

#define OUTBOX_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OUTBOX_TEST(marks_know_every_version_that_was_accepted),
        OUTBOX_TEST(marks_know_what_has_hit),
        OUTBOX_TEST(what_is_rolled_back_never_was),
        OUTBOX_TEST(items_wait_in_order_and_within_bounds),
        OUTBOX_TEST(acknowledged_and_dead_items_wait_no_more),
        OUTBOX_TEST(definitions_are_kept_once),
        OUTBOX_TEST(definitions_stay_as_long_as_an_item_may_need_them),
        OUTBOX_TEST(without_items_no_definition_is_kept),
        OUTBOX_TEST(the_newest_dead_letters_are_kept),
        OUTBOX_TEST(trimming_takes_what_is_beyond_the_horizon),
        OUTBOX_TEST(what_was_acknowledged_since_a_commit_waits_again_in_its_order),
        OUTBOX_TEST(what_waits_again_is_not_mixed_with_what_never_was_acknowledged),
        OUTBOX_TEST(a_kill_while_it_begins_to_wait_again_loses_nothing),
        OUTBOX_TEST(trimmed_items_do_not_come_back_and_the_last_place_stays_known),
        OUTBOX_TEST(more_bytes_than_the_horizon_holds_go_before_their_time),
        OUTBOX_TEST(ages_count_while_this_boot_of_the_machine_lasts),
        OUTBOX_TEST(the_oldest_that_waits_tells_its_age),
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
