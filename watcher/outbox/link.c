#include "watcher/outbox/link.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"

enum { SINGLES = 128 }; // batches of one item after an ERR: enough to pass a whole old batch

struct link {
    enum link_state state;
    uint64_t random;
    uint64_t last_rid;
    unsigned failures; // in a row: how long the next time-out is
    bool replaced;     // another watcher has our name

    int64_t open_at; // DOWN: when to try again
    bool hello_sent; // HELLO
    uint64_t hello_rid;
    int64_t deadline; // HELLO: of the answer, or of the next try to send

    int64_t heard_at, beat_at; // READY
    uint64_t beat_rid;
    int64_t pause_until; // asked by the broker, or libzmq takes nothing
    struct link_batch window[LINK_WINDOW];
    size_t first, count; // window[first], then `count` of them in a ring
    uint64_t next_number, after;
    size_t most;
    unsigned singles; // batches to come that hold one item
    bool more;        // something may wait behind `after`

    struct tc_id need[LINK_NEED_MOST];
    size_t need_count;
    uint64_t define_rid; // 0: not on the way
    int64_t define_at;
};

struct link *link_new(uint64_t seed, int64_t now_mono_ns)
{
    struct link *link = tc_new(sizeof *link);
    link->random = seed | 1;
    link->open_at = now_mono_ns;
    return link;
}

void link_free(struct link *link)
{
    free(link);
}

enum link_state link_state(const struct link *link)
{
    return link->state;
}

bool link_replaced(const struct link *link)
{
    return link->replaced;
}

// ---- time ---------------------------------------------------------------------------------

// xorshift64: spreads watchers that lost the same broker, nothing more.
static uint64_t draw(struct link *link)
{
    link->random ^= link->random << 13;
    link->random ^= link->random >> 7;
    link->random ^= link->random << 17;
    return link->random;
}

static int64_t about_ns(struct link *link, int64_t ms)
{
    int64_t fifth = ms / 5;
    return (ms - fifth + (int64_t)(draw(link) % (uint64_t)(2 * fifth + 1))) * TC_MS;
}

// The time-out after so many failures in a row, +- 20 %.
static int64_t timeout_ns(struct link *link)
{
    int64_t ms = LINK_TIMEOUT_MS;
    for (unsigned i = 0; i < link->failures && ms < LINK_TIMEOUT_MOST_MS; i++)
        ms *= 2;
    if (ms > LINK_TIMEOUT_MOST_MS)
        ms = LINK_TIMEOUT_MOST_MS;
    return about_ns(link, ms);
}

static void go_down(struct link *link, int64_t open_at)
{
    link->state = LINK_DOWN;
    link->open_at = open_at;
    link->failures++;
}

// ---- the window ---------------------------------------------------------------------------

static struct link_batch *batch_at(struct link *link, size_t index)
{
    return &link->window[(link->first + index) % LINK_WINDOW];
}

static void send_all_again(struct link *link)
{
    for (size_t i = 0; i < link->count; i++)
        batch_at(link, i)->sent = false;
}

static const struct link_batch *unsent(const struct link *link)
{
    for (size_t i = 0; i < link->count; i++) {
        const struct link_batch *batch = &link->window[(link->first + i) % LINK_WINDOW];
        if (!batch->sent)
            return batch;
    }
    return NULL;
}

static struct link_batch *with_rid(struct link *link, uint64_t rid)
{
    for (size_t i = 0; i < link->count; i++) {
        struct link_batch *batch = batch_at(link, i);
        if (batch->rid == rid && batch->sent)
            return batch;
    }
    return NULL;
}

// The oldest batch got no answer in time: everything goes again.
static void check_silence(struct link *link, int64_t now)
{
    if (!link->count || !batch_at(link, 0)->sent || now < link->deadline)
        return;
    send_all_again(link);
    link->failures++;
}

// ---- deciding -----------------------------------------------------------------------------

static struct link_order order(struct link *link, enum link_act act)
{
    return (struct link_order){.act = act, .rid = ++link->last_rid};
}

static struct link_order next_put(struct link *link)
{
    const struct link_batch *again = unsent(link);
    struct link_order out = {.act = LINK_WAIT};
    if (again) {
        out = order(link, LINK_AGAIN);
        out.batch = again;
    } else if (link->more && link->count < LINK_WINDOW) {
        out = order(link, LINK_NEW);
        out.number = link->next_number;
        out.after = link->after;
        out.most = link->singles ? 1 : link->most;
    }
    return out;
}

