#include "broker/hello.h"

#include "broker/intake.h"

#include <jansson.h>

// What the watcher was told last, before it lost sight of us.
struct last_acked {
    bool any, has_run;
    struct tc_id epoch, run;
    uint64_t hseq, commits;
};

struct hello {
    struct session_claim claim;
    struct last_acked last;
};

// --- reading ---

static int read_last_acked(const json_t *header, struct last_acked *out, struct tc_err *err)
{
    static const char *const known[] = {"epoch", "hseq", "run", "commit", NULL};
    const json_t *last = json_object_get(header, "last_acked");
    if (!last)
        return TC_OK;
    if (!json_is_object(last))
        return tc_fail(err, TC_EPARSE, "\"last_acked\" is no object");
    out->any = true;
    out->has_run = json_object_get(last, "run") != NULL;
    int code = tc_json_only(last, known, err);
    if (code == TC_OK)
        code = request_id(last, "epoch", &out->epoch, err);
    if (code == TC_OK)
        code = request_u64(last, "hseq", &out->hseq, err);
    if (code == TC_OK && out->has_run)
        code = request_id(last, "run", &out->run, err);
    return code == TC_OK && out->has_run ? request_u64(last, "commit", &out->commits, err) : code;
}

static int read_claim(const json_t *header, struct session_claim *out, struct tc_err *err)
{
    int code = request_name(header, "name", &out->name, err);
    if (code == TC_OK)
        code = request_id(header, "session", &out->id, err);
    if (code == TC_OK && json_object_get(header, "instance")) {
        code = request_id(header, "instance", &out->instance, err);
        if (code == TC_OK)
            code = request_u64(header, "life", &out->life, err);
    }
    return code == TC_OK ? request_bool(header, "yield", &out->yield, err) : code;
}

static int read_hello(const json_t *header, struct hello *out, struct tc_err *err)
{
    int code = read_claim(header, &out->claim, err);
    if (code == TC_OK && !tc_str_eq(tc_json_get_str(header, "role"), TC_STR("watcher")))
        code = tc_fail(err, TC_EPARSE, "\"role\" is missing or not \"watcher\"");
    return code == TC_OK ? read_last_acked(header, &out->last, err) : code;
}

// --- what is missing ---

// From which commit on this history lacks what the watcher was told of; 0: nothing is missing. The number
// of the last hit does not show it: when an older copy of the store was put back, other watchers may have
// brought it beyond that number already. The run that the commit belonged to does, also in a backup that was put
// in place and has an epoch of its own now: its runs are those of the history that it was taken from.
static int find_loss(struct store *store, const struct last_acked *last, uint64_t *since,
                     struct tc_err *err)
{
    const struct store_marks *marks = store_committed(store);
    uint64_t end = 0;
    *since = 0;
    if (!last->any)
        return TC_OK;
    if (!last->has_run) {
        *since = !tc_id_eq(last->epoch, marks->epoch) || last->hseq > marks->hhead ? 1 : 0;
        return TC_OK;
    }
    int code = store_run_end(store, last->run, &end, err);
    if (code == TC_OK)
        *since = last->commits > end ? end + 1 : 0;
    else if (code == TC_ENOENT)
        *since = 1;
    return code == TC_ENOENT ? TC_OK : code;
}

static void tell_loss(const struct hello *hello, uint64_t since, struct hello_news *news)
{
    char epoch[TC_ID_TEXT_BYTES];
    tc_id_text(hello->last.epoch, epoch);
    news->event = "history.shorter";
    tc_fail(&news->words, TC_OK,
            "watcher %.*s was told of hit %llu of history %s, which this one lacks; it is asked "
            "to send again what it was told from commit %llu on",
            TC_ARG(hello->claim.name), (unsigned long long)hello->last.hseq, epoch,
            (unsigned long long)since);
}

// --- answering ---

