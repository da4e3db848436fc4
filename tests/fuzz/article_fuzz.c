// Any bytes as an article: JSON, JSON with a body behind the first line, a text file. What is read
// stays within its limits, and its record is JSON.

#include <jansson.h>
#include <stdlib.h>

#include "common/json.h"
#include "watcher/source/article.h"

enum { LIMIT = 4096 };

static void check(struct article *article)
{
    struct tc_buf record = {0};
    struct tc_json json = tc_json_on(&record);
    json_t *read = NULL;
    if (article->title.len + article->body.len > LIMIT || article->id.len == 0 ||
        article->version == 0)
        abort();
    article_record(article, &json);
    tc_json_close(&json, '}');
    if (tc_json_read(tc_buf_view(&record), &read, NULL) != TC_OK)
        abort();
    json_decref(read);
    tc_buf_done(&record);
    article_free(article);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tc_str all = {(const char *)data, size}, rest = all, line = {0};
    struct article *article = NULL;
    if (article_from_json(all, TC_STR("fuzz"), LIMIT, &article, NULL) == TC_OK)
        check(article);
    if (tc_str_next(&rest, '\n', &line) &&
        article_from_parts(line, rest, TC_STR("fuzz"), LIMIT, &article, NULL) == TC_OK)
        check(article);
    if (article_from_text(line, rest, TC_STR("fuzz"), LIMIT, &article, NULL) == TC_OK)
        check(article);
    return 0;
}
