#include "broker/filter.h"

#include "common/event.h"
#include "common/json.h"
#include "common/mem.h"

#include <jansson.h>
#include <stdlib.h>

// A label is looked for in the alert's JSON as the bytes "key":"value". That is exact: inside a
// JSON text a quote always has a backslash before it, so a quote behind `{` or `,` begins a name,
// and a key of our alphabet holds nothing that is escaped.
struct label {
    struct tc_buf pair; // "key":"value"
    size_t key_bytes;   // of it: "key":
};

struct filter {
    struct tc_buf *topics;
    size_t topic_count, topic_capacity;
    struct tc_buf *allowed; // none: everything
    size_t allowed_count;
    struct label *labels;
    size_t label_count, label_capacity;
};

struct filter *filter_new(void)
{
    return tc_new(sizeof(struct filter));
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->topic_count; i++)
        tc_buf_done(&filter->topics[i]);
    for (size_t i = 0; i < filter->label_count; i++)
        tc_buf_done(&filter->labels[i].pair);
    for (size_t i = 0; i < filter->allowed_count; i++)
        tc_buf_done(&filter->allowed[i]);
    free(filter->topics);
    free(filter->allowed);
    free(filter->labels);
    free(filter);
}

static bool label_key_ok(tc_str key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
            return false;
    }
    return key.len > 0;
}

static int add_label(struct filter *filter, tc_str word, struct tc_err *err)
{
    tc_str value = tc_str_cut(word, strlen("label."), word.len), key = {0};
    if (!tc_str_next(&value, '=', &key) || !value.ptr || !label_key_ok(key))
        return tc_fail(err, TC_EPARSE, "filter \"%.*s\" is not label.KEY=VALUE", TC_ARG(word));
    filter->labels = tc_room(filter->labels, filter->label_count, &filter->label_capacity,
                             sizeof *filter->labels);
    struct label *label = &filter->labels[filter->label_count++];
    *label = (struct label){0};
    struct tc_json json = tc_json_on(&label->pair);
    tc_json_key_str(&json, key);
    label->key_bytes = label->pair.len;
    tc_json_str(&json, value);
    return TC_OK;
}

int filter_add(struct filter *filter, tc_str word, struct tc_err *err)
{
    if (tc_str_starts(word, TC_STR("label.")))
        return add_label(filter, word, err);
    if (!tc_event_prefix_ok(word))
        return tc_fail(err, TC_EPARSE,
                       "filter \"%.*s\" is no topic: segments of [a-z0-9-], each ending in \"/\"",
                       (int)(word.len < 200 ? word.len : 200), word.ptr);
    filter->topics = tc_room(filter->topics, filter->topic_count, &filter->topic_capacity,
                             sizeof *filter->topics);
    struct tc_buf *topic = &filter->topics[filter->topic_count++];
    *topic = (struct tc_buf){0};
    tc_buf_str(topic, word);
    return TC_OK;
}

int filter_add_list(struct filter *filter, const json_t *list, struct tc_err *err)
{
    if (!json_is_array(list))
        return tc_fail(err, TC_EPARSE, "\"filters\" is no list");
    if (json_array_size(list) > FILTER_WORDS_MOST)
        return tc_fail(err, TC_ENOMEM, "more than %d filters", FILTER_WORDS_MOST);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *word = json_array_get(list, i);
        if (!json_is_string(word))
            return tc_fail(err, TC_EPARSE, "a filter is no text");
        int code =
            filter_add(filter, (tc_str){json_string_value(word), json_string_length(word)}, err);
        if (code != TC_OK)
            return code;
    }
    return TC_OK;
}

static bool has_pair(tc_str labels, tc_str pair)
{
    const char *from = labels.ptr, *end = labels.ptr + labels.len;
    const char *found;
    while ((found = memmem(from, (size_t)(end - from), pair.ptr, pair.len))) {
        if (found > labels.ptr && (found[-1] == '{' || found[-1] == ','))
            return true;
        from = found + 1;
    }
    return false;
}

static bool same_key(const struct label *a, const struct label *b)
{
    return a->key_bytes == b->key_bytes && memcmp(a->pair.ptr, b->pair.ptr, a->key_bytes) == 0;
}

// Whether one of the values named for this label's key is there.
static bool key_passes(const struct filter *filter, const struct label *label, tc_str labels)
{
    for (size_t i = 0; i < filter->label_count; i++) {
        const struct label *other = &filter->labels[i];
        if (same_key(label, other) && has_pair(labels, tc_buf_view(&other->pair)))
            return true;
    }
    return false;
}

void filter_restrict(struct filter *filter, const tc_str *prefixes, size_t count)
{
    filter->allowed = tc_new((count + 1) * sizeof *filter->allowed);
    filter->allowed_count = count;
    for (size_t i = 0; i < count; i++)
        tc_buf_str(&filter->allowed[i], prefixes[i]);
}

static bool begins_with_one(tc_str topic, const struct tc_buf *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tc_str_starts(topic, tc_buf_view(&prefixes[i])))
            return true;
    }
    return count == 0;
}

bool filter_passes(const struct filter *filter, tc_str topic, tc_str labels)
{
    bool passes = begins_with_one(topic, filter->topics, filter->topic_count) &&
                  begins_with_one(topic, filter->allowed, filter->allowed_count);
    for (size_t i = 0; i < filter->label_count && passes; i++)
        passes = key_passes(filter, &filter->labels[i], labels);
    return passes;
}

tc_str filter_one_topic(const struct filter *filter)
{
    if (filter->topic_count != 1)
        return (tc_str){"", 0};
    tc_str topic = tc_buf_view(&filter->topics[0]);
    size_t segments = 0;
    for (size_t i = 0; i < topic.len; i++)
        segments += topic.ptr[i] == '/';
    return segments == 3 ? topic : (tc_str){"", 0};
}
