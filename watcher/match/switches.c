#include "watcher/match/switches.h"

#include "common/buf.h"
#include "watcher/match/word_test.h"
#include "watcher/text/fold.h"
#include "watcher/text/stem.h"

enum { FORMS_MOST = 2 * (1 + STEM_LANGUAGES_MOST) };

struct changer {
    struct text_switches switches;
    struct tc_arena *arena;
    struct switched_list **known;
    struct word_form_reader *reader;
};

static struct query_node *change(struct changer *changer, const struct query_node *node);

// ---- words ---------------------------------------------------------------------------------

static const struct word_test *test_by(struct changer *changer, struct word_form form,
                                       const struct query_word *word)
{
    struct word_test *test = tc_arena_take(changer->arena, sizeof *test);
    *test =
        (struct word_test){.by_form = true, .form = form, .word = word->folded, .wild = word->wild};
    test->left = tc_arena_str(changer->arena, word_form_of(changer->reader, form, word->folded));
    return test;
}

static tc_str turkic(struct changer *changer, tc_str surface)
{
    size_t room = FOLD_ROOM(surface.len);
    char *bytes = tc_arena_bytes(changer->arena, room);
    return (tc_str){bytes, fold_case(surface, FOLD_TURKIC, bytes, room)};
}

static bool has_stem(const struct query_word *word)
{
    return !word->wild && !word->edits;
}

static struct query_node *copy(struct changer *changer, const struct query_node *node)
{
    struct query_node *made = tc_arena_take(changer->arena, sizeof *made);
    *made = *node;
    return made;
}

// A word or phrase under one form.
static struct query_node *under(struct changer *changer, const struct query_node *leaf,
                                struct word_form form)
{
    struct query_node *made = copy(changer, leaf);
    struct query_word *words = tc_arena_take(changer->arena, leaf->word_count * sizeof *words);
    for (size_t i = 0; i < leaf->word_count; i++) {
        struct word_form own = form;
        words[i] = leaf->words[i];
        if (changer->switches.turkic)
            words[i].folded = turkic(changer, words[i].surface);
        if (!has_stem(&words[i]))
            own.stem = WORD_FORM_NO_STEM;
        bool changes = own.marks_folded || own.umlauts_expanded || own.stem != WORD_FORM_NO_STEM;
        if (changes && !words[i].edits)
            words[i].test = test_by(changer, own, &words[i]);
    }
    made->words = words;
    return made;
}

// The forms in which a word or phrase is looked for.
static size_t forms_of(const struct changer *changer, const struct query_node *leaf,
                       struct word_form forms[FORMS_MOST])
{
    struct text_switches switches = changer->switches;
    size_t count = 0;
    bool stems = false;
    for (size_t i = 0; i < leaf->word_count; i++)
        stems = stems || has_stem(&leaf->words[i]);
    for (int expanded = 0; expanded <= switches.umlauts_expanded; expanded++) {
        struct word_form form = {switches.marks_folded, expanded != 0, WORD_FORM_NO_STEM};
        forms[count++] = form;
        for (int language = 0; stems && language < STEM_LANGUAGES_MOST; language++) {
            form.stem = language;
            if (switches.stems >> language & 1)
                forms[count++] = form;
        }
    }
    return count;
}

static struct query_node *change_words(struct changer *changer, const struct query_node *leaf)
{
    struct word_form forms[FORMS_MOST];
    if (leaf->exact || !leaf->word_count)
        return copy(changer, leaf);
    size_t count = forms_of(changer, leaf, forms);
    if (count == 1)
        return under(changer, leaf, forms[0]);
    struct query_list *list = tc_arena_take(changer->arena, sizeof *list);
    struct query_list_entry *entries = tc_arena_take(changer->arena, count * sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        tc_str lang = {0};
        if (forms[i].stem != WORD_FORM_NO_STEM)
            lang = tc_str_of(stem_code(forms[i].stem));
        entries[i] = (struct query_list_entry){lang, under(changer, leaf, forms[i])};
    }
    *list = (struct query_list){.entries = entries, .count = count};
    struct query_node *made = copy(changer, leaf);
    made->op = QUERY_LIST; // it keeps its words, and is printed as they are
    made->list = list;
    return made;
}

// ---- trees ---------------------------------------------------------------------------------

static bool same_switches(struct text_switches a, struct text_switches b)
{
    return a.marks_folded == b.marks_folded && a.umlauts_expanded == b.umlauts_expanded &&
           a.turkic == b.turkic && a.stems == b.stems;
}

static const struct query_list *change_list(struct changer *changer, const struct query_list *list)
{
    for (const struct switched_list *known = *changer->known; known; known = known->next) {
        if (known->from == list && same_switches(known->switches, changer->switches))
            return known->to;
    }
    struct query_list *made = tc_arena_take(changer->arena, sizeof *made);
    struct query_list_entry *entries =
        tc_arena_take(changer->arena, (list->count + 1) * sizeof *entries);
    for (size_t i = 0; i < list->count; i++) {
        entries[i] = list->entries[i];
        entries[i].node = change(changer, list->entries[i].node);
    }
    *made = *list;
    made->entries = entries;
    struct switched_list *known = tc_arena_take(changer->arena, sizeof *known);
    *known = (struct switched_list){list, made, changer->switches, *changer->known};
    *changer->known = known;
    return made;
}

// Recursion is bounded: queries and lists are nested to QUERY_DEPTH, and no list holds itself.
static struct query_node *change(struct changer *changer, const struct query_node *node)
{
    if (node->op == QUERY_WORDS)
        return change_words(changer, node);
    struct query_node *made = copy(changer, node);
    if (node->op == QUERY_LIST)
        made->list = change_list(changer, node->list);
    if (node->child_count)
        made->children =
            tc_arena_take(changer->arena, node->child_count * sizeof(struct query_node *));
    for (size_t i = 0; i < node->child_count; i++)
        made->children[i] = change(changer, node->children[i]);
    return made;
}

const struct query_node *switches_put_on(struct text_switches switches,
                                         const struct query_node *root, struct tc_arena *arena,
                                         struct switched_list **known)
{
    struct changer changer = {switches, arena, known, word_form_reader_new()};
    const struct query_node *made = change(&changer, root);
    word_form_reader_free(changer.reader);
    return made;
}

// ---- for people ----------------------------------------------------------------------------

void switches_print(const struct query_node *words, struct tc_buf *out)
{
    bool marks = false, umlauts = false, stems = false;
    struct tc_buf note = {0};
    for (size_t i = 0; i < words->word_count; i++) {
        const struct word_test *test = words->words[i].test;
        if (!test || !test->by_form)
            continue;
        marks = marks || test->form.marks_folded;
        umlauts = umlauts || test->form.umlauts_expanded;
        if (test->form.stem == WORD_FORM_NO_STEM)
            continue;
        tc_buf_puts(&note, stems ? " " : ", stem ");
        tc_buf_str(&note, test->left);
        stems = true;
    }
    if (umlauts)
        tc_buf_puts(&note, ", umlauts expanded");
    if (marks)
        tc_buf_puts(&note, ", marks folded");
    if (note.len) // without the first comma
        tc_buf_addf(out, " (%.*s)", (int)(note.len - 2), note.ptr + 2);
    tc_buf_done(&note);
}
