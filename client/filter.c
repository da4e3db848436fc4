#include "client/filter.h"

#include <stdlib.h>

#define LABEL_PREFIX "label."

static bool topic_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '/';
}

static bool is_topic(tc_str text)
{
    if (text.len == 0 || text.len > FILTER_TOPIC_BYTES || text.ptr[text.len - 1] != '/' ||
        text.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!topic_byte(text.ptr[i]))
            return false;
    return true;
}

// Splits label.KEY=VALUE.
static bool label_of(const char *text, tc_str *key, tc_str *value)
{
    tc_str rest = tc_str_of(text);
    if (!tc_str_starts(rest, TC_STR("label.")))
        return false;
    rest = tc_str_cut(rest, sizeof LABEL_PREFIX - 1, rest.len);
    const char *equals = rest.len ? memchr(rest.ptr, '=', rest.len) : NULL;
    if (!equals || equals == rest.ptr)
        return false;
    *key = tc_str_cut(rest, 0, (size_t)(equals - rest.ptr));
    *value = tc_str_cut(rest, key->len + 1, rest.len);
    return true;
}

static int check(const char *text, size_t *topics, struct tc_err *err)
{
    tc_str key, value;
    if (is_topic(tc_str_of(text))) {
        ++*topics;
        return TC_OK;
    }
    if (label_of(text, &key, &value))
        return TC_OK;
    return tc_fail(err, TC_EINVAL,
                   "'%s' is neither a topic (lower case, ending in '/') nor label.KEY=VALUE", text);
}

int filter_init(struct filter *filter, const char *const *texts, size_t count, struct tc_err *err)
{
    int code = TC_OK;
    struct filter made = {0};
    if (count > TOCSIN_FILTERS_MOST)
        return tc_fail(err, TC_EFULL, "%zu filters; at most %d can be had", count,
                       TOCSIN_FILTERS_MOST);
    made.texts = calloc(count + 1, sizeof *made.texts);
    if (!made.texts)
        return tc_fail(err, TC_ENOMEM, "no memory for filters");
    for (; made.count < count; made.count++) {
        code = check(texts[made.count], &made.topics, err);
        if (code != TC_OK)
            goto out;
        made.texts[made.count] = strdup(texts[made.count]);
        if (!made.texts[made.count]) {
            code = tc_fail(err, TC_ENOMEM, "no memory for filters");
            goto out;
        }
    }
    *filter = made;
    made = (struct filter){0};
out:
    filter_done(&made);
    return code;
}

void filter_done(struct filter *filter)
{
    for (size_t i = 0; i < filter->count; i++)
        free(filter->texts[i]);
    free(filter->texts);
    *filter = (struct filter){0};
}

tc_str filter_topic(const struct filter *filter, size_t index)
{
    tc_str key, value;
    if (label_of(filter->texts[index], &key, &value))
        return (tc_str){0};
    return tc_str_of(filter->texts[index]);
}

void filter_write(const struct filter *filter, struct tc_json *json)
{
    if (filter->count == 0)
        return;
    tc_json_key(json, "filters");
    tc_json_open(json, '[');
    for (size_t i = 0; i < filter->count; i++)
        tc_json_str(json, tc_str_of(filter->texts[i]));
    tc_json_close(json, ']');
}

// Has the alert one of the values that the filters name for `key`?
static bool one_value_passes(const struct filter *filter, const struct event *event, tc_str key)
{
    tc_str other, value;
    for (size_t i = 0; i < filter->count; i++)
        if (label_of(filter->texts[i], &other, &value) && tc_str_eq(other, key) &&
            event_has_label(event, key, value))
            return true;
    return false;
}

bool filter_labels_pass(const struct filter *filter, const struct event *event)
{
    tc_str key, value;
    for (size_t i = 0; i < filter->count; i++)
        if (label_of(filter->texts[i], &key, &value) && !one_value_passes(filter, event, key))
            return false;
    return true;
}
