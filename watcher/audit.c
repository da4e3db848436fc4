#include "watcher/audit.h"

static int compare(const struct layers_hit *a, const struct layers_hit *b)
{
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    return (a->watch > b->watch) - (a->watch < b->watch);
}

size_t audit_compare(const struct layers_hit *found, size_t found_count,
                     const struct layers_hit *all, size_t all_count, audit_tell *tell,
                     void *context)
{
    size_t i = 0, k = 0, faults = 0;
    while (i < found_count || k < all_count) {
        int order = i == found_count ? 1 : k == all_count ? -1 : compare(&found[i], &all[k]);
        if (order)
            tell(context, order < 0 ? AUDIT_FALSE : AUDIT_MISSED, order < 0 ? &found[i] : &all[k]);
        faults += order != 0;
        i += order <= 0;
        k += order >= 0;
    }
    return faults;
}
