#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/match/regexp/parts.h"
#include "watcher/match/regexp/regexp.h"

#include <stdlib.h>

// ends_of(part, i): the set of places where `part` can end when it begins at letter i, as a bit set of
// 0..letters. Sets are made once per part and place and kept, so nested repeats cost no more than others.

enum { SET_WORDS = (REGEXP_LETTERS_MOST + 1 + 63) / 64 };

struct set { // of places 0..letters
    uint64_t bits[SET_WORDS];
};

struct known {
    bool ready;
    struct set ends;
};

struct matching {
    uint32_t letters[REGEXP_LETTERS_MOST];
    uint32_t count;
    struct known *known; // part x place
};

static const struct set *ends_of(struct matching *matching, const struct regexp_part *part,
                                 uint32_t from);

static void add(struct set *set, uint32_t place)
{
    set->bits[place / 64] |= UINT64_C(1) << place % 64;
}

static bool has(const struct set *set, uint32_t place)
{
    return set->bits[place / 64] >> place % 64 & 1;
}

static void add_all(struct set *set, const struct set *more)
{
    for (size_t i = 0; i < SET_WORDS; i++)
        set->bits[i] |= more->bits[i];
}

static bool same(const struct set *a, const struct set *b)
{
    return !memcmp(a, b, sizeof *a);
}

static bool is_in_class(const struct regexp_part *part, uint32_t letter)
{
    for (const struct regexp_range *range = part->ranges; range; range = range->next) {
        if (letter >= range->from && letter <= range->to)
            return !part->negated;
    }
    return part->negated;
}

static void ends_of_string(const struct matching *matching, const struct regexp_part *part,
                           uint32_t from, struct set *out)
{
    if (part->letter_count > matching->count - from)
        return;
    if (!part->letter_count || !memcmp(part->letters, matching->letters + from,
                                       part->letter_count * sizeof *part->letters))
        add(out, from + part->letter_count);
}

static void ends_of_number(const struct matching *matching, const struct regexp_part *part,
                           uint32_t from, struct set *out)
{
    uint64_t value = 0;
    for (uint32_t i = from; i < matching->count; i++) {
        uint32_t letter = matching->letters[i];
        if (letter < '0' || letter > '9')
            return;
        value = value * 10 + (letter - '0');
        if (value > part->high)
            return;
        if (value >= part->low && (!part->least || i + 1 - from == (uint32_t)part->least))
            add(out, i + 1);
    }
}

// Where `part` can end when it begins at one of `begins`.
static struct set follow(struct matching *matching, const struct regexp_part *part,
                         const struct set *begins)
{
    struct set ends = {{0}};
    for (uint32_t i = 0; i <= matching->count; i++) {
        if (has(begins, i))
            add_all(&ends, ends_of(matching, part, i));
    }
    return ends;
}

// What was reached by fewer repetitions goes on at least as far as what is reached again, so a round
// that adds nothing is the last.
static void ends_of_repeat(struct matching *matching, const struct regexp_part *part, uint32_t from,
                           struct set *out)
{
    struct set now = {{0}};
    if (part->most != REGEXP_NO_MOST && part->most < part->least)
        return;
    add(&now, from);
    for (int i = 0; i < part->least; i++) {
        struct set next = follow(matching, part->left, &now);
        if (same(&next, &now))
            break;
        now = next;
    }
    *out = now;
    for (int i = part->least; part->most == REGEXP_NO_MOST || i < part->most; i++) {
        struct set before = *out;
        now = follow(matching, part->left, &now);
        add_all(out, &now);
        if (same(&before, out))
            return;
    }
}

static void ends_of_not(struct matching *matching, const struct regexp_part *part, uint32_t from,
                        struct set *out)
{
    const struct set *ends = ends_of(matching, part->left, from);
    for (uint32_t i = from; i <= matching->count; i++) {
        if (!has(ends, i))
            add(out, i);
    }
}

static void ends_of_both(struct matching *matching, const struct regexp_part *part, uint32_t from,
                         struct set *out)
{
    const struct set *left = ends_of(matching, part->left, from);
    const struct set *right = ends_of(matching, part->right, from);
    for (size_t i = 0; i < SET_WORDS; i++)
        out->bits[i] = left->bits[i] & right->bits[i];
}

static void find_ends(struct matching *matching, const struct regexp_part *part, uint32_t from,
                      struct set *out)
{
    switch (part->kind) {
    case PART_CLASS:
        if (from < matching->count && is_in_class(part, matching->letters[from]))
            add(out, from + 1);
        break;
    case PART_STRING: ends_of_string(matching, part, from, out); break;
    case PART_ANY:
        for (uint32_t i = from; i <= matching->count; i++)
            add(out, i);
        break;
    case PART_NOTHING: break;
    case PART_NUMBER: ends_of_number(matching, part, from, out); break;
    case PART_CONCAT:
        *out = follow(matching, part->right, ends_of(matching, part->left, from));
        break;
    case PART_UNION:
        *out = *ends_of(matching, part->left, from);
        add_all(out, ends_of(matching, part->right, from));
        break;
    case PART_BOTH: ends_of_both(matching, part, from, out); break;
    case PART_REPEAT: ends_of_repeat(matching, part, from, out); break;
    case PART_NOT: ends_of_not(matching, part, from, out); break;
    }
}

static const struct set *ends_of(struct matching *matching, const struct regexp_part *part,
                                 uint32_t from)
{
    struct known *known = &matching->known[(size_t)part->number * (matching->count + 1) + from];
    if (!known->ready) {
        struct set ends = {{0}};
        find_ends(matching, part, from, &ends);
        known->ends = ends;
        known->ready = true;
    }
    return &known->ends;
}

bool regexp_matches(const struct regexp *regexp, tc_str word)
{
    struct matching matching = {.count = 0};
    for (size_t at = 0; at < word.len;) {
        if (matching.count == REGEXP_LETTERS_MOST)
            return false;
        matching.letters[matching.count++] = tc_utf8_next(word, &at);
    }
    matching.known = tc_new((size_t)regexp->parts * (matching.count + 1) * sizeof *matching.known);
    bool whole = has(ends_of(&matching, regexp->root, 0), matching.count);
    free(matching.known);
    return whole;
}
