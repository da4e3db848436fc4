#include "client/cli/offline.h"

#include "client/cli/cli.h"
#include "common/clock.h"
#include "common/mem.h"
#include "watcher/source/lines.h"

#include <sys/stat.h>
#include <unistd.h>

void offline_add(struct offline_files *files, const char *name)
{
    files->at = tc_room(files->at, files->count, &files->room, sizeof *files->at);
    files->at[files->count++] = name;
}

// ---- watches -------------------------------------------------------------------------------

// Errors, and what is dropped from a query (W0211): that must not happen in silence. Other advice
// is for `tocsin check`.
void offline_findings(struct tc_diags *diags)
{
    struct tc_buf text = {0};
    tc_diags_sort(diags);
    for (size_t i = 0; i < tc_diags_count(diags); i++) {
        const struct tc_diag *diag = tc_diags_at(diags, i);
        if (diag->severity == TC_DIAG_ERROR || strcmp(diag->code, "W0211") == 0)
            tc_diag_print(diag, cli_colour(stderr), &text);
    }
    if (text.len > 0)
        cli_progress(NULL);
    fwrite(text.ptr ? text.ptr : "", 1, text.len, stderr);
    tc_buf_done(&text);
}

int offline_watches(const struct offline_files *files, const char *query,
                    const struct text_settings *settings, const struct rules_dialect *dialect,
                    struct matcher **out)
{
    struct rules *rules = rules_new(settings);
    struct tc_diags *diags = tc_diags_new();
    struct tc_err err = {0};
    int code = TC_OK;

    rules_read_as(rules, dialect);
    if (query)
        rules_add_query(rules, tc_str_of(query), diags);
    for (size_t i = 0; i < files->count; i++)
        rules_add_file(rules, files->at[i], diags);
    offline_findings(diags);
    if (tc_diags_errors(diags)) {
        code = TC_EPARSE;
        goto out;
    }
    code = rules_matcher(rules, out, &err);
    if (code != TC_OK)
        cli_fail(&err);

out:
    tc_diags_free(diags);
    rules_drop(rules);
    return code;
}

// ---- articles ------------------------------------------------------------------------------

void offline_articles_begin(struct offline_articles *articles, const struct offline_files *files)
{
    *articles = (struct offline_articles){.files = files, .now_wall_ns = tc_wall_ns()};
}

static void unreadable(struct offline_articles *articles, const struct tc_err *err)
{
    articles->unreadable++;
    cli_fail(err);
}

static bool is_live(const char *path)
{
    struct stat stat_of;
    int failed = strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &stat_of) : stat(path, &stat_of);
    return !failed && !S_ISREG(stat_of.st_mode);
}

// Opens the next file that can be opened. False at the end.
static bool open_next(struct offline_articles *articles)
{
    static const char *const input = "-";
    size_t count = articles->files->count;
    while (articles->next < (count ? count : 1)) {
        struct tc_err err = {0};
        const char *path = count ? articles->files->at[articles->next] : input;
        articles->next++;
        articles->live = is_live(path);
        if (lines_open(path, TC_STR("file"), ARTICLE_BYTES, &articles->open, &err) == TC_OK)
            return true;
        unreadable(articles, &err);
    }
    return false;
}

struct article *offline_article(struct offline_articles *articles)
{
    while (articles->open || open_next(articles)) {
        struct tc_err err = {0};
        struct article *article = NULL;
        int code = lines_next(articles->open, &article, &err);
        if (code == TC_OK) {
            article->seen_wall_ns = articles->now_wall_ns;
            return article;
        }
        if (code != TC_ENOENT)
            unreadable(articles, &err);
        if (code == TC_ENOENT || (code != TC_EPARSE && code != TC_EFULL)) {
            lines_close(articles->open);
            articles->open = NULL;
        }
    }
    return NULL;
}

void offline_articles_end(struct offline_articles *articles)
{
    lines_close(articles->open);
    articles->open = NULL;
}

void offline_dialect(const char *value, struct rules_dialect *out, struct argp_state *state)
{
    out->lucene = !strcmp(value, "lucene");
    if (!out->lucene && strcmp(value, "tocsin") != 0)
        argp_error(state, "--dialect is tocsin or lucene, not '%s'", value);
}

void offline_lucene_options(const char *value, struct rules_dialect *out, struct argp_state *state)
{
    tc_str unknown;
    if (!lucene_options_read(tc_str_of(value), &out->options, &unknown))
        argp_error(state, "--lucene-options are op=AND, leadingwild and autophrase, not '%.*s'",
                   TC_ARG(unknown));
}

enum text_words offline_words(const char *value, struct argp_state *state)
{
    if (!strcmp(value, "standard"))
        return TEXT_WORDS_STANDARD;
    if (!strcmp(value, "ascii"))
        return TEXT_WORDS_ASCII;
    if (strcmp(value, "tocsin") != 0)
        argp_error(state, "--words is tocsin, standard or ascii, not '%s'", value);
    return TEXT_WORDS_TOCSIN;
}
