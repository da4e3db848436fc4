#include "watcher/match/terms.h"

#include "common/mem.h"
#include "watcher/match/counts.h"

#include <stdlib.h>

enum { RANKS = 4096 }; // steps of frequency that numbering tells apart

void terms_init(struct terms *terms, uint64_t seed, const struct counts *counts)
{
    *terms = (struct terms){.count = 1, .counts = counts};
    lexicon_init(&terms->folded, seed);
    lexicon_init(&terms->surface, seed);
    dict_init(&terms->patterns, seed);
    expressions_init(&terms->expressions, seed);
    terms->folded_patterns = pattern_set_new(seed);
    terms->surface_patterns = pattern_set_new(seed);
    terms->words.keys = tc_room(NULL, 0, &terms->key_room, sizeof *terms->words.keys);
    terms->words.keys[TERM_NONE] = (struct lexicon_key){0, 0};
}

void terms_done(struct terms *terms)
{
    lexicon_done(&terms->folded);
    lexicon_done(&terms->surface);
    tc_free(terms->words.keys);
    tc_free(terms->words.bytes);
    dict_done(&terms->patterns);
    pattern_set_free(terms->folded_patterns);
    pattern_set_free(terms->surface_patterns);
    expressions_done(&terms->expressions);
    tc_free(terms->costs);
    tc_free(terms->plain);
    for (int scope = 0; scope < TERMS_SCOPES; scope++)
        tc_free(terms->scoped[scope]);
    *terms = (struct terms){0};
}

size_t terms_bytes(const struct terms *terms)
{
    return TERMS_SCOPES * terms->scoped_room * sizeof(uint32_t) +
           terms->key_room * sizeof *terms->words.keys + terms->bytes_room +
           lexicon_bytes(&terms->folded) + lexicon_bytes(&terms->surface) +
           dict_bytes(&terms->patterns) + pattern_set_bytes(terms->folded_patterns) +
           pattern_set_bytes(terms->surface_patterns) + expressions_bytes(&terms->expressions);
}

// How often a word is met, guessed by its letters alone. On news that makes matching cost 1.05 to 1.3
// times what it costs with counted frequencies (1,000 to a million watches). Letters of three bytes (Han, Kana) count as words of two.
static float guess(tc_str word, bool wild)
{
    static const float by_letters[] = {0.6f,  0.5f,   0.4f,  0.3f,  0.12f, 0.07f,
                                       0.05f, 0.035f, 0.03f, 0.02f, 0.015f};
    size_t letters = 0;
    for (size_t i = 0; i < word.len; i++) {
        unsigned char byte = (unsigned char)word.ptr[i];
        if (byte != '*' && byte != '?' && (byte & 0xc0) != 0x80)
            letters += byte >= 0xe3 ? 2 : 1;
    }
    size_t most = sizeof by_letters / sizeof *by_letters - 1;
    float cost = by_letters[letters < most ? letters : most];
    return wild ? 2 * cost : cost;
}

static uint32_t new_term(struct terms *terms, struct lexicon_key key, float cost, bool plain)
{
    uint32_t term = terms->count++;
    terms->words.keys =
        tc_room(terms->words.keys, term, &terms->key_room, sizeof *terms->words.keys);
    terms->costs = tc_room(terms->costs, term, &terms->cost_room, sizeof *terms->costs);
    terms->plain = tc_room(terms->plain, term, &terms->plain_room, sizeof *terms->plain);
    terms->words.keys[term] = key;
    terms->costs[term] = cost;
    terms->plain[term] = plain;
    return term;
}

// A key as it is kept: the bytes of a long word are copied.
static struct lexicon_key keep(struct terms *terms, tc_str word)
{
    struct lexicon_key key = lexicon_pack(word.ptr, word.len);
    if (!lexicon_is_long(key))
        return key;
    size_t need = terms->bytes_used + word.len;
    if (need > terms->bytes_room) {
        terms->bytes_room = need * 2;
        terms->words.bytes = tc_grow(terms->words.bytes, terms->bytes_room, 1);
    }
    memcpy(terms->words.bytes + terms->bytes_used, word.ptr, word.len);
    key.low = terms->bytes_used;
    terms->bytes_used = need;
    return key;
}

static uint32_t term_of_word(struct terms *terms, tc_str word, bool exact)
{
    struct lexicon *lexicon = exact ? &terms->surface : &terms->folded;
    struct lexicon_key key = lexicon_pack(word.ptr, word.len);
    if (terms->sealed)
        return lexicon_find(lexicon, &terms->words, key, lexicon_hash(key, lexicon->seed));
    uint32_t *known = lexicon_add(lexicon, &terms->words, key);
    if (*known == TERM_NONE) {
        float cost =
            exact || !terms->counts ? guess(word, false) : counts_share(terms->counts, word);
        *known = new_term(terms, keep(terms, word), cost, !exact);
        if (exact)
            terms->surface_lengths[(unsigned char)word.ptr[0]] |=
                UINT32_C(1) << (word.len < 31 ? word.len : 31);
    }
    return *known;
}

