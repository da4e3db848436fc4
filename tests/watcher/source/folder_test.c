#include "watcher/source/folder.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <cmocka.h>

#include "tests/watcher/scratch.h"

// A host that answers at once: REJECTED when the body says so, DUPLICATE when the id was seen before.
struct host {
    struct source_host host;
    struct tc_queue *given; // ids, for tests that wait
    struct scratch scratch;
    struct folder *folder;
    pthread_t thread;
    size_t troubles, refused;
    bool refuse; // as a pipeline that stops
    bool keep;   // no answers, as a pipeline whose disk is full; then they lie in `kept`
    struct article *kept[FOLDER_FILES_MOST];
    atomic_size_t kept_count;
    atomic_int tid; // of the folder's thread
};

static bool give(void *context, struct article *article)
{
    struct host *host = context;
    if (host->refuse)
        return false;
    if (host->keep) {
        host->kept[host->kept_count++] = article;
        tc_queue_push(host->given, strndup("kept", 4));
        return true;
    }
    bool bad = tc_str_eq(article->body, TC_STR("bad"));
    tc_queue_push(host->given, strndup(article->id.ptr, article->id.len));
    source_answer(article, bad ? SOURCE_REJECTED : SOURCE_ACCEPTED, 0, bad ? "it is bad" : NULL);
    return true;
}

static void trouble(void *context, const char *event, const struct tc_err *err)
{
    struct host *host = context;
    (void)event, (void)err;
    host->troubles++;
}

static void refused(void *context)
{
    struct host *host = context;
    host->refused++;
}

static int make(void **state)
{
    struct host *host = calloc(1, sizeof *host);
    scratch_make(&host->scratch);
    host->given = tc_queue_new(1000);
    host->host = (struct source_host){.context = host,
                                      .give = give,
                                      .trouble = trouble,
                                      .refused = refused,
                                      .stop_fd = eventfd(0, 0),
                                      .max_article_bytes = 1000};
    *state = host;
    return 0;
}

static int clean(void **state)
{
    struct host *host = *state;
    char *id = NULL;
    while ((id = tc_queue_pop(host->given, 0)))
        free(id);
    folder_close(host->folder);
    tc_queue_free(host->given);
    close(host->host.stop_fd);
    scratch_remove(&host->scratch);
    free(host);
    return 0;
}

static void open_ok(struct host *host)
{
    struct tc_err err;
    if (folder_open(host->scratch.root, TC_STR("inbox"), &host->host, &host->folder, &err) != TC_OK)
        fail_msg("%s", err.text);
}

static void run_once(struct host *host)
{
    host->host.once = true;
    open_ok(host);
    folder_run(host->folder);
}

static void *run(void *context)
{
    struct host *host = context;
    host->tid = gettid();
    folder_run(host->folder);
    return NULL;
}

static void start(struct host *host)
{
    open_ok(host);
    assert_int_equal(pthread_create(&host->thread, NULL, run, host), 0);
}

static void stop(struct host *host)
{
    assert_int_equal(eventfd_write(host->host.stop_fd, 1), 0);
    pthread_join(host->thread, NULL);
}

static void expect_given(struct host *host, const char *id)
{
    char *got = tc_queue_pop(host->given, 10000);
    assert_non_null(got);
    assert_string_equal(got, id);
    free(got);
}

static bool has(struct host *host, const char *name)
{
    return scratch_has(&host->scratch, name);
}

// Waits until something was moved into `folder` (opened before the test's own step).
static int listen_at(struct host *host, const char *folder)
{
    int fd = inotify_init1(IN_CLOEXEC);
    assert_true(inotify_add_watch(fd, scratch_path(&host->scratch, folder),
                                  IN_MOVED_TO | IN_CLOSE_WRITE) >= 0);
    return fd;
}

static void wait_at(int fd)
{
    char buffer[4096];
    struct pollfd item = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&item, 1, 10000), 1);
    assert_true(read(fd, buffer, sizeof buffer) > 0);
}

