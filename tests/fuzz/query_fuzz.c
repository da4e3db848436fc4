// Any bytes as a query: never crashes; what is accepted prints to a form that is accepted and prints
// to itself.
#include <stdlib.h>

#include "common/buf.h"
#include "watcher/match/query.h"

static struct query_node *read_text(tc_str text, struct tc_arena *arena)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    static const struct query_list usa = {.name = {"usa", 3}};
    static const struct query_list *const all[] = {&usa};
    static const struct query_lists lists = {all, 1};
    struct tc_diags *diags = tc_diags_new();
    struct query_text_place where = {TC_STR("query"), text};
    struct query_place place = {query_wrong_in_text, diags, &where};
    struct query_node *root = query_read(text, &settings, &lists, arena, &place);
    if (!root && tc_diags_errors(diags) == 0)
        abort(); // refused without a word
    tc_diags_free(diags);
    return root;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct tc_arena *arena = tc_arena_new();
    struct tc_buf first = {0}, second = {0};
    struct query_node *root = read_text((tc_str){(const char *)bytes, count}, arena);
    if (root) {
        query_print(root, &first);
        root = read_text(tc_buf_view(&first), arena);
        if (!root && first.len < QUERY_BYTES)
            abort();
        if (root)
            query_print(root, &second);
        if (root && !tc_str_eq(tc_buf_view(&first), tc_buf_view(&second)))
            abort();
    }
    tc_buf_done(&first);
    tc_buf_done(&second);
    tc_arena_free(arena);
    return 0;
}
