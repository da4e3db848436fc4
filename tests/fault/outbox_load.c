#include <stdio.h>
#include <stdlib.h>

#include "tests/fault/load.h"
#include "watcher/outbox/outbox.h"

enum { ARTICLES_MOST = 4, ITEMS_MOST = LOAD_STEPS_MOST * ARTICLES_MOST };

// Transaction t happens on day t; so marks of 30 days and confirmed items of one become old.
#define DAY (24 * 3600 * INT64_C(1000000000))

struct item { // what became of item n; 0: not yet
    unsigned added, confirmed, dead, trimmed;
    unsigned article; // of the transaction
};

struct memory {
    struct item items[ITEMS_MOST];
    size_t count; // items 0 to count - 1 were added by the transactions up to `known`
    unsigned known;
    unsigned trimmed[LOAD_STEPS_MOST]; // day of the last trim, after each transaction
};

// ---- what transaction t writes ------------------------------------------------------------

struct made {
    bool trims; // a transaction of its own
    unsigned articles;
    bool hits[ARTICLES_MOST];
    unsigned confirms, buries; // of the items that wait, from the oldest
};

static struct made make(const struct load *load, unsigned t)
{
    struct chance chance = load_chance(load, t);
    struct made made = {.trims = t % 9 == 8};
    if (made.trims)
        return made;
    made.articles = 1 + (unsigned)chance_below(&chance, ARTICLES_MOST);
    for (unsigned i = 0; i < made.articles; i++)
        made.hits[i] = !chance_one_in(&chance, 4);
    made.confirms = chance_one_in(&chance, 2) ? (unsigned)chance_below(&chance, 6) : 0;
    made.buries = chance_one_in(&chance, 9);
    return made;
}

static bool waits(const struct item *item, unsigned t)
{
    return item->added <= t && (!item->confirmed || item->confirmed > t) &&
           (!item->dead || item->dead > t);
}

// Confirms or buries the oldest items that wait.
static void settle(struct memory *memory, unsigned t, const struct made *made)
{
    unsigned confirms = made->confirms, buries = made->buries;
    for (size_t i = 0; i < memory->count && confirms + buries; i++) {
        struct item *item = &memory->items[i];
        if (item->added == t || !waits(item, t))
            continue;
        if (buries) {
            item->dead = t;
            buries--;
        } else {
            item->confirmed = t;
            confirms--;
        }
    }
}

// Works out what transaction t does; again for one that failed is no harm.
static void foresee(struct load *load, unsigned t)
{
    struct memory *memory = load->memory;
    if (t <= memory->known)
        return;
    struct made made = make(load, t);
    for (unsigned i = 0; i < made.articles; i++) {
        if (made.hits[i])
            memory->items[memory->count++] = (struct item){.added = t, .article = i};
    }
    settle(memory, t, &made);
    memory->trimmed[t] = made.trims ? t : memory->trimmed[t - 1];
    for (size_t i = 0; i < memory->count && made.trims; i++) {
        struct item *item = &memory->items[i];
        if (item->confirmed && !item->trimmed && item->confirmed + 1 < t)
            item->trimmed = t;
    }
    memory->known = t;
}

static void begin(struct load *load)
{
    load->memory = calloc(1, sizeof(struct memory));
}

static void end(struct load *load)
{
    free(load->memory);
}

static int open_it(struct load *load, struct tc_err *err)
{
    struct outbox *outbox = NULL;
    struct outbox_settings settings = {
        .dir = tc_str_of(load->folder),
        .horizon_ns = DAY,
        .horizon_bytes = OUTBOX_HORIZON_BYTES,
        .boot = TC_STR("one"),
    };
    int code = outbox_open(&settings, &outbox, err);
    load->db = outbox;
    return code;
}

static void close_it(struct load *load)
{
    outbox_close(load->db);
    load->db = NULL;
}

struct article {
    char name[32], text[LOAD_TEXT_BYTES];
    tc_str id, body;
    struct tc_id content;
};

static void describe(const struct load *load, unsigned t, unsigned i, struct article *out)
{
    snprintf(out->name, sizeof out->name, "article-%u-%u", t, i);
    out->id = tc_str_of(out->name);
    out->body = (tc_str){out->text, load_text(load, t, i, out->text)};
    out->content = tc_id_of_bytes(out->body);
}

static int add(const struct load *load, unsigned t, unsigned i, bool hits, struct tc_err *err)
{
    struct article article;
    describe(load, t, i, &article);
    struct outbox_article row = {.source = TC_STR("wire"),
                                 .id = article.id,
                                 .version = 1,
                                 .content = article.content,
                                 .seen_wall_ns = t * DAY};
    if (hits) {
        row.header = article.id;
        row.hits = article.body;
    }
    int code = outbox_add(load->db, &row, err);
    return code == TC_OK && hits ? outbox_define(load->db, article.content, article.body, err)
                                 : code;
}

static int write_all(struct load *load, unsigned t, struct tc_err *err)
{
    const struct memory *memory = load->memory;
    struct made made = make(load, t);
    struct outbox_place place = {"00112233445566778899aabbccddeeff", "", t, t};
    int code = TC_OK;
    for (unsigned i = 0; i < made.articles && code == TC_OK; i++)
        code = add(load, t, i, made.hits[i], err);
    for (size_t i = 0; i < memory->count && code == TC_OK; i++) {
        if (memory->items[i].confirmed == t)
            code = outbox_acked(load->db, i + 1, &place, err);
        else if (memory->items[i].dead == t)
            code = outbox_dead(load->db, i + 1, TC_STR("a reason"), t * DAY, err);
    }
    return code;
}

