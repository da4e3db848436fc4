#include "client/publish.h"
#include "client/parse.h"
#include "common/clock.h"

#include <jansson.h>
#include <stdlib.h>

enum { RETRY_MS = 100, RETRY_MOST_MS = 5000 };

struct parcel {
    struct tc_buf article, body; // as they are sent
    bool has_body;
    uint64_t rid; // of the question that carries it
    uint64_t on;  // the connection that it went out on; 0: it is to be sent
    bool settled;
    int code; // when settled: TC_OK and a receipt, or TC_EPROTO and the reason
    enum tocsin_outcome outcome;
    uint64_t hits;
    struct tc_buf id, reason;
};

void publish_init(struct publish *publish, void *context, const char *endpoint)
{
    *publish = (struct publish){.room = PUBLISH_MOST};
    peer_init(&publish->peer, context, endpoint, "watcher");
}

void publish_done(struct publish *publish)
{
    for (size_t i = 0; publish->parcels && i < PUBLISH_MOST; i++) {
        struct parcel *parcel = &publish->parcels[i];
        tc_buf_done(&parcel->article);
        tc_buf_done(&parcel->body);
        tc_buf_done(&parcel->id);
        tc_buf_done(&parcel->reason);
    }
    free(publish->parcels);
    publish->parcels = NULL;
    publish->count = publish->bytes = 0;
    peer_done(&publish->peer);
}

// The parcel at a place, 0 the oldest.
static struct parcel *parcel_at(const struct publish *publish, size_t place)
{
    return &publish->parcels[(publish->first + place) % PUBLISH_MOST];
}

static void drop_oldest(struct publish *publish)
{
    const struct parcel *oldest = parcel_at(publish, 0);
    publish->bytes -= oldest->article.len + oldest->body.len;
    publish->first = (publish->first + 1) % PUBLISH_MOST;
    publish->count--;
}

void publish_forget(struct publish *publish)
{
    while (publish->count)
        drop_oldest(publish);
}

// --- taking in ---

// The text of an article goes in a frame of its own: a header has room for 16 KiB. Takes it out of
// the object, where it stands under one of the names of docs/articles.md, best first. HTML stays
// where it is: in a frame of its own it would be taken for plain text.
static json_t *take_text(json_t *article)
{
    static const char *const names[] = {"content_text", "text", "body"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *text = json_object_get(article, names[i]);
        if (!json_is_string(text))
            continue;
        json_incref(text);
        json_object_del(article, names[i]);
        return text;
    }
    return NULL;
}

static bool fill(struct tc_buf *buf, tc_str bytes)
{
    tc_buf_clear(buf);
    tc_buf_str(buf, bytes);
    return !buf->failed;
}

static int pack(struct parcel *parcel, const json_t *article, tc_str body, struct tc_err *err)
{
    char *text = json_dumps(article, JSON_COMPACT);
    bool whole = text && fill(&parcel->article, tc_str_of(text)) && fill(&parcel->body, body) &&
                 fill(&parcel->id, tc_str_of(parse_text(article, "id"))) &&
                 fill(&parcel->reason, TC_STR(""));
    free(text);
    parcel->has_body = body.ptr != NULL;
    parcel->on = 0;
    parcel->settled = false;
    return whole ? TC_OK : tc_fail(err, TC_ENOMEM, "no memory for an article");
}

static tc_str body_of(const struct parcel *parcel)
{
    return parcel->has_body ? tc_buf_view(&parcel->body) : (tc_str){0};
}

static void put_question(struct peer *peer, const struct parcel *parcel)
{
    struct tc_json *json = peer_question(peer);
    tc_json_key(json, "article");
    tc_json_raw(json, tc_buf_view(&parcel->article));
}

// --- on the way ---

// It was sent on this connection, and its answer is to come.
static bool is_out(const struct publish *publish, const struct parcel *parcel)
{
    return !parcel->settled && parcel->on && parcel->on == publish->peer.wire.times_up;
}

static size_t count_out(const struct publish *publish)
{
    size_t out = 0;
    for (size_t i = 0; i < publish->count; i++)
        out += is_out(publish, parcel_at(publish, i));
    return out;
}

// Two versions of one article must not overtake each other.
static bool waits_for_older(const struct publish *publish, size_t place)
{
    tc_str id = tc_buf_view(&parcel_at(publish, place)->id);
    for (size_t i = 0; i < place && id.len; i++) {
        const struct parcel *older = parcel_at(publish, i);
        if (!older->settled && tc_str_eq(tc_buf_view(&older->id), id))
            return true;
    }
    return false;
}

