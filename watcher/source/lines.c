#include "watcher/source/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "watcher/source/input.h"

enum kind { KIND_LINES, KIND_OBJECT, KIND_TEXT, KIND_HTML, KIND_SNIFF };

struct lines {
    struct input *input;
    enum kind kind;
    char *name;       // as given, for messages
    tc_str id;        // of a page: the name without ".gz"; views `name`
    char *source;     // source_name
    size_t limit;     // max_article_bytes
    size_t line_most; // longest line or page that is kept
    int number;       // of the last line, from 1
    bool end;         // the input is exhausted, or its only article was given
    tc_str chunk;     // bytes read and not yet used; views the input
    struct tc_buf text;
    bool too_large; // the line outgrew line_most; what is kept is its beginning
};

// ---- names --------------------------------------------------------------------------------

static bool ends_with(tc_str name, const char *end)
{
    size_t len = strlen(end);
    return name.len >= len && strncasecmp(name.ptr + name.len - len, end, len) == 0;
}

static tc_str without_gz(tc_str name)
{
    return ends_with(name, ".gz") ? tc_str_cut(name, 0, name.len - 3) : name;
}

static enum kind kind_of(tc_str name)
{
    if (ends_with(name, ".jsonl") || ends_with(name, ".ndjson"))
        return KIND_LINES;
    if (ends_with(name, ".json"))
        return KIND_OBJECT;
    if (ends_with(name, ".html") || ends_with(name, ".htm"))
        return KIND_HTML;
    if (ends_with(name, ".txt"))
        return KIND_TEXT;
    return KIND_SNIFF;
}

// ---- opening ------------------------------------------------------------------------------

int lines_open_fd(int fd, const char *name, tc_str source_name, size_t limit, struct lines **out,
                  struct tc_err *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return tc_fail(err, TC_EIO, "%s: %s", name, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return tc_fail(err, TC_EIO, "%s: is a folder", name);
    struct lines *lines = tc_new(sizeof *lines);
    lines->input = input_new(fd);
    lines->name = tc_dup(name, strlen(name));
    lines->id = without_gz(tc_str_of(lines->name));
    lines->kind = kind_of(lines->id);
    lines->source = tc_dup(source_name.ptr, source_name.len);
    lines->limit = limit;
    lines->line_most = limit * LINES_BYTES_PER_LIMIT + LINES_BYTES_MORE;
    *out = lines;
    return TC_OK;
}

int lines_open(const char *path, tc_str source_name, size_t limit, struct lines **out,
               struct tc_err *err)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tc_fail(err, errno == ENOENT ? TC_ENOENT : TC_EIO, "%s: %s",
                       standard ? "standard input" : path, strerror(errno));
    int code = lines_open_fd(fd, path, source_name, limit, out, err);
    if (code != TC_OK)
        close(fd);
    return code;
}

void lines_stop_on(struct lines *lines, int stop_fd)
{
    input_stop_on(lines->input, stop_fd);
}

void lines_close(struct lines *lines)
{
    if (!lines)
        return;
    input_close(lines->input);
    tc_buf_done(&lines->text);
    free(lines->name);
    free(lines->source);
    free(lines);
}

int lines_number(const struct lines *lines)
{
    return lines->kind == KIND_LINES ? lines->number : 0;
}

// ---- reading ------------------------------------------------------------------------------

// Names the place of a mistake: the file, and the line where articles are lines.
static int place(const struct lines *lines, int code, struct tc_err *err)
{
    if (err) {
        const char *name = strcmp(lines->name, "-") == 0 ? "standard input" : lines->name;
        snprintf(err->file, sizeof err->file, "%s", name);
        err->line = lines_number(lines);
        err->column = 0;
    }
    return code;
}

static void keep(struct lines *lines, tc_str part)
{
    size_t room = lines->line_most - lines->text.len;
    if (part.len > room) {
        lines->too_large = true;
        part.len = room;
    }
    tc_buf_str(&lines->text, part);
}