static void welcome(const struct store *store, uint64_t since, int64_t now_wall_ns,
                    struct answer *answer)
{
    const struct store_marks *marks = store_committed(store);
    struct tc_json json = answer_begin(answer, "WELCOME");
    answer_put_id(&json, "epoch", marks->epoch);
    tc_json_put_u64(&json, "head", marks->head);
    tc_json_put_u64(&json, "hhead", marks->hhead);
    tc_json_put_u64(&json, "first", marks->first);
    answer_put_time(&json, "time", now_wall_ns);
    tc_json_key(&json, "limits");
    tc_json_open(&json, '{');
    tc_json_put_u64(&json, "batch_articles", INTAKE_ARTICLES_MOST);
    tc_json_put_u64(&json, "batch_bytes", INTAKE_BATCH_BYTES);
    tc_json_close(&json, '}');
    if (since) {
        tc_json_key(&json, "resubmit");
        tc_json_open(&json, '{');
        tc_json_put_u64(&json, "since", since);
        tc_json_close(&json, '}');
    }
    tc_json_close(&json, '}');
}

static void refuse_session(struct answer *answer, const char *reason, uint64_t retry_ms)
{
    struct tc_json json = answer_begin(answer, "NAK");
    tc_json_put_str(&json, "reason", tc_str_of(reason));
    tc_json_put_u64(&json, "retry_ms", retry_ms);
    tc_json_close(&json, '}');
}

static int admit(struct sessions *sessions, struct store *store, const struct hello *hello,
                 int64_t now_wall_ns, int64_t now_mono_ns, struct answer *answer,
                 struct hello_news *news, struct tc_err *err)
{
    uint64_t since = 0;
    int code = find_loss(store, &hello->last, &since, err);
    if (code != TC_OK)
        return code;
    enum session_verdict verdict =
        sessions_begin(sessions, &hello->claim, now_wall_ns, now_mono_ns);
    if (verdict == SESSION_REFUSED) {
        refuse_session(answer, "replaced", SESSION_ALIVE_MS);
        return TC_OK;
    }
    welcome(store, since, now_wall_ns, answer);
    if (verdict == SESSION_REPLACES) {
        news->event = "watcher.replaced";
        tc_fail(&news->words, TC_OK,
                "two watchers say that they are %.*s; the newer one has the name, the other waits. "
                "Give one of them another name",
                TC_ARG(hello->claim.name));
    } else if (since) {
        tell_loss(hello, since, news);
    }
    return TC_OK;
}

int hello_take(struct sessions *sessions, struct store *store, const struct request *request,
               int64_t now_wall_ns, int64_t now_mono_ns, struct answer *answer,
               struct hello_news *news, struct tc_err *err)
{
    static const char *const known[] = {"role", "name",  "session",    "instance",
                                        "life", "yield", "last_acked", NULL};
    json_t *header = NULL;
    struct hello hello = {0};
    int code = request_header(request, known, answer, &header, err);
    if (code == TC_OK)
        code = read_hello(header, &hello, err);
    if (code == TC_OK) {
        code = admit(sessions, store, &hello, now_wall_ns, now_mono_ns, answer, news, err);
    } else {
        answer_refuse(answer, "header", err->text);
        code = TC_OK;
    }
    json_decref(header);
    return code;
}

int hello_beat(struct sessions *sessions, const struct store *store, const struct request *request,
               int64_t now_wall_ns, int64_t now_mono_ns, struct answer *answer, struct tc_err *err)
{
    static const char *const known[] = {"session", NULL};
    const struct store_marks *marks = store_committed(store);
    json_t *header = NULL;
    struct tc_id id;
    int code = request_header(request, known, answer, &header, err);
    if (code == TC_OK)
        code = request_id(header, "session", &id, err);
    json_decref(header);
    if (code != TC_OK) {
        answer_refuse(answer, "header", err->text);
        return TC_OK;
    }
    struct session *session = sessions_find(sessions, id);
    if (!session) { // also who has nothing to PUT must say HELLO
        refuse_session(answer, sessions_replaced(sessions, id) ? "replaced" : "session", 0);
        return TC_OK;
    }
    sessions_seen(session, now_wall_ns, now_mono_ns);
    struct tc_json json = answer_begin(answer, "HB");
    answer_put_id(&json, "epoch", marks->epoch);
    tc_json_put_u64(&json, "head", marks->head);
    tc_json_put_u64(&json, "hhead", marks->hhead);
    answer_put_time(&json, "time", now_wall_ns);
    tc_json_close(&json, '}');
    return TC_OK;
}
