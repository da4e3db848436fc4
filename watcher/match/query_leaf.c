#include "watcher/match/query_leaf.h"

#include <stdio.h>
#include <unicode/uchar.h>

#include "common/utf8.h"

enum {
    WILD_LETTERS_LEAST = 2, // fewer would match a good part of all words
    ONE_EDIT_LETTERS = 4,   // shorter words have too many neighbours one edit away
    TWO_EDIT_LETTERS = 8,
};

#define ONE_PLAIN_WORD "~%d needs one plain word before it, without wildcards and ="

// Letters of a folded form that are themselves: wildcards and backslashes do not count.
static size_t literal_letters(tc_str folded, bool wild)
{
    size_t letters = 0;
    for (size_t i = 0; i < folded.len;) {
        UChar32 c = (UChar32)tc_utf8_next(folded, &i);
        if (wild && c == '\\' && i < folded.len)
            c = (UChar32)tc_utf8_next(folded, &i);
        else if (wild && (c == '*' || c == '?'))
            continue;
        letters += !(U_GET_GC_MASK(c) & U_GC_M_MASK);
    }
    return letters;
}

// A wildcard directly beside another word: only characters of scripts without spaces end one so.
static bool touches_character(const struct text_query_word *words, size_t count, size_t i)
{
    return (i > 0 && words[i - 1].to == words[i].from) ||
           (i + 1 < count && words[i].to == words[i + 1].from);
}

static bool wildcards_fit(struct query_lexer *lexer, const struct query_leaf *leaf,
                          const struct query_node *node, const struct text_query_word *words)
{
    for (size_t i = 0; i < node->word_count; i++) {
        if (!words[i].wild || literal_letters(words[i].folded, true) >= WILD_LETTERS_LEAST)
            continue;
        size_t from = leaf->text_from + words[i].from, to = leaf->text_from + words[i].to;
        query_wrong(
            lexer, from, to, "E0110",
            touches_character(words, node->word_count, i)
                ? "without spaces between words 中国 is found inside every run: leave it out"
                : "a literal * or ? is written \\* or \\?",
            "a wildcard needs at least %d letters beside it", WILD_LETTERS_LEAST);
        return false;
    }
    return true;
}

// word~1, word~2
static bool set_edits(struct query_lexer *lexer, const struct query_leaf *leaf,
                      struct query_node *node, struct query_word *words)
{
    size_t letters = literal_letters(words[0].folded, words[0].wild);
    int edits = leaf->tilde;
    if (edits != 1 && edits != 2) {
        query_wrong(lexer, leaf->from, leaf->to, "E0117", "words in a window: \"a b\"~4",
                    "a word may differ in one letter (~1) or two (~2)");
        return false;
    }
    if (node->word_count != 1 || words[0].wild || leaf->exact) {
        query_wrong(lexer, leaf->from, leaf->to, "E0117", NULL, ONE_PLAIN_WORD, edits);
        return false;
    }
    if (letters < (size_t)(edits == 1 ? ONE_EDIT_LETTERS : TWO_EDIT_LETTERS)) {
        query_wrong(lexer, leaf->from, leaf->to, "E0117", NULL,
                    "~%d needs a word of at least %d letters", edits,
                    edits == 1 ? ONE_EDIT_LETTERS : TWO_EDIT_LETTERS);
        return false;
    }
    words[0].edits = (uint8_t)edits;
    return true;
}

static bool set_slop(struct query_lexer *lexer, const struct query_leaf *leaf,
                     struct query_node *node)
{
    if (leaf->exact) {
        query_wrong(lexer, leaf->from, leaf->to, "E0117", NULL,
                    "an exact phrase has no ~%d: its words stand side by side", leaf->tilde);
        return false;
    }
    if (leaf->tilde > QUERY_DISTANCE_MOST) {
        query_wrong(lexer, leaf->from, leaf->to, "E0117", NULL, "distances go up to %d",
                    QUERY_DISTANCE_MOST);
        return false;
    }
    node->slop = leaf->tilde;
    return true;
}

// A sign that no word can hold is never dropped in silence.
static void warn_of_lost_sign(struct query_lexer *lexer, const struct query_leaf *leaf, size_t lost)
{
    size_t end = lost;
    char message[80];
    if (lost >= leaf->text.len)
        return;
    tc_utf8_next(leaf->text, &end);
    snprintf(message, sizeof message, "\"%.*s\" belongs to no word and is not looked for",
             (int)(end - lost), leaf->text.ptr + lost);
    lexer->place->wrong(lexer->place, leaf->text_from + lost, leaf->text_from + end,
                        TC_DIAG_WARNING, "W0211",
                        lost == 0 && leaf->quoted && leaf->text.ptr[0] == '='
                            ? TC_STR("exact words are written =\"...\"")
                            : TC_STR(""),
                        tc_str_of(message));
}

// A form of a word: most are as `written`, which is kept already.
static tc_str keep_form(struct tc_arena *arena, tc_str form, tc_str written)
{
    return tc_str_eq(form, written) ? written : tc_arena_str(arena, form);
}

