#include "broker/story/story.h"

void story_of(const struct tc_event_article *article, struct story *out)
{
    tc_str parts[] = {TC_STR("story"), tc_event_article_source(article),
                      tc_event_article_id(article)};
    *out = (struct story){
        .id = tc_id_of(parts, sizeof parts / sizeof *parts),
        .first = tc_event_article_id(article),
        .articles = 1,
        .sources = 1,
        .language = tc_event_article_language(article),
        .sure = true,
    };
}
