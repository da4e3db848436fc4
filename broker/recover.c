#include "broker/recover.h"

#include "broker/reader.h"
#include "broker/store_age.h"
#include "broker/store_parts.h"
#include "broker/verify.h"
#include "broker/wal.h"
#include "common/clock.h"
#include "common/hit.h"
#include "common/json.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { COMMIT_EVERY = 2000 };

struct numbers {
    uint64_t *at; // ascending
    size_t count, capacity;
};

struct recover {
    struct reader *from; // NULL: nothing of it can be read
    struct reader_marks old;
    struct store *to;
    struct recover_report *report;
    struct numbers alerts,
        causes;           // numbers of the alerts that are whole, and of their hits, sorted
    struct numbers doubt; // pairs: hits between them may have lost their alert
    size_t doubt_at;      // the pair at which survey_hits() stands
    struct numbers hits;  // that go over
    struct numbers seen;  // old numbers of ids that go over
    uint64_t rows;        // since the last commit
    struct tc_buf body;
};

// --- numbers ---

static void add(struct numbers *numbers, uint64_t number)
{
    numbers->at = tc_room(numbers->at, numbers->count, &numbers->capacity, sizeof *numbers->at);
    numbers->at[numbers->count++] = number;
}

static int compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;
    return one < two ? -1 : one > two;
}

static void sort(struct numbers *numbers)
{
    if (numbers->count)
        qsort(numbers->at, numbers->count, sizeof *numbers->at, compare);
}