static struct link_order next_define(struct link *link, int64_t now)
{
    if (link->define_rid && now < link->define_at)
        return (struct link_order){.act = LINK_WAIT};
    struct link_order out = order(link, LINK_DEFINE);
    out.need = link->need;
    out.need_count = link->need_count;
    return out;
}

static struct link_order next_ready(struct link *link, int64_t now)
{
    if (now >= link->beat_at)
        return order(link, LINK_BEAT);
    if (now < link->pause_until)
        return (struct link_order){.act = LINK_WAIT};
    if (link->need_count)
        return next_define(link, now);
    check_silence(link, now);
    return next_put(link);
}

struct link_order link_next(struct link *link, int64_t now)
{
    if (link->state == LINK_READY && now >= link->heard_at + LINK_SILENCE_MS * TC_MS)
        go_down(link, now); // we have waited long enough already
    if (link->state == LINK_HELLO && link->hello_sent && now >= link->deadline)
        go_down(link, now);
    if (link->state == LINK_READY)
        return next_ready(link, now);
    if (link->state == LINK_HELLO && !link->hello_sent && now >= link->deadline) {
        struct link_order hello = order(link, LINK_SAY_HELLO);
        hello.yield = link->replaced;
        return hello;
    }
    if (link->state == LINK_DOWN && now >= link->open_at)
        return (struct link_order){.act = LINK_OPEN};
    return (struct link_order){.act = LINK_WAIT};
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// When something becomes due by itself.
static int64_t due_at(const struct link *link)
{
    if (link->state == LINK_DOWN)
        return link->open_at;
    if (link->state == LINK_HELLO)
        return link->deadline;
    int64_t due = earlier(link->beat_at, link->heard_at + LINK_SILENCE_MS * TC_MS);
    int64_t work = due;
    if (link->need_count)
        work = link->define_rid ? link->define_at : 0;
    else if (unsent(link) || (link->more && link->count < LINK_WINDOW))
        work = 0; // only a pause keeps it
    else if (link->count)
        work = link->deadline;
    return earlier(due, work > link->pause_until ? work : link->pause_until);
}

int link_wait_ms(const struct link *link, int64_t now)
{
    int64_t wait = due_at(link) - now;
    if (wait <= 0)
        return 0;
    return (int)((wait + TC_MS - 1) / TC_MS);
}

// ---- what was done ------------------------------------------------------------------------

void link_opened(struct link *link, int64_t now)
{
    link->state = LINK_HELLO;
    link->hello_sent = false;
    link->deadline = now;
    link->first = link->count = 0;
    link->after = 0;
    link->next_number = 1;
    link->more = true;
    link->need_count = 0;
    link->define_rid = 0;
    link->pause_until = 0;
    link->beat_rid = 0;
}

// libzmq has no connection, or its queue is full.
static void not_taken(struct link *link, const struct link_order *done, int64_t now)
{
    int64_t later = now + LINK_UNSENT_MS * TC_MS;
    if (done->act == LINK_SAY_HELLO)
        link->deadline = later;
    else if (done->act == LINK_BEAT)
        link->beat_at = later;
    else
        link->pause_until = later;
}

static void mark_sent(struct link *link, struct link_batch *batch, uint64_t rid, int64_t now)
{
    batch->rid = rid;
    batch->sent = true;
    batch->sent_mono_ns = now;
    if (batch == batch_at(link, 0))
        link->deadline = now + timeout_ns(link);
}

void link_sent(struct link *link, const struct link_order *done, bool taken, int64_t now)
{
    if (!taken) {
        not_taken(link, done, now);
    } else if (done->act == LINK_SAY_HELLO) {
        link->hello_sent = true;
        link->hello_rid = done->rid;
        link->deadline = now + timeout_ns(link);
    } else if (done->act == LINK_DEFINE) {
        link->define_rid = done->rid;
        link->define_at = now + timeout_ns(link);
    } else if (done->act == LINK_BEAT) {
        link->beat_at = now + LINK_HEARTBEAT_MS * TC_MS;
        link->beat_rid = done->rid;
    } else if (done->act == LINK_AGAIN) {
        for (size_t i = 0; i < link->count; i++) {
            if (batch_at(link, i) == done->batch)
                mark_sent(link, batch_at(link, i), done->rid, now);
        }
    }
}

void link_put(struct link *link, const struct link_order *done, const uint64_t *items, size_t count,
              int64_t now)
{
    struct link_batch *batch = batch_at(link, link->count++);
    *batch = (struct link_batch){.number = link->next_number++, .count = count};
    memcpy(batch->items, items, count * sizeof *items);
    link->after = items[count - 1];
    if (link->singles)
        link->singles--;
    mark_sent(link, batch, done->rid, now);
}

void link_empty(struct link *link)
{
    link->more = false;
}

void link_wake(struct link *link)
{
    link->more = true;
}

// ---- what came in -------------------------------------------------------------------------

void link_heard(struct link *link, int64_t now)
{
    link->heard_at = now;
}

bool link_welcome(struct link *link, uint64_t rid, size_t batch_items, int64_t now)
{
    if (link->state != LINK_HELLO || rid != link->hello_rid)
        return false;
    link->state = LINK_READY;
    link->replaced = false;
    link->heard_at = now;
    link->beat_at = now + LINK_HEARTBEAT_MS * TC_MS;
    link->most = batch_items && batch_items < LINK_BATCH_ITEMS ? batch_items : LINK_BATCH_ITEMS;
    return true;
}

bool link_ack(struct link *link, uint64_t number, size_t count, int64_t now, struct link_batch *out)
{
    const struct link_batch *batch = batch_at(link, 0);
    if (link->state != LINK_READY || !link->count || batch->number != number)
        return false;
    if (batch->count != count) { // it answers something that we did not send
        go_down(link, now + timeout_ns(link));
        return false;
    }
    *out = *batch;
    link->failures = 0;
    link->first = (link->first + 1) % LINK_WINDOW;
    link->count--;
    if (link->count)
        link->deadline = now + timeout_ns(link);
    return true;
}

static void take_need(struct link *link, const struct link_nak *nak)
{
    link->need_count = nak->need_count < LINK_NEED_MOST ? nak->need_count : LINK_NEED_MOST;
    memcpy(link->need, nak->need, link->need_count * sizeof *link->need);
    link->define_rid = 0;
}

// How long the broker wants to be left alone; a senseless number does not silence us for good.
static int64_t pause_ms(uint64_t retry_ms)
{
    if (retry_ms == 0)
        return LINK_TIMEOUT_MS;
    return retry_ms < LINK_TIMEOUT_MOST_MS ? (int64_t)retry_ms : LINK_TIMEOUT_MOST_MS;
}

// A refusal counts when it answers the newest sending of a batch; those of older sendings come
// late and have been dealt with.
void link_nak(struct link *link, const struct link_nak *nak, int64_t now)
{
    const struct link_batch *batch = with_rid(link, nak->rid);
    bool beat = nak->rid && nak->rid == link->beat_rid;
    bool hello = link->state == LINK_HELLO && nak->rid == link->hello_rid;
    if (nak->reason == LINK_REPLACED && link->state != LINK_DOWN && (batch || beat || hello)) {
        go_down(link, now + about_ns(link, LINK_YIELD_MS));
        link->replaced = true;
        return;
    }
    if ((!batch && !beat) || link->state != LINK_READY)
        return;
    bool gap_elsewhere =
        batch && nak->reason == LINK_GAP && nak->expected != batch_at(link, 0)->number;
    if (beat || nak->reason == LINK_SESSION || gap_elsewhere) {
        go_down(link, now + timeout_ns(link));
        return;
    }
    send_all_again(link);
    if (nak->reason == LINK_WATCH && nak->need_count)
        take_need(link, nak);
    else if (nak->reason != LINK_GAP)
        link->pause_until = now + pause_ms(nak->retry_ms) * TC_MS;
}

void link_defined(struct link *link, uint64_t rid)
{
    if (!link->define_rid || rid != link->define_rid)
        return;
    link->define_rid = 0;
    link->need_count = 0;
}

void link_refused(struct link *link, int64_t now)
{
    if (link->state != LINK_DOWN)
        go_down(link, now + timeout_ns(link));
}

bool link_error(struct link *link, uint64_t rid, int64_t now, struct link_batch *out)
{
    const struct link_batch *batch = with_rid(link, rid);
    bool single = batch && batch->count == 1;
    bool ours = batch || rid == link->hello_rid || (rid && rid == link->define_rid);
    if (!ours || link->state == LINK_DOWN)
        return false;
    if (single)
        *out = *batch;
    if (batch)
        link->singles = SINGLES;
    go_down(link, now + timeout_ns(link));
    return single;
}