static int step(struct load *load, unsigned t, struct tc_err *err)
{
    bool more = false;
    foresee(load, t);
    outbox_tick(load->db, t * DAY);
    if (make(load, t).trims)
        return outbox_trim(load->db, &more, err);
    int code = outbox_begin(load->db, err);
    if (code == TC_OK)
        code = write_all(load, t, err);
    if (code == TC_OK)
        code = outbox_commit(load->db, err);
    if (code != TC_OK)
        outbox_rollback(load->db);
    return code;
}

// ---- what must be there -------------------------------------------------------------------

static bool expect_waiting(struct load *load, size_t n, uint64_t *after)
{
    const struct item *item = &((struct memory *)load->memory)->items[n - 1];
    const struct outbox_item *got = NULL;
    struct article article;
    struct tc_err err = {0};
    size_t count = 0;
    tc_str definition;
    describe(load, item->added, item->article, &article);
    int code = outbox_waiting(load->db, *after, 1, SIZE_MAX, &got, &count, &err);
    if (code != TC_OK || count != 1 || got->n != n || !tc_str_eq(got->header, article.id) ||
        !tc_str_eq(got->hits, article.body))
        return load_wrong(load, "item %zu (%u-%u) does not wait as it was added (%zu, %llu): %s", n,
                          item->added, item->article, count,
                          (unsigned long long)(count ? got->n : 0), err.text);
    *after = n;
    code = outbox_definition(load->db, article.content, &definition, &err);
    return (code == TC_OK && tc_str_eq(definition, article.body)) ||
           load_wrong(load, "item %zu has no definition: %s", n, err.text);
}

static bool has_items(struct load *load, unsigned steps)
{
    const struct memory *memory = load->memory;
    const struct outbox_item *got = NULL;
    struct tc_err err;
    uint64_t after = 0, acked = 0, dead = 0;
    size_t count = 0;
    for (size_t i = 0; i < memory->count; i++) {
        const struct item *item = &memory->items[i];
        if (waits(item, steps) && !expect_waiting(load, i + 1, &after))
            return false;
        acked += item->confirmed && item->confirmed <= steps &&
                 (!item->trimmed || item->trimmed > steps);
        dead += item->dead && item->dead <= steps;
    }
    if (outbox_waiting(load->db, after, 1, SIZE_MAX, &got, &count, &err) != TC_OK || count)
        return load_wrong(load, "an item waits behind %llu", (unsigned long long)after);
    struct outbox_counts counts = outbox_counts(load->db);
    return (counts.acked == acked && counts.dead == dead) ||
           load_wrong(load, "%llu confirmed and %llu dead, not %llu and %llu",
                      (unsigned long long)counts.acked, (unsigned long long)counts.dead,
                      (unsigned long long)acked, (unsigned long long)dead);
}

static bool expect_mark(struct load *load, unsigned t, unsigned i, bool there)
{
    struct article article;
    struct tc_err err = {0};
    struct outbox_mark mark;
    describe(load, t, i, &article);
    int code = outbox_look(load->db, TC_STR("wire"), article.id, article.content, &mark, &err);
    return (code == TC_OK && mark.known == (there ? OUTBOX_SAME : OUTBOX_NEW)) ||
           load_wrong(load, "article %u-%u is %s known: %s", t, i, there ? "not" : "still",
                      err.text);
}

static bool has_marks(struct load *load, unsigned steps)
{
    const struct memory *memory = load->memory;
    uint64_t marks = 0;
    bool good = true;
    for (unsigned t = 1; t <= steps + 1 && good; t++) {
        bool there = t <= steps && t + 30 >= memory->trimmed[steps];
        unsigned articles = make(load, t).articles;
        for (unsigned i = 0; i < articles && good; i++)
            good = expect_mark(load, t, i, there);
        marks += there ? articles : 0;
    }
    return good && (outbox_counts(load->db).marks == marks ||
                    load_wrong(load, "%llu marks, not %llu",
                               (unsigned long long)outbox_counts(load->db).marks,
                               (unsigned long long)marks));
}

static bool holds(struct load *load, unsigned steps)
{
    foresee(load, steps);
    return has_items(load, steps) && has_marks(load, steps);
}

// The checksum of an item travels in its frame and is the broker's to look at. Here it must only be read, or
// refused.
static bool honest(struct load *load, unsigned steps, struct load_survey *out)
{
    const struct memory *memory = load->memory;
    const struct outbox_item *items = NULL;
    struct tc_err err;
    uint64_t after = 0;
    size_t count = 0;
    unsigned given = 0, all = 0;
    int code = TC_OK;
    do {
        code = outbox_waiting(load->db, after, OUTBOX_BATCH_MOST, SIZE_MAX, &items, &count, &err);
        if (code == TC_OK && count && items[count - 1].n <= after)
            return load_wrong(load, "items do not rise");
        given += code == TC_OK ? (unsigned)count : 0;
        after = code == TC_OK && count ? items[count - 1].n : after;
    } while (code == TC_OK && count);
    for (size_t i = 0; i < memory->count; i++)
        all += waits(&memory->items[i], steps);
    out->damaged += code != TC_OK;
    out->missing = all > given ? all - given : 0;
    return true;
}

const struct load_kind outbox_load = {
    .name = "outbox",
    .file = "outbox.db",
    .begin = begin,
    .end = end,
    .open = open_it,
    .close = close_it,
    .step = step,
    .holds = holds,
    .honest = honest,
};
