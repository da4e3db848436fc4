#include "client/cli/silent.h"

#include "client/cli/cli.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_NONE };

// Whether there is an alert under the topic in the stream that was begun.
static enum answer first_of_stream(struct silent *silent)
{
    struct tocsin *tocsin = silent->online.tocsin;
    struct tocsin_event event;
    for (;;) {
        int code = tocsin_next(tocsin, -1, &event);
        if (code == TOCSIN_EINTR)
            continue;
        if (code != TOCSIN_OK) {
            online_fail(&silent->online);
            return ANSWER_NONE;
        }
        if (event.kind == TOCSIN_ALERT || event.kind == TOCSIN_DAMAGED)
            return ANSWER_YES;
        if (event.kind == TOCSIN_END)
            return ANSWER_NO;
        if (!online_notice(&event, tocsin_fetch_endpoint(tocsin), silent->answered))
            return ANSWER_NONE;
        silent->answered = true;
    }
}

// since_ns 0: in the whole history.
static enum answer has_alert(struct silent *silent, const char *topic, int64_t since_ns)
{
    char since[TC_TIME_BYTES];
    struct tocsin_stream stream = {
        .filters = &topic,
        .filter_count = 1,
        .start = since_ns ? TOCSIN_FROM_SINCE : TOCSIN_FROM_EARLIEST,
        .since = since,
    };
    tc_time_text(since_ns, since);
    if (tocsin_query(silent->online.tocsin, &stream) != TOCSIN_OK) {
        online_fail(&silent->online);
        return ANSWER_NONE;
    }
    return first_of_stream(silent);
}

static enum answer is_silent(struct silent *silent, const struct watch *watch)
{
    struct tc_buf topic = {0};
    tc_buf_addf(&topic, "%.*s/%.*s/", TC_ARG(watch->name), TC_ARG(watch->severity));
    enum answer late = has_alert(silent, topic.ptr, silent->since_ns);
    enum answer ever = late == ANSWER_NO ? has_alert(silent, topic.ptr, 0) : ANSWER_NO;
    tc_buf_done(&topic);
    return late == ANSWER_NONE ? ANSWER_NONE : ever;
}

// Line `number` of a file, "" when it cannot be read any more. free() ends it.
static char *line_of(const char *path, int number)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    while (file && number-- > 0) {
        if (getline(&line, &room, file) < 0)
            break;
    }
    if (file)
        fclose(file);
    return line ? line : tc_dup("", 0);
}

// The caret stands under the name, which is on the line that a watch begins on.
static void warn(const struct silent *silent, const struct rules *rules, size_t index,
                 struct tc_diags *diags)
{
    const struct watch *watch = rules_watch(rules, index);
    const char *path = rules_file_of(rules, index);
    struct tc_diag diag = {.severity = TC_DIAG_WARNING,
                           .code = "W0208",
                           .file = tc_str_of(path),
                           .line = rules_line_of(rules, index),
                           .column = 1,
                           .width = 1};
    char *line = line_of(path, diag.line);
    struct tc_buf message = {0}, help = {0}, name = {0};
    const char *slash = memrchr(watch->name.ptr, '/', watch->name.len);
    size_t from = slash ? (size_t)(slash - watch->name.ptr) + 1 : 0;
    tc_buf_str(&name, tc_str_cut(watch->name, from, watch->name.len));
    const char *at = strstr(line, name.ptr);
    if (at) {
        diag.column += (int)tc_utf8_count((tc_str){line, (size_t)(at - line)});
        diag.width = (int)name.len;
    }
    tc_buf_addf(&message, "no match in the history for %s", silent->period);
    tc_buf_addf(&help, "it had alerts before: tocsin history --watch %.*s", TC_ARG(watch->name));
    diag.message = tc_buf_view(&message);
    diag.help = tc_buf_view(&help);
    diag.source = tc_line_at(tc_str_of(line), 1);
    tc_diags_add(diags, &diag);
    tc_buf_done(&message);
    tc_buf_done(&help);
    tc_buf_done(&name);
    free(line);
}

int silent_report(struct silent *silent, const struct rules *rules, size_t first,
                  struct tc_diags *diags)
{
    for (size_t i = first; i < rules_count(rules); i++) {
        const struct watch *watch = rules_watch(rules, i);
        enum answer silence = ANSWER_NO;
        if (watch->status == WATCH_LIVE) // the others have no alerts
            silence = is_silent(silent, watch);
        if (silence == ANSWER_NONE)
            return CLI_CANNOT;
        if (silence == ANSWER_YES)
            warn(silent, rules, i, diags);
    }
    return CLI_OK;
}