// Keeps the words that the splitter found; NULL when there is none.
static struct query_word *set_words(struct tc_arena *arena, struct query_node *node,
                                    const struct text_query_word *parts, size_t count)
{
    struct query_word *words = count ? tc_arena_take(arena, count * sizeof *words) : NULL;
    for (size_t i = 0; i < count; i++) {
        tc_str written = tc_str_cut(node->text, parts[i].from, parts[i].to);
        tc_str surface = keep_form(arena, parts[i].surface, written);
        words[i] = (struct query_word){.surface = surface,
                                       .folded = keep_form(arena, parts[i].folded, surface),
                                       .wild = parts[i].wild,
                                       .glued = i > 0 && parts[i].glued};
        node->strict_joins = node->strict_joins || words[i].glued;
    }
    node->words = words;
    node->word_count = (uint32_t)count;
    return words;
}

enum { PLAIN_LETTERS_MOST = 64, PLAIN_WORDS_MOST = 16 };

// Words of small ASCII letters with a blank between: cut so by every splitter, and each is both of its forms.
// Gives how many; 0 when it is anything else.
static size_t plain_words(tc_str text, struct text_query_word *out)
{
    size_t count = 0, from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] >= 'a' && text.ptr[i] <= 'z')
            continue;
        if ((i < text.len && text.ptr[i] != ' ') || i == from || i - from > PLAIN_LETTERS_MOST ||
            count == PLAIN_WORDS_MOST)
            return 0;
        tc_str word = tc_str_cut(text, from, i);
        out[count++] = (struct text_query_word){
            .folded = word, .surface = word, .from = (uint32_t)from, .to = (uint32_t)i};
        from = i + 1;
    }
    return count;
}

struct query_node *query_leaf_node(struct query_lexer *lexer, const struct text_settings *settings,
                                   struct tc_arena *arena, const struct query_leaf *leaf)
{
    // the splitter needs much room for a moment, the words need little for long
    struct tc_arena *scratch = NULL;
    struct text_query_word plain[PLAIN_WORDS_MOST];
    const struct text_query_word *parts = plain;
    size_t lost = leaf->text.len, count = plain_words(leaf->text, plain);
    struct query_node *node = query_node_new(arena, QUERY_WORDS, 0);
    bool fine = true;

    node->from = (uint32_t)leaf->from;
    node->to = (uint32_t)leaf->to;
    node->text = tc_arena_str(arena, leaf->text);
    node->exact = leaf->exact;
    if (!count) {
        scratch = tc_arena_new();
        count = text_query_words(node->text, settings, scratch, &parts, &lost);
    }
    struct query_word *words = set_words(arena, node, parts, count);
    if (!words) {
        query_wrong(lexer, leaf->from, leaf->to, "E0104", NULL, "there is no word in it");
        goto out;
    }
    // an entry that a query would have to put in quotes means what it means there
    node->strict_joins =
        node->strict_joins && leaf->exact && (leaf->quoted || !query_is_plain_word(leaf->text));
    fine = wildcards_fit(lexer, leaf, node, parts);
    if (fine && leaf->tilde != QUERY_NO_TILDE)
        fine = leaf->quoted ? set_slop(lexer, leaf, node) : set_edits(lexer, leaf, node, words);
    if (fine)
        warn_of_lost_sign(lexer, leaf, lost);

out:
    tc_arena_free(scratch);
    return node;
}

// Somebody wrote a query where an entry stands.
bool query_holds_operator(tc_str entry, size_t *from, size_t *to)
{
    for (size_t i = 0; i < entry.len;) {
        size_t end = i;
        while (end < entry.len && (unsigned char)entry.ptr[end] > ' ')
            end++;
        *from = i;
        *to = end;
        if (end > i && query_is_operator(tc_str_cut(entry, i, end)))
            return true;
        i = end + 1;
    }
    return false;
}

struct query_node *query_leaf(tc_str text, const struct query_leaf_form *form,
                              const struct text_settings *settings, struct tc_arena *arena,
                              const struct query_place *place)
{
    struct query_lexer lexer = {.text = text, .place = place};
    struct query_leaf leaf = {.to = text.len,
                              .text_from = form->text_from,
                              .text = tc_str_cut(text, form->text_from, text.len),
                              .exact = form->exact,
                              .quoted = form->quoted,
                              .tilde = form->tilde};
    size_t from = 0, to = 0;
    if (!query_is_text(&lexer, "an entry"))
        return NULL;
    if (!form->quoted && query_holds_operator(text, &from, &to)) {
        query_wrong(&lexer, from, to, "E0116",
                    "write {q: '...'} for a query, or the word in lower case",
                    "an entry is one word or phrase, not a query");
        return NULL;
    }
    if (!form->quoted && form->tilde != QUERY_NO_TILDE && !query_is_plain_word(leaf.text)) {
        query_wrong(&lexer, 0, text.len, "E0117", NULL, ONE_PLAIN_WORD, form->tilde);
        return NULL;
    }
    struct query_node *node = query_leaf_node(&lexer, settings, arena, &leaf);
    return lexer.errors == 0 ? node : NULL;
}

struct query_node *query_entry(tc_str text, const struct text_settings *settings,
                               struct tc_arena *arena, const struct query_place *place)
{
    bool exact = text.len > 0 && text.ptr[0] == '=';
    struct query_leaf_form form = {.text_from = exact, .exact = exact, .tilde = QUERY_NO_TILDE};
    return query_leaf(text, &form, settings, arena, place);
}
