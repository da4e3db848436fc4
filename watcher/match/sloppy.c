#include "watcher/match/sloppy.h"

#include "common/mem.h"
#include "watcher/match/phrase.h"

struct search {
    struct sloppy_word *at;
    size_t count;
    const struct text_word *words;
    int64_t end; // the furthest beginning so far
    bool repeats, over;
    struct span span; // of the best match since the last
};

// ---- steps ---------------------------------------------------------------------------------

static bool step(struct search *search, struct sloppy_word *word)
{
    if (word->next == word->count)
        return false;
    word->begin = (int64_t)search->words[word->places[word->next++]].position - word->offset;
    if (word->begin > search->end)
        search->end = word->begin;
    return true;
}

static int64_t position(const struct sloppy_word *word)
{
    return word->begin + word->offset;
}

static bool before(const struct sloppy_word *a, const struct sloppy_word *b)
{
    return a->begin < b->begin || (a->begin == b->begin && a->offset < b->offset);
}

// The word whose beginning is first, but not `except`.
static struct sloppy_word *first_but(struct search *search, const struct sloppy_word *except)
{
    struct sloppy_word *first = NULL;
    for (size_t i = 0; i < search->count; i++) {
        struct sloppy_word *word = &search->at[i];
        if (word != except && (!first || before(word, first)))
            first = word;
    }
    return first;
}

// ---- words that the phrase has more than once ----------------------------------------------

static struct sloppy_word *in_its_place(struct search *search, const struct sloppy_word *word)
{
    for (size_t i = 0; i < search->count; i++) {
        struct sloppy_word *other = &search->at[i];
        if (other != word && other->term == word->term && position(other) == position(word))
            return other;
    }
    return NULL;
}

// After a step: while two stand in one place, the one that begins first goes on.
static bool part(struct search *search, struct sloppy_word *word)
{
    struct sloppy_word *other;
    while ((other = in_its_place(search, word)) != NULL) {
        word = before(word, other) ? word : other;
        if (!step(search, word))
            return false;
    }
    return true;
}

// ---- the search ----------------------------------------------------------------------------

// All at their first places, repeated words one place behind the other.
static bool begin(struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        struct sloppy_word *word = &search->at[i];
        size_t same = 0;
        for (size_t k = 0; k < i; k++)
            same += search->at[k].term == word->term;
        search->repeats = search->repeats || same > 0;
        word->offset = (uint32_t)i;
        word->next = same;
        if (same >= word->count || !step(search, word))
            return false;
    }
    return true;
}

static struct span extent(const struct search *search)
{
    struct span span = {UINT32_MAX, 0};
    for (size_t i = 0; i < search->count; i++) {
        uint32_t word = search->at[i].places[search->at[i].next - 1];
        span.first = word < span.first ? word : span.first;
        span.last = word > span.last ? word : span.last;
    }
    return span;
}

static bool next_match(struct search *search, int64_t slop)
{
    if (search->over)
        return false;
    struct sloppy_word *word = first_but(search, NULL);
    int64_t next = first_but(search, word)->begin, length = search->end - word->begin;
    search->span = extent(search);
    while (step(search, word) && (!search->repeats || part(search, word))) {
        int64_t now = search->end - word->begin;
        if (word->begin > next) {
            if (length <= slop)
                return true;
            word = first_but(search, NULL);
            next = first_but(search, word)->begin;
            length = search->end - word->begin;
            search->span = extent(search);
        } else if (now < length) {
            length = now;
            search->span = extent(search);
        }
    }
    search->over = true;
    return length <= slop;
}

void sloppy_find(struct sloppy_word *phrase, size_t count, int64_t slop,
                 const struct text_word *words, bool one, struct spans *out)
{
    struct search search = {.at = phrase, .count = count, .words = words, .end = INT64_MIN};
    if (count < 2 || !begin(&search))
        return;
    while (next_match(&search, slop)) {
        near_add(out, search.span);
        if (one)
            return;
    }
}

// ---- in a text -----------------------------------------------------------------------------

void sloppy_spans(struct eval *eval, const struct plan_node *node, struct range range,
                  struct spans *out, bool one)
{
    const struct text_word *words = eval->view->segment->words;
    if (!phrase_possible(eval, node))
        return;
    if (node->count > eval->sloppy_room) {
        eval->sloppy_room = node->count * 2;
        eval->sloppy = tc_grow(eval->sloppy, eval->sloppy_room, sizeof *eval->sloppy);
    }
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t term = eval->plan->words[node->first + i];
        size_t count;
        const uint32_t *list = view_list(eval->view, term, &count);
        size_t from = view_from(list, count, range.from), to = view_from(list, count, range.to);
        eval->sloppy[i] =
            (struct sloppy_word){.places = list, .count = to - from, .next = from, .term = term};
    }
    // a list may move while another is laid out: now all of them stay
    for (uint32_t i = 0; i < node->count; i++) {
        size_t count;
        eval->sloppy[i].places =
            view_list(eval->view, eval->sloppy[i].term, &count) + eval->sloppy[i].next;
    }
    sloppy_find(eval->sloppy, node->count, node->number, words, one, out);
    near_sort(words, out);
}
