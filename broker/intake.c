#include "broker/intake.h"

#include "broker/alert/policy.h"
#include "common/mem.h"
#include "common/utf8.h"

#include <jansson.h>
#include <stdlib.h>

// One article of a batch: opened and checked, or rejected with a reason.
struct item {
    tc_str record;
    struct tc_event_article *article; // NULL when it is rejected
    struct tc_hit *hits;
    tc_str *bodies; // HIT of each
    const struct tc_event_watch **watches;
    size_t count;
    bool recovered;  // as its batch
    tc_str rejected; // in the arena
};

struct batch {
    const struct tc_peer *peer; // who sent it
    struct session *session;
    uint64_t number;
    struct item *items;
    size_t count;
    bool replaced;      // another watcher has the name of its session
    bool recovered;     // it was acknowledged before, in a history that was lost
    struct tc_id *need; // hashes that are not known
    size_t need_count, need_capacity;
};

void intake_init(struct intake *intake, struct store *store, struct watches *watches)
{
    *intake = (struct intake){.store = store, .watches = watches, .arena = tc_arena_new()};
}

void intake_done(struct intake *intake)
{
    tc_arena_free(intake->arena);
    tc_buf_done(&intake->topic);
    tc_buf_done(&intake->event);
    intake->arena = NULL;
}

void intake_committed(struct intake *intake)
{
    intake->at_commit = intake->counts;
    sessions_committed(&intake->sessions);
}

void intake_rolled_back(struct intake *intake)
{
    intake->counts = intake->at_commit;
    sessions_rolled_back(&intake->sessions);
    watches_forget(intake->watches);
}

// --- rights ---

// Whether the key of the peer may write what goes out as "namespace/watch/severity/".
static int check_topic(struct intake *intake, const struct tc_peer *peer, tc_str watch,
                       tc_str severity, struct tc_err *err)
{
    tc_buf_clear(&intake->topic);
    tc_buf_addf(&intake->topic, "%.*s/%.*s/", TC_ARG(watch), TC_ARG(severity));
    if (tc_peer_writes(peer, tc_buf_view(&intake->topic)))
        return TC_OK;
    return tc_fail(err, TC_EPROTO, "the key of \"%.*s\" may not write to %.*s", TC_ARG(peer->name),
                   TC_ARG(tc_buf_view(&intake->topic)));
}

// --- WATCH ---

static int read_watch(const struct request *request, struct answer *answer, struct tc_err *err)
{
    static const char *const known[] = {"session", "n", NULL};
    json_t *header = NULL;
    struct tc_id session;
    uint64_t n = 0;
    int code = request_header(request, known, answer, &header, err);
    if (code == TC_OK)
        code = request_id(header, "session", &session, err);
    if (code == TC_OK)
        code = request_u64(header, "n", &n, err);
    json_decref(header);
    if (code == TC_OK && n != request->payload_count)
        return tc_fail(err, TC_EPROTO, "n is %llu, but %zu frames follow", (unsigned long long)n,
                       request->payload_count);
    if (code == TC_OK && n > INTAKE_DEFINITIONS_MOST)
        return tc_fail(err, TC_EPROTO, "more than %d definitions", INTAKE_DEFINITIONS_MOST);
    return code;
}

// All are checked before the first is stored.
static int check_definitions(struct intake *intake, const struct request *request,
                             struct tc_err *err)
{
    for (size_t i = 0; i < request->payload_count; i++) {
        struct tc_event_watch *watch = NULL;
        if (request->payload[i].len > INTAKE_DEFINITION_BYTES)
            return tc_fail(err, TC_EPROTO, "definition %zu is larger than %d bytes", i,
                           INTAKE_DEFINITION_BYTES);
        if (tc_event_watch_open(request->payload[i], &watch, err) != TC_OK) {
            tc_err_prefix(err, "definition %zu", i);
            return TC_EPROTO;
        }
        int code = request->peer ? check_topic(intake, request->peer, tc_event_watch_name(watch),
                                               tc_event_watch_severity(watch), err)
                                 : TC_OK;
        tc_event_watch_free(watch);
        if (code != TC_OK)
            return code;
    }
    return TC_OK;
}

