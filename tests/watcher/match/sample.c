#include "tests/watcher/match/sample.h"

#include "common/json.h"
#include "watcher/text/stem.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH = 3 };

// A word in the guises that text and queries write it in, and what all of them fold to.
struct guises {
    const char *lower, *capital, *upper, *folded;
    const char *decomposed;   // lower, with marks apart
    const char *wild[3];      // wildcards that find it, folded
    const char *upper_turkic; // what upper folds to in Turkish, NULL: the same
    const char *upper_folded; // and elsewhere, where that is not what lower folds to
};

static const struct guises vocabulary[] = {
    {"kalo", "Kalo", "KALO", "kalo", NULL, {"ka*", "k?lo", "*lo"}, NULL, NULL},
    {"kälo", "Kälo", "KÄLO", "kälo", "ka\xcc\x88lo", {"kä*", "k?lo", "*älo*"}, NULL, NULL},
    {"kaelo", "Kaelo", "KAELO", "kaelo", NULL, {"ka*o", "kae*", "*elo"}, NULL, NULL},
    {"kami", "Kami", "KAMI", "kami", NULL, {"ka*", "*am*", "?ami"}, "kamı", NULL},
    {"lomi", "Lomi", "LOMI", "lomi", NULL, {"lo*", "lom?", "*omi"}, "lomı", NULL},
    {"lômi", "Lômi", "LÔMI", "lômi", "lo\xcc\x82mi", {"lô*i", "l?mi", "*mi"}, "lômı", NULL},
    {"lonu", "Lonu", "LONU", "lonu", NULL, {"lo??", "*nu", "lo*"}, NULL, NULL},
    {"kam", "Kam", "KAM", "kam", NULL, {"ka*", "ka?", "*am"}, NULL, NULL},
    {"kamı", "Kamı", "KAMI", "kamı", NULL, {"kam*", "*mı", "?amı"}, "kamı", "kami"},
    {"lom", "Lom", "LOM", "lom", NULL, {"lo*", "*om", "l?m"}, NULL, NULL},
    {"kalomire",
     "Kalomire",
     "KALOMIRE",
     "kalomire",
     NULL,
     {"kal*", "*mire", "ka*re"},
     "kalomıre",
     NULL},
    {"reise", "Reise", "REISE", "reise", NULL, {"reis*", "*eis*", "r?ise"}, "reıse", NULL},
    {"reisen", "Reisen", "REISEN", "reisen", NULL, {"reis*", "*sen", "re*n"}, "reısen", NULL},
    {"travel", "Travel", "TRAVEL", "travel", NULL, {"trav*", "*vel", "tra?el"}, NULL, NULL},
    {"travels", "Travels", "TRAVELS", "travels", NULL, {"trav*", "t*els", "*els"}, NULL, NULL},
    {"straße", "Straße", "STRASSE", "strasse", NULL, {"stra*", "*sse", "str??se"}, NULL, NULL},
};
enum { VOCABULARY = sizeof vocabulary / sizeof *vocabulary };

static const char *const langs[] = {"de", "en", "tr", ""};
enum { LANGS = 3 }; // and none
static const char *const sources[] = {"a.example", "b.example"};
#define TITLE_END "Zenith" // so that no first paragraph is the title again

#define BELOW(limit) chance_below(chance, limit)

// ---- words of queries ----------------------------------------------------------------------

static const char *guise(struct chance *chance, const struct guises *word)
{
    switch (BELOW(5)) {
    case 0: return word->capital;
    case 1: return word->upper;
    default: return word->lower;
    }
}

static struct plain_word any_word(struct chance *chance, bool exact)
{
    const struct guises *word = &vocabulary[BELOW(VOCABULARY)];
    struct plain_word made = {.folded = word->folded, .surface = guise(chance, word)};
    bool upper = made.surface == word->upper;
    if (upper && word->upper_folded)
        made.folded = word->upper_folded;
    made.turkic = upper && word->upper_turkic ? word->upper_turkic : made.folded;
    if (BELOW(8) == 0 && !exact) {
        made.wild = true;
        made.folded = made.surface = made.turkic = word->wild[BELOW(3)];
    }
    return made;
}

static struct plain_tree *new_tree(struct tc_arena *arena, enum plain_kind kind, int number)
{
    struct plain_tree *tree = tc_arena_take(arena, sizeof *tree);
    tree->kind = kind;
    tree->number = number;
    for (int i = 0; i < PLAIN_KIDS; i++)
        tree->langs[i] = "";
    return tree;
}

