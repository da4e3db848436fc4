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

// Whether there is an alert in the stream that was begun; *wall_ns is when the first was stored.
static enum answer first_of_stream(struct silent *silent, int64_t *wall_ns)
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
        if (event.kind == TOCSIN_ALERT || event.kind == TOCSIN_DAMAGED) {
            if (!event.time || !tc_time_read(tc_str_of(event.time), wall_ns))
                *wall_ns = INT64_MAX; // a damaged one does not say
            return ANSWER_YES;
        }
        if (event.kind == TOCSIN_END)
            return ANSWER_NO;
        if (!online_notice(&event, tocsin_fetch_endpoint(tocsin), silent->answered))
            return ANSWER_NONE;
        silent->answered = true;
    }
}

// The first alert under the topic (NULL: any) from `since_ns` on; 0: in the whole history.
static enum answer first_alert(struct silent *silent, const char *topic, int64_t since_ns,
                               int64_t *wall_ns)
{
    char since[TC_TIME_BYTES];
    struct tocsin_stream stream = {
        .filters = &topic,
        .filter_count = topic ? 1 : 0,
        .start = since_ns ? TOCSIN_FROM_SINCE : TOCSIN_FROM_EARLIEST,
        .since = since,
    };
    tc_time_text(since_ns, since);
    if (tocsin_query(silent->online.tocsin, &stream) != TOCSIN_OK) {
        online_fail(&silent->online);
        return ANSWER_NONE;
    }
    return first_of_stream(silent, wall_ns);
}

// Whether the history is longer than the time asked about, and any watch had an alert in that time: else it
// says nothing that one never had any.
static enum answer tells_of_all(struct silent *silent)
{
    int64_t first_ns = 0, ignored;
    enum answer begun = first_alert(silent, NULL, 0, &first_ns);
    if (begun != ANSWER_YES)
        return begun;
    return first_ns < silent->since_ns ? first_alert(silent, NULL, silent->since_ns, &ignored)
                                       : ANSWER_NO;
}

// Asked of the broker once, when the first watch needs it.
static enum answer tells_once(struct silent *silent)
{
    if (!silent->asked) {
        enum answer answer = tells_of_all(silent);
        if (answer == ANSWER_NONE)
            return answer;
        silent->tells = answer == ANSWER_YES;
        silent->asked = true;
    }
    return silent->tells ? ANSWER_YES : ANSWER_NO;
}

// *before: whether it had alerts once.
static enum answer is_silent(struct silent *silent, const struct watch *watch, bool *before)
{
    struct tc_buf topic = {0};
    int64_t ignored;
    tc_buf_addf(&topic, "%.*s/%.*s/", TC_ARG(watch->name), TC_ARG(watch->severity));
    enum answer late = first_alert(silent, topic.ptr, silent->since_ns, &ignored);
    enum answer ever = late == ANSWER_NO ? first_alert(silent, topic.ptr, 0, &ignored) : late;
    tc_buf_done(&topic);
    *before = ever == ANSWER_YES;
    if (late != ANSWER_NO)
        return late == ANSWER_YES ? ANSWER_NO : ANSWER_NONE;
    return ever == ANSWER_NO ? tells_once(silent) : ever;
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
static void warn(const struct silent *silent, const struct rules *rules, size_t index, bool before,
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
    if (before)
        tc_buf_addf(&help, "it had alerts before: tocsin history --watch %.*s",
                    TC_ARG(watch->name));
    else
        tc_buf_puts(&help, "it never had one, others had; tocsin why tells why not of an article");
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
        bool before = false;
        if (watch->status == WATCH_LIVE) // the others have no alerts
            silence = is_silent(silent, watch, &before);
        if (silence == ANSWER_NONE)
            return CLI_CANNOT;
        if (silence == ANSWER_YES)
            warn(silent, rules, i, before, diags);
    }
    return CLI_OK;
}
