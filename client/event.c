#include "client/event.h"
#include "client/parse.h"

#include <jansson.h>

struct tocsin_event event_notice(enum tocsin_kind kind)
{
    return (struct tocsin_event){
        .kind = kind,
        .epoch = "",
        .topic = "",
        .id = "",
        .time = "",
        .watch = "",
        .severity = "",
        .article = "",
        .source = "",
        .title = "",
        .url = "",
        .language = "",
        .published = "",
        .excerpt = "",
        .story = "",
        .json = "",
    };
}

// The segment's own title where it has one: a page with several stories has a title that says nothing
// about most of them.
static const char *title_of(const json_t *article, const json_t *segment)
{
    const char *title = parse_text(segment, "title");
    return title[0] ? title : parse_text(article, "title");
}

static const char *language_of(const json_t *article, const json_t *segment)
{
    const char *language = parse_text(segment, "language");
    return language[0] ? language : parse_text(article, "language");
}

static void fill(const struct event *event, struct tocsin_event *out)
{
    const json_t *data = json_object_get(event->tree, "data");
    const json_t *watch = json_object_get(data, "watch");
    const json_t *article = json_object_get(data, "article");
    const json_t *segment = json_object_get(data, "segment");
    uint64_t seq = 0;
    tc_str_u64(tc_str_of(parse_text(event->tree, "sequence")), &seq);
    *out = (struct tocsin_event){
        .kind = TOCSIN_ALERT,
        .seq = seq,
        .epoch = parse_text(event->tree, "epoch"),
        .topic = parse_text(event->tree, "subject"),
        .id = parse_text(event->tree, "id"),
        .time = parse_text(event->tree, "time"),
        .watch = parse_text(watch, "name"),
        .severity = parse_text(watch, "severity"),
        .article = parse_text(article, "id"),
        .source = parse_text(article, "source"),
        .title = title_of(article, segment),
        .url = parse_text(article, "url"),
        .language = language_of(article, segment),
        .published = parse_text(article, "published"),
        .excerpt = parse_text(data, "excerpt"),
        .story = parse_text(json_object_get(data, "story"), "id"),
        .json = event->text.ptr,
        .json_bytes = event->text.len,
    };
}

int event_read(struct event *event, tc_str json, struct tocsin_event *out, struct tc_err *err)
{
    json_t *tree = NULL;
    int code = parse_object(json, &tree, err);
    if (code != TC_OK)
        return code == TC_EPARSE ? tc_err_prefix(err, "an event was skipped") : code;
    json_decref(event->tree);
    event->tree = tree;
    tc_buf_clear(&event->text);
    tc_buf_str(&event->text, json);
    if (event->text.failed)
        return tc_fail(err, TC_ENOMEM, "no memory for an event of %zu bytes", json.len);
    fill(event, out);
    return TC_OK;
}

void event_done(struct event *event)
{
    json_decref(event->tree);
    event->tree = NULL;
    tc_buf_done(&event->text);
}

bool event_has_label(const struct event *event, tc_str key, tc_str value)
{
    const json_t *data = json_object_get(event->tree, "data");
    const json_t *labels = json_object_get(json_object_get(data, "watch"), "labels");
    const json_t *label = json_object_getn(labels, key.ptr, key.len);
    return json_is_string(label) &&
           tc_str_eq((tc_str){json_string_value(label), json_string_length(label)}, value);
}