// Adds the next line, with its end, to `text`. *any is false at the end of the input.
static int add_line(struct lines *lines, bool *any, struct tc_err *err)
{
    bool whole = false;
    *any = false;
    while (!whole) {
        if (lines->chunk.len == 0) {
            int code = input_more(lines->input, &lines->chunk, err);
            if (code != TC_OK)
                return code;
            if (lines->chunk.len == 0)
                break;
        }
        const char *end = memchr(lines->chunk.ptr, '\n', lines->chunk.len);
        size_t len = end ? (size_t)(end - lines->chunk.ptr) + 1 : lines->chunk.len;
        keep(lines, tc_str_cut(lines->chunk, 0, len));
        lines->chunk = tc_str_cut(lines->chunk, len, lines->chunk.len);
        whole = end != NULL;
        *any = true;
    }
    lines->number += *any;
    return TC_OK;
}

static int add_rest(struct lines *lines, struct tc_err *err)
{
    int code = TC_OK;
    for (bool any = true; any && code == TC_OK;)
        code = add_line(lines, &any, err);
    lines->end = true;
    return code;
}

static tc_str without_bom(tc_str text)
{
    return tc_str_starts(text, TC_STR("\xef\xbb\xbf")) ? tc_str_cut(text, 3, text.len) : text;
}

static tc_str trimmed(const struct lines *lines)
{
    return tc_str_trim(without_bom(tc_buf_view(&lines->text)));
}

// What an input without a telling name holds is settled by its first line that is not blank, which
// is left in `text`.
static int sniff(struct lines *lines, struct tc_err *err)
{
    bool any = true;
    int code = TC_OK;
    while (any && code == TC_OK && trimmed(lines).len == 0 && !lines->too_large)
        code = add_line(lines, &any, err);
    if (code != TC_OK)
        return code;
    tc_str first = trimmed(lines);
    if (!tc_str_starts(first, TC_STR("{")))
        lines->kind = KIND_TEXT;
    else
        lines->kind = tc_str_ends(first, TC_STR("}")) ? KIND_LINES : KIND_OBJECT;
    return TC_OK;
}

// Turns what lies in `text` into an article.
static int make(struct lines *lines, struct article **out, struct tc_err *err)
{
    tc_str source = tc_str_of(lines->source);
    int code = TC_OK;
    if (lines->too_large || lines->text.failed)
        code = tc_fail(err, TC_EFULL, "the article is larger than %zu bytes (max_article_bytes)",
                       lines->limit);
    else if (lines->kind == KIND_TEXT)
        code =
            article_from_text(lines->id, tc_buf_view(&lines->text), source, lines->limit, out, err);
    else
        code = article_from_json(trimmed(lines), source, lines->limit, out, err);
    return code == TC_OK ? TC_OK : place(lines, code, err);
}

static void begin(struct lines *lines)
{
    tc_buf_clear(&lines->text);
    lines->too_large = false;
}

// The next line that is not blank, unless sniffing has left it in `text` already.
static int take_line(struct lines *lines, bool sniffed, struct tc_err *err)
{
    bool any = true;
    int code = TC_OK;
    if (sniffed)
        return trimmed(lines).len ? TC_OK : TC_ENOENT;
    do {
        begin(lines);
        code = add_line(lines, &any, err);
    } while (code == TC_OK && any && trimmed(lines).len == 0 && !lines->too_large);
    if (code == TC_OK && !any)
        code = TC_ENOENT;
    return code;
}

int lines_next(struct lines *lines, struct article **out, struct tc_err *err)
{
    bool sniffed = lines->kind == KIND_SNIFF;
    int code = TC_OK;
    if (lines->end)
        return tc_fail(err, TC_ENOENT, "the end");
    if (sniffed)
        code = sniff(lines, err);
    if (code == TC_OK && lines->kind == KIND_HTML)
        code = tc_fail(err, TC_EPARSE, "HTML pages are read by a later version");
    else if (code == TC_OK)
        code = lines->kind == KIND_LINES ? take_line(lines, sniffed, err) : add_rest(lines, err);
    if (code != TC_OK) {
        lines->end = true;
        return code == TC_ENOENT ? tc_fail(err, code, "the end") : place(lines, code, err);
    }
    return make(lines, out, err);
}