static struct plain_tree *any_leaf(struct chance *chance, struct tc_arena *arena, int words)
{
    struct plain_tree *leaf = new_tree(arena, PLAIN_LEAF, 0);
    leaf->exact = BELOW(6) == 0;
    leaf->word_count = words;
    for (int i = 0; i < words; i++) {
        leaf->words[i] = any_word(chance, leaf->exact);
        leaf->words[i].glued = i && BELOW(6) == 0;
    }
    if (words == 1 && !leaf->exact && !leaf->words[0].wild && BELOW(6) == 0) {
        size_t letters = strlen(leaf->words[0].folded);
        leaf->words[0].edits = letters >= 8 ? 1 + BELOW(2) : letters >= 6 ? 1 : 0;
    }
    return leaf;
}

static struct plain_tree *any_window(struct chance *chance, struct tc_arena *arena)
{
    struct plain_tree *leaf = new_tree(arena, PLAIN_WINDOW, BELOW(4));
    leaf->word_count = 2 + BELOW(2);
    for (int i = 0; i < leaf->word_count; i++)
        leaf->words[i] = any_word(chance, false);
    return leaf;
}

// A word, and something before and behind it.
static struct plain_tree *any_expression(struct chance *chance, struct tc_arena *arena)
{
    static const char *const words[] = {"kalo",  "kami",   "lomi", "kam",
                                        "reise", "travel", "Kalo", "KAMI"};
    static const struct plain_item around[] = {
        {"aeiou", 0, 2}, {" -", 0, 1},  {"klmnop", 1, 3},           {"a", 0, 9},
        {"KLM", 0, 1},   {"., ", 1, 2}, {"abcdefghijklmnop", 2, 5}, {" kalomi.", 0, 40},
    };
    struct plain_tree *tree = new_tree(arena, PLAIN_EXPRESSION, 0);
    tree->any_case = BELOW(2);
    for (int i = 0; i < PLAIN_ITEMS; i++)
        tree->items[i] = around[BELOW(8)];
    tree->items[1].letters = words[BELOW(8)];
    return tree;
}

void sample_lists_make(struct chance *chance, struct tc_arena *arena, struct sample_lists *out)
{
    for (int i = 0; i < SAMPLE_LISTS; i++) {
        struct plain_tree *list = new_tree(arena, PLAIN_LIST, i);
        list->count = 1 + BELOW(PLAIN_KIDS - 1);
        for (int k = 0; k < list->count; k++) {
            list->kids[k] = BELOW(4) ? any_leaf(chance, arena, 1 + BELOW(2))
                                     : sample_tree(chance, arena, NULL, 1, true);
            list->langs[k] = langs[BELOW(LANGS + 1)];
        }
        out->lists[i] = list;
    }
}

// ---- queries -------------------------------------------------------------------------------

static struct plain_tree *any_end(struct chance *chance, struct tc_arena *arena,
                                  const struct sample_lists *lists)
{
    switch (BELOW(8)) {
    case 0:
    case 1: return any_leaf(chance, arena, 2 + BELOW(2));
    case 2: return any_window(chance, arena);
    case 4: return any_expression(chance, arena);
    case 3:
        if (lists)
            return lists->lists[BELOW(SAMPLE_LISTS)];
        __attribute__((fallthrough));
    default: return any_leaf(chance, arena, 1);
    }
}

static int kids_of(struct chance *chance, enum plain_kind kind)
{
    switch (kind) {
    case PLAIN_NEAR:
    case PLAIN_ONEAR:
    case PLAIN_NOTNEAR:
    case PLAIN_EXCEPT:
    case PLAIN_AND_NOT: return 2;
    case PLAIN_OR:
    case PLAIN_AND:
    case PLAIN_ANY: return 2 + BELOW(2);
    default: return 1;
    }
}

static struct plain_tree *any_meta(struct chance *chance, struct tc_arena *arena)
{
    struct plain_tree *tree = new_tree(arena, PLAIN_META, 0);
    bool lang = BELOW(2);
    tree->meta = lang ? "lang" : "source";
    tree->value = lang ? langs[BELOW(LANGS)] : sources[BELOW(2)];
    return tree;
}

