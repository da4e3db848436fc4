#include "client/cli/template.h"

#include "client/cli/small_file.h"
#include "common/json.h"

#include <stdio.h>

static const char *const names[] = {
    "id",  "topic",    "time",      "watch",   "severity", "article", "source", "title",
    "url", "language", "published", "excerpt", "story",    "seq",     "event",
};

enum { NAMES = sizeof names / sizeof *names, SEQ = NAMES - 2, EVENT = NAMES - 1 };

static size_t name_index(tc_str name)
{
    size_t i = 0;
    while (i < NAMES && !tc_str_eq(name, tc_str_of(names[i])))
        i++;
    return i;
}

// The next pair of braces in `text` from *at on: where it begins and ends, and what stands inside. False
// when there is none; *end is 0 when it does not close.
static bool next_braces(tc_str text, size_t *at, size_t *end, tc_str *name)
{
    const char *open = memmem(text.ptr + *at, text.len - *at, "{{", 2);
    if (!open)
        return false;
    *at = (size_t)(open - text.ptr);
    const char *close = memmem(open, text.len - *at, "}}", 2);
    *end = close ? (size_t)(close - text.ptr) + 2 : 0;
    if (close)
        *name = tc_str_cut(text, *at + 2, *end - 2);
    return true;
}

static int mistake(const char *path, tc_str text, size_t at, struct tc_err *err,
                   const char *sentence)
{
    int line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        column = text.ptr[i] == '\n' ? 1 : column + 1;
        line += text.ptr[i] == '\n';
    }
    return tc_fail_at(err, TC_EPARSE, path, line, column, "%s", sentence);
}

static int check(const char *path, tc_str text, struct tc_err *err)
{
    size_t at = 0, end = 0;
    tc_str name = TC_STR("");
    while (next_braces(text, &at, &end, &name)) {
        if (!end)
            return mistake(path, text, at, err, "these braces are not closed");
        if (name_index(name) == NAMES)
            return mistake(path, text, at, err,
                           "there is no such field; there are seq id topic time watch severity "
                           "article source title url language published excerpt story event");
        at = end;
    }
    return TC_OK;
}

int template_read(const char *path, struct tc_buf *out, struct tc_err *err)
{
    int code = small_file_read(path, TEMPLATE_BYTES_MOST, out, err);
    return code == TC_OK ? check(path, tc_buf_view(out), err) : code;
}

static void add_escaped(struct tc_buf *out, const char *text)
{
    struct tc_buf quoted = {0};
    struct tc_json json = tc_json_on(&quoted);
    tc_json_str(&json, tc_str_of(text));
    tc_buf_str(out, tc_str_cut(tc_buf_view(&quoted), 1, quoted.len - 1));
    tc_buf_done(&quoted);
}

void template_fill(tc_str text, const struct tocsin_event *alert, struct tc_buf *out)
{
    const char *values[] = {
        alert->id,        alert->topic,   alert->time,  alert->watch, alert->severity,
        alert->article,   alert->source,  alert->title, alert->url,   alert->language,
        alert->published, alert->excerpt, alert->story,
    };
    size_t from = 0, at = 0, end = 0;
    tc_str name = TC_STR("");
    while (next_braces(text, &at, &end, &name) && end) {
        size_t index = name_index(name);
        tc_buf_str(out, tc_str_cut(text, from, at));
        if (index == SEQ)
            tc_buf_addf(out, "%llu", (unsigned long long)alert->seq);
        else if (index == EVENT)
            tc_buf_add(out, alert->json, alert->json_bytes);
        else
            add_escaped(out, values[index]);
        from = at = end;
    }
    tc_buf_str(out, tc_str_cut(text, from, text.len));
}