static int send_parcel(struct publish *publish, struct parcel *parcel, struct tc_err *err)
{
    struct peer *peer = &publish->peer;
    put_question(peer, parcel);
    int code = peer_send(peer, "ARTICLE", body_of(parcel), err);
    if (code != TC_OK)
        return code;
    parcel->rid = peer->rid;
    parcel->on = peer->wire.times_up;
    publish->heard_mono_ns = tc_mono_ns();
    return TC_OK;
}

// Sends what may be sent now, the oldest first. `*stuck` when the socket takes no more.
static int send_waiting(struct publish *publish, bool *stuck, struct tc_err *err)
{
    size_t out = count_out(publish);
    *stuck = false;
    if (!publish->peer.wire.up || tc_mono_ns() < publish->not_before)
        return TC_OK;
    for (size_t i = 0; i < publish->count && out < publish->room; i++) {
        struct parcel *parcel = parcel_at(publish, i);
        if (parcel->settled || is_out(publish, parcel))
            continue;
        if (waits_for_older(publish, i))
            return TC_OK;
        int code = send_parcel(publish, parcel, err);
        *stuck = code == TC_EBUSY;
        if (code != TC_OK)
            return *stuck ? TC_OK : code;
        out++;
    }
    return TC_OK;
}

// The watcher has no room for one more beside those that are out: there is room again when one of
// them is answered. Only when none is out the time that it asks for must pass.
static void wait_for_room(struct publish *publish, struct parcel *parcel)
{
    uint64_t ms = RETRY_MS;
    parcel->on = 0;
    publish->busy = true;
    publish->room = count_out(publish);
    publish->answered = 0;
    if (publish->room)
        return;
    tc_json_get_u64(publish->peer.answer, "retry_ms", &ms);
    publish->room = 1;
    publish->not_before = tc_mono_ns() + (int64_t)(ms > RETRY_MOST_MS ? RETRY_MOST_MS : ms) * TC_MS;
}

// When as many were answered as may be out, one more is tried.
static void widen(struct publish *publish)
{
    publish->busy = false;
    if (++publish->answered < publish->room || publish->room == PUBLISH_MOST)
        return;
    publish->room++;
    publish->answered = 0;
}

static int settle(struct publish *publish, struct parcel *parcel, struct tc_err *err)
{
    const struct peer *peer = &publish->peer;
    struct tc_err refused = {0};
    tc_str id = tc_json_get_str(peer->answer, "id"), word = peer->command;
    tc_str reason = tc_json_get_str(peer->answer, "reason");
    parcel->code = TC_OK;
    parcel->hits = 0;
    tc_json_get_u64(peer->answer, "hits", &parcel->hits);
    if (tc_str_eq(word, TC_STR("ACCEPTED")))
        parcel->outcome = TOCSIN_ACCEPTED;
    else if (tc_str_eq(word, TC_STR("DUPLICATE")))
        parcel->outcome = TOCSIN_DUPLICATE;
    else if (tc_str_eq(word, TC_STR("REJECTED")))
        parcel->outcome = TOCSIN_REJECTED;
    else if (tc_str_eq(word, TC_STR("ERR")))
        parcel->code = peer_refused(peer, &refused);
    else
        parcel->code =
            tc_fail(&refused, TC_EPROTO, "the watcher at %s answered an article with '%.*s'",
                    peer->endpoint, TC_ARG(word));
    if (parcel->code != TC_OK)
        reason = tc_str_of(refused.text);
    if ((id.len && !fill(&parcel->id, id)) || !fill(&parcel->reason, reason)) {
        parcel->on = 0; // asked again: the answer is lost
        return tc_fail(err, TC_ENOMEM, "no memory for an answer");
    }
    parcel->settled = true;
    widen(publish);
    return TC_OK;
}

static struct parcel *parcel_of(const struct publish *publish, uint64_t rid)
{
    for (size_t i = 0; i < publish->count; i++) {
        struct parcel *parcel = parcel_at(publish, i);
        if (!parcel->settled && parcel->on && parcel->rid == rid)
            return parcel;
    }
    return NULL; // an older question's
}

