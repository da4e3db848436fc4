#include "watcher/text/unicode.h"

#include "unicode_tables.inc"

static tc_str find(const struct unicode_spelling *rows, size_t count, uint32_t cp)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (rows[mid].cp < cp)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == count || rows[low].cp != cp)
        return (tc_str){0};
    return (tc_str){rows[low].utf8, rows[low].len};
}

tc_str unicode_fold(uint32_t cp)
{
    return find(unicode_folds, sizeof unicode_folds / sizeof *unicode_folds, cp);
}

tc_str unicode_map(uint32_t cp)
{
    return find(unicode_maps, sizeof unicode_maps / sizeof *unicode_maps, cp);
}
