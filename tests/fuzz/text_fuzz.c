// Any bytes as an article: reading never crashes, and every array stays consistent. The first byte
// chooses how it is read.
#include "watcher/text/text.h"

#include <stdlib.h>

static void check_segment(const struct text_segment *segment, size_t bytes)
{
    if (segment->title_words > segment->word_count ||
        segment->lead_paragraph > segment->paragraph_count)
        abort();
    for (uint32_t i = 0; i < segment->word_count; i++) {
        const struct text_word *word = &segment->words[i];
        if (word->start >= word->end || word->end > bytes || word->surface_len == 0 ||
            word->paragraph >= segment->paragraph_count ||
            word->sentence >= segment->sentence_count)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const langs[] = {"", "tr", "de-AT", "?"};
    const struct text *text = NULL;
    const struct text_query_word *words = NULL;
    size_t lost = 0;
    struct tc_err err;
    if (size == 0)
        return 0;
    const struct text_settings settings = {.words = (enum text_words)(data[0] % 3)};
    tc_str bytes = {(const char *)data + 1, size - 1};
    struct article article = {.arena = tc_arena_new(),
                              .title = tc_str_cut(bytes, 0, data[0] & 4 ? bytes.len / 2 : 0),
                              .body = bytes,
                              .page = (data[0] & 8) != 0,
                              .lang = tc_str_of(langs[data[0] >> 6])};
    if (text_read(&article, &settings, &text, &err) != TC_OK)
        abort();
    for (uint32_t i = 0; i < text->segment_count; i++)
        check_segment(&text->segments[i], bytes.len);
    size_t count = text_query_words(bytes, &settings, article.arena, &words, &lost);
    if (lost > bytes.len)
        abort();
    for (size_t i = 0; i < count && i < 8; i++)
        text_wild_match(words[i].folded, bytes);
    tc_arena_free(article.arena);
    return 0;
}
