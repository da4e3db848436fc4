#include "broker/feed.h"

#include "common/clock.h"
#include "common/event.h"
#include "common/fault.h"
#include "common/frame.h"
#include "common/json.h"
#include "common/mem.h"

#include <stdlib.h>

struct feed {
    void *socket;        // borrowed
    struct store *store; // borrowed
    const tc_str *except;
    size_t except_count;
    struct tc_frames *heard;
    uint64_t interests; // topics that somebody subscribes, the system's own left out
    uint64_t published; // last alert that was published or passed over
    uint64_t sent;
    int64_t beat_mono_ns; // of the next heartbeat
    struct tc_buf line;
};

struct feed *feed_new(void *socket, struct store *store, const tc_str *except, size_t except_count,
                      int64_t now_mono_ns)
{
    struct feed *feed = tc_new(sizeof *feed);
    feed->socket = socket;
    feed->store = store;
    feed->except = except;
    feed->except_count = except_count;
    feed->heard = tc_frames_new();
    feed->published = store_marks(store)->head;
    feed->beat_mono_ns = now_mono_ns;
    return feed;
}

void feed_move(struct feed *feed, void *socket)
{
    feed->socket = socket;
    feed->interests = 0;
}

void feed_free(struct feed *feed)
{
    if (!feed)
        return;
    tc_frames_free(feed->heard);
    tc_buf_done(&feed->line);
    free(feed);
}

uint64_t feed_sent(const struct feed *feed)
{
    return feed->sent;
}

// A subscription is one frame: 1 or 0, then the topic. XPUB passes on the first of a topic and the
// last to leave it.
void feed_listen(struct feed *feed)
{
    while (tc_frames_receive(feed->heard, feed->socket, NULL) == TC_OK) {
        tc_str said = tc_frames_at(feed->heard, 0);
        tc_str topic = tc_str_cut(said, 1, said.len);
        if (!said.len || tc_str_starts(topic, TC_STR("~/")))
            continue;
        if (said.ptr[0] == 1)
            feed->interests++;
        else if (said.ptr[0] == 0 && feed->interests)
            feed->interests--;
    }
}

void feed_send(struct feed *feed, tc_str topic, tc_str body)
{
    if (tc_frame_send(feed->socket, topic, true, NULL) == TC_OK)
        tc_frame_send(feed->socket, body, false, NULL);
}

static bool left_out(const struct feed *feed, tc_str topic)
{
    for (size_t i = 0; i < feed->except_count; i++) {
        if (tc_str_starts(topic, feed->except[i]))
            return true;
    }
    return false;
}

int feed_publish(struct feed *feed, struct tc_err *err)
{
    uint64_t head = store_marks(feed->store)->head;
    if (!feed->interests)
        feed->published = head;
    if (feed->published == head)
        return TC_OK;
    int64_t until_mono_ns = tc_mono_ns() + FEED_TURN_MS * TC_MS;
    int code = store_walk(feed->store, feed->published, (tc_str){"", 0}, err);
    for (size_t rows = 0; code == TC_OK && rows < FEED_TURN; rows++) {
        if (rows % FEED_LOOK == 0 && tc_mono_ns() >= until_mono_ns)
            break;
        struct store_alert alert;
        code = store_walk_next(feed->store, &alert, err);
        if (code != TC_OK && code != TC_ECORRUPT)
            break;
        feed->published = alert.seq;
        if (code == TC_OK && !left_out(feed, alert.topic) && !tc_event_recovered(alert.body)) {
            feed_send(feed, alert.topic, alert.body);
            feed->sent++;
        }
        code = TC_OK; // a damaged alert is FETCH's to report
    }
    store_walk_end(feed->store);
    tc_fault("feed.published");
    if (code == TC_ENOENT)
        feed->published = head;
    return code == TC_ENOENT ? TC_OK : code;
}

void feed_beat(struct feed *feed, int64_t now_wall_ns, int64_t now_mono_ns)
{
    if (now_mono_ns < feed->beat_mono_ns)
        return;
    const struct store_marks *marks = store_marks(feed->store);
    char epoch[TC_ID_TEXT_BYTES], time[TC_TIME_BYTES];
    tc_id_text(marks->epoch, epoch);
    tc_time_text(now_wall_ns, time);
    tc_buf_clear(&feed->line);
    struct tc_json json = tc_json_on(&feed->line);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "epoch", tc_str_of(epoch));
    tc_json_put_u64(&json, "head", marks->head);
    tc_json_put_str(&json, "time", tc_str_of(time));
    tc_json_close(&json, '}');
    feed_send(feed, TC_STR("~/hb/"), tc_buf_view(&feed->line));
    feed->beat_mono_ns = now_mono_ns + FEED_HEARTBEAT_MS * TC_MS;
}

int64_t feed_next_mono_ns(const struct feed *feed)
{
    return feed->published < store_marks(feed->store)->head ? 0 : feed->beat_mono_ns;
}