struct plain_tree *sample_tree(struct chance *chance, struct tc_arena *arena,
                               const struct sample_lists *lists, int depth, bool spans_only)
{
    static const enum plain_kind operands[] = {PLAIN_OR, PLAIN_NEAR, PLAIN_ONEAR, PLAIN_NOTNEAR,
                                               PLAIN_EXCEPT};
    if (!depth || BELOW(4) == 0)
        return any_end(chance, arena, lists);
    enum plain_kind kind =
        spans_only ? operands[BELOW(5)] : PLAIN_OR + (enum plain_kind)BELOW(PLAIN_META - PLAIN_OR);
    struct plain_tree *tree = new_tree(arena, kind, BELOW(4));
    tree->count = kids_of(chance, kind);
    bool below = spans_only || (kind >= PLAIN_NEAR && kind <= PLAIN_EXCEPT);
    for (int i = 0; i < tree->count; i++)
        tree->kids[i] = sample_tree(chance, arena, lists, depth - 1, below);
    if ((kind == PLAIN_AND || kind == PLAIN_AND_NOT) && BELOW(6) == 0)
        tree->kids[1] = any_meta(chance, arena);
    if (kind == PLAIN_ANY || kind == PLAIN_ATLEAST)
        tree->number = 1 + BELOW(kind == PLAIN_ANY ? tree->count : 3);
    if (kind == PLAIN_FIRST)
        tree->number = 1 + BELOW(20);
    return tree;
}

static struct plain_tree *group(struct chance *chance, struct tc_arena *arena, enum plain_kind kind,
                                int count)
{
    struct plain_tree *tree = new_tree(arena, kind, BELOW(4));
    tree->count = count;
    for (int i = 0; i < count; i++)
        tree->kids[i] = any_leaf(chance, arena, 1);
    return tree;
}

static struct plain_tree *joined(struct tc_arena *arena, enum plain_kind kind, struct plain_tree *a,
                                 struct plain_tree *b)
{
    struct plain_tree *tree = new_tree(arena, kind, 0);
    tree->count = b ? 2 : 1;
    tree->kids[0] = a;
    tree->kids[1] = b;
    return tree;
}

static struct plain_tree *any_clause(struct chance *chance, struct tc_arena *arena)
{
    switch (BELOW(6)) {
    case 0: return any_leaf(chance, arena, 2 + BELOW(3));
    case 5: return any_expression(chance, arena);
    case 1: return group(chance, arena, BELOW(2) ? PLAIN_NEAR : PLAIN_ONEAR, 2);
    case 2: return group(chance, arena, PLAIN_OR, 2 + BELOW(4));
    default: return any_leaf(chance, arena, 1);
    }
}

struct plain_tree *sample_shape(struct chance *chance, struct tc_arena *arena)
{
    struct plain_tree *tree;
    switch (BELOW(8)) {
    case 0: return group(chance, arena, PLAIN_AND, 2 + BELOW(3));
    case 1: return any_leaf(chance, arena, 2 + BELOW(3));
    case 2:
        return joined(arena, PLAIN_AND, group(chance, arena, PLAIN_OR, 2 + BELOW(4)),
                      group(chance, arena, PLAIN_OR, 2));
    case 3: return group(chance, arena, BELOW(2) ? PLAIN_NEAR : PLAIN_ONEAR, 2);
    case 4:
        return joined(arena, PLAIN_AND_NOT, any_clause(chance, arena), any_clause(chance, arena));
    case 5:
        return joined(arena, PLAIN_OR, any_clause(chance, arena),
                      group(chance, arena, PLAIN_AND, 2 + BELOW(2)));
    case 6:
        tree = group(chance, arena, PLAIN_ANY, 3);
        tree->number = 1 + BELOW(3);
        tree->kids[BELOW(3)] = any_clause(chance, arena);
        return tree;
    default:
        tree = joined(arena, PLAIN_SENTENCE, any_clause(chance, arena), NULL);
        return joined(arena, PLAIN_AND, any_clause(chance, arena), tree);
    }
}

// ---- watches -------------------------------------------------------------------------------

static struct text_switches any_switches(struct chance *chance)
{
    struct text_switches switches = {.marks_folded = BELOW(3) == 0,
                                     .umlauts_expanded = BELOW(3) == 0};
    if (BELOW(3) == 0)
        switches.stems |= 1u << stem_language(TC_STR("de"));
    if (BELOW(3) == 0)
        switches.stems |= 1u << stem_language(TC_STR("en"));
    return switches;
}

