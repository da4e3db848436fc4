#include "tests/watcher/match/plain.h"

#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/text/stem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPANS_MOST = 16384, LETTERS_MOST = 64 };

struct place {
    int first, last;
};

struct places {
    struct place *at;
    size_t count, room;
};

struct reader { // what a question needs
    const struct plain *text;
    struct text_switches switches;
    struct word_form_reader *forms;
    struct word_form form; // under which leaves are compared just now
    bool formed;
};

// ---- texts ---------------------------------------------------------------------------------

static char joint_of(const struct text *text, const struct text_paragraph *paragraph,
                     const struct text_word *word, const struct text_word *next)
{
    tc_str original =
        paragraph->field == TC_FIELD_TITLE ? text->article->title : text->article->body;
    tc_str between = tc_str_cut(original, word->end, next->start);
    if (next->start <= word->end)
        return 0;
    for (size_t i = 0; i < between.len; i++) {
        if (between.ptr[i] != between.ptr[0])
            return 0;
    }
    return between.ptr[0] == '-' ? (between.len == 1 ? '-' : 0) : between.ptr[0] == ' ' ? ' ' : 0;
}

// Letters of the original, blanks at the end of a paragraph left out.
static void add_letters(struct plain *out, tc_str letters)
{
    if (out->letter_count + (int)letters.len > PLAIN_LETTERS)
        abort();
    if (letters.len)
        memcpy(out->letters + out->letter_count, letters.ptr, letters.len);
    out->letter_count += (int)letters.len;
}

// What stands between a place and the next of its paragraph, or the paragraph's end.
static void add_gap(const struct text *text, const struct text_segment *segment,
                    const struct text_word *whole, const struct text_word *next, struct plain *out)
{
    const struct text_paragraph *in = &segment->paragraphs[whole->paragraph];
    tc_str original = in->field == TC_FIELD_TITLE ? text->article->title : text->article->body;
    bool same = next && next->paragraph == whole->paragraph;
    tc_str gap = tc_str_cut(original, whole->end, same ? next->start : in->end);
    add_letters(out, same ? gap : tc_str_trim(gap));
}

static void append(const struct text *text, const struct text_segment *segment, struct plain *out)
{
    const struct text_word *before = NULL, *whole = NULL; // the first word at a place is all of it
    int paragraph = out->count ? out->places[out->count - 1].paragraph + 1 : 0;
    int sentence = out->count ? out->places[out->count - 1].sentence + 1 : 0;
    for (uint32_t i = 0; i < segment->word_count; i++) {
        const struct text_word *word = &segment->words[i];
        const struct text_paragraph *in = &segment->paragraphs[word->paragraph];
        if (!before || before->position != word->position) {
            if (before && before->paragraph == word->paragraph)
                out->places[out->count - 1].joint = joint_of(text, in, before, word);
            if (out->count == PLAIN_PLACES)
                abort();
            if (whole)
                add_gap(text, segment, whole, word, out);
            whole = word;
            out->places[out->count++] = (struct plain_place){
                .paragraph = paragraph + (int)word->paragraph,
                .sentence = sentence + (int)word->sentence,
                .lang = in->lang,
                .lang_sure = in->lang_sure,
                .from = out->letter_count,
            };
            add_letters(out, (tc_str){word->surface, word->surface_len});
            out->places[out->count - 1].behind = out->letter_count;
        }
        struct plain_place *place = &out->places[out->count - 1];
        if (place->count == PLAIN_SHARED)
            abort();
        place->words[place->count++] = word;
        before = word;
    }
    if (whole)
        add_gap(text, segment, whole, NULL, out);
}

// Numbers of words become numbers of places.
static int place_of(const struct text_segment *segment, uint32_t word)
{
    int places = 0;
    for (uint32_t i = 0; i < word && i < segment->word_count; i++)
        places += i == 0 || segment->words[i].position != segment->words[i - 1].position;
    return places;
}

