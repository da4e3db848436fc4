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

// Packs, hashes, and has the memo's slot of every word fetched.
static void hash_words(struct view *view, const struct memo *memo)
{
    const struct text_word *words = view->segment->words;
    struct lexicon_key *keys = view->keys;
    uint64_t *hashes = view->hashes, seed = memo->lexicon->seed;
    uint32_t count = view->segment->word_count;
    for (uint32_t i = 0; i < count; i++) {
        struct lexicon_key key = lexicon_pack_roomy(words[i].folded, words[i].folded_len);
        uint64_t hash = lexicon_hash(key, seed);
        __builtin_prefetch(memo_slot(memo, hash));
        keys[i] = key;
        hashes[i] = hash;
    }
}

// The terms of all words that the memo knows. Gives how many have to be asked: the others, and those that
// match patterns.
static uint32_t recall_words(struct view *view, const struct memo *memo)
{
    const struct lexicon_key *keys = view->keys;
    const uint64_t *hashes = view->hashes;
    uint32_t *terms = view->words, *asked = view->asked;
    uint32_t count = view->segment->word_count, asked_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct memo_slot *slot = memo_slot(memo, hashes[i]);
        bool same = memo_is(slot, keys[i]);
        terms[i] = slot->term & (0 - (uint32_t)same);
        asked[asked_count] = i;
        asked_count += !(same & (slot->answer == MEMO_NOTHING));
    }
    return asked_count;
}

// Asks for word `number`, whose key and hash are at `at`. Adds the terms of its patterns, gives its own.
static uint32_t ask_word(struct view *view, struct memo *memo, tc_str bytes, uint32_t number,
                         uint32_t at)
{
    const uint32_t *terms;
    size_t count;
    struct memo_word asked = {bytes, view->keys[at], view->hashes[at]};
    uint32_t term = memo_ask(memo, &asked, &terms, &count);
    make_found_room(view, count + 1);
    for (size_t i = 0; i < count; i++) {
        view->found_terms[view->found_count] = terms[i];
        view->found_words[view->found_count++] = number;
    }
    return term;
}

static void find_words(struct view *view)
{
    make_found_room(view, (size_t)view->segment->word_count + 1);
    const uint32_t *terms = view->words;
    uint32_t *found_terms = view->found_terms, *found_words = view->found_words;
    uint32_t count = view->segment->word_count;
    size_t found = view->found_count;
    for (uint32_t i = 0; i < count; i++) {
        found_terms[found] = terms[i];
        found_words[found] = i;
        found += terms[i] != TERM_NONE;
    }
    view->found_count = found;
}

static void look_up_folded(struct view *view, struct memo *memo)
{
    const struct text_word *words = view->segment->words;
    hash_words(view, memo);
    uint32_t count = recall_words(view, memo);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = view->asked[i];
        tc_str folded = {words[number].folded, words[number].folded_len};
        view->words[number] = ask_word(view, memo, folded, number, number);
    }
    find_words(view);
}

// Only of words that can be one of the surfaces that are watched.
static void look_up_surfaces(struct view *view, struct memo *memo)
{
    const struct text_word *words = view->segment->words;
    uint32_t *asked = view->asked, count = 0;
    for (uint32_t i = 0; i < view->segment->word_count; i++) {
        asked[count] = i;
        count += terms_may_hold(view->terms, words[i].surface, words[i].surface_len);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct text_word *word = &words[asked[i]];
        view->keys[i] = lexicon_pack(word->surface, word->surface_len);
        view->hashes[i] = lexicon_hash(view->keys[i], memo->lexicon->seed);
        __builtin_prefetch(memo_slot(memo, view->hashes[i]));
    }
    for (uint32_t i = 0; i < count; i++) {
        tc_str surface = {words[asked[i]].surface, words[asked[i]].surface_len};
        uint32_t term = ask_word(view, memo, surface, asked[i], i);
        view->found_terms[view->found_count] = term;
        view->found_words[view->found_count] = asked[i];
        view->found_count += term != TERM_NONE;
    }
}

