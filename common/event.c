#include "common/event.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct segment {
    uint64_t number;
    size_t from, to; // its JSON object within `parts`
};

struct tc_event_article {
    json_t *record; // the texts below view it
    tc_str id, source, language, status;
    uint64_t version;
    int64_t seen_ns, embargo_ns;
    struct tc_buf parts; // the JSON object "article", then those of the segments
    size_t article_to;
    struct segment *segments;
    size_t segment_count;
};

// The parsed definition is not kept: a broker holds tens of thousands of opened watches.
struct tc_event_watch {
    struct tc_id hash;
    char *name, *severity, *status;
    int64_t expires_ns;
    struct tc_buf parts;                  // "name" and "version", then labels, then annotations
    size_t labels_from, annotations_from; // where the latter two begin in `parts`
};

bool tc_event_name_ok(tc_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return name.len >= 1 && name.len <= TC_NAME_BYTES;
}

bool tc_event_watch_name_ok(tc_str name)
{
    tc_str space = {0};
    return tc_str_next(&name, '/', &space) && tc_event_name_ok(space) && name.ptr &&
           tc_event_name_ok(name);
}

bool tc_event_prefix_ok(tc_str prefix)
{
    tc_str segment = {0};
    if (prefix.len > TC_TOPIC_BYTES || !tc_str_ends(prefix, TC_STR("/")))
        return false;
    tc_str rest = tc_str_cut(prefix, 0, prefix.len - 1);
    while (tc_str_next(&rest, '/', &segment)) {
        if (!tc_event_name_ok(segment))
            return false;
    }
    return true;
}

// Puts member `key` of `object` under the same name, when it is a text and not empty.
static void copy_text(struct tc_json *json, const json_t *object, const char *key)
{
    tc_str text = tc_json_get_str(object, key);
    if (text.len)
        tc_json_put_str(json, key, text);
}

// --- the article ---

static void article_part(struct tc_event_article *article)
{
    struct tc_json json = tc_json_on(&article->parts);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "id", article->id);
    tc_json_put_str(&json, "source", article->source);
    tc_json_put_u64(&json, "version", article->version);
    copy_text(&json, article->record, "url");
    copy_text(&json, article->record, "title");
    copy_text(&json, article->record, "language");
    copy_text(&json, article->record, "published");
    copy_text(&json, article->record, "seen");
    tc_json_close(&json, '}');
    article->article_to = article->parts.len;
}

static int segment_parts(struct tc_event_article *article, struct tc_err *err)
{
    const json_t *list = json_object_get(article->record, "segments");
    if (!json_is_array(list))
        return tc_fail(err, TC_EPARSE, "\"segments\" is missing or no list");
    article->segment_count = json_array_size(list);
    article->segments = tc_new(article->segment_count * sizeof *article->segments);
    for (size_t i = 0; i < article->segment_count; i++) {
        const json_t *item = json_array_get(list, i);
        struct segment *segment = &article->segments[i];
        if (!tc_json_get_u64(item, "number", &segment->number))
            return tc_fail(err, TC_EPARSE, "a segment has no \"number\"");
        segment->from = article->parts.len;
        struct tc_json json = tc_json_on(&article->parts);
        tc_json_open(&json, '{');
        tc_json_put_u64(&json, "number", segment->number);
        copy_text(&json, item, "title");
        copy_text(&json, item, "language");
        tc_json_close(&json, '}');
        segment->to = article->parts.len;
    }
    return TC_OK;
}

static int read_record(struct tc_event_article *article, struct tc_err *err)
{
    const json_t *record = article->record;
    if (!json_is_object(record))
        return tc_fail(err, TC_EPARSE, "the record is no JSON object");
    article->id = tc_json_get_str(record, "id");
    article->source = tc_json_get_str(record, "source");
    article->language = tc_json_get_str(record, "language");
    article->status = tc_json_get_str(record, "status");
    if (!article->status.len)
        article->status = TC_STR("usable");
    if (!article->id.len || !article->source.len)
        return tc_fail(err, TC_EPARSE, "\"id\" or \"source\" is missing or no text");
    if (!tc_json_get_u64(record, "version", &article->version))
        return tc_fail(err, TC_EPARSE, "\"version\" is missing or no number");
    if (!tc_time_read(tc_json_get_str(record, "seen"), &article->seen_ns))
        return tc_fail(err, TC_EPARSE, "\"seen\" is missing or no RFC 3339 time");
    tc_str embargo = tc_json_get_str(record, "embargoed_until");
    if (embargo.len && !tc_time_read(embargo, &article->embargo_ns))
        return tc_fail(err, TC_EPARSE, "\"embargoed_until\" is no RFC 3339 time");
    return TC_OK;
}