void plain_read(const struct text *text, int number, struct plain *out)
{
    const struct text_segment *first = &text->segments[number < 0 ? 0 : number];
    *out = (struct plain){.article = text->article, .lang = first->lang};
    for (uint32_t i = 0; i < text->segment_count; i++) {
        if (number < 0 || (int)i == number)
            append(text, &text->segments[i], out);
    }
    out->title = place_of(first, first->title_words);
    if (first->lead_paragraph < first->paragraph_count) {
        const struct text_paragraph *lead = &first->paragraphs[first->lead_paragraph];
        out->lead_from = place_of(first, lead->first);
        out->lead_to = place_of(first, lead->first + lead->count);
    }
}

int plain_body_words(const struct plain *text)
{
    return text->count - text->title;
}

// ---- words ---------------------------------------------------------------------------------

static bool wild_match(const char *pattern, const char *word)
{
    size_t one = 0;
    if (!*pattern)
        return !*word;
    if (*pattern == '*')
        return wild_match(pattern + 1, word) || (*word && wild_match(pattern, word + 1));
    if (!*word)
        return false;
    if (*pattern != '?')
        return *pattern == *word && wild_match(pattern + 1, word + 1);
    tc_utf8_next(tc_str_of(word), &one);
    return wild_match(pattern + 1, word + one);
}

