// story - which event an article tells.
//
// Several articles that tell one event are one story. In this version every article is a story of
// its own, whatever its version; joining reprints and retellings widens this room and nothing
// around it: intake asks here once per article and takes the answer as a fact.
//
//   memory   none: *out views the article
//   threads  none: a pure function
#ifndef STORY_H
#define STORY_H

#include "common/event.h"

struct story {
    struct tc_id id;
    tc_str first;               // id of its first article
    uint64_t articles, sources; // so far, this one included
    tc_str language;            // of the article; empty when not known
    bool sure;                  // only a sure join may suppress an alert
};

// The story of an article. The id depends on source and article id alone, so that a second
// version, or the same article from another watcher, is the same story.
void story_of(const struct tc_event_article *article, struct story *out);

#endif
