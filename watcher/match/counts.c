#include "watcher/match/counts.h"

#include "common/hash.h"
#include "common/mem.h"

#include <stdlib.h>

void counts_init(struct counts *counts)
{
    struct tc_id random = tc_id_random();
    uint64_t key;
    memcpy(&key, random.bytes, sizeof key);
    *counts = (struct counts){0};
    dict_init(&counts->words, key);
}

void counts_done(struct counts *counts)
{
    dict_done(&counts->words);
    free(counts->counted);
    *counts = (struct counts){0};
}

static void count_word(struct counts *counts, tc_str word)
{
    uint32_t number = dict_find(&counts->words, word);
    if (number == DICT_NONE) {
        if (counts->count == COUNTS_WORDS)
            return;
        counts->counted =
            tc_room(counts->counted, counts->count, &counts->room, sizeof *counts->counted);
        number = (uint32_t)counts->count++;
        counts->counted[number] = (struct counted){0, 0};
        *dict_add(&counts->words, word) = number;
    }
    struct counted *counted = &counts->counted[number];
    counted->texts += counted->last != counts->texts;
    counted->last = counts->texts;
}

void counts_add(struct counts *counts, const struct text *text)
{
    if (counts->texts == UINT32_MAX)
        return;
    counts->texts++;
    for (uint32_t i = 0; i < text->segment_count; i++) {
        const struct text_segment *segment = &text->segments[i];
        for (uint32_t k = 0; k < segment->word_count; k++)
            count_word(counts, (tc_str){segment->words[k].folded, segment->words[k].folded_len});
    }
}

float counts_share(const struct counts *counts, tc_str folded)
{
    uint32_t number = dict_find(&counts->words, folded);
    float held = number == DICT_NONE ? 0.0f : (float)counts->counted[number].texts;
    return (held + 0.5f) / ((float)counts->texts + 1);
}