static int letters_of(const char *word, uint32_t *out)
{
    tc_str text = tc_str_of(word);
    int count = 0;
    for (size_t at = 0; at < text.len && count < LETTERS_MOST;)
        out[count++] = tc_utf8_next(text, &at);
    return count;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

// Letters more, less or other, or neighbours swapped.
static int edits_between(const char *one, const char *other)
{
    uint32_t a[LETTERS_MOST], b[LETTERS_MOST];
    int a_len = letters_of(one, a), b_len = letters_of(other, b);
    static int costs[LETTERS_MOST + 1][LETTERS_MOST + 1];
    for (int i = 0; i <= a_len; i++) {
        for (int k = 0; k <= b_len; k++) {
            if (!i || !k) {
                costs[i][k] = i + k;
                continue;
            }
            int cost = costs[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
            cost = least(cost, least(costs[i - 1][k], costs[i][k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                cost = least(cost, costs[i - 2][k - 2] + 1);
            costs[i][k] = cost;
        }
    }
    return costs[a_len][b_len];
}

static void formed(const struct reader *reader, const char *word, bool wild, char *out, size_t room)
{
    struct word_form form = reader->form;
    if (wild)
        form.stem = WORD_FORM_NO_STEM;
    tc_str left = word_form_of(reader->forms, form, tc_str_of(word));
    snprintf(out, room, "%.*s", TC_ARG(left));
}

static bool is_word(const struct reader *reader, const struct plain_tree *leaf, int number,
                    const struct text_word *there)
{
    const struct plain_word *word = &leaf->words[number];
    const char *asked = leaf->exact               ? word->surface
                        : reader->switches.turkic ? word->turkic
                                                  : word->folded;
    tc_str form = leaf->exact ? (tc_str){there->surface, there->surface_len}
                              : (tc_str){there->folded, there->folded_len};
    bool changes = reader->formed && !leaf->exact && !word->edits;
    char found[128], plain[128], wanted[128];
    if (!changes && !word->wild && !word->edits)
        return tc_str_eq(form, tc_str_of(asked));
    snprintf(found, sizeof found, "%.*s", TC_ARG(form));
    if (word->edits)
        return edits_between(asked, found) <= word->edits;
    if (!changes)
        return wild_match(asked, found);
    formed(reader, found, word->wild, plain, sizeof plain);
    formed(reader, asked, word->wild, wanted, sizeof wanted);
    return word->wild ? wild_match(wanted, plain) : strcmp(wanted, plain) == 0;
}

static bool is_at(const struct reader *reader, const struct plain_tree *leaf, int number, int at)
{
    const struct plain_place *place = &reader->text->places[at];
    for (int i = 0; i < place->count; i++) {
        if (is_word(reader, leaf, number, place->words[i]))
            return true;
    }
    return false;
}

// ---- places --------------------------------------------------------------------------------

static void add(struct places *places, int first, int last)
{
    for (size_t i = 0; i < places->count; i++) {
        if (places->at[i].first == first && places->at[i].last == last)
            return;
    }
    if (places->count == SPANS_MOST)
        abort();
    places->at = tc_room(places->at, places->count, &places->room, sizeof *places->at);
    places->at[places->count++] = (struct place){first, last};
}

static bool holds(struct reader *reader, const struct plain_tree *tree, int from, int to);
static void find(struct reader *reader, const struct plain_tree *tree, int from, int to,
                 struct places *out);

static bool same_paragraph(const struct plain *text, int a, int b)
{
    return text->places[a].paragraph == text->places[b].paragraph;
}

// A phrase with a hyphen in it, asked for exactly, is joined as it is written.
static bool joined(const struct plain *text, const struct plain_tree *leaf, int at)
{
    bool strict = false;
    for (int i = 1; i < leaf->word_count; i++)
        strict = strict || leaf->words[i].glued;
    for (int i = 1; i < leaf->word_count && strict && leaf->exact; i++) {
        if (text->places[at + i - 1].joint != (leaf->words[i].glued ? '-' : ' '))
            return false;
    }
    return true;
}

static bool is_phrase(const struct reader *reader, const struct plain_tree *leaf, int at, int to)
{
    const struct plain *text = reader->text;
    if (at + leaf->word_count > to || !same_paragraph(text, at, at + leaf->word_count - 1))
        return false;
    for (int i = 0; i < leaf->word_count; i++) {
        if (!is_at(reader, leaf, i, at + i))
            return false;
    }
    return joined(text, leaf, at);
}

// Whether the words from `number` on can each have a place of its own in first .. last.
static bool seats(const struct reader *reader, const struct plain_tree *leaf, int number, int first,
                  int last, unsigned taken)
{
    if (number == leaf->word_count)
        return true;
    for (int i = first; i <= last; i++) {
        if (!(taken >> (i - first) & 1) && is_at(reader, leaf, number, i) &&
            seats(reader, leaf, number + 1, first, last, taken | 1u << (i - first)))
            return true;
    }
    return false;
}

// All words, any order, at most `number` others: the shortest stretch for each end.
static void find_window(const struct reader *reader, const struct plain_tree *leaf, int from,
                        int to, struct places *out)
{
    int most = leaf->word_count + leaf->number;
    for (int last = from; last < to; last++) {
        bool ends = false;
        for (int i = 0; i < leaf->word_count; i++)
            ends = ends || is_at(reader, leaf, i, last);
        for (int first = last; ends && first >= from && last - first < most; first--) {
            if (!same_paragraph(reader->text, first, last))
                break;
            if (seats(reader, leaf, 0, first, last, 0)) {
                add(out, first, last);
                break;
            }
        }
    }
}

// ---- regular expressions -------------------------------------------------------------------

static char in_case(const struct plain_tree *tree, char letter)
{
    return tree->any_case && letter >= 'A' && letter <= 'Z' ? (char)(letter + 'a' - 'A') : letter;
}

static bool is_one_of(const struct plain_tree *tree, const struct plain_item *item, char letter)
{
    for (const char *p = item->letters; letter && *p; p++) {
        if (in_case(tree, *p) == in_case(tree, letter))
            return true;
    }
    return false;
}

// The farthest end of items i.. from letter `at` to letter `to` at most; -1 when there is none.
static int farthest(const struct plain_tree *tree, int i, const char *letters, int at, int to)
{
    const struct plain_item *item = &tree->items[i];
    int best = -1, count = 0;
    if (i == PLAIN_ITEMS)
        return at;
    if (i == 1) {
        for (const char *p = item->letters; *p; p++, at++) {
            if (at >= to || in_case(tree, *p) != in_case(tree, letters[at]))
                return -1;
        }
        return farthest(tree, i + 1, letters, at, to);
    }
    for (;; at++, count++) {
        int end = count >= item->least ? farthest(tree, i + 1, letters, at, to) : -1;
        best = end > best ? end : best;
        if (count == item->most || at >= to || !is_one_of(tree, item, letters[at]))
            return best;
    }
}

// From every letter of every paragraph the longest match, and the places it touches; one inside another does
// not count.
static void find_expression(const struct plain *text, const struct plain_tree *tree, int from,
                            int to, struct places *out)
{
    for (int begin = 0, next; begin < text->count; begin = next) {
        for (next = begin; next < text->count && same_paragraph(text, begin, next);)
            next++;
        int end = next < text->count ? text->places[next].from : text->letter_count, reach = -1;
        for (int at = text->places[begin].from; at < end; at++) {
            int behind = farthest(tree, 0, text->letters, at, end), first = begin, last = next - 1;
            if (behind <= reach)
                continue;
            reach = behind;
            while (text->places[first].behind <= at)
                first++;
            while (text->places[last].from >= behind)
                last--;
            if (first >= from && last < to)
                add(out, first, last);
        }
    }
}

static void find_under(const struct reader *reader, const struct plain_tree *leaf, int from, int to,
                       struct places *out)
{
    if (leaf->kind == PLAIN_WINDOW) {
        find_window(reader, leaf, from, to, out);
        return;
    }
    for (int i = from; i < to; i++) {
        if (is_phrase(reader, leaf, i, to))
            add(out, i, i + leaf->word_count - 1);
    }
}

// Moves the places found to out, but for those in text of another language than `lang`.
static void add_all(const struct plain *text, const char *lang, struct places *found,
                    struct places *out)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct plain_place *place = &text->places[found->at[i].first];
        if (!*lang || !place->lang_sure || strcmp(place->lang, lang) == 0)
            add(out, found->at[i].first, found->at[i].last);
    }
    free(found->at);
    *found = (struct places){0};
}

static bool has_stem(const struct plain_tree *leaf)
{
    for (int i = 0; i < leaf->word_count; i++) {
        if (!leaf->words[i].wild && !leaf->words[i].edits)
            return true;
    }
    return false;
}

// A word or phrase under each form that the switches of its watch allow.
static void find_leaf(struct reader *reader, const struct plain_tree *leaf, int from, int to,
                      struct places *out)
{
    struct text_switches switches = reader->switches;
    struct places some = {0};
    reader->formed = switches_any(switches);
    for (int umlauts = 0; umlauts <= switches.umlauts_expanded; umlauts++) {
        reader->form = (struct word_form){switches.marks_folded, umlauts > 0, WORD_FORM_NO_STEM};
        find_under(reader, leaf, from, to, &some);
        add_all(reader->text, "", &some, out);
        for (int lang = 0; lang < STEM_LANGUAGES_MOST && has_stem(leaf) && !leaf->exact; lang++) {
            reader->form.stem = lang;
            if (!(switches.stems >> lang & 1))
                continue;
            find_under(reader, leaf, from, to, &some);
            add_all(reader->text, stem_code(lang), &some, out);
        }
    }
}

// ---- two operands --------------------------------------------------------------------------

static bool has_gaps(const struct plain_tree *tree)
{
    bool gaps = tree->kind == PLAIN_NEAR || tree->kind == PLAIN_ONEAR ||
                (tree->kind == PLAIN_WINDOW && tree->number > 0);
    for (int i = 0; i < tree->count; i++)
        gaps = gaps || has_gaps(tree->kids[i]);
    return gaps;
}

static int between(struct place a, struct place b)
{
    return a.last < b.first ? b.first - a.last - 1 : b.last < a.first ? a.first - b.last - 1 : 0;
}

static bool near(const struct plain_tree *tree, const struct plain *text, struct place a,
                 struct place b)
{
    bool a_gaps = has_gaps(tree->kids[0]), b_gaps = has_gaps(tree->kids[1]);
    if (!same_paragraph(text, a.first, b.first) || between(a, b) > tree->number)
        return false;
    if (tree->kind == PLAIN_ONEAR)
        return a.last < b.first;
    if (a.last < b.first || b.last < a.first)
        return true;
    if (a_gaps && b_gaps)
        return a.first != b.first && a.last != b.last && a.first != b.last && a.last != b.first;
    return (a_gaps && a.first < b.first && b.last < a.last) ||
           (b_gaps && b.first < a.first && a.last < b.last);
}

static bool spoils(const struct plain_tree *tree, const struct plain *text, struct place a,
                   struct place b)
{
    if (tree->kind == PLAIN_EXCEPT)
        return b.first <= a.first && a.last <= b.last;
    return same_paragraph(text, a.first, b.first) && between(a, b) <= tree->number;
}

static void find_pairs(struct reader *reader, const struct plain_tree *tree, int from, int to,
                       struct places *out)
{
    struct places a = {0}, b = {0};
    bool apart = tree->kind == PLAIN_NOTNEAR || tree->kind == PLAIN_EXCEPT;
    find(reader, tree->kids[0], from, to, &a);
    find(reader, tree->kids[1], apart ? 0 : from, apart ? reader->text->count : to, &b);
    for (size_t i = 0; i < a.count; i++) {
        bool spoiled = false;
        for (size_t k = 0; k < b.count; k++) {
            struct place x = a.at[i], y = b.at[k];
            if (apart)
                spoiled = spoiled || spoils(tree, reader->text, x, y);
            else if (near(tree, reader->text, x, y))
                add(out, least(x.first, y.first), x.last > y.last ? x.last : y.last);
        }
        if (apart && !spoiled)
            add(out, a.at[i].first, a.at[i].last);
    }
    free(a.at);
    free(b.at);
}

// ---- scopes --------------------------------------------------------------------------------

// The next sentence or paragraph of the range begins at `from`: where it ends.
static int part_end(const struct plain_tree *tree, const struct plain *text, int from, int to)
{
    int end = from;
    while (end < to &&
           (tree->kind == PLAIN_SENTENCE ? text->places[end].sentence == text->places[from].sentence
                                         : same_paragraph(text, end, from)))
        end++;
    return end;
}

static void narrow(const struct plain_tree *tree, const struct plain *text, int *from, int *to)
{
    int low = 0, high = text->count;
    switch (tree->kind) {
    case PLAIN_TITLE: high = text->title; break;
    case PLAIN_LEAD: low = text->lead_from, high = text->lead_to; break;
    case PLAIN_FIRST:
        high = least(high, text->title + tree->number); // and what holds of body:
        __attribute__((fallthrough));
    case PLAIN_BODY: low = text->title; break;
    default: break;
    }
    *from = *from < low ? low : *from;
    *to = least(*to, high);
}

static void find_parts(struct reader *reader, const struct plain_tree *tree, int from, int to,
                       struct places *out)
{
    for (int at = from, end; at < to; at = end) {
        struct places part = {0};
        end = part_end(tree, reader->text, at, to);
        if (holds(reader, tree->kids[0], at, end))
            find(reader, tree->kids[0], at, end, &part);
        int first = to, last = -1;
        for (size_t i = 0; i < part.count; i++) {
            first = least(first, part.at[i].first);
            last = part.at[i].last > last ? part.at[i].last : last;
        }
        if (part.count)
            add(out, first, last);
        free(part.at);
    }
}

static void find(struct reader *reader, const struct plain_tree *tree, int from, int to,
                 struct places *out)
{
    narrow(tree, reader->text, &from, &to);
    if (from >= to)
        return;
    switch (tree->kind) {
    case PLAIN_LEAF:
    case PLAIN_WINDOW: find_leaf(reader, tree, from, to, out); return;
    case PLAIN_EXPRESSION: find_expression(reader->text, tree, from, to, out); return;
    case PLAIN_NEAR:
    case PLAIN_ONEAR:
    case PLAIN_NOTNEAR:
    case PLAIN_EXCEPT: find_pairs(reader, tree, from, to, out); return;
    case PLAIN_SENTENCE:
    case PLAIN_PARAGRAPH: find_parts(reader, tree, from, to, out); return;
    case PLAIN_LIST:
        for (int i = 0; i < tree->count; i++) {
            struct places some = {0};
            find(reader, tree->kids[i], from, to, &some);
            add_all(reader->text, tree->langs[i], &some, out);
        }
        return;
    default: break;
    }
    if (!holds(reader, tree, from, to))
        return;
    for (int i = 0; i < tree->count && !(tree->kind == PLAIN_AND_NOT && i == 1); i++)
        find(reader, tree->kids[i], from, to, out);
}

// ---- yes or no -----------------------------------------------------------------------------

// The most that can be chosen without overlap, by always taking the one that ends first.
static int most_apart(const struct places *places)
{
    int chosen = 0, free_from = 0;
    for (;;) {
        int best = -1;
        for (size_t i = 0; i < places->count; i++) {
            if (places->at[i].first >= free_from &&
                (best < 0 || places->at[i].last < places->at[best].last))
                best = (int)i;
        }
        if (best < 0)
            return chosen;
        chosen++;
        free_from = places->at[best].last + 1;
    }
}

static bool holds_on_page(struct reader *reader, const struct plain_tree *tree)
{
    const struct plain *segment = reader->text;
    if (segment->page)
        reader->text = segment->page;
    bool held = holds(reader, tree, 0, reader->text->count);
    reader->text = segment;
    return held;
}

static bool holds_meta(const struct plain *text, const struct plain_tree *tree)
{
    if (strcmp(tree->meta, "lang") == 0)
        return strcmp(text->lang, tree->value) == 0;
    return tc_str_eq(text->article->source, tc_str_of(tree->value));
}

static bool holds_in_part(struct reader *reader, const struct plain_tree *tree, int from, int to)
{
    for (int at = from, end; at < to; at = end) {
        end = part_end(tree, reader->text, at, to);
        if (holds(reader, tree->kids[0], at, end))
            return true;
    }
    return false;
}

static bool holds_some(struct reader *reader, const struct plain_tree *tree, int from, int to)
{
    int held = 0;
    for (int i = 0; i < tree->count; i++)
        held += holds(reader, tree->kids[i], from, to) != (tree->kind == PLAIN_AND_NOT && i == 1);
    return held >= (tree->kind == PLAIN_OR    ? 1
                    : tree->kind == PLAIN_ANY ? tree->number
                                              : tree->count);
}

static bool holds(struct reader *reader, const struct plain_tree *tree, int from, int to)
{
    struct places places = {0};
    narrow(tree, reader->text, &from, &to);
    switch (tree->kind) {
    case PLAIN_META: return holds_meta(reader->text, tree);
    case PLAIN_PAGE: return holds_on_page(reader, tree->kids[0]);
    case PLAIN_SENTENCE:
    case PLAIN_PARAGRAPH: return holds_in_part(reader, tree, from, to);
    case PLAIN_FIRST:
    case PLAIN_TITLE:
    case PLAIN_LEAD:
    case PLAIN_BODY:
    case PLAIN_NAMED: return from < to && holds(reader, tree->kids[0], from, to);
    case PLAIN_OR:
    case PLAIN_AND:
    case PLAIN_AND_NOT:
    case PLAIN_ANY: return holds_some(reader, tree, from, to);
    default: break;
    }
    find(reader, tree->kind == PLAIN_ATLEAST ? tree->kids[0] : tree, from, to, &places);
    bool held =
        tree->kind == PLAIN_ATLEAST ? most_apart(&places) >= tree->number : places.count > 0;
    free(places.at);
    return held;
}

bool plain_holds(const struct plain_tree *tree, const struct plain *text,
                 struct text_switches switches, struct word_form_reader *reader)
{
    struct reader asking = {.text = text, .switches = switches, .forms = reader};
    return holds(&asking, tree, 0, text->count);
}