int intake_watch(struct intake *intake, const struct request *request, int64_t now_wall_ns,
                 struct answer *answer, struct tc_err *err)
{
    int code = read_watch(request, answer, err);
    if (code == TC_OK)
        code = check_definitions(intake, request, err);
    if (code != TC_OK) {
        answer_refuse(answer, code == TC_EPROTO ? "payload" : "header", err->text);
        return TC_OK;
    }
    for (size_t i = 0; i < request->payload_count && code == TC_OK; i++)
        code = watches_add(intake->watches, request->payload[i], now_wall_ns, err);
    if (code != TC_OK)
        return code;
    struct tc_json json = answer_begin(answer, "OK");
    tc_json_close(&json, '}');
    return TC_OK;
}

// --- PUT: reading ---

// Gives false when the batch is answered already.
static bool read_put(struct intake *intake, const struct request *request, struct answer *answer,
                     struct batch *batch, struct tc_err *err)
{
    static const char *const known[] = {"session", "batch", "n", "recovered", NULL};
    json_t *header = NULL;
    struct tc_id session;
    uint64_t n = 0;
    int code = request_header(request, known, answer, &header, err);
    if (code == TC_OK)
        code = request_id(header, "session", &session, err);
    if (code == TC_OK)
        code = request_u64(header, "batch", &batch->number, err);
    if (code == TC_OK)
        code = request_u64(header, "n", &n, err);
    if (code == TC_OK)
        code = request_bool(header, "recovered", &batch->recovered, err);
    json_decref(header);
    if (code != TC_OK) {
        answer_refuse(answer, "header", err->text);
        return false;
    }
    if (n < 1 || n > INTAKE_ARTICLES_MOST || request->payload_count != 2 * n) {
        tc_fail(err, TC_EPROTO, "n is %llu (1 to %d), but %zu frames follow (two an article)",
                (unsigned long long)n, INTAKE_ARTICLES_MOST, request->payload_count);
        answer_refuse(answer, "payload", err->text);
        return false;
    }
    answer->batch = batch->number;
    batch->count = (size_t)n;
    batch->session = sessions_find(&intake->sessions, session);
    batch->replaced = sessions_replaced(&intake->sessions, session);
    return true;
}

static bool small_enough(const struct request *request, struct answer *answer)
{
    size_t bytes = 0;
    for (size_t i = 0; i < request->payload_count; i++)
        bytes += request->payload[i].len;
    if (request->payload_count <= 2 || bytes <= INTAKE_BATCH_BYTES)
        return true;
    answer_refuse(answer, "limit", "a batch of several articles is at most 1 MiB");
    return false;
}

static struct tc_json nak(struct answer *answer, const struct batch *batch, const char *reason)
{
    struct tc_json json = answer_begin(answer, "NAK");
    tc_json_put_u64(&json, "batch", batch->number);
    tc_json_put_str(&json, "reason", tc_str_of(reason));
    tc_json_put_u64(&json, "retry_ms", 0);
    return json;
}

// What came before may come again at any time, because its answer may have been lost; only a hole
// is refused, so that the order of a watcher's hits holds.
static bool in_order(const struct batch *batch, struct answer *answer)
{
    const struct session *session = batch->session;
    struct tc_json json;
    if (!session) {
        json = nak(answer, batch, batch->replaced ? "replaced" : "session");
    } else if (batch->number < 1 || batch->number > session->batch + 1) {
        json = nak(answer, batch, "batch");
        tc_json_put_u64(&json, "expected_batch", session->batch + 1);
    } else {
        return true;
    }
    tc_json_close(&json, '}');
    return false;
}