// Wildcards, near spellings, and tests ('t'): of dialect lucene, told apart by their source, and by form.
static uint32_t term_of_pattern(struct terms *terms, const struct query_word *word, tc_str text,
                                bool exact)
{
    struct tc_buf key = {0};
    struct pattern_set *set = exact ? terms->surface_patterns : terms->folded_patterns;
    tc_buf_byte(&key, word->test ? 't' : exact ? 's' : 'f');
    tc_buf_byte(&key, (char)('0' + word->edits));
    if (word->test && word->test->by_form)
        word_form_name(word->test->form, &key);
    tc_buf_byte(&key, ' ');
    tc_buf_str(&key, text);
    uint32_t term = dict_find(&terms->patterns, tc_buf_view(&key));
    if (term == DICT_NONE && terms->sealed)
        term = TERM_NONE;
    if (term == DICT_NONE) {
        term = new_term(terms, (struct lexicon_key){0, 0}, guess(text, true), false);
        if (word->test)
            pattern_set_add_test(set, word->test, term);
        else
            pattern_set_add(set, text, word->edits, term);
        *dict_add(&terms->patterns, tc_buf_view(&key)) = term;
    }
    tc_buf_done(&key);
    return term;
}

uint32_t terms_of(struct terms *terms, const struct query_word *word, bool exact)
{
    tc_str text = exact ? word->surface : word->folded;
    if (word->test)
        return term_of_pattern(terms, word, word->folded, false);
    if (word->wild || word->edits)
        return term_of_pattern(terms, word, text, exact);
    return term_of_word(terms, text, exact);
}

// An expression is taken for as rare as a long word: it holds letters and more.
uint32_t terms_of_expression(struct terms *terms, const struct expression *expression,
                             uint32_t *number)
{
    static const float cost = 0.015f;
    struct expressions *set = &terms->expressions;
    *number = expressions_number(set, expression);
    if (*number == DICT_NONE) {
        *number = (uint32_t)set->count;
        expressions_add(set, expression, new_term(terms, (struct lexicon_key){0, 0}, cost, false));
    }
    return set->terms[*number];
}

static void make_scoped_room(struct terms *terms)
{
    size_t before = terms->scoped_room;
    if (terms->count <= before)
        return;
    terms->scoped_room = 2 * (size_t)terms->count;
    for (int scope = 0; scope < TERMS_SCOPES; scope++) {
        terms->scoped[scope] =
            tc_grow(terms->scoped[scope], terms->scoped_room, sizeof **terms->scoped);
        memset(terms->scoped[scope] + before, 0,
               (terms->scoped_room - before) * sizeof **terms->scoped);
    }
}

uint32_t terms_scoped(struct terms *terms, uint32_t term, enum terms_scope scope)
{
    make_scoped_room(terms);
    if (!terms->scoped[scope][term])
        terms->scoped[scope][term] =
            new_term(terms, (struct lexicon_key){0, 0}, terms->costs[term], false);
    return terms->scoped[scope][term];
}

// ---- sealing -------------------------------------------------------------------------------

static uint32_t rank_of(float cost) // 0 is the most frequent
{
    return cost >= 1 ? 0 : (uint32_t)((1 - cost) * (RANKS - 1));
}

// Final numbers by falling frequency, as they came where it is equal.
static uint32_t *number(const struct terms *terms)
{
    uint32_t *map = tc_new(terms->count * sizeof *map), *next = tc_new((RANKS + 1) * sizeof *next);
    for (uint32_t term = 1; term < terms->count; term++)
        next[rank_of(terms->costs[term]) + 1]++;
    for (uint32_t rank = 0; rank < RANKS; rank++)
        next[rank + 1] += next[rank];
    for (uint32_t term = 1; term < terms->count; term++)
        map[term] = 1 + next[rank_of(terms->costs[term])]++;
    free(next);
    return map;
}

static void renumber_scoped(struct terms *terms, const uint32_t *map)
{
    if (!terms->scoped_room)
        return;
    make_scoped_room(terms);
    terms->scoped_room = terms->count;
    for (int scope = 0; scope < TERMS_SCOPES; scope++) {
        uint32_t *before = terms->scoped[scope], *after = tc_new(terms->count * sizeof *after);
        for (uint32_t term = 1; term < terms->count; term++)
            after[map[term]] = before[term] ? map[before[term]] : TERM_NONE;
        terms->scoped[scope] = after;
        tc_free(before);
    }
}

uint32_t *terms_seal(struct terms *terms)
{
    uint32_t *map = number(terms);
    struct lexicon_key *keys = tc_table(terms->count, sizeof *keys);
    keys[TERM_NONE] = (struct lexicon_key){0, 0};
    for (uint32_t term = 1; term < terms->count; term++)
        keys[map[term]] = terms->words.keys[term];
    tc_free(terms->words.keys);
    terms->words.keys = keys;
    terms->key_room = terms->count;
    lexicon_seal(&terms->folded, &terms->words, map);
    lexicon_seal(&terms->surface, &terms->words, map);
    pattern_set_renumber(terms->folded_patterns, map);
    pattern_set_renumber(terms->surface_patterns, map);
    dict_renumber(&terms->patterns, map);
    renumber_scoped(terms, map);
    if (pattern_set_count(terms->surface_patterns))
        memset(terms->surface_lengths, 0xff, sizeof terms->surface_lengths);
    tc_free(terms->costs);
    tc_free(terms->plain);
    terms->costs = NULL;
    terms->plain = NULL;
    terms->counts = NULL;
    terms->sealed = true;
    return map;
}
