// watch - one stored query with what belongs to it, as the matcher takes it.
//
// Made by watcher/rules from a watch file (or by a caller for a single query).
//
//   memory   everything views the arena of its rule set
#ifndef WATCH_H
#define WATCH_H

#include "common/hash.h"
#include "watcher/match/query.h"

enum watch_status { WATCH_LIVE, WATCH_SHADOW, WATCH_PAUSED, WATCH_RETIRED };

// `where`: each that is given must hold. A value list holds when one of its values does.
struct watch_where {
    const tc_str *langs, *sources, *countries, *sections, *authors;
    size_t lang_count, source_count, country_count, section_count, author_count;
    uint32_t words_least, words_most; // of the segment's body; most 0: no limit
    int64_t max_age_ns;               // 0: no limit; against first-seen time
};

struct watch_term { // of a score watch
    const struct query_node *query;
    double weight;
};

struct watch {
    tc_str name;     // namespace/name
    tc_str severity; // "info" unless labelled
    enum watch_status status;
    const struct watch_where *where; // NULL: no limits
    const struct query_node *query;  // NULL for score watches and {all_articles: true}
    bool all_articles;
    const struct watch_term *terms; // score watches
    size_t term_count;
    double threshold;
    uint32_t
        expressions;   // regular expressions in it and its lists, each as often as it is asked for
    struct tc_id hash; // of `definition`
    tc_str definition; // canonical JSON, what the broker keeps (docs/protocol.md, WATCH)
};

#endif
