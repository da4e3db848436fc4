// The key `text` of a watch: what is equal beside case.
#include <stdio.h>

#include "watcher/rules/parts.h"
#include "watcher/text/stem.h"

static void read_switch(struct rules_reader *reader, const struct tc_yaml *node, const char *what,
                        const char *const *words, bool *on)
{
    int which = node ? rules_one_of(reader, node, what, words) : -1;
    if (which >= 0)
        *on = which == 1;
}

static void read_stems(struct rules_reader *reader, const struct tc_yaml *list, uint32_t *stems)
{
    if (!rules_is_list(reader, list, "stem"))
        return;
    *stems = 0;
    for (size_t i = 0; i < list->count; i++) {
        char help[200];
        tc_str code = {0};
        if (!tc_yaml_str(&list->items[i], &code, reader->diags))
            continue;
        int language = stem_language(code);
        if (language >= 0) {
            *stems |= UINT32_C(1) << language;
            continue;
        }
        snprintf(help, sizeof help, "there are: %s", stem_codes());
        tc_yaml_wrong(&list->items[i], "E0117", reader->diags, help,
                      "there are no stems for \"%.*s\"", TC_ARG(code));
    }
}

void rules_read_text(struct rules_reader *reader, const struct tc_yaml *map,
                     struct text_switches *switches)
{
    static const char *const known[] = {"marks", "stem", "german_umlauts", NULL};
    static const char *const marks[] = {"keep", "fold", NULL};
    static const char *const umlauts[] = {"keep", "expand", NULL};
    if (!rules_is_map(reader, map, "text"))
        return;
    tc_yaml_only(map, known, reader->diags);
    read_switch(reader, tc_yaml_get(map, "marks"), "marks", marks, &switches->marks_folded);
    read_switch(reader, tc_yaml_get(map, "german_umlauts"), "german_umlauts", umlauts,
                &switches->umlauts_expanded);
    read_stems(reader, tc_yaml_get(map, "stem"), &switches->stems);
}
