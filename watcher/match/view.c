#include "watcher/match/view.h"

#include "common/mem.h"

#include "watcher/match/running.h"

#include <stdlib.h>

void view_done(struct view *view)
{
    free(view->bits);
    free(view->pairs);
    free(view->keys);
    free(view->hashes);
    free(view->words);
    free(view->spare);
    free(view->asked);
    free(view->found_terms);
    free(view->found_words);
    free(view->seen);
    free(view->number_of);
    free(view->starts);
    free(view->ends);
    free(view->lists);
    running_free(view->running);
    *view = (struct view){0};
}

static void set_bit(struct view *view, uint32_t bit)
{
    view->bits[bit >> 5] |= UINT32_C(1) << (bit & 31);
}

void view_use(struct view *view, const struct terms *terms)
{
    size_t bits = ((size_t)VIEW_PAIRS + terms->count) / 32 + 1;
    view->terms = terms;
    view->seen_count = view->pair_count = view->found_count = 0;
    if (bits > view->bit_room) {
        view->bits = tc_grow(view->bits, bits, sizeof *view->bits);
        view->bit_room = bits;
    }
    memset(view->bits, 0, view->bit_room * sizeof *view->bits);
    set_bit(view, VIEW_PAIRS + TERM_NONE);
    if (terms->count > view->number_room) {
        view->number_of = tc_grow(view->number_of, terms->count, sizeof *view->number_of);
        view->number_room = terms->count;
    }
}

static void clear(struct view *view)
{
    const uint32_t *pairs = view->pairs, *seen = view->seen;
    uint32_t *bits = view->bits;
    for (size_t i = 0, count = view->pair_count; i < count; i++)
        bits[pairs[i] >> 5] = 0;
    for (size_t i = 0, count = view->seen_count; i < count; i++)
        bits[(VIEW_PAIRS + seen[i]) >> 5] = 0;
    set_bit(view, VIEW_PAIRS + TERM_NONE);
    view->seen_count = view->pair_count = view->found_count = 0;
    view->listed = false;
    view->walks = 0;
}

static void make_word_room(struct view *view, size_t words)
{
    if (words <= view->word_room && view->keys)
        return;
    size_t count = view->word_room = words * 2;
    view->keys = tc_grow(view->keys, count, sizeof *view->keys);
    view->hashes = tc_grow(view->hashes, count, sizeof *view->hashes);
    view->words = tc_grow(view->words, count, sizeof *view->words);
    view->spare = tc_grow(view->spare, count, sizeof *view->spare);
    view->asked = tc_grow(view->asked, count, sizeof *view->asked);
    if (view->pair_room < 2 * count) {
        view->pair_room = 2 * count;
        view->pairs = tc_grow(view->pairs, view->pair_room, sizeof *view->pairs);
    }
}

// For `more` further terms found.
static void make_found_room(struct view *view, size_t more)
{
    size_t need = view->found_count + more;
    if (need <= view->found_room && view->found_terms)
        return;
    size_t count = view->found_room = need * 2;
    view->found_terms = tc_grow(view->found_terms, count, sizeof *view->found_terms);
    view->found_words = tc_grow(view->found_words, count, sizeof *view->found_words);
    view->seen = tc_grow(view->seen, count, sizeof *view->seen);
}

// ---- looking up ------------------------------------------------------------------------------

// Packs, hashes, and has the cache line of every word fetched.
static void hash_words(struct view *view, const struct lexicon *from, bool surface)
{
    const struct lexicon lexicon = *from;
    const struct text_word *words = view->segment->words;
    struct lexicon_key *keys = view->keys;
    uint64_t *hashes = view->hashes;
    uint32_t count = view->segment->word_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct text_word *word = &words[i];
        struct lexicon_key key = surface ? lexicon_pack(word->surface, word->surface_len)
                                         : lexicon_pack(word->folded, word->folded_len);
        uint64_t hash = lexicon_hash(key, lexicon.seed);
        __builtin_prefetch(lexicon_bucket(&lexicon, hash));
        keys[i] = key;
        hashes[i] = hash;
    }
}