static int take_answers(struct publish *publish, struct tc_err *err)
{
    struct peer *peer = &publish->peer;
    int code = peer->wire.socket ? peer_take(peer, err) : TC_ENOENT;
    for (; code == TC_OK; code = peer_take(peer, err)) {
        uint64_t rid = 0;
        struct parcel *parcel =
            tc_json_get_u64(peer->answer, "rid", &rid) ? parcel_of(publish, rid) : NULL;
        publish->heard_mono_ns = tc_mono_ns();
        if (parcel && tc_str_eq(peer->command, TC_STR("BUSY")))
            wait_for_room(publish, parcel);
        else if (parcel && (code = settle(publish, parcel, err)) != TC_OK)
            break;
    }
    return code == TC_ENOENT ? TC_OK : code;
}

// Takes in and sends what it can without waiting. An answer may be there although its connection has
// just gone, so that comes first.
static int advance(struct publish *publish, bool *stuck, struct tc_err *err)
{
    int code = take_answers(publish, err);
    return code == TC_OK ? send_waiting(publish, stuck, err) : code;
}

int publish_submit(struct publish *publish, tc_str article, tc_str body, struct tc_err *err)
{
    json_t *tree = NULL, *text = NULL;
    bool stuck = false;
    if (publish->count == PUBLISH_MOST || publish->bytes > PUBLISH_BYTES)
        return tc_fail(err, TC_EBUSY, "%zu articles are on the way", publish->count);
    if (!publish->parcels && !(publish->parcels = calloc(PUBLISH_MOST, sizeof(struct parcel))))
        return tc_fail(err, TC_ENOMEM, "no memory for articles");
    int code = parse_object(article, &tree, err);
    if (code == TC_OK && !body.ptr && (text = take_text(tree)) != NULL)
        body = (tc_str){json_string_value(text), json_string_length(text)};
    struct parcel *parcel = parcel_at(publish, publish->count);
    if (code == TC_OK)
        code = pack(parcel, tree, body, err);
    json_decref(text);
    json_decref(tree);
    if (code != TC_OK)
        return code;
    put_question(&publish->peer, parcel); // what cannot be sent is said even when nobody is there
    code = peer_seal(&publish->peer, body_of(parcel), err);
    if (code == TC_OK)
        code = peer_wait(&publish->peer, 0, false, err);
    if (code != TC_OK && code != TC_ESTOP)
        return code;
    publish->count++;
    publish->bytes += parcel->article.len + parcel->body.len;
    // It is taken in: what goes wrong from here on is for collecting to say.
    advance(publish, &stuck, NULL);
    return TC_OK;
}

static int give(struct publish *publish, struct tocsin_receipt *out, struct tc_err *err)
{
    const struct parcel *parcel = parcel_at(publish, 0);
    drop_oldest(publish);
    if (parcel->code != TC_OK)
        return tc_fail(err, parcel->code, "%s", parcel->reason.ptr);
    *out =
        (struct tocsin_receipt){parcel->outcome, parcel->hits, parcel->id.ptr, parcel->reason.ptr};
    return TC_OK;
}

// A watcher that is connected and silent is connected to anew: its machine may have died.
static void notice_silence(struct publish *publish, int64_t now)
{
    if (publish->peer.wire.up && now >= publish->heard_mono_ns + PEER_SILENCE_MS * TC_MS &&
        count_out(publish)) {
        peer_reset(&publish->peer);
        publish->heard_mono_ns = now;
    }
}

// When to look again, at the latest.
static int64_t look_again(const struct publish *publish, int64_t until, int64_t now)
{
    int64_t silent_at = publish->heard_mono_ns + PEER_SILENCE_MS * TC_MS;
    if (publish->not_before > now && publish->not_before < until)
        until = publish->not_before;
    return silent_at > now && silent_at < until ? silent_at : until;
}

int publish_collect(struct publish *publish, int64_t until, struct tocsin_receipt *out,
                    struct tc_err *err)
{
    const struct peer *peer = &publish->peer;
    bool stuck = false;
    int code = publish->count ? TC_OK : TC_ENOENT;
    while (code == TC_OK || code == TC_ESTOP) {
        code = advance(publish, &stuck, err);
        if (code != TC_OK)
            break;
        if (parcel_at(publish, 0)->settled)
            return give(publish, out, err);
        int64_t now = tc_mono_ns();
        if (now >= until)
            return publish->busy
                       ? tc_fail(err, TC_EBUSY, "the watcher at %s is busy", peer->endpoint)
                       : peer_silent(peer, err);
        notice_silence(publish, now);
        code = peer_wait(&publish->peer, look_again(publish, until, now), stuck, err);
    }
    return code;
}
