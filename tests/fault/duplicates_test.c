// A watcher that sends every batch again and again, out of order, with holes, and over restarts of the broker: each
// hit is stored once, each answer says what became of it. DUPLICATES submits (default 100,000), DUPLICATES_SEED.

#include "tests/broker/rig.h"
#include "tests/chance.h"
#include "tests/fault/disk.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { SUBMITS = 100 * 1000, A_TURN = 16, WINDOW = 32, RESTART_TURNS = 150 };

struct model {
    struct rig rig;
    struct chance chance;
    unsigned base;   // article of batch b of the session: base + b
    unsigned next;   // batch that the broker expects
    unsigned stored; // articles 1 to `stored` are in the history
    unsigned long submits, duplicates, refused;
};

struct expected {
    bool ack, fresh;
    unsigned next; // that NAK tells
};

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

// Any batch of the window: mostly one that was sent already, sometimes the next, sometimes one too far.
static unsigned choose(struct model *model)
{
    unsigned from = model->next > WINDOW ? model->next - WINDOW : 1;
    int dice = chance_below(&model->chance, 10);
    if (dice < 3)
        return model->next;
    if (dice == 3)
        return model->next + 1 + (unsigned)chance_below(&model->chance, 4);
    return from + (unsigned)chance_below(&model->chance, (int)(model->next - from + 1));
}

static struct expected submit(struct model *model)
{
    struct expected expected = {.next = model->next};
    unsigned batch = choose(model), article = model->base + batch;
    char id[32];
    snprintf(id, sizeof id, "article-%u", article);
    rig_put(&model->rig, "w", batch, id, 1);
    model->submits++;
    if (batch > model->next)
        return expected;
    expected.ack = true;
    expected.fresh = article > model->stored;
    model->next += batch == model->next;
    model->stored += expected.fresh;
    return expected;
}

static void check(struct model *model, const struct rig_answer *answer,
                  const struct expected *expected)
{
    if (!expected->ack) {
        assert_string_equal(answer->reply, "NAK");
        assert_int_equal(rig_number(answer, "expected_batch"), expected->next);
        model->refused++;
        return;
    }
    uint64_t stored = 9, duplicate = 9;
    assert_string_equal(answer->reply, "ACK");
    const json_t *item = json_array_get(json_object_get(answer->header, "items"), 0);
    assert_true(tc_json_get_u64(item, "stored", &stored) &&
                tc_json_get_u64(item, "duplicate", &duplicate));
    assert_int_equal(stored, expected->fresh);
    assert_int_equal(duplicate, !expected->fresh);
    model->duplicates += !expected->fresh;
}

static void turn(struct model *model)
{
    struct expected expected[A_TURN];
    for (size_t i = 0; i < A_TURN; i++)
        expected[i] = submit(model);
    assert_int_equal(rig_turn(&model->rig), TC_OK);
    assert_int_equal(model->rig.count, A_TURN);
    for (size_t i = 0; i < A_TURN; i++)
        check(model, &model->rig.answers[i], &expected[i]);
    model->rig.mono_ns += 1000 * 1000;
}

// A new session, which begins some batches before the end of the last: their answers were lost.
static void restart(struct model *model)
{
    unsigned last = model->base + model->next - 1;
    unsigned again = (unsigned)chance_below(&model->chance, WINDOW);
    rig_restart(&model->rig);
    rig_begin(&model->rig);
    model->base = last > again ? last - again : 0;
    model->next = 1;
}

static void each_hit_is_stored_once_however_often_it_comes(void **state)
{
    const unsigned long submits = number("DUPLICATES", SUBMITS);
    uint64_t seed = number("DUPLICATES_SEED", (uint64_t)time(NULL));
    struct model model = {.chance = chance_of(seed), .next = 1};
    struct disk *disk = disk_new("/nowhere"); // syncs nothing: no power will be cut
    (void)state;
    printf("DUPLICATES_SEED=%llu\n", (unsigned long long)seed);
    rig_open(&model.rig);
    rig_begin(&model.rig);
    for (unsigned turns = 1; model.submits < submits; turns++) {
        turn(&model);
        if (turns % RESTART_TURNS == 0)
            restart(&model);
    }
    assert_int_equal(store_marks(model.rig.store)->hhead, model.stored);
    assert_int_equal(store_marks(model.rig.store)->head, model.stored);
    assert_true(model.duplicates > model.stored && model.refused > 0);
    printf("%lu submits, %u stored, %lu duplicates, %lu refused for a hole\n", model.submits,
           model.stored, model.duplicates, model.refused);
    rig_close(&model.rig);
    disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_hit_is_stored_once_however_often_it_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
