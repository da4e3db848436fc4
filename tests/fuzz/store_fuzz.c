// Any damage to a store: pairs of a place and a byte that is laid over it, in the database and in its log. It is
// refused with a sentence or opened, and what it then gives for whole is what was stored.

#include "broker/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ALERTS = 40, PATCH_BYTES = 4 }; // three of place, one of value

static char folder[64];
static struct tc_buf database, record; // the good files

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void path_of(char *out, const char *end)
{
    snprintf(out, 96, "%s/broker.db%s", folder, end);
}

static void body_of(uint64_t seq, char *out)
{
    snprintf(out, 64, "{\"text\":\"the event of alert %llu\"}", (unsigned long long)seq);
}

static void clean_up(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[96];
        path_of(path, ends[i]);
        unlink(path);
    }
}

static void remove_folder(void)
{
    clean_up();
    rmdir(folder);
    tc_buf_done(&database);
    tc_buf_done(&record);
}

static void read_file(const char *end, struct tc_buf *out)
{
    char path[96], bytes[4096];
    ssize_t len = 0;
    path_of(path, end);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    need(fd >= 0);
    while ((len = read(fd, bytes, sizeof bytes)) > 0)
        tc_buf_add(out, bytes, (size_t)len);
    close(fd);
}

static void write_file(const char *end, tc_str bytes)
{
    char path[96];
    path_of(path, end);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    need(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    close(fd);
}

// A store whose last rows are in its log, as a crash leaves it.
static void make_good(void)
{
    struct store *store = NULL;
    char path[96];
    if (database.len)
        return;
    // In memory, where there is some: a disk would be synced a dozen times for each input.
    snprintf(folder, sizeof folder, "%s/tocsin-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    need(mkdtemp(folder) != NULL);
    path_of(path, "");
    need(store_open(tc_str_of(path), &store, NULL) == TC_OK);
    for (uint64_t seq = 1; seq <= ALERTS; seq++) {
        char body[64];
        body_of(seq, body);
        struct store_alert alert = {.topic = TC_STR("news/one/high/"),
                                    .labels = TC_STR("{}"),
                                    .hseq = seq,
                                    .body = tc_str_of(body)};
        need(store_begin(store, NULL) == TC_OK);
        store_next_alert(store, (int64_t)seq, &alert);
        need(store_put_alert(store, &alert, NULL) == TC_OK && store_commit(store, NULL) == TC_OK);
    }
    read_file("", &database);
    read_file("-wal", &record);
    store_close(store);
    atexit(remove_folder);
}

static void patch(struct tc_buf *to, tc_str good, const uint8_t *data, size_t size)
{
    tc_buf_str(to, good);
    for (size_t at = 0; at + PATCH_BYTES <= size; at += PATCH_BYTES) {
        size_t place = (size_t)data[at] | (size_t)data[at + 1] << 8 | (size_t)data[at + 2] << 16;
        to->ptr[place % to->len] = (char)data[at + 3];
    }
}

static void check_alerts(struct store *store)
{
    struct store_alert alert;
    struct tc_err err;
    uint64_t last = 0;
    int code = store_walk(store, 0, (tc_str){"", 0}, &err);
    while (code == TC_OK || code == TC_ECORRUPT) {
        code = store_walk_next(store, &alert, &err);
        if (code != TC_OK)
            continue;
        char body[64];
        body_of(alert.seq, body);
        need(tc_str_eq(alert.body, tc_str_of(body)) && alert.seq > last);
        last = alert.seq;
    }
    store_walk_end(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tc_buf one = {0}, other = {0};
    struct store *store = NULL;
    struct tc_err err = {0};
    char path[96];
    make_good();
    clean_up();
    size_t half = size / 2 / PATCH_BYTES * PATCH_BYTES; // the first half for the database
    patch(&one, tc_buf_view(&database), data, half);
    patch(&other, tc_buf_view(&record), data + half, size - half);
    write_file("", tc_buf_view(&one));
    write_file("-wal", tc_buf_view(&other));
    path_of(path, "");
    int code = store_open(tc_str_of(path), &store, &err);
    if (code == TC_OK)
        check_alerts(store);
    else
        need(err.text[0] != '\0');
    store_close(store);
    tc_buf_done(&one);
    tc_buf_done(&other);
    return 0;
}