// The terms of all words, one after the other, without a branch on what is found.
static void find_words(struct view *view, const struct lexicon *from)
{
    const struct lexicon lexicon = *from;
    const struct lexicon_words words = view->terms->words;
    const struct lexicon_key *keys = view->keys;
    const uint64_t *hashes = view->hashes;
    uint32_t *terms = view->words, *found_terms = view->found_terms;
    uint32_t *found_words = view->found_words, count = view->segment->word_count;
    size_t found = view->found_count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t term = lexicon_find(&lexicon, &words, keys[i], hashes[i]);
        terms[i] = term;
        found_terms[found] = term;
        found_words[found] = i;
        found += term != TERM_NONE;
    }
    view->found_count = found;
}

static void add_patterns(struct view *view, const struct pattern_set *set,
                         struct pattern_memo *memo, bool surface, uint32_t number)
{
    const struct text_word *word = &view->segment->words[number];
    const uint32_t *terms;
    struct pattern_word asked = {surface ? (tc_str){word->surface, word->surface_len}
                                         : (tc_str){word->folded, word->folded_len},
                                 view->words[number], view->keys[number], view->hashes[number]};
    size_t count = pattern_find(set, memo, &asked, &terms);
    make_found_room(view, count + 1);
    for (size_t i = 0; i < count; i++) {
        view->found_terms[view->found_count] = terms[i];
        view->found_words[view->found_count++] = number;
    }
}

// Most words are known to match no pattern: two loops, so that these cost one look each.
static void find_patterns(struct view *view, const struct pattern_set *set,
                          struct pattern_memo *memo, bool surface)
{
    uint32_t count = view->segment->word_count, *asked = view->asked;
    size_t asked_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        asked[asked_count] = i;
        asked_count += !pattern_known_nothing(memo, view->words[i], view->keys[i], view->hashes[i]);
    }
    for (size_t i = 0; i < asked_count; i++)
        add_patterns(view, set, memo, surface, asked[i]);
}

// Sets the bits of the terms found, and lists them in seen[] once each.
static void see(struct view *view)
{
    const uint32_t *found = view->found_terms;
    uint32_t *bits = view->bits, *terms = view->seen;
    size_t seen = 0, count = view->found_count;
    for (size_t i = 0; i < count; i++) {
        uint32_t term = found[i], bit = VIEW_PAIRS + term;
        uint32_t before = bits[bit >> 5], one = UINT32_C(1) << (bit & 31);
        bits[bit >> 5] = before | one;
        terms[seen] = term;
        seen += !(before & one);
    }
    view->seen_count = seen;
}

// ---- pairs -----------------------------------------------------------------------------------

// Neighbours in the text, whatever paragraph: more bits than phrases need, never fewer.
static void pair_neighbours(struct view *view)
{
    const uint32_t *words = view->words;
    uint32_t *bits = view->bits, *pairs = view->pairs, word_count = view->segment->word_count;
    size_t count = 0;
    for (uint32_t i = 1; i < word_count; i++) {
        uint32_t pair = view_pair(words[i - 1], words[i]);
        uint32_t both = (words[i - 1] != TERM_NONE) & (words[i] != TERM_NONE);
        bits[pair >> 5] |= both << (pair & 31);
        pairs[count] = pair;
        count += both;
    }
    view->pair_count = count;
}

static void add_pair(struct view *view, uint32_t first, uint32_t second)
{
    if (view->pair_count == view->pair_room) {
        view->pair_room *= 2;
        view->pairs = tc_grow(view->pairs, view->pair_room, sizeof *view->pairs);
    }
    uint32_t pair = view_pair(first, second);
    set_bit(view, pair);
    view->pairs[view->pair_count++] = pair;
}

// Beside the neighbours by number, where words share a position: a word there with each of the position
// before.
static void pair_positions(struct view *view)
{
    const struct text_word *words = view->segment->words;
    for (uint32_t i = 2; i < view->segment->word_count; i++) {
        uint32_t position = words[i].position, before = words[i - 1].position;
        if ((position != before && before != words[i - 2].position) || !view->words[i])
            continue;
        for (uint32_t k = i - 1; k-- > 0 && position - words[k].position <= 1;) {
            if (position != words[k].position && view->words[k])
                add_pair(view, view->words[k], view->words[i]);
        }
    }
}

static bool is_plain(const struct text_segment *segment)
{
    return !segment->word_count ||
           segment->words[segment->word_count - 1].position - segment->words[0].position + 1 ==
               segment->word_count;
}

static void fill_folded(struct view *view, struct pattern_memo *memo)
{
    const struct terms *terms = view->terms;
    hash_words(view, &terms->folded, false);
    find_words(view, &terms->folded);
    pair_neighbours(view);
    if (!view->plain)
        pair_positions(view);
    if (pattern_set_count(terms->folded_patterns))
        find_patterns(view, terms->folded_patterns, memo, false);
}

