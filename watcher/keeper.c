#include "watcher/keeper.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/mem.h"
#include "watcher/source/source.h"

#define NONE_WAITS INT64_MIN

struct keeper {
    struct keeper_settings set;
    struct job *way[KEEPER_ON_THE_WAY]; // between door and outbox
    size_t way_count, way_bytes;
    struct job *ready[KEEPER_ON_THE_WAY]; // of those, back from the scanners
    size_t ready_count;
    struct article *held; // its earlier version is on the way, or the outbox could not be read
    bool crowded;         // too much waits for the broker
    int64_t stuck_until;  // the disk is full: when to try again; 0: it is not
    int64_t trim_at;
    int failed; // TC_OK, or why we give up

    atomic_uint_fast64_t articles, hits, duplicates, rejected, waiting, dead, dead_dropped,
        resubmitted;
    atomic_int_fast64_t oldest_mono_ns; // when the item that waits longest came in
    atomic_bool blocked, link_up, link_replaced, settled;
    atomic_int failed_shown;
};

struct keeper *keeper_new(const struct keeper_settings *settings)
{
    struct keeper *keeper = tc_new(sizeof *keeper);
    keeper->set = *settings;
    keeper->trim_at = tc_mono_ns() + KEEPER_TRIM_MS * TC_MS;
    keeper->oldest_mono_ns = NONE_WAITS;
    return keeper;
}

void keeper_free(struct keeper *keeper)
{
    free(keeper);
}

struct keeper_stats keeper_stats(const struct keeper *keeper)
{
    int64_t oldest = keeper->oldest_mono_ns;
    bool settled = keeper->settled; // first: what is read after it is at least as new
    return (struct keeper_stats){
        .articles = keeper->articles,
        .hits = keeper->hits,
        .duplicates = keeper->duplicates,
        .rejected = keeper->rejected,
        .outbox_waiting = keeper->waiting,
        .outbox_dead = keeper->dead,
        .outbox_dead_dropped = keeper->dead_dropped,
        .outbox_oldest_ns = oldest == NONE_WAITS ? 0 : tc_mono_ns() - oldest,
        .resubmitted = keeper->resubmitted,
        .blocked = keeper->blocked,
        .link_up = keeper->link_up,
        .link_replaced = keeper->link_replaced,
        .settled = settled,
        .failed = keeper->failed_shown,
    };
}

// ---- trouble ------------------------------------------------------------------------------

// A full disk is waited out; anything else ends the keeper. What is on disk is valid either way.
static void take_failure(struct keeper *keeper, int code, const struct tc_err *err)
{
    if (code == TC_EFULL || code == TC_EBUSY) {
        if (!keeper->stuck_until)
            tc_log_err(TC_ERROR, "outbox.stuck", err);
        keeper->stuck_until = tc_mono_ns() + KEEPER_RETRY_MS * TC_MS;
        return;
    }
    tc_log_err(TC_ERROR, "outbox.failed", err);
    keeper->failed = code;
}

static bool stuck(const struct keeper *keeper)
{
    return keeper->stuck_until && tc_mono_ns() < keeper->stuck_until;
}

// ---- the door -----------------------------------------------------------------------------

static void answer(struct keeper *keeper, struct article *article, enum source_fate fate,
                   uint64_t hits, const char *reason)
{
    switch (fate) {
    case SOURCE_ACCEPTED:
        keeper->articles++;
        keeper->hits += hits;
        break;
    case SOURCE_DUPLICATE: keeper->duplicates++; break;
    case SOURCE_REJECTED: keeper->rejected++; break;
    case SOURCE_UNDONE: break;
    }
    source_answer(article, fate, hits, reason);
}

static bool on_the_way(const struct keeper *keeper, const struct article *article)
{
    for (size_t i = 0; i < keeper->way_count; i++) {
        const struct article *other = keeper->way[i]->article;
        if (tc_str_eq(other->id, article->id) && tc_str_eq(other->source, article->source))
            return true;
    }
    return false;
}

static size_t text_bytes(const struct article *article)
{
    return article->title.len + article->body.len;
}

static void send_to_scan(struct keeper *keeper, struct article *article, bool notice)
{
    struct job *job = job_new(article);
    job->notice = notice;
    keeper->way[keeper->way_count++] = job;
    keeper->way_bytes += text_bytes(article);
    tc_queue_push(keeper->set.scan, job); // never waits: its capacity is KEEPER_ON_THE_WAY
}