static void what_is_there_at_the_start_is_read_and_moved(void **state)
{
    struct host *host = *state;
    scratch_text(&host->scratch, "page.txt", "words");
    scratch_text(&host->scratch, "wire.jsonl",
                 "{\"id\":\"1\",\"text\":\"a\"}\n{\"id\":\"2\",\"text\":\"b\"}\n");
    run_once(host);
    assert_true(has(host, "done/page.txt") && has(host, "done/wire.jsonl"));
    assert_int_equal(tc_queue_length(host->given), 3);
}

static void files_on_their_way_in_are_left_alone(void **state)
{
    struct host *host = *state;
    scratch_text(&host->scratch, ".hidden.txt", "words");
    scratch_text(&host->scratch, "a.txt.tmp", "words");
    scratch_text(&host->scratch, "a.txt.part", "words");
    mkdir(scratch_path(&host->scratch, "sub"), 0700);
    int fd = open(scratch_path(&host->scratch, "written.txt"), O_WRONLY | O_CREAT, 0600);
    assert_true(write(fd, "half", 4) == 4);
    run_once(host);
    assert_int_equal(tc_queue_length(host->given), 0);
    assert_true(has(host, ".hidden.txt") && has(host, "a.txt.tmp") && has(host, "written.txt"));
    close(fd);
}

static void a_file_counts_when_it_is_closed_or_moved_in(void **state)
{
    struct host *host = *state;
    mkdir(scratch_path(&host->scratch, "elsewhere"), 0700);
    char from[SCRATCH_PATH], to[SCRATCH_PATH];
    start(host);
    int fd = open(scratch_path(&host->scratch, "a.txt"), O_WRONLY | O_CREAT, 0600);
    assert_true(write(fd, "half", 4) == 4);
    scratch_text(&host->scratch, "b.txt", "words");
    expect_given(host, "b.txt"); // and not a.txt, whose event would have come first
    close(fd);
    expect_given(host, "a.txt");
    snprintf(from, sizeof from, "%s", scratch_text(&host->scratch, "elsewhere/c.txt", "words"));
    snprintf(to, sizeof to, "%s", scratch_path(&host->scratch, "c.txt"));
    assert_int_equal(rename(from, to), 0);
    expect_given(host, "c.txt");
    stop(host);
    assert_true(has(host, "done/a.txt") && has(host, "done/b.txt") && has(host, "done/c.txt"));
}

// Its writer has it open under a name elsewhere, so no event tells that it was closed. The kernel
// makes the same of a close that is told a moment before it counts.
static void a_file_that_was_still_written_when_it_came_is_looked_at_again(void **state)
{
    struct host *host = *state;
    char elsewhere[PATH_MAX], second[PATH_MAX];
    mkdir(scratch_path(&host->scratch, "sub"), 0700);
    snprintf(elsewhere, sizeof elsewhere, "%s", scratch_path(&host->scratch, "sub/elsewhere"));
    snprintf(second, sizeof second, "%s", scratch_path(&host->scratch, "sub/second"));
    int fd = open(elsewhere, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "words", 5), 5);
    assert_int_equal(link(elsewhere, second), 0);
    start(host);
    assert_int_equal(rename(second, scratch_path(&host->scratch, "page.txt")), 0);
    scratch_text(&host->scratch, "behind.txt", "words");
    expect_given(host, "behind.txt"); // so the page was looked at before
    close(fd);
    expect_given(host, "page.txt");
    stop(host);
}

