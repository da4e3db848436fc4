#include "broker/verify.h"

#include "broker/reader.h"
#include "broker/wal.h"
#include "common/hit.h"
#include "common/json.h"
#include "common/mem.h"

#include <jansson.h>
#include <stdlib.h>

enum { STOP_EVERY = 1024 };

struct verify {
    struct reader *reader;
    const struct verify_to *to;
    struct verify_report *report;
    struct tc_id *ids; // of the alerts
    size_t id_count, id_capacity;
    int64_t last_stored_at_ns;
    uint64_t rows;
};

static void fault(struct verify *verify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fault(struct verify *verify, const char *format, ...)
{
    char sentence[TC_ERR_TEXT_BYTES];
    va_list arguments;
    if (verify->report->faults++ >= VERIFY_SENTENCES_MOST)
        return;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    verify->to->fault(verify->to->context, sentence);
}

static bool stopped(struct verify *verify)
{
    return ++verify->rows % STOP_EVERY == 0 && verify->to->stop &&
           verify->to->stop(verify->to->context);
}

// --- a walk by number ---

// Numbers that should be there and are not. Retention may have taken them since the walk began.
static void missing(struct verify *verify, const char *what, uint64_t from, uint64_t to, bool alert)
{
    struct reader_marks now;
    struct tc_err err;
    if (reader_marks(verify->reader, &now, &err) == TC_OK) {
        uint64_t first = alert ? now.marks.first : now.marks.hfirst;
        from = from < first ? first : from;
    }
    if (from == to)
        fault(verify, "%s %llu is missing", what, (unsigned long long)from);
    else if (from < to)
        fault(verify, "%ss %llu to %llu are missing", what, (unsigned long long)from,
              (unsigned long long)to);
}

// A row above the last number. It may have come since the walk began.
static void beyond(struct verify *verify, const char *what, uint64_t number, bool alert)
{
    struct reader_marks now;
    struct tc_err err;
    if (reader_marks(verify->reader, &now, &err) == TC_OK &&
        number > (alert ? now.marks.head : now.marks.hhead))
        fault(verify, "there is %s %llu, but the last one is %llu", what,
              (unsigned long long)number,
              (unsigned long long)(alert ? now.marks.head : now.marks.hhead));
}

struct walk {
    const char *what;
    bool alert;
    uint64_t expected, end;
    uint64_t bad_from, bad_to; // a run of numbers whose page cannot be read; 0: none
};

static void end_bad(struct verify *verify, struct walk *walk)
{
    if (walk->bad_from)
        fault(verify, "%ss %llu to %llu cannot be read: their page is damaged", walk->what,
              (unsigned long long)walk->bad_from, (unsigned long long)walk->bad_to);
    walk->bad_from = 0;
}

// Notes what came: a row, whole or not, or a page that cannot be read (TC_EIO). False at the end.
static bool note(struct verify *verify, struct walk *walk, int code, uint64_t number)
{
    if (code == TC_EIO) {
        walk->bad_from = walk->bad_from ? walk->bad_from : number;
        walk->bad_to = number;
        walk->expected = number + 1;
        return true;
    }
    end_bad(verify, walk);
    if (code == TC_ENOENT)
        number = walk->end + 1;
    if (number > walk->expected)
        missing(verify, walk->what, walk->expected, number - 1, walk->alert);
    if (code == TC_ECORRUPT)
        fault(verify, "%s %llu fails its checksum", walk->what, (unsigned long long)number);
    walk->expected = number + 1;
    return code != TC_ENOENT;
}

// --- hits ---

static void check_hit(struct verify *verify, uint64_t hseq, const struct store_hit *hit)
{
    struct tc_id id = tc_hit_id(hit->watch, hit->source, hit->article, hit->version, hit->segment);
    unsigned long long number = hseq;
    if (!tc_id_eq(id, hit->id))
        fault(verify, "hit %llu: its id is not the hash of what it names", number);
    if (!reader_has_article(verify->reader, hit))
        fault(verify, "hit %llu: its article %.*s of %.*s is missing", number,
              TC_ARG(tc_str_cut(hit->article, 0, 100)), TC_ARG(tc_str_cut(hit->source, 0, 100)));
    if (reader_has_seen(verify->reader, hit->id) && reader_has_hit(verify->reader, hseq))
        fault(verify, "hit %llu is stored twice: its id belongs to a removed one, too", number);
}

static int check_hits(struct verify *verify)
{
    const struct store_marks *marks = &verify->report->marks;
    struct walk walk = {"hit", false, marks->hfirst, marks->hhead, 0, 0};
    struct store_hit hit;
    uint64_t hseq = 0;
    int code;
    reader_seek_hits(verify->reader, 1, marks->hhead);
    do {
        code = reader_next_hit(verify->reader, &hseq, &hit);
        verify->report->hits += code == TC_OK;
        if (code == TC_OK)
            check_hit(verify, hseq, &hit);
        if (stopped(verify))
            return TC_ESTOP;
    } while (note(verify, &walk, code, hseq));
    reader_seek_hits(verify->reader, marks->hhead + 1, INT64_MAX);
    if (reader_next_hit(verify->reader, &hseq, &hit) != TC_ENOENT)
        beyond(verify, "hit", hseq, false);
    return TC_OK;
}

// --- alerts ---

static void check_event(struct verify *verify, const struct store_alert *alert)
{
    json_t *event = NULL;
    uint64_t seq = 0;
    char id[TC_ID_TEXT_BYTES];
    tc_id_text(alert->id, id);
    bool same = tc_json_read(alert->body, &event, NULL) == TC_OK &&
                tc_str_u64(tc_json_get_str(event, "sequence"), &seq) && seq == alert->seq &&
                tc_str_eq(tc_json_get_str(event, "id"), tc_str_of(id)) &&
                tc_str_eq(tc_json_get_str(event, "subject"), alert->topic);
    if (!same)
        fault(verify, "alert %llu: its event has another number, id or topic",
              (unsigned long long)alert->seq);
    json_decref(event);
}

static void check_alert(struct verify *verify, const struct store_alert *alert)
{
    const struct store_marks *marks = &verify->report->marks;
    unsigned long long seq = alert->seq;
    check_event(verify, alert);
    if (alert->hseq < 1 || (alert->hseq >= marks->hfirst && alert->hseq <= marks->hhead &&
                            !reader_has_hit(verify->reader, alert->hseq)))
        fault(verify, "alert %llu: its hit %llu is missing", seq, (unsigned long long)alert->hseq);
    if (alert->stored_at_ns < verify->last_stored_at_ns)
        fault(verify, "alert %llu: its time lies before that of the one before", seq);
    verify->last_stored_at_ns = alert->stored_at_ns;
    verify->ids = tc_room(verify->ids, verify->id_count, &verify->id_capacity, sizeof *verify->ids);
    verify->ids[verify->id_count++] = alert->id;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct tc_id));
}