// Sorts one article by what is known of it.
static void admit(struct keeper *keeper, struct article *article)
{
    struct outbox_mark mark = {0};
    struct tc_err err;
    int code = outbox_look(keeper->set.outbox, article->source, article->id, article->content,
                           &mark, &err);
    if (code != TC_OK) {
        take_failure(keeper, code, &err);
        keeper->held = article; // looked at again when the outbox can be read
        return;
    }
    if (mark.known == OUTBOX_SAME) {
        answer(keeper, article, SOURCE_DUPLICATE, 0, NULL);
        return;
    }
    article->seen_wall_ns = mark.known == OUTBOX_NEW ? tc_wall_ns() : mark.seen_wall_ns;
    if (mark.known == OUTBOX_CHANGED && article->version <= mark.version)
        article->version = mark.version + 1;
    send_to_scan(keeper, article, mark.hit);
}

static bool may_take(const struct keeper *keeper)
{
    return keeper->way_count < KEEPER_ON_THE_WAY && keeper->way_bytes < KEEPER_BYTES &&
           !keeper->crowded && !keeper->stuck_until && !keeper->held && !keeper->failed;
}

static void take_from_door(struct keeper *keeper)
{
    if (keeper->held && !keeper->stuck_until && !on_the_way(keeper, keeper->held)) {
        struct article *article = keeper->held;
        keeper->held = NULL;
        admit(keeper, article);
    }
    while (may_take(keeper)) {
        struct article *article = tc_queue_pop(keeper->set.door, 0);
        if (!article)
            return;
        if (on_the_way(keeper, article))
            keeper->held = article;
        else
            admit(keeper, article);
    }
}

// The watcher stops and cannot take more: whoever sent these keeps them.
static void turn_away(struct keeper *keeper)
{
    struct article *article = keeper->held;
    keeper->held = NULL;
    while (article || (article = tc_queue_pop(keeper->set.door, 0))) {
        answer(keeper, article, SOURCE_UNDONE, 0, "the watcher is stopping");
        article = NULL;
    }
}

// ---- writing ------------------------------------------------------------------------------

static void leave_way(struct keeper *keeper, const struct job *job)
{
    for (size_t i = 0; i < keeper->way_count; i++) {
        if (keeper->way[i] == job) {
            keeper->way[i] = keeper->way[--keeper->way_count];
            keeper->way_bytes -= text_bytes(job->article);
            return;
        }
    }
}

static void end_job(struct keeper *keeper, struct job *job, enum source_fate fate,
                    const char *reason)
{
    leave_way(keeper, job);
    answer(keeper, job->article, fate, job->hits, reason);
    job_free(job);
}

static void take_done(struct keeper *keeper)
{
    struct job *job = NULL;
    while ((job = tc_queue_pop(keeper->set.done, 0))) {
        if (job->rejected)
            end_job(keeper, job, SOURCE_REJECTED, job->reason);
        else
            keeper->ready[keeper->ready_count++] = job;
    }
}

// Mark, definitions and hits of one article. Without a broker the mark alone is kept.
static int write_job(struct keeper *keeper, const struct job *job, struct tc_err *err)
{
    struct outbox *outbox = keeper->set.outbox;
    bool send = keeper->set.submit && job->frame_count;
    const struct article *article = job->article;
    struct outbox_article row = {
        .source = article->source,
        .id = article->id,
        .version = article->version,
        .content = article->content,
        .seen_wall_ns = article->seen_wall_ns,
        .hit = job->hits > 0 || job->notice,
        .header = send ? tc_buf_view(&job->record) : (tc_str){"", 0},
        .hits = send ? tc_buf_view(&job->frames[0]) : (tc_str){"", 0},
    };
    int code = outbox_add(outbox, &row, err);
    for (size_t i = 1; send && i < job->frame_count && code == TC_OK; i++)
        code = outbox_add_item(outbox, row.header, tc_buf_view(&job->frames[i]), err);
    for (size_t i = 0; send && i < job->hits && code == TC_OK; i++) {
        const struct watch *watch = job->watches[i];
        code = outbox_define(outbox, watch->hash, watch->definition, err);
    }
    return code;
}

