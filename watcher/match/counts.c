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

struct counts *counts_new(void)
{
    struct counts *counts = tc_new(sizeof *counts);
    counts_init(counts);
    return counts;
}

void counts_free(struct counts *counts)
{
    if (!counts)
        return;
    counts_done(counts);
    free(counts);
}

// The word's counts, new ones when it was never met; NULL when there is no room for another word.
static struct counted *counted_of(struct counts *counts, tc_str word)
{
    uint32_t number = dict_find(&counts->words, word);
    if (number == DICT_NONE) {
        if (counts->count == COUNTS_WORDS)
            return NULL;
        counts->counted =
            tc_room(counts->counted, counts->count, &counts->room, sizeof *counts->counted);
        number = (uint32_t)counts->count++;
        counts->counted[number] = (struct counted){0, 0};
        *dict_add(&counts->words, word) = number;
    }
    return &counts->counted[number];
}

static void count_word(struct counts *counts, tc_str word)
{
    struct counted *counted = counted_of(counts, word);
    if (!counted)
        return;
    counted->texts += counted->last != counts->texts;
    counted->last = counts->texts;
}

tc_str counts_word(const struct counts *counts, uint32_t index)
{
    return dict_word(&counts->words, index); // words are numbered as they are added
}

void counts_put(struct counts *counts, tc_str word, uint32_t texts)
{
    struct counted *counted = counted_of(counts, word);
    if (counted)
        counted->texts += texts;
}

void counts_merge(struct counts *counts, const struct counts *more)
{
    if (more->texts > UINT32_MAX - counts->texts)
        return;
    counts->texts += more->texts;
    for (uint32_t i = 0; i < more->count; i++)
        counts_put(counts, counts_word(more, i), more->counted[i].texts);
}

void counts_halve(struct counts *counts)
{
    struct counts halved;
    counts_init(&halved);
    halved.texts = counts->texts / 2;
    for (uint32_t i = 0; i < counts->count; i++) {
        if (counts->counted[i].texts > 1)
            counts_put(&halved, counts_word(counts, i), counts->counted[i].texts / 2);
    }
    counts_done(counts);
    *counts = halved;
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