int tc_event_article_open(tc_str record, struct tc_event_article **out, struct tc_err *err)
{
    struct tc_event_article *article = tc_new(sizeof *article);
    int code = tc_json_read(record, &article->record, err);
    if (code == TC_OK)
        code = read_record(article, err);
    if (code != TC_OK)
        goto out;
    article_part(article);
    code = segment_parts(article, err);
    if (code == TC_OK && article->parts.failed)
        code = tc_fail(err, TC_ENOMEM, "no memory for an article's event");
    if (code != TC_OK)
        goto out;
    *out = article;
    article = NULL; // the caller's now

out:
    tc_event_article_free(article);
    return code;
}

void tc_event_article_free(struct tc_event_article *article)
{
    if (!article)
        return;
    json_decref(article->record);
    tc_buf_done(&article->parts);
    free(article->segments);
    free(article);
}

tc_str tc_event_article_id(const struct tc_event_article *article)
{
    return article->id;
}

tc_str tc_event_article_source(const struct tc_event_article *article)
{
    return article->source;
}

uint64_t tc_event_article_version(const struct tc_event_article *article)
{
    return article->version;
}

tc_str tc_event_article_language(const struct tc_event_article *article)
{
    return article->language;
}

int64_t tc_event_article_seen_ns(const struct tc_event_article *article)
{
    return article->seen_ns;
}

const char *tc_event_article_quiet(const struct tc_event_article *article, int64_t now_wall_ns)
{
    if (!tc_str_eq(article->status, TC_STR("usable")))
        return "withheld";
    return now_wall_ns < article->embargo_ns ? "embargoed" : NULL;
}

// --- the watch ---

// Adds member `key` as an object of texts, {} when it is absent.
static int add_texts(struct tc_buf *parts, const json_t *definition, const char *key,
                     struct tc_err *err)
{
    const json_t *object = json_object_get(definition, key);
    if (object && !json_is_object(object))
        return tc_fail(err, TC_EPARSE, "\"%s\" is no object", key);
    struct tc_json json = tc_json_on(parts);
    tc_json_open(&json, '{');
    const char *name;
    json_t *value;
    // The iterator does not write; jansson's macro only lacks the const.
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        if (!json_is_string(value))
            return tc_fail(err, TC_EPARSE, "\"%s\" of \"%s\" is no text", name, key);
        tc_json_key_str(&json, tc_str_of(name));
        tc_json_str(&json, (tc_str){json_string_value(value), json_string_length(value)});
    }
    tc_json_close(&json, '}');
    return TC_OK;
}

static int read_definition(struct tc_event_watch *watch, const json_t *definition,
                           struct tc_err *err)
{
    if (!json_is_object(definition))
        return tc_fail(err, TC_EPARSE, "the definition is no JSON object");
    tc_str name = tc_json_get_str(definition, "name");
    tc_str status = tc_json_get_str(definition, "status");
    tc_str expires = tc_json_get_str(definition, "expires");
    if (!tc_event_watch_name_ok(name))
        return tc_fail(err, TC_EPARSE, "\"name\" is missing or not namespace/name");
    if (!tc_event_name_ok(tc_json_get_str(definition, "severity")))
        return tc_fail(err, TC_EPARSE, "\"severity\" is missing or not [a-z0-9-]");
    if (expires.len && !tc_time_read(expires, &watch->expires_ns))
        return tc_fail(err, TC_EPARSE, "\"expires\" is no RFC 3339 time");
    watch->name = tc_dup(name.ptr, name.len);
    tc_str severity = tc_json_get_str(definition, "severity");
    watch->severity = tc_dup(severity.ptr, severity.len);
    watch->status = status.len ? tc_dup(status.ptr, status.len) : tc_dup("live", 4);
    return TC_OK;
}