static void any_where(struct chance *chance, struct sample_watch *out)
{
    if (BELOW(2))
        out->lang = langs[BELOW(LANGS)];
    if (BELOW(2))
        out->source = sources[BELOW(2)];
    if (BELOW(3) == 0)
        out->words_least = 1 + BELOW(20);
    if (BELOW(3) == 0)
        out->words_most = 10 + BELOW(30);
}

void sample_watch_make(struct chance *chance, struct tc_arena *arena,
                       const struct sample_lists *lists, bool shapes, struct sample_watch *out)
{
    *out = (struct sample_watch){.term_count = 1};
    if (BELOW(4) == 0)
        out->switches = any_switches(chance);
    if (BELOW(6) == 0)
        any_where(chance, out);
    out->switches.turkic = out->lang && strcmp(out->lang, "tr") == 0; // as watcher/rules has it
    out->all_articles = (out->lang || out->source) && BELOW(4) == 0;
    out->scores = !out->all_articles && BELOW(8) == 0;
    if (out->scores)
        out->term_count = 1 + BELOW(SAMPLE_TERMS);
    for (int i = 0; i < out->term_count; i++) {
        out->terms[i] =
            shapes ? sample_shape(chance, arena) : sample_tree(chance, arena, lists, DEPTH, false);
        out->weights[i] = 1 + BELOW(5) - (i ? 3 * BELOW(3) : 0);
    }
    out->threshold = 1 + BELOW(6);
}

// ---- articles ------------------------------------------------------------------------------

static void any_token(struct chance *chance, bool begins, struct sample_token *out)
{
    const struct guises *word = &vocabulary[BELOW(VOCABULARY)];
    const char *written = begins                         ? (BELOW(4) ? word->capital : word->upper)
                          : word->decomposed && BELOW(2) ? word->decomposed
                                                         : guise(chance, word);
    snprintf(out->word, sizeof out->word, "%s%s", written, BELOW(10) ? "" : "'s");
    int joint = BELOW(24);
    out->joint = joint < 3   ? JOINT_HYPHEN
                 : joint < 5 ? JOINT_COMMA
                 : joint < 8 ? JOINT_SENTENCE
                 : joint < 9 ? JOINT_PARAGRAPH
                             : JOINT_BLANK;
}

void sample_article_make(struct chance *chance, bool pages, struct sample_article *out)
{
    bool begins = true;
    *out = (struct sample_article){.count = 1 + BELOW(SAMPLE_TOKENS),
                                   .page = pages && BELOW(4) == 0,
                                   .lang = langs[BELOW(LANGS + 1)],
                                   .source = sources[BELOW(2)]};
    if (!out->page && BELOW(3) == 0)
        out->title = 1 + BELOW(out->count < 6 ? out->count : 6);
    for (int i = 0; i < out->count; i++) {
        any_token(chance, begins, &out->tokens[i]);
        if (i < out->title && out->tokens[i].joint == JOINT_PARAGRAPH)
            out->tokens[i].joint = JOINT_SENTENCE; // a title is one
        if (out->page && out->tokens[i].joint == JOINT_PARAGRAPH && BELOW(2))
            out->tokens[i].joint = JOINT_CUT;
        begins = out->tokens[i].joint >= JOINT_SENTENCE || i + 1 == out->title;
    }
    if (out->title)
        snprintf(out->tokens[out->title - 1].word, SAMPLE_WORD_BYTES, TITLE_END);
}

static void print_tokens(const struct sample_article *article, int from, int to, struct tc_buf *out)
{
    static const char *const joints[] = {
        [JOINT_BLANK] = " ",     [JOINT_HYPHEN] = "-",        [JOINT_COMMA] = ", ",
        [JOINT_SENTENCE] = ". ", [JOINT_PARAGRAPH] = ".\n\n", [JOINT_CUT] = ".\n\n\n\n"};
    for (int i = from; i < to; i++) {
        tc_buf_puts(out, article->tokens[i].word);
        tc_buf_puts(out, i + 1 < to ? joints[article->tokens[i].joint] : ".");
    }
}