// The reason may quote what a peer sent: it is cut, and kept free of what JSON writes six times as
// long, so that an answer with a full batch of reasons fits its header.
static void reject(struct intake *intake, struct item *item, const char *reason)
{
    tc_str words = tc_utf8_cut(tc_str_of(reason), INTAKE_REASON_BYTES);
    words = tc_str_cut(words, 0, tc_utf8_valid(words));
    tc_event_article_free(item->article);
    item->article = NULL;
    char *kept = tc_arena_bytes(intake->arena, words.len + 1);
    for (size_t i = 0; i < words.len; i++)
        kept[i] = (unsigned char)words.ptr[i] < 0x20 ? ' ' : words.ptr[i];
    item->rejected = (tc_str){kept, words.len};
}

// What a hit must be before its bytes become part of an event; decoding has checked UTF-8.
static int check_hit(struct intake *intake, const struct tc_peer *peer, const struct tc_hit *hit,
                     const struct tc_event_article *article, struct tc_err *err)
{
    if (!tc_event_watch_name_ok(hit->watch) || !tc_event_name_ok(hit->severity))
        return tc_fail(err, TC_EPROTO, "a hit's watch or severity is no name");
    if (peer && check_topic(intake, peer, hit->watch, hit->severity, err) != TC_OK)
        return TC_EPROTO;
    struct tc_id id =
        tc_hit_id(hit->watch, tc_event_article_source(article), tc_event_article_id(article),
                  tc_event_article_version(article), hit->segment);
    if (!tc_id_eq(id, hit->id))
        return tc_fail(err, TC_EPROTO, "a hit's id is not the hash of what it names");
    return TC_OK;
}

static void need_watch(struct batch *batch, struct tc_id hash)
{
    for (size_t i = 0; i < batch->need_count; i++) {
        if (tc_id_eq(batch->need[i], hash))
            return;
    }
    if (batch->need_count == INTAKE_NEED_MOST)
        return; // the next try names the rest
    batch->need =
        tc_room(batch->need, batch->need_count, &batch->need_capacity, sizeof *batch->need);
    batch->need[batch->need_count++] = hash;
}

// Finds the definition that the hit names. A definition that is not known is noted, not a mistake.
static int find_watch(struct intake *intake, struct batch *batch, const struct tc_hit *hit,
                      const struct tc_event_watch **watch, struct tc_err *err)
{
    int code = watches_find(intake->watches, hit->watch_hash, watch, err);
    if (code == TC_ENOENT || code == TC_EPARSE) {
        need_watch(batch, hit->watch_hash);
        return TC_OK;
    }
    if (code == TC_OK && !tc_str_eq(tc_event_watch_name(*watch), hit->watch))
        return tc_fail(err, TC_EPROTO, "a hit's watch is not the one its hash names");
    return code;
}

static int read_hits(struct intake *intake, struct batch *batch, struct item *item, tc_str frame,
                     struct tc_err *err)
{
    struct tc_hits hits;
    int code = tc_hits_open(frame, item->record, &hits, err);
    if (code != TC_OK)
        return code;
    // A HIT is at least 52 bytes: a count that the frame cannot hold is not believed.
    if (hits.count > frame.len / 52)
        return tc_fail(err, TC_EPROTO, "the HITS frame is cut off");
    item->hits = tc_arena_take(intake->arena, hits.count * sizeof *item->hits);
    item->bodies = tc_arena_take(intake->arena, hits.count * sizeof *item->bodies);
    item->watches = tc_arena_take(intake->arena, hits.count * sizeof *item->watches);
    while ((code = tc_hits_next(&hits, &item->bodies[item->count], err)) == TC_OK) {
        size_t at = item->count;
        code = tc_hit_decode(item->bodies[at], intake->arena, &item->hits[at], err);
        if (code == TC_OK)
            code = check_hit(intake, batch->peer, &item->hits[at], item->article, err);
        if (code == TC_OK)
            code = find_watch(intake, batch, &item->hits[at], &item->watches[at], err);
        if (code != TC_OK)
            return code;
        item->count++;
    }
    return code == TC_ENOENT ? TC_OK : code;
}

