#include "broker/sessions.h"

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
        if (sessions->rows[i].seen_wall_ns < found->seen_wall_ns)
            found = &sessions->rows[i];
    }
    return found;
}

void sessions_begin(struct sessions *sessions, tc_str name, struct tc_id id, int64_t now_wall_ns)
{
    struct session *row = named(sessions, name);
    if (row && tc_id_eq(row->id, id)) {
        row->seen_wall_ns = now_wall_ns;
        return;
    }
    if (!row)
        row =
            sessions->count < SESSIONS_MOST ? &sessions->rows[sessions->count++] : oldest(sessions);
    *row = (struct session){.id = id, .seen_wall_ns = now_wall_ns};
    name = tc_str_cut(name, 0, sizeof row->name - 1);
    memcpy(row->name, name.ptr, name.len);
}

struct session *sessions_find(struct sessions *sessions, struct tc_id id)
{
    for (size_t i = 0; i < sessions->count; i++) {
        if (tc_id_eq(sessions->rows[i].id, id))
            return &sessions->rows[i];
    }
    return NULL;
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
