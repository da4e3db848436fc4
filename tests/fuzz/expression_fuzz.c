// Any bytes as a regular expression, and behind a line feed as a text: never crashes; what is read is compiled
// soon, and vectorscan and the search by steps find the same.
#include <stdlib.h>

#include "common/utf8.h"
#include "watcher/match/expression/expression.h"
#include "watcher/match/query.h"
#include "watcher/match/scan.h"

static void compare(const struct matcher *matcher, tc_str text)
{
    struct article article = {.arena = tc_arena_new(), .body = text, .title = TC_STR("abc def")};
    const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    struct scan *scan = scan_new();
    const struct text *read;
    const struct scan_hit *hits;
    struct tc_err err;
    struct tc_hit hit;
    if (text_read(&article, &settings, &read, &err) != TC_OK)
        abort();
    size_t found = scan_run_all(scan, matcher, read, &hits);
    if (found != scan_run(scan, matcher, read, &hits))
        abort();
    for (size_t i = 0; i < found; i++) {
        scan_hit_fill(scan, matcher, read, &hits[i], &hit);
        if (!hit.match_count)
            abort();
    }
    scan_free(scan);
    tc_arena_free(article.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    tc_str all = {(const char *)bytes, count}, text;
    if (!count || !tc_str_next(&all, '\n', &text) || tc_utf8_valid(text) < text.len)
        return 0;
    struct tc_arena *arena = tc_arena_new();
    struct expression_wrong wrong = {.to = SIZE_MAX};
    bool fold_case = text.len && text.ptr[0] == 'i';
    const struct expression *expression = expression_read(text, fold_case, arena, &wrong);
    if (!expression && (wrong.from > wrong.to || wrong.to > text.len || !wrong.message[0]))
        abort();
    if (expression) {
        struct query_node *node = query_node_new(arena, QUERY_REGEX, 0);
        node->text = text;
        node->fold_case = fold_case;
        node->expression = expression;
        struct watch watch = {.name = TC_STR("a/b"), .query = node};
        struct matcher *matcher;
        struct tc_err err;
        if (matcher_new(&watch, 1, NULL, NULL, &matcher, &err) != TC_OK)
            abort(); // vectorscan must take what was read
        compare(matcher, all);
        matcher_drop(matcher);
    }
    tc_arena_free(arena);
    return 0;
}
