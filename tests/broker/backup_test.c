#include "broker/backup.h"

#include "broker/verify.h"
#include "tests/broker/rig.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH = 256 };

static char file[PATH], part[PATH + 8];

static int set_up(void **state)
{
    static struct rig rig;
    rig_open(&rig);
    rig_begin(&rig);
    snprintf(file, sizeof file, "%s-backup", rig.path);
    snprintf(part, sizeof part, "%s.part", file);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    unlink(file);
    unlink(part);
    rig_close(*state);
    return 0;
}

static void put(struct rig *rig, unsigned number)
{
    char id[16];
    snprintf(id, sizeof id, "a%u", number);
    rig_put(rig, "watcher", number, id, 20);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_string_equal(rig->answers[0].reply, "ACK");
}

static const struct rig_answer *ask(struct rig *rig, const char *path)
{
    char header[PATH + 32];
    snprintf(header, sizeof header, "{\"file\":\"%s\"}", path);
    return rig_ask(rig, "BACKUP", header);
}

static void expect_refused(struct rig *rig, const char *path, const char *code, const char *words)
{
    const struct rig_answer *answer = ask(rig, path);
    assert_string_equal(answer->reply, "ERR");
    assert_string_equal(rig_text(answer, "code"), code);
    assert_non_null(strstr(rig_text(answer, "reason"), words));
}

static void tell(void *context, const char *sentence)
{
    (void)context;
    print_error("%s\n", sentence);
}

// Turns until it is over.
static enum backup_state ended(struct rig *rig)
{
    const struct backup_status *status = backup_status(rig->backup);
    while (status->state == BACKUP_COPYING || status->state == BACKUP_CHECKING)
        backup_turn(rig->backup);
    return status->state;
}

static void the_copy_holds_what_was_stored_while_it_was_made(void **state)
{
    struct rig *rig = *state;
    struct verify_to to = {NULL, tell, NULL};
    struct verify_report report;
    unsigned number = 0;
    while (number < 30)
        put(rig, ++number);
    assert_string_equal(rig_text(ask(rig, file), "state"), "copying");
    do {
        put(rig, ++number);
        backup_turn(rig->backup);
        assert_int_not_equal(access(file, F_OK), 0); // no name before it is whole
    } while (backup_copying(rig->backup));
    uint64_t head = store_marks(rig->store)->head;
    put(rig, ++number);
    assert_int_equal(ended(rig), BACKUP_DONE);
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(verify_store(file, true, &to, &report, NULL), TC_OK);
    assert_int_equal(report.faults, 0);
    assert_int_equal(report.marks.head, head);
    assert_int_equal(report.alerts, head);
    assert_string_equal(rig_text(rig_ask(rig, "BACKUP", "{}"), "state"), "done");
    assert_true(rig_number(&rig->answers[0], "bytes") > head * 100);
}

static void a_copy_that_is_opened_begins_a_new_epoch_once(void **state)
{
    struct rig *rig = *state;
    put(rig, 1);
    ask(rig, file);
    assert_int_equal(ended(rig), BACKUP_DONE);
    struct store *store = NULL;
    struct tc_id epoch = store_marks(rig->store)->epoch, next;
    assert_int_equal(store_open(tc_str_of(file), &store, NULL), TC_OK);
    assert_true(store_was_copy(store));
    next = store_marks(store)->epoch;
    assert_false(tc_id_eq(next, epoch));
    assert_int_equal(store_marks(store)->head, 20);
    store_close(store);
    assert_int_equal(store_open(tc_str_of(file), &store, NULL), TC_OK);
    assert_false(store_was_copy(store));
    assert_true(tc_id_eq(store_marks(store)->epoch, next));
    store_close(store);
    rig_restart(rig);
    assert_true(tc_id_eq(store_marks(rig->store)->epoch, epoch));
}

static void what_cannot_be_is_refused_and_leaves_nothing(void **state)
{
    struct rig *rig = *state;
    put(rig, 1);
    expect_refused(rig, "backup.db", "header", "absolute");
    expect_refused(rig, "/nowhere/at/all.db", "disk", "/nowhere/at");
    expect_refused(rig, rig->path, "disk", "there already");
    assert_string_equal(rig_text(rig_ask(rig, "BACKUP", "{}"), "state"), "none");
    ask(rig, file);
    char other[PATH + 8];
    snprintf(other, sizeof other, "%s-2", file);
    expect_refused(rig, other, "limit", file);
    assert_string_equal(ask(rig, file)->reply, "BACKUP"); // asked twice: the same one
    assert_int_equal(ended(rig), BACKUP_DONE);
    expect_refused(rig, file, "disk", "there already");
    assert_int_equal(access(part, F_OK), -1);
    FILE *left = fopen(part, "w");
    fclose(left);
    unlink(file);
    expect_refused(rig, file, "disk", "remove it");
    assert_int_equal(access(part, F_OK), 0); // whoever's it is
    rig->inside = true;
    expect_refused(rig, file, "denied", "inside");
    rig->inside = false;
}

static void a_name_that_was_taken_meanwhile_fails_and_leaves_the_other_file(void **state)
{
    struct rig *rig = *state;
    struct stat status;
    put(rig, 1);
    ask(rig, file);
    FILE *other = fopen(file, "w");
    fputs("mine", other);
    fclose(other);
    assert_int_equal(ended(rig), BACKUP_FAILED);
    assert_non_null(strstr(rig_text(rig_ask(rig, "BACKUP", "{}"), "reason"), file));
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_size, 4);
    assert_int_equal(access(part, F_OK), -1);
}

static void a_broker_that_ends_leaves_no_half_copy(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 1; i <= 30; i++)
        put(rig, i);
    ask(rig, file);
    rig_restart(rig);
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(access(file, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_copy_holds_what_was_stored_while_it_was_made, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_copy_that_is_opened_begins_a_new_epoch_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_refused_and_leaves_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_name_that_was_taken_meanwhile_fails_and_leaves_the_other_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broker_that_ends_leaves_no_half_copy, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