static int watch_parts(struct tc_event_watch *watch, const json_t *definition, struct tc_err *err)
{
    char version[TC_ID_TEXT_BYTES];
    tc_id_text(watch->hash, version);
    struct tc_json json = tc_json_on(&watch->parts);
    tc_json_put_str(&json, "name", tc_str_of(watch->name));
    tc_json_put_str(&json, "version", tc_str_of(version));
    watch->labels_from = watch->parts.len;
    int code = add_texts(&watch->parts, definition, "labels", err);
    watch->annotations_from = watch->parts.len;
    if (code == TC_OK)
        code = add_texts(&watch->parts, definition, "annotations", err);
    if (code == TC_OK && watch->parts.failed)
        code = tc_fail(err, TC_ENOMEM, "no memory for a watch's event");
    return code;
}

int tc_event_watch_open(tc_str definition, struct tc_event_watch **out, struct tc_err *err)
{
    struct tc_event_watch *watch = tc_new(sizeof *watch);
    json_t *parsed = NULL;
    watch->hash = tc_id_of_bytes(definition);
    int code = tc_json_read(definition, &parsed, err);
    if (code == TC_OK)
        code = read_definition(watch, parsed, err);
    if (code == TC_OK)
        code = watch_parts(watch, parsed, err);
    if (code != TC_OK)
        goto out;
    *out = watch;
    watch = NULL; // the caller's now

out:
    json_decref(parsed);
    tc_event_watch_free(watch);
    return code;
}

void tc_event_watch_free(struct tc_event_watch *watch)
{
    if (!watch)
        return;
    free(watch->name);
    free(watch->severity);
    free(watch->status);
    tc_buf_done(&watch->parts);
    free(watch);
}

struct tc_id tc_event_watch_hash(const struct tc_event_watch *watch)
{
    return watch->hash;
}

tc_str tc_event_watch_name(const struct tc_event_watch *watch)
{
    return tc_str_of(watch->name);
}

tc_str tc_event_watch_severity(const struct tc_event_watch *watch)
{
    return tc_str_of(watch->severity);
}

// Only "live" delivers: a status that a newer watcher invents must not start to.
const char *tc_event_watch_quiet(const struct tc_event_watch *watch, int64_t now_wall_ns)
{
    tc_str status = tc_str_of(watch->status);
    if (tc_str_eq(status, TC_STR("shadow")))
        return "shadow";
    if (tc_str_eq(status, TC_STR("paused")))
        return "paused";
    if (!tc_str_eq(status, TC_STR("live")))
        return "retired";
    return watch->expires_ns && now_wall_ns >= watch->expires_ns ? "expired" : NULL;
}

tc_str tc_event_watch_labels(const struct tc_event_watch *watch)
{
    return tc_str_cut(tc_buf_view(&watch->parts), watch->labels_from, watch->annotations_from);
}

// --- the event ---

void tc_event_topic(const struct tc_hit *hit, struct tc_buf *out)
{
    tc_buf_str(out, hit->watch);
    tc_buf_byte(out, '/');
    tc_buf_str(out, hit->severity);
    tc_buf_byte(out, '/');
}

static void put_id(struct tc_json *json, const char *key, struct tc_id id)
{
    char text[TC_ID_TEXT_BYTES];
    tc_id_text(id, text);
    tc_json_put_str(json, key, tc_str_of(text));
}

// Names and severities are [a-z0-9/-]: nothing in them needs escaping.
static void add_envelope(struct tc_json *json, const struct tc_event *event,
                         const struct tc_hit *hit)
{
    char time[TC_TIME_BYTES];
    tc_time_text(event->time_wall_ns, time);
    tc_json_put_str(json, "specversion", TC_STR("1.0"));
    put_id(json, "id", event->id);
    tc_json_key(json, "source");
    tc_buf_puts(json->buf, "\"/watches/");
    tc_buf_str(json->buf, hit->watch);
    tc_buf_puts(json->buf, "\",\"subject\":\"");
    tc_event_topic(hit, json->buf);
    tc_buf_byte(json->buf, '"');
    json->comma = true;
    tc_json_put_str(json, "type", tc_str_of(event->type));
    tc_json_put_str(json, "time", tc_str_of(time));
    tc_json_put_str(json, "datacontenttype", TC_STR("application/json"));
    if (event->seq) {
        char sequence[24];
        snprintf(sequence, sizeof sequence, "%020" PRIu64, event->seq);
        tc_json_put_str(json, "sequence", tc_str_of(sequence));
        put_id(json, "epoch", event->epoch);
        if (event->recovered)
            tc_json_put_bool(json, "recovered", true);
    } else {
        tc_json_put_bool(json, "stored", false);
    }
}

