// What a power cut leaves of the store and of the outbox: POWER_IMAGES crash images of each (default
// 1,000), taken at random moments of random work, opened by the code that would open them.
//
//   POWER_IMAGES=30000 POWER_SEED=7 fault_power_test
//
// A test of the test says what this would find: the same work with synchronous NORMAL must lose what was
// promised in a fifth of the images, with OFF it must damage databases.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "tests/fault/disk.h"
#include "tests/fault/load.h"
#include "tests/watcher/scratch.h"

enum {
    IMAGES = 1000,
    ROUND_IMAGES = 60, // then the database begins anew, so that its making is cut, too
    ODDS = 9,          // one operation in so many
    REOPEN_ODDS = 12,  // closing checkpoints
    GO_ON_ODDS = 8,
};

struct power {
    struct disk *disk;
    struct load *load;
    struct chance chance;
    const char *image_folder;
    unsigned images, in_round, lost, corrupt;
    unsigned of_cut[DISK_CUTS];
    char first[LOAD_WHY_BYTES]; // what was wrong with the first bad image
};

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void empty_folder(const char *folder, const char *file)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s%s", folder, file, ends[i]);
        unlink(path);
    }
}

// The power goes now, at one operation in ODDS.
static void maybe_cut(void *context)
{
    struct power *power = context;
    if (power->in_round == ROUND_IMAGES || !chance_one_in(&power->chance, ODDS))
        return;
    enum disk_cut cut = (enum disk_cut)chance_below(&power->chance, DISK_CUTS);
    disk_image(power->disk, cut, &power->chance, power->image_folder);
    power->images++;
    power->in_round++;
    power->of_cut[cut]++;
    enum load_verdict verdict =
        load_judge(power->load, power->image_folder, chance_one_in(&power->chance, GO_ON_ODDS));
    empty_folder(power->image_folder, power->load->kind->file);
    if (verdict == LOAD_WHOLE)
        return;
    if (!power->first[0])
        snprintf(power->first, sizeof power->first, "image %u, cut %d: %.400s", power->images, cut,
                 power->load->why);
    power->lost += verdict == LOAD_SHORT;
    power->corrupt += verdict == LOAD_CORRUPT;
}

static void work(struct power *power, const char *folder)
{
    struct tc_err err = {0};
    int code = load_open(power->load, folder, &err);
    while (code == TC_OK && power->in_round < ROUND_IMAGES) {
        code = load_step(power->load, &err);
        if (code == TC_OK && chance_one_in(&power->chance, REOPEN_ODDS)) {
            power->load->kind->close(power->load);
            code = load_open(power->load, folder, &err);
        }
    }
    if (code != TC_OK)
        fail_msg("%s: %s", power->load->kind->name, err.text);
}

static void round_of(struct power *power, const struct load_kind *kind, uint64_t seed,
                     const char *synchronous)
{
    struct scratch at_work, image;
    scratch_make(&at_work);
    scratch_make(&image);
    struct load load = load_begin(kind, seed);
    power->disk = disk_new(at_work.root);
    power->load = &load;
    power->image_folder = image.root;
    power->in_round = 0;
    disk_pragma(power->disk, "wal_autocheckpoint", "40"); // many in a short run
    if (synchronous)
        disk_pragma(power->disk, "synchronous", synchronous);
    disk_tell(power->disk, maybe_cut, power);
    work(power, at_work.root);
    load_end(&load);
    disk_free(power->disk);
    scratch_remove(&at_work);
    scratch_remove(&image);
}

static struct power cut(const struct load_kind *kind, unsigned images, const char *synchronous)
{
    uint64_t seed = number("POWER_SEED", (uint64_t)time(NULL));
    struct power power = {.chance = chance_of(seed)};
    printf("%s, POWER_SEED=%llu: ", kind->name, (unsigned long long)seed);
    while (power.images < images)
        round_of(&power, kind, seed++, synchronous);
    printf("%u images (%u nothing, %u everything, %u sectors, %u prefix), %u lost, %u corrupt\n",
           power.images, power.of_cut[DISK_NOTHING], power.of_cut[DISK_EVERYTHING],
           power.of_cut[DISK_SECTORS], power.of_cut[DISK_PREFIX], power.lost, power.corrupt);
    return power;
}

static void expect_nothing_lost(const struct load_kind *kind)
{
    struct power power = cut(kind, (unsigned)number("POWER_IMAGES", IMAGES), NULL);
    if (power.lost + power.corrupt)
        fail_msg("%s", power.first);
}

static void a_power_cut_loses_nothing_that_the_store_promised(void **state)
{
    (void)state;
    expect_nothing_lost(&store_load);
}

static void a_power_cut_loses_nothing_that_the_outbox_promised(void **state)
{
    (void)state;
    expect_nothing_lost(&outbox_load);
}

static void the_simulator_finds_what_synchronous_normal_loses(void **state)
{
    (void)state;
    struct power store = cut(&store_load, 180, "1"), outbox = cut(&outbox_load, 180, "1");
    // The store sees some losses by itself and refuses (broker/wal.h).
    assert_true((store.lost + store.corrupt) * 5 >= store.images);
    assert_true(store.lost > store.corrupt);
    assert_true(outbox.lost * 5 >= outbox.images);
    assert_int_equal(outbox.corrupt, 0);
}

static void the_simulator_finds_what_synchronous_off_damages(void **state)
{
    (void)state;
    struct power store = cut(&store_load, 180, "0"), outbox = cut(&outbox_load, 180, "0");
    assert_true(store.corrupt > 0);
    assert_true(outbox.corrupt > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_cut_loses_nothing_that_the_store_promised),
        cmocka_unit_test(a_power_cut_loses_nothing_that_the_outbox_promised),
        cmocka_unit_test(the_simulator_finds_what_synchronous_normal_loses),
        cmocka_unit_test(the_simulator_finds_what_synchronous_off_damages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