// Reads one article. What is wrong with it rejects it; only the store's failures are returned.
static int read_item(struct intake *intake, struct batch *batch, struct item *item, tc_str record,
                     tc_str frame, struct tc_err *err)
{
    item->record = record;
    item->recovered = batch->recovered;
    if (record.len > INTAKE_RECORD_BYTES) {
        reject(intake, item, "the record is larger than 16 KiB");
        return TC_OK;
    }
    int code = tc_event_article_open(record, &item->article, err);
    if (code == TC_OK)
        code = read_hits(intake, batch, item, frame, err);
    if (code == TC_OK)
        return TC_OK;
    bool ours = code == TC_EPARSE || code == TC_EPROTO || code == TC_ECORRUPT;
    if (ours)
        reject(intake, item, err->text);
    return ours ? TC_OK : code;
}

// --- PUT: storing ---

static int store_event(struct intake *intake, const struct item *item, size_t at, uint64_t hseq,
                       const struct story *story, const struct policy_decision *decision,
                       int64_t now_wall_ns, struct tc_err *err)
{
    const struct tc_hit *hit = &item->hits[at];
    struct store_alert alert = {
        .id = tc_event_alert_id(hit->watch, hit->id, decision->kind, decision->ordinal),
        .story = story->id,
        .labels = tc_event_watch_labels(item->watches[at]),
        .hseq = hseq,
    };
    store_next_alert(intake->store, now_wall_ns, &alert);
    struct tc_event_story told = {
        .id = story->id,
        .first = story->first,
        .articles = story->articles,
        .sources = story->sources,
        .languages = &story->language,
        .language_count = story->language.len ? 1 : 0,
    };
    struct tc_event event = {
        .type = decision->type,
        .id = alert.id,
        .time_wall_ns = alert.stored_at_ns,
        .seq = alert.seq,
        .epoch = store_marks(intake->store)->epoch,
        .story = &told,
        .recovered = item->recovered,
    };
    tc_buf_clear(&intake->topic);
    tc_buf_clear(&intake->event);
    tc_event_topic(hit, &intake->topic);
    tc_event_add(&intake->event, &event, item->watches[at], item->article, hit);
    alert.topic = tc_buf_view(&intake->topic);
    alert.body = tc_buf_view(&intake->event);
    return store_put_alert(intake->store, &alert, err);
}

static int store_one(struct intake *intake, const struct item *item, size_t at,
                     const struct story *story, int64_t now_wall_ns, bool *fresh, uint64_t *hseq,
                     struct tc_err *err)
{
    const struct tc_hit *hit = &item->hits[at];
    struct store_hit row = {
        .id = hit->id,
        .watch = hit->watch,
        .source = tc_event_article_source(item->article),
        .article = tc_event_article_id(item->article),
        .version = tc_event_article_version(item->article),
        .segment = hit->segment,
        .body = item->bodies[at],
    };
    int code = store_put_hit(intake->store, &row, fresh, hseq, err);
    if (code != TC_OK || !*fresh)
        return code;
    intake->counts.recovered += item->recovered;
    struct policy_decision decision =
        policy_decide(hit, story, item->article, item->watches[at], now_wall_ns);
    if (decision.verdict == POLICY_ALERT)
        return store_event(intake, item, at, *hseq, story, &decision, now_wall_ns, err);
    intake->counts.silent++;
    return TC_OK;
}

