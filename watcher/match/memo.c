#include "watcher/match/memo.h"

#include "common/hash.h"
#include "common/mem.h"

#include <stdlib.h>

void memo_init(struct memo *memo)
{
    struct tc_id random = tc_id_random();
    uint64_t key;
    memcpy(&key, random.bytes, sizeof key);
    *memo = (struct memo){0};
    dict_init(&memo->longs, key);
    memo->slots = tc_table(MEMO_SLOTS, sizeof *memo->slots);
}

void memo_done(struct memo *memo)
{
    dict_done(&memo->longs);
    pattern_answers_done(&memo->answers);
    free(memo->slots);
    free(memo->by_term);
    *memo = (struct memo){0};
}

static void forget(struct memo *memo)
{
    if (memo->term_room)
        memset(memo->by_term, 0, memo->term_room * sizeof *memo->by_term);
    memset(memo->slots, 0, MEMO_SLOTS * sizeof *memo->slots);
    dict_clear(&memo->longs);
    memo->answers.used = 0;
    pattern_answer(&memo->answers, 0); // where 0 would mean that there is none
    pattern_answer(&memo->answers, 0); // MEMO_NOTHING
}

void memo_use(struct memo *memo, const struct lexicon *lexicon, const struct lexicon_words *words,
              const struct pattern_set *patterns, size_t terms)
{
    memo->lexicon = lexicon;
    memo->words = words;
    memo->patterns = patterns;
    if (terms > memo->term_room) {
        memo->by_term = tc_grow(memo->by_term, terms, sizeof *memo->by_term);
        memo->term_room = terms;
    }
    forget(memo);
}

// Tries all patterns; gives where the answer begins.
static uint32_t try_patterns(struct memo *memo, tc_str word)
{
    size_t at = memo->answers.used;
    pattern_answer(&memo->answers, 0);
    size_t count = pattern_match(memo->patterns, &memo->answers, word);
    if (!count) {
        memo->answers.used = at;
        return MEMO_NOTHING;
    }
    memo->answers.terms[at] = (uint32_t)count;
    return (uint32_t)at;
}

static uint32_t answer_of(struct memo *memo, const struct memo_word *word, uint32_t term)
{
    uint32_t *known = NULL;
    if (!pattern_set_count(memo->patterns))
        return MEMO_NOTHING;
    if (term) {
        known = &memo->by_term[term];
    } else if (lexicon_is_long(word->key)) {
        known = dict_add(&memo->longs, word->bytes);
        *known = *known == DICT_NONE ? 0 : *known;
    }
    if (!known)
        return try_patterns(memo, word->bytes);
    if (!*known)
        *known = try_patterns(memo, word->bytes);
    return *known;
}

uint32_t memo_ask(struct memo *memo, const struct memo_word *word, const uint32_t **terms,
                  size_t *count)
{
    struct memo_slot found, *slot = &memo->slots[word->hash & (MEMO_SLOTS - 1)];
    if (memo->answers.used > MEMO_ANSWERS_MOST || memo->longs.count > MEMO_LONGS_MOST)
        forget(memo);
    found = *slot;
    if (!memo_is(slot, word->key) || !slot->answer) {
        found.key = word->key;
        found.term = lexicon_find(memo->lexicon, memo->words, word->key, word->hash);
        found.answer = answer_of(memo, word, found.term);
        if (!lexicon_is_long(word->key))
            *slot = found;
    }
    *terms = memo->answers.terms + found.answer + 1;
    *count = memo->answers.terms[found.answer];
    return found.term;
}