static void what_cannot_be_read_goes_to_failed_with_its_reason(void **state)
{
    struct host *host = *state;
    scratch_text(&host->scratch, "empty.txt", "");
    scratch_text(&host->scratch, "page.html", "<p>");
    scratch_text(&host->scratch, "large.txt", "x");
    assert_int_equal(truncate(scratch_path(&host->scratch, "large.txt"), 100 * 1000), 0);
    assert_int_equal(symlink("/etc/hostname", scratch_path(&host->scratch, "link.txt")), 0);
    assert_int_equal(mkfifo(scratch_path(&host->scratch, "fifo.txt"), 0600), 0);
    run_once(host);
    assert_string_equal(scratch_read(&host->scratch, "failed/empty.txt.reason"),
                        "empty.txt: the file is empty\n");
    assert_string_equal(scratch_read(&host->scratch, "failed/page.html.reason"),
                        "page.html: HTML pages are read by a later version\n");
    assert_string_equal(scratch_read(&host->scratch, "failed/large.txt.reason"),
                        "large.txt: the article is larger than 1000 bytes (max_article_bytes)\n");
    assert_string_equal(scratch_read(&host->scratch, "failed/link.txt.reason"),
                        "link.txt: is a symbolic link; only regular files are read\n");
    assert_string_equal(scratch_read(&host->scratch, "failed/fifo.txt.reason"),
                        "fifo.txt: is no regular file\n");
    assert_true(has(host, "failed/link.txt") && has(host, "failed/fifo.txt"));
    assert_int_equal(host->refused, 5);
}

static void the_reason_of_a_name_as_long_as_can_be_is_kept(void **state)
{
    struct host *host = *state;
    char name[NAME_MAX + 1], path[SCRATCH_PATH];
    memset(name, 'n', NAME_MAX);
    name[NAME_MAX] = '\0';
    scratch_text(&host->scratch, name, "");
    run_once(host);
    snprintf(path, sizeof path, "failed/%.*s.reason", NAME_MAX - 7, name);
    assert_non_null(strstr(scratch_read(&host->scratch, path), "the file is empty"));
    assert_int_equal(host->troubles, 0);
}

static void good_lines_of_a_bad_file_count(void **state)
{
    struct host *host = *state;
    scratch_text(&host->scratch, "wire.jsonl",
                 "{\"id\":\"1\",\"text\":\"a\"}\n{\"id\":}\n{\"id\":\"3\",\"text\":\"bad\"}\n");
    run_once(host);
    expect_given(host, "1");
    expect_given(host, "3");
    const char *reasons = scratch_read(&host->scratch, "failed/wire.jsonl.reason");
    assert_non_null(strstr(reasons, "wire.jsonl:2: not JSON"));
    assert_non_null(strstr(reasons, "wire.jsonl:3: it is bad\n"));
    assert_true(has(host, "failed/wire.jsonl"));
}

static void a_name_that_is_taken_gets_a_number(void **state)
{
    struct host *host = *state;
    for (int i = 0; i < 3; i++) {
        scratch_text(&host->scratch, "page.txt", "words");
        run_once(host);
        folder_close(host->folder);
        host->folder = NULL;
    }
    assert_true(has(host, "done/page.txt") && has(host, "done/page.txt.2") &&
                has(host, "done/page.txt.3"));
}

static void a_file_whose_articles_were_not_taken_stays(void **state)
{
    struct host *host = *state;
    scratch_text(&host->scratch, "page.txt", "words");
    host->refuse = true;
    run_once(host);
    assert_true(has(host, "page.txt"));
    assert_false(has(host, "done/page.txt"));
}

static void a_stop_is_heard_in_the_middle_of_a_huge_file(void **state)
{
    struct host *host = *state;
    scratch_text(&host->scratch, "huge.txt", "x");
    assert_int_equal(truncate(scratch_path(&host->scratch, "huge.txt"), INT64_C(1) << 40), 0);
    assert_int_equal(eventfd_write(host->host.stop_fd, 1), 0);
    run_once(host);
    assert_true(has(host, "huge.txt"));
    assert_int_equal(host->refused, 0);
}

// Whether the thread sleeps, as the kernel sees it.
static bool asleep(int tid)
{
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    const char *state = strrchr(text, ')');
    return state && state[2] == 'S';
}

