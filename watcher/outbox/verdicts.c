#include "watcher/outbox/verdicts.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

void verdicts_clear(struct verdicts *verdicts)
{
    for (size_t i = 0; i < verdicts->count; i++)
        free((char *)(uintptr_t)verdicts->list[i].dead);
    verdicts->count = 0;
}

void verdicts_done(struct verdicts *verdicts)
{
    verdicts_clear(verdicts);
    free(verdicts->list);
    *verdicts = (struct verdicts){0};
}

void verdicts_add(struct verdicts *verdicts, const struct verdict *verdict, int64_t now_mono_ns)
{
    if (verdicts->count == 0)
        verdicts->first_mono_ns = now_mono_ns;
    verdicts->list =
        tc_room(verdicts->list, verdicts->count, &verdicts->capacity, sizeof *verdicts->list);
    struct verdict *kept = &verdicts->list[verdicts->count++];
    *kept = *verdict;
    kept->dead = verdict->dead ? tc_dup(verdict->dead, strlen(verdict->dead)) : NULL;
}

static int write_stored(struct outbox *outbox, const char *epoch, const struct verdict *last,
                        struct tc_err *err)
{
    static const struct tc_id none;
    struct outbox_place place = {.commits = last->commits, .hseq = last->hseq};
    snprintf(place.epoch, sizeof place.epoch, "%s", epoch);
    if (!tc_id_eq(last->run, none))
        tc_id_text(last->run, place.run);
    return outbox_acked(outbox, last->n, &place, err);
}

int verdicts_write(const struct verdicts *verdicts, struct outbox *outbox, const char *epoch,
                   int64_t now_wall_ns, struct tc_err *err)
{
    const struct verdict *last = NULL;
    size_t items = 0;
    int code = TC_OK;
    for (size_t i = 0; i < verdicts->count && code == TC_OK; i++) {
        const struct verdict *verdict = &verdicts->list[i];
        if (verdict->dead) {
            code = outbox_dead(outbox, verdict->n, tc_str_of(verdict->dead), now_wall_ns, err);
            continue;
        }
        last = verdict;
        if (++items == OUTBOX_ACK_MOST) {
            code = write_stored(outbox, epoch, last, err);
            last = NULL;
            items = 0;
        }
    }
    return code == TC_OK && last ? write_stored(outbox, epoch, last, err) : code;
}
