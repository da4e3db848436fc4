// Any bytes as a query of dialect lucene: never crashes; the index and the check by brute force find the
// same; what is rewritten is a query.
#include <stdlib.h>

#include "common/buf.h"
#include "watcher/match/lucene/lucene.h"
#include "watcher/match/scan.h"

static const struct text_settings kinds[] = {{TEXT_WORDS_TOCSIN}, {TEXT_WORDS_STANDARD}};

static bool finds(const struct matcher *matcher, const struct text_settings *settings)
{
    struct article article = {.arena = tc_arena_new(),
                              .title = TC_STR("a b wi-fi"),
                              .body = TC_STR("b a foo.\nbar 20250301 \xe4\xb8\xad b a a"),
                              .author = TC_STR("a b a"),
                              .lang = TC_STR("en")};
    struct scan *scan = scan_new();
    const struct text *text;
    const struct scan_hit *hits;
    struct tc_err err;
    if (text_read(&article, settings, &text, &err) != TC_OK)
        abort();
    size_t found = scan_run(scan, matcher, text, &hits);
    if (found != scan_run_all(scan, matcher, text, &hits))
        abort();
    scan_free(scan);
    tc_arena_free(article.arena);
    return found > 0;
}

static void try_query(struct query_node *root, const struct text_settings *settings)
{
    struct watch watch = {.name = TC_STR("a/b"), .query = root};
    struct matcher *matcher;
    struct tc_err err;
    if (matcher_new(&watch, 1, NULL, NULL, &matcher, &err) != TC_OK)
        return; // it says why
    finds(matcher, settings);
    matcher_drop(matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (!count)
        return 0;
    struct lucene_options options = {bytes[0] & 1, bytes[0] & 2, bytes[0] & 4};
    const struct text_settings *settings = &kinds[bytes[0] >> 3 & 1];
    struct tc_arena *arena = tc_arena_new();
    struct tc_diags *diags = tc_diags_new();
    tc_str text = {(const char *)bytes + 1, count - 1};
    struct query_text_place where = {TC_STR("query"), text};
    struct query_place place = {query_wrong_in_text, diags, &where};
    struct query_node *root = lucene_read(text, settings, &options, arena, &place, NULL);
    if (!root && tc_diags_errors(diags) == 0)
        abort(); // refused without a word
    if (root) {
        struct tc_buf query = {0}, notes = {0};
        try_query(root, settings);
        if (!lucene_rewrite(root, settings, &query, &notes) && !notes.len)
            abort();
        tc_buf_done(&query);
        tc_buf_done(&notes);
    }
    tc_diags_free(diags);
    tc_arena_free(arena);
    return 0;
}
