// Flipped bits and cut ends: in the database, in its write-ahead log, anywhere. DAMAGE_COUNT (default 200) of each
// kind for the store and for the outbox. What is opened then may refuse, name rows as damaged or lack some; it never
// gives another text than was written, and never crashes.
//
// A test of the test shows that the damage is real: SQLite alone gives other texts without a word.

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "tests/fault/disk.h"
#include "tests/fault/load.h"
#include "tests/watcher/scratch.h"

enum { COUNT = 200, STEPS = 14, ROUND = 40 }; // ROUND: damages to the copies of one database

struct damage {
    struct load load;
    struct chance chance;
    struct scratch good, copy;
    unsigned done, refused, damaged, missing;
    unsigned altered; // texts that SQLite gave and the checksum did not let through
};

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void file_of(char *path, const struct scratch *scratch, const struct load *load,
                    const char *end)
{
    snprintf(path, SCRATCH_PATH, "%s/%s%s", scratch->root, load->kind->file, end);
}

static size_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

static void copy_file(struct damage *damage, const char *end)
{
    char from[SCRATCH_PATH], to[SCRATCH_PATH];
    file_of(from, &damage->good, &damage->load, end);
    file_of(to, &damage->copy, &damage->load, end);
    size_t size = size_of(from);
    unlink(to);
    if (size == 0)
        return;
    char *bytes = malloc(size);
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0600);
    if (read(in, bytes, size) != (ssize_t)size || write(out, bytes, size) != (ssize_t)size)
        abort();
    close(in);
    close(out);
    free(bytes);
}

static void flip(const char *path, size_t at, int bit)
{
    unsigned char byte = 0;
    int fd = open(path, O_RDWR);
    if (pread(fd, &byte, 1, (off_t)at) != 1)
        abort();
    byte ^= (unsigned char)(1 << bit);
    if (pwrite(fd, &byte, 1, (off_t)at) != 1)
        abort();
    close(fd);
}

static void hurt(struct damage *damage, bool log)
{
    char path[SCRATCH_PATH];
    file_of(path, &damage->copy, &damage->load, log ? "-wal" : "");
    size_t size = size_of(path);
    if (size == 0)
        abort();
    size_t at = (size_t)chance_below(&damage->chance, (int)size);
    if (chance_one_in(&damage->chance, 4)) {
        if (truncate(path, (off_t)at) != 0)
            abort();
    } else {
        flip(path, at, chance_below(&damage->chance, 8));
    }
}

// A database in its folder, `log`: with all of it still in the write-ahead log.
static void make(struct damage *damage, const struct load_kind *kind, uint64_t seed, bool log)
{
    struct scratch work;
    struct tc_err err;
    scratch_make(&work);
    struct disk *disk = disk_new(work.root);
    damage->load = load_begin(kind, seed);
    assert_int_equal(load_open(&damage->load, work.root, &err), TC_OK);
    for (unsigned t = 0; t < STEPS; t++)
        assert_int_equal(load_step(&damage->load, &err), TC_OK);
    if (!log)
        kind->close(&damage->load);
    disk_image(disk, DISK_EVERYTHING, &damage->chance, damage->good.root);
    kind->close(&damage->load);
    disk_free(disk);
    scratch_remove(&work);
}

static void look(struct damage *damage)
{
    struct load copy = damage->load;
    struct load_survey survey = {0};
    struct tc_err err = {0};
    copy.judged = true;
    copy.db = NULL;
    int code = load_open(&copy, damage->copy.root, &err);
    if (code == TC_OK && !copy.kind->honest(&copy, STEPS, &survey))
        fail_msg("%s: %s", copy.kind->name, copy.why);
    if (code != TC_OK)
        assert_true(err.text[0] != '\0');
    damage->refused += code != TC_OK;
    damage->damaged += survey.damaged > 0;
    damage->missing += code == TC_OK && survey.missing > 0;
    damage->altered += survey.altered;
    copy.kind->close(&copy);
}

static struct damage hurt_many(const struct load_kind *kind, bool log)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    unsigned count = (unsigned)number("DAMAGE_COUNT", COUNT) / 2;
    uint64_t seed = number("DAMAGE_SEED", (uint64_t)time(NULL));
    struct damage damage = {.chance = chance_of(seed)};
    printf("%s, %s, DAMAGE_SEED=%llu: ", kind->name, log ? "log" : "database",
           (unsigned long long)seed);
    while (damage.done < count) {
        scratch_make(&damage.good);
        scratch_make(&damage.copy);
        make(&damage, kind, seed++, log);
        for (unsigned i = 0; i < ROUND && damage.done < count; i++, damage.done++) {
            for (size_t end = 0; end < 3; end++)
                copy_file(&damage, ends[end]);
            hurt(&damage, log);
            look(&damage);
        }
        load_end(&damage.load);
        scratch_remove(&damage.good);
        scratch_remove(&damage.copy);
    }
    printf("%u damaged: %u refused, %u with damaged rows, %u with rows missing, %u altered texts "
           "held back\n",
           damage.done, damage.refused, damage.damaged, damage.missing, damage.altered);
    return damage;
}

static void a_damaged_store_gives_no_other_text_than_was_stored(void **state)
{
    (void)state;
    struct damage database = hurt_many(&store_load, false), log = hurt_many(&store_load, true);
    assert_true(database.damaged > 0); // the checksums had something to find,
    assert_true(database.altered > 0); // which SQLite had not
    assert_true(database.refused + log.refused > 0);
}

static void a_damaged_outbox_is_refused_or_goes_on_without_a_crash(void **state)
{
    (void)state;
    struct damage database = hurt_many(&outbox_load, false), log = hurt_many(&outbox_load, true);
    assert_true(database.refused > 0);
    assert_true(log.missing + log.refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_store_gives_no_other_text_than_was_stored),
        cmocka_unit_test(a_damaged_outbox_is_refused_or_goes_on_without_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