static void while_all_places_are_taken_the_thread_sleeps(void **state)
{
    struct host *host = *state;
    char name[32];
    host->keep = true;
    start(host);
    for (int i = 0; i < FOLDER_FILES_MOST; i++) {
        snprintf(name, sizeof name, "%d.txt", i);
        scratch_text(&host->scratch, name, "words");
        expect_given(host, "kept");
    }
    scratch_text(&host->scratch, "more.txt", "words");  // an event that must wait
    scratch_text(&host->scratch, "more2.txt", "words"); // and another
    for (int nights = 0; nights < 1000; sched_yield())
        nights = asleep(host->tid) ? nights + 1 : 0;
    host->keep = false;
    for (size_t i = 0; i < host->kept_count; i++)
        source_answer(host->kept[i], SOURCE_ACCEPTED, 0, NULL);
    char *one = tc_queue_pop(host->given, 10000), *two = tc_queue_pop(host->given, 10000);
    assert_true(one && two && strncmp(one, "more", 4) == 0 && strncmp(two, "more", 4) == 0);
    free(one);
    free(two);
    stop(host);
    assert_true(has(host, "done/0.txt") && has(host, "done/more.txt"));
}

static void a_file_that_cannot_be_moved_is_told_once(void **state)
{
    struct host *host = *state;
    if (geteuid() == 0) {
        print_message("skipped: root may move everything\n");
        skip();
    }
    scratch_text(&host->scratch, "page.txt", "words");
    open_ok(host);
    chmod(scratch_path(&host->scratch, "done"), 0500);
    host->host.once = true;
    folder_run(host->folder);
    chmod(scratch_path(&host->scratch, "done"), 0700);
    assert_int_equal(host->troubles, 1);
    assert_true(has(host, "page.txt"));
}

static void many_files_pass_through_few_places(void **state)
{
    struct host *host = *state;
    char name[32];
    for (int i = 0; i < 3 * FOLDER_FILES_MOST; i++) {
        snprintf(name, sizeof name, "%d.txt", i);
        scratch_text(&host->scratch, name, "words");
    }
    run_once(host);
    assert_int_equal(tc_queue_length(host->given), 3 * FOLDER_FILES_MOST);
    assert_true(has(host, "done/0.txt"));
    assert_false(has(host, "0.txt"));
}

static void a_second_writing_of_a_name_is_read_again(void **state)
{
    struct host *host = *state;
    start(host);
    int done = listen_at(host, "done");
    scratch_text(&host->scratch, "page.txt", "words");
    expect_given(host, "page.txt");
    wait_at(done);
    scratch_text(&host->scratch, "page.txt", "other words");
    expect_given(host, "page.txt");
    wait_at(done);
    stop(host);
    assert_true(has(host, "done/page.txt.2"));
    close(done);
}

static void a_folder_that_is_not_there_is_refused(void **state)
{
    struct host *host = *state;
    struct folder *folder = NULL;
    struct tc_err err;
    assert_int_equal(folder_open("/nowhere/at/all", TC_STR("x"), &host->host, &folder, &err),
                     TC_ENOENT);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    assert_int_equal(folder_open(scratch_text(&host->scratch, "file", "x"), TC_STR("x"),
                                 &host->host, &folder, &err),
                     TC_EIO);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(what_is_there_at_the_start_is_read_and_moved),
        FOLDER_TEST(files_on_their_way_in_are_left_alone),
        FOLDER_TEST(a_file_counts_when_it_is_closed_or_moved_in),
        FOLDER_TEST(a_file_that_was_still_written_when_it_came_is_looked_at_again),
        FOLDER_TEST(what_cannot_be_read_goes_to_failed_with_its_reason),
        FOLDER_TEST(the_reason_of_a_name_as_long_as_can_be_is_kept),
        FOLDER_TEST(good_lines_of_a_bad_file_count),
        FOLDER_TEST(a_name_that_is_taken_gets_a_number),
        FOLDER_TEST(a_file_whose_articles_were_not_taken_stays),
        FOLDER_TEST(a_stop_is_heard_in_the_middle_of_a_huge_file),
        FOLDER_TEST(while_all_places_are_taken_the_thread_sleeps),
        FOLDER_TEST(a_file_that_cannot_be_moved_is_told_once),
        FOLDER_TEST(many_files_pass_through_few_places),
        FOLDER_TEST(a_second_writing_of_a_name_is_read_again),
        FOLDER_TEST(a_folder_that_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
