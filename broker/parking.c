#include "broker/parking.h"

#include "common/mem.h"

#include <stdlib.h>

struct row {
    struct answer answer; // the way back
    struct fetch *fetch;
};

struct parking {
    struct row rows[FETCH_PARKED_MOST];
    size_t count;
    size_t next; // where the next turn goes on
};

struct parking *parking_new(void)
{
    return tc_new(sizeof(struct parking));
}

void parking_free(struct parking *parking)
{
    if (!parking)
        return;
    for (size_t i = 0; i < parking->count; i++) {
        fetch_free(parking->rows[i].fetch);
        answer_done(&parking->rows[i].answer);
    }
    free(parking);
}

size_t parking_count(const struct parking *parking)
{
    return parking->count;
}

static void leave(struct parking *parking, size_t index)
{
    fetch_free(parking->rows[index].fetch);
    answer_done(&parking->rows[index].answer);
    parking->rows[index] = parking->rows[--parking->count];
}

static bool same_connection(const struct answer *a, const struct answer *b)
{
    return a->envelope_count && b->envelope_count &&
           tc_str_eq(answer_envelope_at(a, 0), answer_envelope_at(b, 0));
}

void parking_replace(struct parking *parking, const struct answer *newer, answer_sink *sink,
                     void *context)
{
    for (size_t i = 0; i < parking->count; i++) {
        struct answer *old = &parking->rows[i].answer;
        if (!same_connection(old, newer))
            continue;
        answer_refuse(old, "superseded", "a newer FETCH of this connection replaces it");
        sink(context, old);
        leave(parking, i);
        return;
    }
}

void parking_clear(struct parking *parking, answer_sink *sink, void *context)
{
    while (parking->count) {
        struct answer *last = &parking->rows[parking->count - 1].answer;
        answer_refuse(last, "superseded", "the list of keys was read again: ask once more");
        sink(context, last);
        leave(parking, parking->count - 1);
    }
}

void parking_fence(struct parking *parking, const struct consumers *consumers, answer_sink *sink,
                   void *context)
{
    for (size_t i = parking->count; i-- > 0;) {
        struct row *row = &parking->rows[i];
        if (!fetch_fenced(row->fetch, consumers, &row->answer))
            continue;
        sink(context, &row->answer);
        leave(parking, i);
    }
}

bool parking_put(struct parking *parking, const struct answer *answer, struct fetch *fetch)
{
    if (parking->count == FETCH_PARKED_MOST)
        return false;
    parking->rows[parking->count++] = (struct row){*answer, fetch};
    return true;
}

static bool due(const struct row *row, const struct store *store, int64_t now_mono_ns)
{
    return fetch_due(row->fetch, store) || now_mono_ns >= fetch_deadline(row->fetch);
}

void parking_run(struct parking *parking, struct store *store, int64_t now_mono_ns,
                 answer_sink *sink, void *context, struct fetch_budget *budget)
{
    for (size_t looked = parking->count; looked && parking->count && budget->rows; looked--) {
        size_t at = parking->next < parking->count ? parking->next : 0;
        struct row *row = &parking->rows[at];
        parking->next = at + 1;
        if (!due(row, store, now_mono_ns))
            continue;
        if (!fetch_run(row->fetch, store, now_mono_ns, &row->answer, budget))
            continue;
        sink(context, &row->answer);
        leave(parking, at);
        parking->next = at; // the last row stands here now
    }
}

int64_t parking_next_mono_ns(const struct parking *parking, const struct store *store)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < parking->count; i++) {
        const struct row *row = &parking->rows[i];
        if (fetch_due(row->fetch, store))
            return 0;
        if (fetch_deadline(row->fetch) < next)
            next = fetch_deadline(row->fetch);
    }
    return next;
}
