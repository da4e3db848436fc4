// Each write, sync, truncate, open and read of the store and the outbox fails once, or fails from then on;
// and the disk is full once, or from then on. Whatever they then promise must be there, by what the failing
// disk kept and by what the system still remembers.
//
// n = 1, 2, 3 ... until a run in which nothing was left to fail.

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fault/disk.h"
#include "tests/fault/load.h"
#include "tests/watcher/scratch.h"

enum { STEPS = 5, SEED = 11 }; // FAILING_STEPS and FAILING_SEED for more, or for other ones

struct failure {
    const char *name;
    enum disk_op op;
    int result;
    bool lasting;
};

static const struct failure failures[] = {
    {"a write fails", DISK_WRITE, SQLITE_IOERR_WRITE, false},
    {"writes fail from then on", DISK_WRITE, SQLITE_IOERR_WRITE, true},
    {"the disk is full once", DISK_WRITE, SQLITE_FULL, false},
    {"the disk stays full", DISK_WRITE, SQLITE_FULL, true},
    {"a sync fails", DISK_SYNC, SQLITE_IOERR_FSYNC, false},
    {"syncs fail from then on", DISK_SYNC, SQLITE_IOERR_FSYNC, true},
    {"a truncate fails", DISK_TRUNCATE, SQLITE_IOERR_TRUNCATE, false},
    {"an open fails", DISK_OPEN, SQLITE_CANTOPEN, false},
    {"a read fails", DISK_READ, SQLITE_IOERR_READ, false},
};

static unsigned number(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    return text && *text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

struct run {
    struct scratch scratch, image;
    struct disk *disk;
    struct load load;
    struct chance chance;
    bool believes; // takes a failed commit for a good one: what the test must find
};

// As the programs do: a full disk is waited for, any other failure ends the process.
static void work(struct run *run)
{
    struct tc_err err = {0};
    const unsigned steps = number("FAILING_STEPS", STEPS);
    unsigned patience = 3;
    int code = load_open(&run->load, run->scratch.root, &err);
    while (code == TC_OK && run->load.promised < steps) {
        code = load_step(&run->load, &err);
        if (code != TC_OK && run->believes)
            run->load.promised = run->load.begun;
        if (code == TC_EFULL && patience-- > 0)
            code = TC_OK;
    }
    if (code != TC_OK)
        assert_true(disk_failed(run->disk)); // and not for a reason of its own
}

static enum load_verdict judge(struct run *run)
{
    disk_image(run->disk, (enum disk_cut)chance_below(&run->chance, DISK_CUTS), &run->chance,
               run->image.root);
    enum load_verdict verdict = load_judge(&run->load, run->image.root, true);
    if (verdict != LOAD_WHOLE)
        return verdict;
    disk_fail(run->disk, DISK_WRITE, 0, 0, false);
    run->load.kind->close(&run->load);
    return load_judge(&run->load, run->scratch.root, true);
}

// Gives whether anything failed.
static bool try_one(const struct load_kind *kind, const struct failure *failure, unsigned nth,
                    bool believes, enum load_verdict *verdict, char *why)
{
    struct run run = {.chance = chance_of(nth), .believes = believes};
    scratch_make(&run.scratch);
    scratch_make(&run.image);
    run.disk = disk_new(run.scratch.root);
    run.load = load_begin(kind, number("FAILING_SEED", SEED));
    disk_pragma(run.disk, "wal_autocheckpoint", "10");
    disk_fail(run.disk, failure->op, nth, failure->result, failure->lasting);
    work(&run);
    bool failed = disk_failed(run.disk);
    *verdict = judge(&run);
    snprintf(why, LOAD_WHY_BYTES, "%s", run.load.why);
    load_end(&run.load);
    disk_free(run.disk);
    scratch_remove(&run.scratch);
    scratch_remove(&run.image);
    return failed;
}

static void fail_everywhere(const struct load_kind *kind)
{
    char why[LOAD_WHY_BYTES];
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        enum load_verdict verdict = LOAD_WHOLE;
        unsigned nth = 1;
        while (try_one(kind, &failures[i], nth, false, &verdict, why) && verdict == LOAD_WHOLE)
            nth++;
        if (verdict != LOAD_WHOLE)
            fail_msg("%s: %s at operation %u: %s", kind->name, failures[i].name, nth, why);
        printf("%s: %s, %u places\n", kind->name, failures[i].name, nth - 1);
        assert_true(nth > 1); // there was something to fail
    }
}

static void the_store_promises_nothing_that_a_failing_disk_did_not_take(void **state)
{
    (void)state;
    fail_everywhere(&store_load);
}

static void the_outbox_promises_nothing_that_a_failing_disk_did_not_take(void **state)
{
    (void)state;
    fail_everywhere(&outbox_load);
}

static void a_failed_commit_that_is_taken_for_good_is_found(void **state)
{
    static const struct load_kind *const kinds[] = {&store_load, &outbox_load};
    char why[LOAD_WHY_BYTES];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        enum load_verdict verdict = LOAD_WHOLE;
        unsigned nth = 1;
        while (try_one(kinds[i], &failures[0], nth, true, &verdict, why) && verdict == LOAD_WHOLE)
            nth++;
        assert_int_equal(verdict, LOAD_SHORT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_promises_nothing_that_a_failing_disk_did_not_take),
        cmocka_unit_test(the_outbox_promises_nothing_that_a_failing_disk_did_not_take),
        cmocka_unit_test(a_failed_commit_that_is_taken_for_good_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