static int store_item(struct intake *intake, const struct item *item, int64_t now_wall_ns,
                      struct tc_json *json, struct tc_err *err)
{
    uint64_t stored = 0, duplicate = 0, highest = 0;
    struct story story;
    int code = TC_OK;
    story_of(item->article, &story);
    for (size_t i = 0; i < item->count && code == TC_OK; i++) {
        bool fresh = false;
        uint64_t hseq = 0;
        code = store_one(intake, item, i, &story, now_wall_ns, &fresh, &hseq, err);
        stored += fresh;
        duplicate += !fresh;
        highest = hseq > highest ? hseq : highest;
    }
    if (code == TC_OK)
        code = store_put_article(intake->store, tc_event_article_source(item->article),
                                 tc_event_article_id(item->article),
                                 tc_event_article_version(item->article), item->record,
                                 item->count ? highest : store_marks(intake->store)->hhead, err);
    intake->counts.notices += item->count == 0;
    tc_json_open(json, '{');
    tc_json_put_u64(json, "stored", stored);
    tc_json_put_u64(json, "duplicate", duplicate);
    tc_json_put_u64(json, "hseq", highest);
    tc_json_close(json, '}');
    intake->counts.duplicates += duplicate;
    return code;
}

static void put_rejected(struct intake *intake, const struct item *item, struct tc_json *json)
{
    tc_json_open(json, '{');
    tc_json_put_str(json, "rejected", item->rejected);
    tc_json_close(json, '}');
    intake->counts.rejected++;
}

// Where the history stands with this batch: HELLO brings it back.
static void put_place(const struct intake *intake, struct tc_json *json)
{
    const struct store_marks *marks = store_marks(intake->store);
    if (!marks->commits)
        return;
    answer_put_id(json, "run", marks->run);
    tc_json_put_u64(json, "commit", marks->commits);
}

static int store_batch(struct intake *intake, const struct batch *batch, int64_t now_wall_ns,
                       struct answer *answer, struct tc_err *err)
{
    int code = TC_OK;
    struct tc_json json = answer_begin(answer, "ACK");
    tc_json_put_u64(&json, "batch", batch->number);
    answer_put_id(&json, "epoch", store_marks(intake->store)->epoch);
    tc_json_key(&json, "items");
    tc_json_open(&json, '[');
    for (size_t i = 0; i < batch->count && code == TC_OK; i++) {
        const struct item *item = &batch->items[i];
        if (item->article)
            code = store_item(intake, item, now_wall_ns, &json, err);
        else
            put_rejected(intake, item, &json);
    }
    tc_json_close(&json, ']');
    put_place(intake, &json);
    tc_json_close(&json, '}');
    if (batch->number > batch->session->batch)
        batch->session->batch = batch->number;
    batch->session->seen_wall_ns = now_wall_ns;
    return code;
}

static void ask_for_watches(const struct batch *batch, struct answer *answer)
{
    struct tc_json json = nak(answer, batch, "watch");
    tc_json_key(&json, "need");
    tc_json_open(&json, '[');
    for (size_t i = 0; i < batch->need_count; i++) {
        char hash[TC_ID_TEXT_BYTES];
        tc_id_text(batch->need[i], hash);
        tc_json_str(&json, tc_str_of(hash));
    }
    tc_json_close(&json, ']');
    tc_json_close(&json, '}');
}

int intake_put(struct intake *intake, const struct request *request, int64_t now_wall_ns,
               struct answer *answer, struct tc_err *err)
{
    struct batch batch = {.peer = request->peer};
    int code = TC_OK;
    watches_trim(intake->watches);
    tc_arena_empty(intake->arena);
    if (!read_put(intake, request, answer, &batch, err) || !small_enough(request, answer) ||
        !in_order(&batch, answer))
        return TC_OK;
    batch.items = tc_arena_take(intake->arena, batch.count * sizeof *batch.items);
    for (size_t i = 0; i < batch.count && code == TC_OK; i++)
        code = read_item(intake, &batch, &batch.items[i], request->payload[2 * i],
                         request->payload[2 * i + 1], err);
    if (code == TC_OK && batch.need_count)
        ask_for_watches(&batch, answer);
    else if (code == TC_OK)
        code = store_batch(intake, &batch, now_wall_ns, answer, err);

    for (size_t i = 0; i < batch.count; i++)
        tc_event_article_free(batch.items[i].article);
    free(batch.need);
    return code;
}