static void check_ids(struct verify *verify)
{
    struct tc_id *ids = verify->ids;
    if (verify->id_count)
        qsort(ids, verify->id_count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < verify->id_count; i++) {
        char text[TC_ID_TEXT_BYTES];
        tc_id_text(ids[i], text);
        if (tc_id_eq(ids[i - 1], ids[i]))
            fault(verify, "two alerts have the id %s", text);
    }
}

static int check_alerts(struct verify *verify)
{
    const struct store_marks *marks = &verify->report->marks;
    struct walk walk = {"alert", true, marks->first, marks->head, 0, 0};
    struct store_alert alert;
    uint64_t seq = 0;
    int code;
    reader_seek_alerts(verify->reader, 1, marks->head);
    do {
        code = reader_next_alert(verify->reader, &seq, &alert);
        verify->report->alerts += code == TC_OK;
        if (code == TC_OK)
            check_alert(verify, &alert);
        if (stopped(verify))
            return TC_ESTOP;
    } while (note(verify, &walk, code, seq));
    reader_seek_alerts(verify->reader, marks->head + 1, INT64_MAX);
    if (reader_next_alert(verify->reader, &seq, &alert) != TC_ENOENT)
        beyond(verify, "alert", seq, true);
    check_ids(verify);
    return TC_OK;
}