static int write_ready(struct keeper *keeper, struct tc_err *err)
{
    int code = TC_OK;
    for (size_t i = 0; i < keeper->ready_count && code == TC_OK; i++)
        code = write_job(keeper, keeper->ready[i], err);
    if (code == TC_OK && keeper->set.submit)
        code = submit_write(keeper->set.submit, tc_wall_ns(), err);
    return code;
}

static int write_all(struct keeper *keeper, struct tc_err *err)
{
    int code = outbox_begin(keeper->set.outbox, err);
    if (code != TC_OK)
        return code;
    code = write_ready(keeper, err);
    if (code == TC_OK)
        code = outbox_commit(keeper->set.outbox, err);
    if (code != TC_OK)
        outbox_rollback(keeper->set.outbox);
    return code;
}

static void show_on_tap(struct keeper *keeper, const struct job *job)
{
    struct tap *tap = keeper->set.tap;
    struct tc_err err;
    int code = TC_OK;
    for (size_t i = 0; i < job->hits && code == TC_OK; i++) {
        const struct watch *watch = job->watches[i];
        code = tap_define(tap, watch->hash, watch->definition, &err);
    }
    for (size_t i = 0; i < job->frame_count && code == TC_OK; i++)
        code = tap_publish(tap, tc_buf_view(&job->record), tc_buf_view(&job->frames[i]),
                           tc_wall_ns(), &err);
    if (code != TC_OK)
        tc_log_err(TC_ERROR, "tap.event", &err);
}

// What is committed is safe: whoever listens hears it, and whoever sent it is told.
static void tell_committed(struct keeper *keeper)
{
    if (keeper->set.submit) {
        submit_written(keeper->set.submit);
        submit_wake(keeper->set.submit);
    }
    for (size_t i = 0; i < keeper->ready_count; i++) {
        struct job *job = keeper->ready[i];
        leave_way(keeper, job);
        if (keeper->set.tap)
            show_on_tap(keeper,
                        job); // what it shows lies in the article, which the answer gives away
        answer(keeper, job->article, SOURCE_ACCEPTED, job->hits, NULL);
        job->article = NULL;
        job_free(job);
    }
    keeper->ready_count = 0;
}

static bool worth_writing(const struct keeper *keeper, bool closing)
{
    const struct submit *submit = keeper->set.submit;
    return keeper->ready_count ||
           (submit && (submit_due(submit, tc_mono_ns()) || (closing && submit_any(submit))));
}

static void write_if_ready(struct keeper *keeper, bool closing)
{
    struct tc_err err;
    if (keeper->failed || stuck(keeper))
        return;
    if (worth_writing(keeper, closing)) {
        int code = write_all(keeper, &err);
        if (code != TC_OK) {
            take_failure(keeper, code, &err);
            return;
        }
        tell_committed(keeper);
    }
    if (keeper->stuck_until)
        tc_log(TC_INFO, "outbox.unstuck", NULL);
    keeper->stuck_until = 0;
}

// ---- the rest of the turn -----------------------------------------------------------------

static void take_turns_with_broker(struct keeper *keeper)
{
    struct tc_err err;
    if (!keeper->set.submit || keeper->failed)
        return;
    int code = submit_turn(keeper->set.submit, &err);
    if (code != TC_OK)
        take_failure(keeper, code, &err);
}

static void trim(struct keeper *keeper)
{
    struct tc_err err;
    bool more = false;
    int64_t now = tc_mono_ns();
    if (now < keeper->trim_at || keeper->failed || keeper->stuck_until)
        return;
    int code = outbox_trim(keeper->set.outbox, &more, &err);
    keeper->trim_at = now + (more ? KEEPER_TRIM_MORE_MS : KEEPER_TRIM_MS) * TC_MS;
    if (code != TC_OK)
        take_failure(keeper, code, &err);
}

// Closes the door when too much waits, opens it again below 80 %.
static void watch_level(struct keeper *keeper, uint64_t waiting)
{
    uint64_t most = keeper->set.max_outbox_articles;
    if (!keeper->crowded && waiting >= most) {
        keeper->crowded = true;
        tc_log(TC_WARN, "outbox.full", "articles=%llu limit=%llu", (unsigned long long)waiting,
               (unsigned long long)most);
    } else if (keeper->crowded && waiting < most - most / 5) {
        keeper->crowded = false;
        tc_log(TC_INFO, "outbox.open", "articles=%llu", (unsigned long long)waiting);
    }
}