// Surface forms have no pairs; words[] must be the folded ones again afterwards.
static void fill_surface(struct view *view, struct pattern_memo *memo)
{
    const struct terms *terms = view->terms;
    uint32_t *folded = view->words;
    view->words = view->spare;
    make_found_room(view, view->segment->word_count + 1);
    hash_words(view, &terms->surface, true);
    find_words(view, &terms->surface);
    if (pattern_set_count(terms->surface_patterns))
        find_patterns(view, terms->surface_patterns, memo, true);
    view->words = folded;
}

void view_fill(struct view *view, struct pattern_memo *folded_memo,
               struct pattern_memo *surface_memo, const struct text *text,
               const struct text_segment *segment)
{
    const struct terms *terms = view->terms;
    view->text = text;
    view->segment = segment;
    view->plain = is_plain(segment);
    clear(view);
    make_word_room(view, (size_t)segment->word_count + 1);
    make_found_room(view, (size_t)segment->word_count + 1);
    fill_folded(view, folded_memo);
    if (terms->surface.count || pattern_set_count(terms->surface_patterns))
        fill_surface(view, surface_memo);
    see(view);
}

void view_add(struct view *view, uint32_t term)
{
    uint32_t bit = VIEW_PAIRS + term;
    if (view_bit(view, bit))
        return;
    make_found_room(view, view->seen_count + 1); // seen[] has the room of the found
    set_bit(view, bit);
    view->seen[view->seen_count++] = term;
}

// ---- places ----------------------------------------------------------------------------------

static void count_places(struct view *view)
{
    for (size_t i = 0; i < view->seen_count; i++)
        view->number_of[view->seen[i]] = (uint32_t)i;
    memset(view->starts, 0, (view->seen_count + 1) * sizeof *view->starts);
    for (size_t i = 0; i < view->found_count; i++)
        view->starts[view->number_of[view->found_terms[i]] + 1]++;
    for (size_t i = 0; i < view->seen_count; i++)
        view->starts[i + 1] += view->starts[i];
    memcpy(view->ends, view->starts, view->seen_count * sizeof *view->ends);
}

// A term stands at most once at one position, even when two forms of the word there are it.
static void lay_out_lists(struct view *view)
{
    const struct text_word *words = view->segment->words;
    if (view->seen_count + 1 > view->seen_room || view->found_count > view->list_room) {
        view->seen_room = 2 * (view->seen_count + 1);
        view->list_room = 2 * view->found_count;
        view->starts = tc_grow(view->starts, view->seen_room, sizeof *view->starts);
        view->ends = tc_grow(view->ends, view->seen_room, sizeof *view->ends);
        view->lists = tc_grow(view->lists, view->list_room, sizeof *view->lists);
    }
    count_places(view);
    for (size_t i = 0; i < view->found_count; i++) {
        uint32_t number = view->number_of[view->found_terms[i]], word = view->found_words[i];
        uint32_t end = view->ends[number];
        view->lists[end] = word;
        view->ends[number] += end == view->starts[number] ||
                              words[view->lists[end - 1]].position != words[word].position;
    }
    view->listed = true;
}

const uint32_t *view_list(struct view *view, uint32_t term, size_t *count)
{
    *count = 0;
    if (!view_has(view, term))
        return NULL;
    if (!view->listed)
        lay_out_lists(view);
    uint32_t number = view->number_of[term];
    *count = view->ends[number] - view->starts[number];
    return view->lists + view->starts[number];
}

size_t view_from(const uint32_t *list, size_t count, uint32_t word)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (list[middle] < word)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool view_within(struct view *view, uint32_t term, struct range range)
{
    if (!view_has(view, term))
        return false;
    if (range.from == 0 && range.to == view->segment->word_count)
        return true;
    size_t count;
    const uint32_t *list = view_list(view, term, &count);
    size_t at = view_from(list, count, range.from);
    return at < count && list[at] < range.to;
}

enum tc_field view_field(const struct view *view, uint32_t word)
{
    return view->segment->paragraphs[view->segment->words[word].paragraph].field;
}

tc_str view_original(const struct view *view, enum tc_field field)
{
    return field == TC_FIELD_TITLE ? view->text->article->title : view->text->article->body;
}
