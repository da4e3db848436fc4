#include "watcher/match/nearby.h"

#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/match/pattern.h"
#include "watcher/text/unmark.h"

#include <stdio.h>

enum {
    BEGINNING_LETTERS = 3, // shorter words begin too many others
    PART_LETTERS = 4,
    ENDING_LETTERS = 3, // at most so many letters are an ending
    FORM_BYTES = 512,
};

struct wanted {
    const struct text *text;
    const struct text_segment *segment;
    tc_str word; // folded
    size_t letters;
    unsigned edits; // that the query allows already
    char *out;
    size_t room;
};

static tc_str folded(const struct text_word *word)
{
    return (tc_str){word->folded, word->folded_len};
}

static tc_str surface(const struct text_word *word)
{
    return (tc_str){word->surface, word->surface_len};
}

static bool say(const struct wanted *wanted, const char *before, tc_str there, const char *behind)
{
    snprintf(wanted->out, wanted->room, "%s\"%.*s\"%s", before, TC_ARG(there), behind);
    return true;
}

// The first word of the text that is like the wanted one; NULL when none is.
static const struct text_word *first_like(const struct wanted *wanted,
                                          bool (*like)(const struct wanted *wanted, tc_str there))
{
    for (uint32_t i = 0; i < wanted->segment->word_count; i++) {
        if (like(wanted, folded(&wanted->segment->words[i])))
            return &wanted->segment->words[i];
    }
    return NULL;
}

// ---- likeness ------------------------------------------------------------------------------

static bool same(const struct wanted *wanted, tc_str there)
{
    return tc_str_eq(wanted->word, there);
}

static bool equal_after(size_t (*change)(tc_str, char *, size_t), tc_str a, tc_str b)
{
    char left[UNMARK_ROOM(FORM_BYTES)], right[UNMARK_ROOM(FORM_BYTES)];
    if (a.len > FORM_BYTES || b.len > FORM_BYTES)
        return false;
    return tc_str_eq((tc_str){left, change(a, left, sizeof left)},
                     (tc_str){right, change(b, right, sizeof right)});
}

static bool same_but_for_marks(const struct wanted *wanted, tc_str there)
{
    return equal_after(unmark, wanted->word, there);
}

static bool same_but_for_umlauts(const struct wanted *wanted, tc_str there)
{
    return equal_after(unmark_german, wanted->word, there);
}

static bool begins(const struct wanted *wanted, tc_str there)
{
    return wanted->letters >= BEGINNING_LETTERS && tc_str_starts(there, wanted->word);
}

static bool is_inside(const struct wanted *wanted, tc_str there)
{
    return wanted->letters >= PART_LETTERS && wanted->word.len < there.len &&
           memmem(there.ptr, there.len, wanted->word.ptr, wanted->word.len);
}

static bool lacks_ending(const struct wanted *wanted, tc_str there)
{
    return tc_utf8_count(there) >= PART_LETTERS && tc_str_starts(wanted->word, there) &&
           wanted->word.len - there.len <= ENDING_LETTERS;
}

static bool is_near_spelling(const struct wanted *wanted, tc_str there)
{
    return wanted->letters >= PART_LETTERS &&
           pattern_near_spelling(wanted->word, there, wanted->edits + 1);
}

// DeepSeek, where the text has Deep-Seek.
static bool say_two_words(const struct wanted *wanted)
{
    const struct text_segment *segment = wanted->segment;
    for (uint32_t i = 0; i + 1 < segment->word_count; i++) {
        const struct text_word *a = &segment->words[i], *b = a + 1;
        if (a->paragraph != b->paragraph || a->position == b->position ||
            a->folded_len + b->folded_len != (int)wanted->word.len ||
            !tc_str_starts(wanted->word, folded(a)) || !tc_str_ends(wanted->word, folded(b)))
            continue;
        const struct article *article = wanted->text->article;
        tc_str original = segment->paragraphs[a->paragraph].field == TC_FIELD_TITLE ? article->title
                                                                                    : article->body;
        return say(wanted, "only ", tc_str_cut(original, a->start, b->end),
                   " is there, which is two words: a phrase");
    }
    return false;
}

// ---- the most alike ------------------------------------------------------------------------

static bool say_same_letters(const struct wanted *wanted, bool exact)
{
    const struct text_word *there = exact ? first_like(wanted, same) : NULL;
    if (there)
        return say(wanted, "it is there only as ", surface(there), "");
    there = first_like(wanted, same_but_for_marks);
    if (there)
        return say(wanted, "only ", surface(there), " is there, with other marks");
    there = first_like(wanted, same_but_for_umlauts);
    if (there)
        return say(wanted, "only ", surface(there),
                   " is there; text: {german_umlauts: expand} makes them equal");
    return false;
}

static bool say_like(const struct wanted *wanted)
{
    static const struct {
        bool (*like)(const struct wanted *wanted, tc_str there);
        const char *behind;
    } kinds[] = {
        {begins, " is there: a * behind the word would find it"},
        {lacks_ending, " is there"},
        {is_inside, " is there: a * before and behind the word would find it"},
        {is_near_spelling, " is there, which is spelt a little otherwise"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct text_word *there = first_like(wanted, kinds[i].like);
        if (there)
            return say(wanted, "only ", surface(there), kinds[i].behind);
    }
    return false;
}

bool nearby_word(const struct text *text, const struct text_segment *segment,
                 const struct query_word *word, bool exact, enum nearby_kinds kinds, char *out,
                 size_t room)
{
    struct wanted wanted = {text, segment, word->folded, 0, word->edits, out, room};
    if (word->wild)
        return false;
    wanted.letters = tc_utf8_count(wanted.word);
    return say_same_letters(&wanted, exact) ||
           (kinds == NEARBY_ALL && (say_two_words(&wanted) || say_like(&wanted)));
}