// --- the other tables ---

static int on_article(void *context, const struct reader_article *article, bool whole)
{
    struct verify *verify = context;
    verify->report->articles++;
    if (!whole)
        fault(verify, "article %.*s of %.*s, version %llu, fails its checksum",
              TC_ARG(tc_str_cut(article->id, 0, 100)), TC_ARG(tc_str_cut(article->source, 0, 100)),
              (unsigned long long)article->version);
    return stopped(verify) ? TC_ESTOP : TC_OK;
}

static int on_watch(void *context, const struct reader_watch *watch, bool whole)
{
    struct verify *verify = context;
    verify->report->watches++;
    if (!whole)
        fault(verify, "a definition of watch %.*s does not fit its hash",
              TC_ARG(tc_str_cut(watch->name, 0, 130)));
    return stopped(verify) ? TC_ESTOP : TC_OK;
}

static int on_consumer(void *context, tc_str name, uint64_t cursor, struct sqlite3_stmt *row)
{
    struct verify *verify = context;
    (void)row;
    struct reader_marks now;
    verify->report->consumers++;
    if (cursor > verify->report->marks.head &&
        (reader_marks(verify->reader, &now, NULL) != TC_OK || cursor > now.marks.head))
        fault(verify, "consumer %.*s has acknowledged alert %llu, the last one is %llu",
              TC_ARG(name), (unsigned long long)cursor,
              (unsigned long long)verify->report->marks.head);
    return TC_OK;
}

static int on_seen(void *context, uint64_t hseq, tc_str id, uint64_t crc)
{
    struct verify *verify = context;
    (void)crc;
    verify->report->ids++;
    if (id.len != TC_ID_BYTES)
        fault(verify, "the id of the removed hit %llu is none", (unsigned long long)hseq);
    return stopped(verify) ? TC_ESTOP : TC_OK;
}

static int check_tables(struct verify *verify)
{
    const struct reader_tell tell = {.context = verify,
                                     .article = on_article,
                                     .watch = on_watch,
                                     .consumer = on_consumer,
                                     .seen = on_seen};
    static const struct {
        const char *what;
        int (*each)(struct reader *, const struct reader_tell *, struct tc_err *);
    } tables[] = {{"articles", reader_each_article},
                  {"definitions of watches", reader_each_watch},
                  {"ids of removed hits", reader_each_seen},
                  {"consumers", reader_each_consumer}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct tc_err err;
        int code = tables[i].each(verify->reader, &tell, &err);
        if (code == TC_ESTOP)
            return code;
        if (code != TC_OK)
            fault(verify, "the %s cannot all be read: %s", tables[i].what, err.text);
    }
    return TC_OK;
}

static void on_page(void *context, const char *sentence)
{
    fault(context, "pages: %s", sentence);
}

static int stopped_now(void *context)
{
    const struct verify *verify = context;
    return verify->to->stop && verify->to->stop(verify->to->context);
}

static int check_all(struct verify *verify, bool pages)
{
    int code = check_hits(verify);
    if (code == TC_OK)
        code = check_alerts(verify);
    if (code == TC_OK)
        code = check_tables(verify);
    if (code == TC_OK && pages)
        code = reader_check(verify->reader, verify, on_page, stopped_now);
    verify->report->pages = code == TC_OK && pages;
    return code;
}

int verify_store(const char *path, bool pages, const struct verify_to *to,
                 struct verify_report *out, struct tc_err *err)
{
    struct verify verify = {.to = to, .report = out};
    struct reader_marks marks;
    *out = (struct verify_report){0};
    int code = pages ? wal_check(path, err) : TC_OK; // before SQLite looks at it
    if (code == TC_ECORRUPT)
        fault(&verify, "%s", err->text);
    code = reader_open(path, &verify.reader, err);
    if (code == TC_OK)
        code = reader_marks(verify.reader, &marks, err);
    if (code == TC_OK) {
        out->marks = marks.marks;
        code = check_all(&verify, pages);
    }
    if (code == TC_ESTOP)
        tc_fail(err, code, "stopped before the end");
    reader_close(verify.reader);
    free(verify.ids);
    return code;
}