// A term of its own stands where a term stands in the title or the body, if a watch asks for that.
static void find_scoped(struct view *view)
{
    const struct terms *terms = view->terms;
    size_t count = view->found_count, found = count;
    make_found_room(view, count + 1);
    for (size_t i = 0; i < count; i++) {
        uint32_t word = view->found_words[i];
        bool body = word >= view->segment->title_words;
        uint32_t term = terms->scoped[body ? TERMS_BODY : TERMS_TITLE][view->found_terms[i]];
        view->found_terms[found] = term;
        view->found_words[found] = word;
        found += term != TERM_NONE;
    }
    view->found_count = found;
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

void view_fill(struct view *view, struct memo *folded, struct memo *surface,
               const struct text *text, const struct text_segment *segment)
{
    const struct terms *terms = view->terms;
    view->text = text;
    view->segment = segment;
    view->plain = is_plain(segment);
    clear(view);
    make_word_room(view, (size_t)segment->word_count + 1);
    look_up_folded(view, folded);
    pair_neighbours(view);
    if (!view->plain)
        pair_positions(view);
    if (terms->surface.count || pattern_set_count(terms->surface_patterns))
        look_up_surfaces(view, surface);
    if (terms->scoped_room)
        find_scoped(view);
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

static void make_list_room(struct view *view)
{
    if (view->seen_count + 1 <= view->seen_room && view->found_count <= view->list_room)
        return;
    view->seen_room = 2 * (view->seen_count + 1);
    view->list_room = 2 * view->found_count;
    view->starts = tc_grow(view->starts, view->seen_room, sizeof *view->starts);
    view->ends = tc_grow(view->ends, view->seen_room, sizeof *view->ends);
    view->lists = tc_grow(view->lists, view->list_room, sizeof *view->lists);
}

static void count_places(struct view *view)
{
    const uint32_t *seen = view->seen, *found = view->found_terms;
    uint32_t *number_of = view->number_of, *starts = view->starts;
    size_t seen_count = view->seen_count, found_count = view->found_count;
    memset(starts, 0, (seen_count + 1) * sizeof *starts);
    for (size_t i = 0; i < seen_count; i++)
        number_of[seen[i]] = (uint32_t)i;
    for (size_t i = 0; i < found_count; i++)
        starts[number_of[found[i]] + 1]++;
    for (size_t i = 0; i < seen_count; i++)
        starts[i + 1] += starts[i];
    memcpy(view->ends, starts, seen_count * sizeof *view->ends);
}

static void lay_out_lists(struct view *view)
{
    make_list_room(view);
    count_places(view);
    const uint32_t *terms = view->found_terms, *words = view->found_words;
    const uint32_t *number_of = view->number_of;
    uint32_t *ends = view->ends, *lists = view->lists;
    for (size_t i = 0, count = view->found_count; i < count; i++)
        lists[ends[number_of[terms[i]]]++] = words[i];
    view->listed = true;
}

// A term stands at most once at one position, even when two words there are it. A regular expression has no
// words at all.
static void leave_out_doubles(struct view *view)
{
    const struct text_word *words = view->segment->words;
    for (size_t number = 0; number < view->seen_count; number++) {
        uint32_t *list = view->lists + view->starts[number];
        uint32_t count = view->ends[number] - view->starts[number], kept = count > 0;
        for (uint32_t i = 1; i < count; i++) {
            list[kept] = list[i];
            kept += words[list[i]].position != words[list[kept - 1]].position;
        }
        view->ends[number] = view->starts[number] + kept;
    }
}

const uint32_t *view_list(struct view *view, uint32_t term, size_t *count)
{
    *count = 0;
    if (!view_has(view, term))
        return NULL;
    if (!view->listed) {
        lay_out_lists(view);
        if (!view->plain)
            leave_out_doubles(view);
    }
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