static void show_oldest(struct keeper *keeper)
{
    struct tc_err err;
    int64_t age = -1;
    int code = keeper->failed ? TC_OK : outbox_oldest(keeper->set.outbox, &age, &err);
    if (code != TC_OK)
        take_failure(keeper, code, &err);
    keeper->oldest_mono_ns = age < 0 ? NONE_WAITS : tc_mono_ns() - age;
}

static void show(struct keeper *keeper)
{
    struct outbox_counts counts = outbox_counts(keeper->set.outbox);
    watch_level(keeper, counts.waiting);
    bool idle = !keeper->way_count && !keeper->held &&
                !(keeper->set.submit && submit_any(keeper->set.submit));
    bool settled = idle && !tc_queue_length(keeper->set.door);
    bool changed = settled != keeper->settled || counts.waiting != keeper->waiting ||
                   keeper->failed != keeper->failed_shown;
    keeper->waiting = counts.waiting;
    keeper->dead = counts.dead;
    keeper->dead_dropped = counts.dead_dropped;
    keeper->resubmitted = counts.resubmitted;
    show_oldest(keeper);
    keeper->blocked = keeper->crowded || keeper->stuck_until || keeper->failed;
    keeper->link_up = keeper->set.submit && submit_up(keeper->set.submit);
    keeper->link_replaced = keeper->set.submit && submit_replaced(keeper->set.submit);
    keeper->settled = settled;
    keeper->failed_shown = keeper->failed;
    if (changed)
        (void)!eventfd_write(keeper->set.progress_fd, 1);
}

static int earlier(int a, int b)
{
    return a < b ? a : b;
}

static int wait_ms(int64_t until, int64_t now)
{
    return until > now ? (int)((until - now + TC_MS - 1) / TC_MS) : 0;
}

static void wait_for_work(struct keeper *keeper, bool closing)
{
    void *socket = keeper->set.submit ? submit_socket(keeper->set.submit) : NULL;
    int64_t now = tc_mono_ns();
    bool resting = keeper->stuck_until || keeper->failed; // nothing is trimmed then
    int wait = resting ? KEEPER_RETRY_MS : wait_ms(keeper->trim_at, now);
    zmq_pollitem_t items[] = {
        {.fd = tc_queue_fd(keeper->set.done), .events = ZMQ_POLLIN},
        {.fd = tc_queue_fd(keeper->set.door), .events = ZMQ_POLLIN},
        {.fd = keeper->set.pulse.asks, .events = ZMQ_POLLIN},
        {.socket = socket, .events = ZMQ_POLLIN},
    };
    if (keeper->set.submit && !keeper->failed)
        wait = earlier(wait, submit_wait_ms(keeper->set.submit, now));
    if (may_take(keeper) && tc_queue_length(keeper->set.door))
        wait = 0; // it was full a moment ago
    if (closing)
        wait = earlier(wait, KEEPER_RETRY_MS / 10);
    zmq_poll(items, socket ? 4 : 3, wait);
    tc_queue_calm(keeper->set.done);
    tc_queue_calm(keeper->set.door);
}

// ---- the end ------------------------------------------------------------------------------

// The disk does not take what is ready: nobody was told that it is safe, so it may be forgotten.
static void give_up_ready(struct keeper *keeper)
{
    for (size_t i = 0; i < keeper->ready_count; i++)
        end_job(keeper, keeper->ready[i], SOURCE_UNDONE, "the outbox cannot be written");
    keeper->ready_count = 0;
}

static bool finished(const struct keeper *keeper)
{
    return !keeper->way_count && !keeper->held && !tc_queue_length(keeper->set.door);
}

void keeper_run(struct keeper *keeper)
{
    for (;;) {
        bool closing = tc_queue_closed(keeper->set.door);
        outbox_tick(keeper->set.outbox, tc_mono_ns());
        take_turns_with_broker(keeper);
        take_done(keeper);
        write_if_ready(keeper, closing);
        if (keeper->failed || (closing && keeper->stuck_until))
            give_up_ready(keeper);
        if (keeper->failed || (closing && (keeper->stuck_until || keeper->crowded)))
            turn_away(keeper);
        else
            take_from_door(keeper);
        trim(keeper);
        show(keeper);
        tc_pulse_beat(&keeper->set.pulse);
        if (closing && finished(keeper))
            return;
        wait_for_work(keeper, closing);
    }
}