// How many of them are at most `number`.
static uint64_t rank(const struct numbers *numbers, uint64_t number)
{
    size_t low = 0, high = numbers->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (numbers->at[middle] <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has(const struct numbers *numbers, uint64_t number)
{
    uint64_t up_to = rank(numbers, number);
    return up_to && numbers->at[up_to - 1] == number;
}

// A number of the old store in the new one; that of the last before it when it is lost.
static uint64_t new_hit(const struct recover *recover, uint64_t old)
{
    return recover->seen.count + rank(&recover->hits, old);
}

// --- reading the old store ---

// One pass over the alerts: which are whole, and between which hits one is missing.
static void survey_alerts(struct recover *recover)
{
    struct store_alert alert;
    uint64_t number = 0, expected = recover->old.marks.first, last_cause = 0;
    int code;
    reader_seek_alerts(recover->from, 1, recover->old.marks.head);
    while ((code = reader_next_alert(recover->from, &number, &alert)) != TC_ENOENT) {
        if (code != TC_OK)
            continue;
        if (number > expected) {
            add(&recover->doubt, last_cause);
            add(&recover->doubt, alert.hseq);
        }
        add(&recover->alerts, number);
        add(&recover->causes, alert.hseq);
        expected = number + 1;
        last_cause = alert.hseq;
    }
    if (expected <= recover->old.marks.head) {
        add(&recover->doubt, last_cause);
        add(&recover->doubt, UINT64_MAX);
    }
    recover->report->alerts_lost =
        recover->old.marks.head + 1 - recover->old.marks.first - recover->alerts.count;
    sort(&recover->causes);
}

// Asked with rising numbers.
static bool in_doubt(struct recover *recover, uint64_t hseq)
{
    const struct numbers *doubt = &recover->doubt;
    size_t *at = &recover->doubt_at;
    while (*at + 1 < doubt->count && hseq >= doubt->at[*at + 1])
        *at += 2;
    return *at + 1 < doubt->count && hseq > doubt->at[*at] && !has(&recover->causes, hseq);
}

static void survey_hits(struct recover *recover)
{
    struct store_hit hit;
    uint64_t number = 0;
    int code;
    reader_seek_hits(recover->from, 1, recover->old.marks.hhead);
    while ((code = reader_next_hit(recover->from, &number, &hit)) != TC_ENOENT) {
        if (code == TC_OK && !in_doubt(recover, number))
            add(&recover->hits, number);
    }
    recover->report->hits_lost =
        recover->old.marks.hhead + 1 - recover->old.marks.hfirst - recover->hits.count;
}

// --- writing the new one ---

static int step(struct recover *recover, struct tc_err *err)
{
    if (++recover->rows % COMMIT_EVERY != 0)
        return TC_OK;
    int code = store_commit(recover->to, err);
    return code == TC_OK ? store_begin(recover->to, err) : code;
}

static int put_seen(struct recover *recover, uint64_t old, tc_str id, uint64_t crc,
                    struct tc_err *err)
{
    sqlite3_stmt *statement = NULL;
    struct store *to = recover->to;
    int code = TC_OK;
    add(&recover->seen, old);
    if (sqlite3_prepare_v2(to->db, "INSERT OR IGNORE INTO seen(hseq, id, crc) VALUES(?1, ?2, ?3)",
                           -1, &statement, NULL) != SQLITE_OK)
        return store_refused(to, "keeping an id", err);
    bind_u64(statement, 1, recover->seen.count);
    bind_blob(statement, 2, id);
    bind_u64(statement, 3, crc);
    if (sqlite3_step(statement) != SQLITE_DONE)
        code = store_refused(to, "keeping an id", err);
    sqlite3_finalize(statement);
    return code == TC_OK ? step(recover, err) : code;
}

static int on_seen(void *context, uint64_t hseq, tc_str id, uint64_t crc)
{
    struct recover *recover = context;
    return id.len == TC_ID_BYTES ? put_seen(recover, hseq, id, crc, NULL) : TC_OK;
}

// The id of the hit behind an alert, from what its event says of it.
static bool id_of_event(tc_str body, struct tc_id *out)
{
    json_t *event = NULL;
    uint64_t version = 0, segment = 0;
    bool good = tc_json_read(body, &event, NULL) == TC_OK;
    const json_t *data = json_object_get(event, "data");
    const json_t *article = json_object_get(data, "article");
    tc_str watch = tc_json_get_str(json_object_get(data, "watch"), "name");
    good = good && watch.len && json_is_object(article) &&
           tc_json_get_u64(article, "version", &version) &&
           tc_json_get_u64(json_object_get(data, "segment"), "number", &segment);
    if (good)
        *out = tc_hit_id(watch, tc_json_get_str(article, "source"), tc_json_get_str(article, "id"),
                         version, (uint32_t)segment);
    json_decref(event);
    return good;
}

// Ids of hits whose alert is there and which are not.
static int keep_lost_ids(struct recover *recover, struct tc_err *err)
{
    struct numbers removed = recover->seen; // sorted, as they came; put_seen() adds behind
    struct store_alert alert;
    uint64_t number = 0, known = recover->seen.count;
    int read, code = TC_OK;
    struct numbers lost = {0};
    reader_seek_alerts(recover->from, 1, recover->old.marks.head);
    while (code == TC_OK &&
           (read = reader_next_alert(recover->from, &number, &alert)) != TC_ENOENT) {
        struct tc_id id;
        removed = (struct numbers){recover->seen.at, known, 0};
        if (read != TC_OK || has(&recover->hits, alert.hseq) || has(&removed, alert.hseq) ||
            (lost.count && lost.at[lost.count - 1] == alert.hseq) || !id_of_event(alert.body, &id))
            continue;
        add(&lost, alert.hseq);
        code = put_seen(recover, alert.hseq, id_bytes(&id), 0, err);
    }
    free(lost.at);
    sort(&recover->seen);
    return code;
}

static int copy_hits(struct recover *recover, struct tc_err *err)
{
    struct store_marks *marks = &recover->to->marks;
    struct store_hit hit;
    uint64_t number = 0;
    int read, code = TC_OK;
    marks->hhead = recover->seen.count;
    marks->hfirst = marks->hhead + 1;
    recover->to->seen = false; // an id is in one of the tables only
    reader_seek_hits(recover->from, 1, recover->old.marks.hhead);
    while (code == TC_OK && (read = reader_next_hit(recover->from, &number, &hit)) != TC_ENOENT) {
        bool fresh = false;
        uint64_t hseq = 0;
        if (read != TC_OK || !has(&recover->hits, number))
            continue;
        code = store_put_hit(recover->to, &hit, &fresh, &hseq, err);
        recover->report->hits += fresh;
        if (code == TC_OK)
            code = step(recover, err);
    }
    return code;
}

// Puts other digits into the place of a member of the event that the broker wrote itself, before
// anything that came from outside.
static bool replace(struct tc_buf *body, const char *member, const char *digits)
{
    char *at = memmem(body->ptr, body->len, member, strlen(member));
    size_t length = strlen(digits);
    if (!at || at + strlen(member) + length >= body->ptr + body->len ||
        at[strlen(member) + length] != '"')
        return false;
    memcpy(at + strlen(member), digits, length);
    return true;
}

static bool renumber(struct recover *recover, struct store_alert *alert)
{
    char epoch[TC_ID_TEXT_BYTES], sequence[24];
    tc_id_text(recover->to->marks.epoch, epoch);
    snprintf(sequence, sizeof sequence, "%020llu", (unsigned long long)alert->seq);
    tc_buf_clear(&recover->body);
    tc_buf_str(&recover->body, alert->body);
    alert->body = tc_buf_view(&recover->body);
    return replace(&recover->body, "\"sequence\":\"", sequence) &&
           replace(&recover->body, "\"epoch\":\"", epoch);
}

static uint64_t new_cause(const struct recover *recover, uint64_t old)
{
    if (has(&recover->hits, old))
        return new_hit(recover, old);
    return has(&recover->seen, old) ? rank(&recover->seen, old) : 0;
}

static int copy_alerts(struct recover *recover, struct tc_err *err)
{
    struct store_alert alert;
    uint64_t number = 0;
    int read, code = TC_OK;
    reader_seek_alerts(recover->from, 1, recover->old.marks.head);
    while (code == TC_OK &&
           (read = reader_next_alert(recover->from, &number, &alert)) != TC_ENOENT) {
        if (read != TC_OK)
            continue;
        alert.seq = recover->to->marks.head + 1;
        alert.hseq = new_cause(recover, alert.hseq);
        if (!alert.hseq || !renumber(recover, &alert)) {
            recover->report->alerts_lost++;
            continue;
        }
        code = store_put_alert(recover->to, &alert, err);
        recover->report->alerts++;
        if (code == TC_OK)
            code = step(recover, err);
    }
    return code;
}

static int on_article(void *context, const struct reader_article *article, bool whole)
{
    struct recover *recover = context;
    if (!whole)
        return TC_OK;
    recover->report->articles++;
    int code = store_put_article(recover->to, article->source, article->id, article->version,
                                 article->record, new_hit(recover, article->hseq), NULL);
    return code == TC_OK ? step(recover, NULL) : code;
}

static int on_watch(void *context, const struct reader_watch *watch, bool whole)
{
    struct recover *recover = context;
    if (!whole)
        return TC_OK;
    recover->report->watches++;
    return store_put_watch(recover->to, watch->hash, watch->name, watch->definition,
                           watch->since_wall_ns, NULL);
}

// The row goes over as it is, whatever columns it has, but for the two that are numbers of alerts.
static int on_consumer(void *context, tc_str name, uint64_t cursor, sqlite3_stmt *row)
{
    struct recover *recover = context;
    struct tc_buf names = {0}, marks = {0};
    sqlite3_stmt *statement = NULL;
    int count = sqlite3_column_count(row) - READER_CONSUMER_COLUMNS;
    (void)name;
    (void)cursor;
    for (int i = 0; i < count; i++) {
        tc_buf_addf(&names, "%s\"%s\"", i ? ", " : "",
                    sqlite3_column_name(row, READER_CONSUMER_COLUMNS + i));
        tc_buf_puts(&marks, i ? ", ?" : "?");
    }
    char *sql =
        sqlite3_mprintf("INSERT OR IGNORE INTO consumer(%s) VALUES(%s)", names.ptr, marks.ptr);
    if (sql && sqlite3_prepare_v2(recover->to->db, sql, -1, &statement, NULL) == SQLITE_OK) {
        for (int i = 0; i < count; i++) {
            const char *column = sqlite3_column_name(row, READER_CONSUMER_COLUMNS + i);
            sqlite3_value *value = sqlite3_column_value(row, READER_CONSUMER_COLUMNS + i);
            if (!strcmp(column, "cursor") || !strcmp(column, "start"))
                bind_u64(statement, i + 1,
                         rank(&recover->alerts,
                              (uint64_t)sqlite3_column_int64(row, READER_CONSUMER_COLUMNS + i)));
            else
                sqlite3_bind_value(statement, i + 1, value);
        }
        recover->report->consumers += sqlite3_step(statement) == SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    tc_buf_done(&names);
    tc_buf_done(&marks);
    return TC_OK;
}

static int on_hour(void *context, int64_t hour, uint64_t head, uint64_t hhead)
{
    struct recover *recover = context;
    struct store_marks *marks = &recover->to->marks, now = *marks;
    marks->head = rank(&recover->alerts, head);
    marks->hhead = new_hit(recover, hhead);
    int code = store_put_hour(recover->to, hour, NULL);
    *marks = now;
    return code;
}

static int copy_tables(struct recover *recover, struct tc_err *err)
{
    const struct reader_tell tell = {.context = recover,
                                     .article = on_article,
                                     .watch = on_watch,
                                     .consumer = on_consumer,
                                     .hour = on_hour};
    // What of these cannot be read is lost; what cannot be written ends the recovery at its commit.
    reader_each_watch(recover->from, &tell, NULL);
    reader_each_article(recover->from, &tell, NULL);
    reader_each_consumer(recover->from, &tell, NULL);
    reader_each_hour(recover->from, &tell, NULL);
    return recover->old.has_age ? store_put_age(recover->to, &recover->old.age, err) : TC_OK;
}

// --- all of it ---

static int copy_all(struct recover *recover, struct tc_err *err)
{
    const struct reader_tell tell = {.context = recover, .seen = on_seen};
    survey_alerts(recover);
    survey_hits(recover);
    int code = store_begin(recover->to, err);
    if (code == TC_OK) {
        reader_each_seen(recover->from, &tell, NULL);
        code = keep_lost_ids(recover, err);
    }
    if (code == TC_OK)
        code = copy_hits(recover, err);
    if (code == TC_OK)
        code = copy_alerts(recover, err);
    if (code == TC_OK)
        code = copy_tables(recover, err);
    return code == TC_OK ? store_commit(recover->to, err) : code;
}

// What the marks say, and where they cannot be read the rows themselves.
static void read_marks(struct recover *recover)
{
    struct store_marks *marks = &recover->old.marks, ends;
    bool good = reader_marks(recover->from, &recover->old, NULL) == TC_OK;
    reader_ends(recover->from, &ends);
    marks->head = ends.head > marks->head ? ends.head : marks->head;
    marks->hhead = ends.hhead > marks->hhead ? ends.hhead : marks->hhead;
    if (!good) {
        marks->first = ends.first;
        marks->hfirst = ends.hfirst;
    }
}

static int recover_into(struct recover *recover, const char *path, const char *fresh,
                        struct tc_err *err)
{
    int code = reader_open(path, &recover->from, err);
    if (code == TC_EVERSION)
        return code;
    if (code == TC_OK)
        read_marks(recover);
    code = store_open(tc_str_of(fresh), &recover->to, err);
    return code == TC_OK && recover->from ? copy_all(recover, err) : code;
}

// --- files ---

static char *beside(const char *path, const char *end)
{
    size_t room = strlen(path) + strlen(end) + 1;
    char *name = tc_new(room);
    snprintf(name, room, "%s%s", path, end);
    return name;
}

static void remove_beside(const char *path, const char *end)
{
    char *name = beside(path, end);
    unlink(name);
    free(name);
}

bool recover_begun(const char *path)
{
    char *name = beside(path, ".recovering");
    bool there = access(name, F_OK) == 0;
    free(name);
    return there;
}

static int sync_folder(const char *path, struct tc_err *err)
{
    char *folder = tc_dup(path, strlen(path)), *slash = strrchr(folder, '/');
    int code = TC_OK;
    if (slash)
        slash[slash == folder] = 0;
    int fd = open(slash ? folder : ".", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        code = tc_fail(err, TC_EIO, "cannot bring %s to disk: %s", folder, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(folder);
    return code;
}

// The note holds the name under which the old file is kept.
static int write_note(const char *note, const char *kept, struct tc_err *err)
{
    FILE *file = fopen(note, "we");
    bool good = file && fputs(kept, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (!good)
        tc_fail(err, TC_EIO, "cannot write %s: %s", note, strerror(errno));
    if (file)
        fclose(file);
    return good ? TC_OK : TC_EIO;
}

static void read_note(const char *path, char *kept)
{
    char *note = beside(path, ".recovering"), text[RECOVER_PATH_BYTES];
    FILE *file = fopen(note, "re");
    if (file && fgets(text, sizeof text, file))
        memcpy(kept, text, sizeof text);
    if (file)
        fclose(file);
    free(note);
}

// The new store is complete. The note says so: whoever finds it does what is left of this again. The
// log goes before the database is replaced, so that no store ever has the log of another one.
static int swap(const char *path, const char *fresh, const char *kept, struct tc_err *err)
{
    char *note = beside(path, ".recovering"), *log = beside(path, "-wal");
    char *kept_log = beside(kept, "-wal");
    int code = TC_OK;
    code = write_note(note, kept, err);
    if (code == TC_OK)
        code = sync_folder(path, err);
    if (code == TC_OK && link(path, kept) != 0 && errno != ENOENT && errno != EEXIST)
        code = tc_fail(err, TC_EIO, "cannot keep the old file as %s: %s", kept, strerror(errno));
    if (code == TC_OK && rename(log, kept_log) != 0 && errno != ENOENT)
        code = tc_fail(err, TC_EIO, "cannot keep %s: %s", log, strerror(errno));
    if (code == TC_OK)
        remove_beside(path, "-shm");
    if (code == TC_OK && rename(fresh, path) != 0 && errno != ENOENT)
        code = tc_fail(err, TC_EIO, "cannot put the new store into place: %s", strerror(errno));
    if (code == TC_OK)
        code = sync_folder(path, err);
    if (code == TC_OK)
        unlink(note);
    free(note);
    free(log);
    free(kept_log);
    return code;
}

static void name_kept(const char *path, int64_t now_wall_ns, char *out)
{
    time_t now = (time_t)(now_wall_ns / TC_SECOND);
    struct tm utc = {0};
    char when[32];
    gmtime_r(&now, &utc);
    strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &utc);
    snprintf(out, RECOVER_PATH_BYTES, "%s.damaged-%s", path, when);
}

int recover_store(const char *path, int64_t now_wall_ns, struct recover_report *out,
                  struct tc_err *err)
{
    struct recover recover = {.report = out};
    char *fresh = beside(path, ".recovered");
    int code = TC_OK;
    *out = (struct recover_report){0};
    name_kept(path, now_wall_ns, out->kept);
    if (recover_begun(path)) {
        read_note(path, out->kept);
    } else {
        unlink(fresh);
        remove_beside(fresh, "-wal");
        remove_beside(fresh, "-shm");
        code = recover_into(&recover, path, fresh, err);
    }
    reader_close(recover.from);
    store_close(recover.to);
    if (code == TC_OK)
        code = swap(path, fresh, out->kept, err);
    tc_buf_done(&recover.body);
    free(recover.alerts.at);
    free(recover.causes.at);
    free(recover.doubt.at);
    free(recover.hits.at);
    free(recover.seen.at);
    free(fresh);
    return code;
}

// --- is it needed ---

static void keep_fault(void *context, const char *sentence)
{
    char *why = context;
    if (!why[0])
        snprintf(why, TC_ERR_TEXT_BYTES, "%s", sentence);
}

int recover_needed(const char *path, bool *needed, char *why, struct tc_err *err)
{
    struct verify_to to = {why, keep_fault, NULL};
    struct verify_report report;
    why[0] = 0;
    int code = recover_begun(path) ? TC_ECORRUPT : access(path, F_OK) != 0 ? TC_ENOENT : TC_OK;
    if (code == TC_ECORRUPT)
        tc_fail(err, code, "a recovery was cut off");
    if (code == TC_OK)
        code = wal_check(path, err);
    if (code == TC_OK)
        code = verify_store(path, true, &to, &report, err);
    *needed = code == TC_ECORRUPT || (code == TC_OK && report.faults > 0);
    if (code == TC_ECORRUPT)
        snprintf(why, TC_ERR_TEXT_BYTES, "%s", err->text);
    // A missing file and one of another version are for store_open().
    return code == TC_ECORRUPT || code == TC_ENOENT || code == TC_EVERSION ? TC_OK : code;
}