bool tc_event_recovered(tc_str event)
{
    static const char data[] = "\"data\":", recovered[] = "\"recovered\":true";
    const char *end = memmem(event.ptr, event.len, data, sizeof data - 1);
    return end && memmem(event.ptr, (size_t)(end - event.ptr), recovered, sizeof recovered - 1);
}

static void add_watch(struct tc_json *json, const struct tc_event_watch *watch,
                      const struct tc_hit *hit)
{
    tc_str parts = tc_buf_view(&watch->parts);
    tc_json_key(json, "watch");
    tc_json_open(json, '{');
    tc_json_raw(json, tc_str_cut(parts, 0, watch->labels_from));
    tc_json_put_str(json, "severity", hit->severity);
    tc_json_key(json, "labels");
    tc_json_raw(json, tc_event_watch_labels(watch));
    tc_json_key(json, "annotations");
    tc_json_raw(json, tc_str_cut(parts, watch->annotations_from, parts.len));
    tc_json_close(json, '}');
}

// The record lists the segments that hit; one that it does not list still has its number.
static void add_segment(struct tc_json *json, const struct tc_event_article *article,
                        const struct tc_hit *hit)
{
    tc_str parts = tc_buf_view(&article->parts);
    tc_json_key(json, "segment");
    for (size_t i = 0; i < article->segment_count; i++) {
        const struct segment *segment = &article->segments[i];
        if (segment->number != hit->segment)
            continue;
        tc_json_raw(json, tc_str_cut(parts, segment->from, segment->to));
        return;
    }
    tc_json_open(json, '{');
    tc_json_put_u64(json, "number", hit->segment);
    tc_json_close(json, '}');
}

static void add_matches(struct tc_json *json, const struct tc_hit *hit)
{
    tc_json_key(json, "matches");
    tc_json_open(json, '[');
    for (size_t i = 0; i < hit->match_count; i++) {
        const struct tc_match *match = &hit->matches[i];
        tc_json_open(json, '{');
        if (match->clause.len)
            tc_json_put_str(json, "clause", match->clause);
        tc_json_put_str(json, "field", tc_str_of(tc_field_name(match->field)));
        tc_json_put_u64(json, "start", match->start);
        tc_json_put_u64(json, "end", match->end);
        tc_json_put_str(json, "words", match->words);
        tc_json_close(json, '}');
    }
    tc_json_close(json, ']');
}

static void add_story(struct tc_json *json, const struct tc_event_story *story)
{
    tc_json_key(json, "story");
    tc_json_open(json, '{');
    put_id(json, "id", story->id);
    tc_json_put_str(json, "first", story->first);
    tc_json_put_u64(json, "articles", story->articles);
    tc_json_put_u64(json, "sources", story->sources);
    tc_json_key(json, "languages");
    tc_json_open(json, '[');
    for (size_t i = 0; i < story->language_count; i++)
        tc_json_str(json, story->languages[i]);
    tc_json_close(json, ']');
    tc_json_close(json, '}');
}

void tc_event_add(struct tc_buf *out, const struct tc_event *event,
                  const struct tc_event_watch *watch, const struct tc_event_article *article,
                  const struct tc_hit *hit)
{
    struct tc_json json = tc_json_on(out);
    tc_json_open(&json, '{');
    add_envelope(&json, event, hit);
    tc_json_key(&json, "data");
    tc_json_open(&json, '{');
    add_watch(&json, watch, hit);
    tc_json_key(&json, "article");
    tc_json_raw(&json, tc_str_cut(tc_buf_view(&article->parts), 0, article->article_to));
    add_segment(&json, article, hit);
    if (isfinite(hit->score)) {
        tc_json_key(&json, "score");
        tc_json_real(&json, hit->score);
    }
    add_matches(&json, hit);
    tc_json_put_str(&json, "excerpt", hit->excerpt);
    if (event->story)
        add_story(&json, event->story);
    tc_json_close(&json, '}');
    tc_json_close(&json, '}');
}

struct tc_id tc_event_alert_id(tc_str watch, struct tc_id hit, const char *kind, uint64_t ordinal)
{
    char hit_text[TC_ID_TEXT_BYTES], number[24];
    tc_id_text(hit, hit_text);
    snprintf(number, sizeof number, "%" PRIu64, ordinal);
    tc_str parts[] = {watch, tc_str_of(hit_text), tc_str_of(kind), tc_str_of(number)};
    return tc_id_of(parts, sizeof parts / sizeof *parts);
}
