#include "watcher/source/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/mem.h"
#include "watcher/source/lines.h"

struct stream {
    const struct source_host *host;
    char **paths;
    size_t path_count;
    char *name;
    struct tc_queue *outcomes;
    size_t waiting; // articles without an outcome
};

int stream_open(const tc_str *paths, size_t count, tc_str name, const struct source_host *host,
                struct stream **out, struct tc_err *err)
{
    struct stream *stream = tc_new(sizeof *stream);
    int code = TC_OK;
    stream->host = host;
    stream->name = tc_dup(name.ptr, name.len);
    stream->paths = tc_new((count + 1) * sizeof *stream->paths);
    stream->outcomes = tc_queue_new(SOURCE_OPEN_MOST);
    for (size_t i = 0; i < count && code == TC_OK; i++) {
        const char *path = stream->paths[stream->path_count++] = tc_dup(paths[i].ptr, paths[i].len);
        if (strcmp(path, "-") != 0 && access(path, R_OK) != 0)
            code =
                tc_fail(err, errno == ENOENT ? TC_ENOENT : TC_EIO, "%s: %s", path, strerror(errno));
    }
    if (code == TC_OK)
        *out = stream;
    else
        stream_close(stream);
    return code;
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    for (size_t i = 0; i < stream->path_count; i++)
        free(stream->paths[i]);
    tc_queue_free(stream->outcomes);
    free(stream->paths);
    free(stream->name);
    free(stream);
}

// Takes outcomes until at most `most` articles are on the way.
static void settle(struct stream *stream, const char *path, size_t most)
{
    while (stream->waiting) {
        struct source_outcome *outcome =
            tc_queue_pop(stream->outcomes, stream->waiting > most ? -1 : 0);
        if (!outcome)
            return;
        stream->waiting--;
        if (outcome->fate == SOURCE_REJECTED) {
            struct tc_err err;
            tc_fail_at(&err, TC_EPARSE, path, (int)outcome->ticket, 0, "%s", outcome->reason);
            stream->host->trouble(stream->host->context, "source.rejected", &err);
        }
        free(outcome);
    }
}

// Gives every article of one file. False when the host stops.
static bool read_all(struct stream *stream, const char *path, struct lines *lines)
{
    const struct source_host *host = stream->host;
    for (;;) {
        struct article *article = NULL;
        struct tc_err err;
        int code = lines_next(lines, &article, &err);
        if (code == TC_ENOENT || code == TC_ESTOP)
            return code == TC_ENOENT;
        if (code != TC_OK) {
            host->trouble(host->context, "source.rejected", &err);
            host->refused(host->context);
        }
        if (code == TC_EIO)
            return true; // the next file may be better
        if (code != TC_OK)
            continue;
        tc_fault("source.read");
        settle(stream, path, SOURCE_OPEN_MOST - 1);
        article->from = stream->outcomes;
        article->ticket = (uint64_t)lines_number(lines);
        if (!host->give(host->context, article)) {
            article_free(article);
            return false;
        }
        stream->waiting++;
    }
}

static bool read_file(struct stream *stream, const char *path)
{
    const struct source_host *host = stream->host;
    struct lines *lines = NULL;
    struct tc_err err;
    if (lines_open(path, tc_str_of(stream->name), host->max_article_bytes, &lines, &err) != TC_OK) {
        host->trouble(host->context, "source.unreadable", &err);
        return true;
    }
    lines_stop_on(lines, host->stop_fd);
    bool go_on = read_all(stream, path, lines);
    lines_close(lines);
    settle(stream, path, 0); // tickets are lines of this file
    return go_on;
}

void stream_run(struct stream *stream)
{
    for (size_t i = 0; i < stream->path_count && read_file(stream, stream->paths[i]); i++)
        continue;
}
