#include "broker/sessions.h"

#include "common/clock.h"

static struct session *named(struct sessions *sessions, tc_str name)
{
    for (size_t i = 0; i < sessions->count; i++) {
        if (tc_str_eq(tc_str_of(sessions->rows[i].name), name))
            return &sessions->rows[i];
    }
    return NULL;
}

static struct session *oldest(struct sessions *sessions)
{
    struct session *found = &sessions->rows[0];
    for (size_t i = 1; i < sessions->count; i++) {
        if (sessions->rows[i].seen_mono_ns < found->seen_mono_ns)
            found = &sessions->rows[i];
    }
    return found;
}

static bool same_watcher(const struct session *row, const struct session_claim *claim)
{
    static const struct tc_id none;
    return tc_id_eq(row->instance, claim->instance) && !tc_id_eq(row->instance, none);
}

// What becomes of a claim to the name that `row` has.
static enum session_verdict judge(const struct session *row, const struct session_claim *claim,
                                  int64_t now_mono_ns)
{
    bool alive = now_mono_ns < row->seen_mono_ns + SESSION_ALIVE_MS * TC_MS;
    if (same_watcher(row, claim))
        return claim->life > row->life ? SESSION_BEGINS : SESSION_REFUSED;
    if (alive)
        return claim->yield ? SESSION_REFUSED : SESSION_REPLACES;
    return SESSION_BEGINS;
}

enum session_verdict sessions_begin(struct sessions *sessions, const struct session_claim *claim,
                                    int64_t now_wall_ns, int64_t now_mono_ns)
{
    struct session *row = named(sessions, claim->name);
    enum session_verdict verdict = SESSION_BEGINS;
    if (row && tc_id_eq(row->id, claim->id)) {
        sessions_seen(row, now_wall_ns, now_mono_ns);
        return SESSION_BEGINS;
    }
    if (row)
        verdict = judge(row, claim, now_mono_ns);
    if (verdict == SESSION_REFUSED)
        return verdict;
    if (row && !same_watcher(row, claim))
        sessions->replaced[sessions->replaced_count++ % SESSIONS_REPLACED] = row->id;
    if (!row)
        row =
            sessions->count < SESSIONS_MOST ? &sessions->rows[sessions->count++] : oldest(sessions);
    *row = (struct session){.id = claim->id, .instance = claim->instance, .life = claim->life};
    sessions_seen(row, now_wall_ns, now_mono_ns);
    tc_str name = tc_str_cut(claim->name, 0, sizeof row->name - 1);
    memcpy(row->name, name.ptr, name.len);
    return verdict;
}

struct session *sessions_find(struct sessions *sessions, struct tc_id id)
{
    for (size_t i = 0; i < sessions->count; i++) {
        if (tc_id_eq(sessions->rows[i].id, id))
            return &sessions->rows[i];
    }
    return NULL;
}

bool sessions_replaced(const struct sessions *sessions, struct tc_id id)
{
    for (size_t i = 0; i < SESSIONS_REPLACED && i < sessions->replaced_count; i++) {
        if (tc_id_eq(sessions->replaced[i], id))
            return true;
    }
    return false;
}

void sessions_seen(struct session *session, int64_t now_wall_ns, int64_t now_mono_ns)
{
    session->seen_wall_ns = now_wall_ns;
    session->seen_mono_ns = now_mono_ns;
}

void sessions_committed(struct sessions *sessions)
{
    for (size_t i = 0; i < sessions->count; i++)
        sessions->rows[i].committed = sessions->rows[i].batch;
}

void sessions_rolled_back(struct sessions *sessions)
{
    for (size_t i = 0; i < sessions->count; i++)
        sessions->rows[i].batch = sessions->rows[i].committed;
}