void sample_article_print(const struct sample_article *article, struct tc_buf *out)
{
    struct tc_buf title = {0}, body = {0};
    struct tc_json json = tc_json_on(out);
    print_tokens(article, 0, article->title, &title);
    print_tokens(article, article->title, article->count, &body);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "id", TC_STR("a1"));
    tc_json_put_str(&json, "source", tc_str_of(article->source));
    if (*article->lang)
        tc_json_put_str(&json, "lang", tc_str_of(article->lang));
    if (article->page)
        tc_json_put_bool(&json, "page", true);
    if (title.len)
        tc_json_put_str(&json, "title", tc_buf_view(&title));
    tc_json_put_str(&json, "text", tc_buf_view(&body));
    tc_json_close(&json, '}');
    tc_buf_done(&title);
    tc_buf_done(&body);
}

// ---- in writing ----------------------------------------------------------------------------

static void print_joined(const struct plain_tree *tree, const char *joint, struct tc_buf *out)
{
    for (int i = 0; i < tree->count; i++) {
        tc_buf_puts(out, i ? joint : "(");
        sample_print(tree->kids[i], out);
    }
    tc_buf_puts(out, ")");
}

static void print_leaf(const struct plain_tree *leaf, struct tc_buf *out)
{
    bool quoted = leaf->word_count > 1;
    tc_buf_puts(out, leaf->exact ? "=" : "");
    for (int i = 0; i < leaf->word_count; i++)
        tc_buf_addf(out, "%s%s",
                    i == 0                 ? (quoted ? "\"" : "")
                    : leaf->words[i].glued ? "-"
                                           : " ",
                    leaf->words[i].surface);
    tc_buf_puts(out, quoted ? "\"" : "");
    if (leaf->kind == PLAIN_WINDOW)
        tc_buf_addf(out, "~%d", leaf->number);
    else if (leaf->words[0].edits)
        tc_buf_addf(out, "~%d", leaf->words[0].edits);
}

static void print_expression(const struct plain_tree *tree, struct tc_buf *out)
{
    tc_buf_puts(out, "/");
    for (int i = 0; i < PLAIN_ITEMS; i++) {
        const struct plain_item *item = &tree->items[i];
        if (i == 1)
            tc_buf_puts(out, item->letters);
        else if (strchr(item->letters, '-'))
            tc_buf_addf(out, "[ \\-]{%d,%d}", item->least, item->most);
        else
            tc_buf_addf(out, "[%s]{%d,%d}", item->letters, item->least, item->most);
    }
    tc_buf_puts(out, tree->any_case ? "/i" : "/");
}

void sample_print(const struct plain_tree *tree, struct tc_buf *out)
{
    static const char *const joints[] = {
        [PLAIN_OR] = " OR ",         [PLAIN_AND] = " AND ", [PLAIN_AND_NOT] = " AND NOT ",
        [PLAIN_EXCEPT] = " EXCEPT ", [PLAIN_NEAR] = "NEAR", [PLAIN_ONEAR] = "ONEAR",
        [PLAIN_NOTNEAR] = "NOTNEAR"};
    static const char *const names[] = {
        [PLAIN_FIRST] = "FIRST/",        [PLAIN_TITLE] = "TITLE",
        [PLAIN_LEAD] = "lead:",          [PLAIN_BODY] = "body:",
        [PLAIN_NAMED] = "part::",        [PLAIN_ANY] = "ANY/",
        [PLAIN_ATLEAST] = "ATLEAST/",    [PLAIN_SENTENCE] = "SENTENCE",
        [PLAIN_PARAGRAPH] = "PARAGRAPH", [PLAIN_PAGE] = "PAGE"};
    char joint[32];
    switch (tree->kind) {
    case PLAIN_LEAF:
    case PLAIN_WINDOW: print_leaf(tree, out); break;
    case PLAIN_EXPRESSION: print_expression(tree, out); break;
    case PLAIN_LIST: tc_buf_addf(out, "@list%d", tree->number); break;
    case PLAIN_META: tc_buf_addf(out, "%s:%s", tree->meta, tree->value); break;
    case PLAIN_OR:
    case PLAIN_AND:
    case PLAIN_AND_NOT:
    case PLAIN_EXCEPT: print_joined(tree, joints[tree->kind], out); break;
    case PLAIN_NEAR:
    case PLAIN_ONEAR:
    case PLAIN_NOTNEAR:
        snprintf(joint, sizeof joint, " %s/%d ", joints[tree->kind], tree->number);
        print_joined(tree, joint, out);
        break;
    default:
        tc_buf_puts(out, names[tree->kind]);
        if (names[tree->kind][strlen(names[tree->kind]) - 1] == '/')
            tc_buf_addf(out, "%d", tree->number);
        print_joined(tree, ", ", out);
    }
}
