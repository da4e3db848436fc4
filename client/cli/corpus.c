#include "client/cli/corpus.h"

#include "client/cli/cli.h"
#include "common/clock.h"
#include "common/mem.h"
#include "watcher/text/text.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>

enum { PROGRESS_NS = 200 * 1000 * 1000 };

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_left_out(const FTSENT *entry)
{
    tc_str name = tc_str_of(entry->fts_name);
    return entry->fts_level > 0 && (name.ptr[0] == '.' || tc_str_ends(name, TC_STR(".tmp")) ||
                                    tc_str_ends(name, TC_STR(".part")));
}

static void add(struct corpus *corpus, const char *path)
{
    corpus->names = tc_room(corpus->names, corpus->count, &corpus->room, sizeof(char *));
    corpus->names[corpus->count++] = tc_dup(path, strlen(path));
    offline_add(&corpus->files, corpus->names[corpus->count - 1]);
}

static int list(FTS *tree, struct corpus *corpus, struct tc_err *err)
{
    FTSENT *entry;
    while ((entry = fts_read(tree)) != NULL) {
        if (is_left_out(entry))
            fts_set(tree, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_F)
            add(corpus, entry->fts_path);
        else if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR ||
                 (entry->fts_info == FTS_NS && entry->fts_level == 0))
            return tc_fail(err, entry->fts_errno == ENOENT ? TC_ENOENT : TC_EIO,
                           "cannot read corpus %s: %s", entry->fts_path,
                           strerror(entry->fts_errno));
    }
    if (corpus->count == 0)
        return tc_fail(err, TC_ENOENT, "corpus %s holds no file", corpus->path);
    return TC_OK;
}

int corpus_open(const char *path, struct corpus *out, struct tc_err *err)
{
    char *root = tc_dup(path, strlen(path)), *roots[] = {root, NULL};
    struct corpus corpus = {.path = path};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    int code = tree ? list(tree, &corpus, err)
                    : tc_fail(err, TC_EIO, "cannot read corpus %s: %s", path, strerror(errno));
    if (tree)
        fts_close(tree);
    free(root);
    if (code == TC_OK)
        *out = corpus;
    else
        corpus_close(&corpus);
    return code;
}

void corpus_close(struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++)
        free(corpus->names[i]);
    free(corpus->names);
    free(corpus->files.at);
    *corpus = (struct corpus){0};
}

uint64_t corpus_each(const struct corpus *corpus, const struct text_settings *settings,
                     void (*each)(void *context, const struct text *text, uint64_t number),
                     void *context)
{
    struct offline_articles articles;
    struct article *article;
    uint64_t number = 0;
    int64_t shown_ns = 0;
    offline_articles_begin(&articles, &corpus->files);
    while ((article = offline_article(&articles)) != NULL) {
        const struct text *text = NULL;
        struct tc_err err = {0};
        if (text_read(article, settings, &text, &err) == TC_OK)
            each(context, text, number++);
        else
            cli_say("%.*s: %s", TC_ARG(article->id), err.text);
        article_free(article);
        if (tc_mono_ns() - shown_ns > PROGRESS_NS) {
            shown_ns = tc_mono_ns();
            cli_progress("%llu articles", (unsigned long long)number);
        }
    }
    offline_articles_end(&articles);
    cli_progress(NULL);
    return number;
}
