// random_test - the matcher against a reading of the language that is as plain as can be.
//
// Random queries are written as strings, read, compiled and matched on random texts, with the index and
// without. The same queries are evaluated here on arrays of words, by trying everything. The seed
// is printed; TEST_SEED repeats a run.

// A second set of queries has the shapes that most watches have. These are matched by programs and never
// reach the evaluator, so the test also looks which kinds of clauses had a part in what matched.

#include "tests/watcher/match/chance.h"
#include "tests/watcher/match/expression_items.h"
#include "tests/watcher/match/try.h"
#include "watcher/match/matcher_body.h"
#include "watcher/match/view.h"

enum {
    ROUNDS = 150,
    WATCHES = 24,
    WORDS_MOST = 60,
    KIDS_MOST = 5,
    LEAF_WORDS = 4,
    SPANS_MOST = 4096,
    DEPTH = 3
};

enum kind {
    WORD,
    PREFIX,
    PHRASE,
    WINDOW,
    REGEX,
    OR,
    NEAR,
    ONEAR,
    NOTNEAR,
    EXCEPT,
    AND,
    AND_NOT,
    ANY,
    ATLEAST,
    SENTENCE,
    PARAGRAPH,
    FIRST,
};

struct tree {
    enum kind kind;
    struct expression_items expression;
    int number;
    const char *words[LEAF_WORDS];
    int word_count; // of a phrase
    struct tree *kids[KIDS_MOST];
    int count;
};

struct plain { // a text
    const char *words[WORDS_MOST];
    int paragraph[WORDS_MOST], sentence[WORDS_MOST];
    int count;
    char letters[WORDS_MOST * 8];              // paragraph after paragraph
    int first[WORDS_MOST], behind[WORDS_MOST]; // of each word
};

// ---- any query ----------------------------------------------------------------------------

static struct tree *any_tree(struct tc_arena *arena, int depth, bool spans_only)
{
    struct tree *tree = tc_arena_take(arena, sizeof *tree);
    static const enum kind leaves[] = {WORD, WORD, WORD, PREFIX, PHRASE, WINDOW, REGEX};
    int kinds = spans_only ? EXCEPT + 1 - OR : FIRST + 1 - OR;
    tree->kind = !depth || below(4) == 0 ? leaves[below(7)] : OR + (enum kind)below(kinds);
    tree->number = below(4);
    tree->words[0] = any_word();
    tree->words[1] = any_word();
    tree->word_count = 2;
    if (tree->kind == REGEX)
        items_any(&tree->expression, any_word());
    if (tree->kind < OR)
        return tree;
    bool two = tree->kind != ANY && tree->kind != OR && tree->kind < ANY;
    tree->count = tree->kind > ANY ? 1 : two ? 2 : 2 + below(2);
    bool below_spans = (tree->kind >= NEAR && tree->kind <= EXCEPT) || spans_only;
    for (int i = 0; i < tree->count; i++)
        tree->kids[i] = any_tree(arena, depth - 1, below_spans);
    if (tree->kind == ANY || tree->kind == ATLEAST)
        tree->number = 1 + below(tree->kind == ANY ? tree->count : 3);
    if (tree->kind == FIRST)
        tree->number = 1 + below(20);
    return tree;
}

// ---- the shapes of most watches ------------------------------------------------------------

static struct tree *leaf(struct tc_arena *arena, enum kind kind, int words)
{
    struct tree *tree = tc_arena_take(arena, sizeof *tree);
    tree->kind = kind;
    tree->word_count = words;
    tree->number = below(4);
    for (int i = 0; i < words; i++)
        tree->words[i] = any_word();
    return tree;
}

static struct tree *group(struct tc_arena *arena, enum kind kind, int count)
{
    struct tree *tree = tc_arena_take(arena, sizeof *tree);
    tree->kind = kind;
    tree->number = below(4);
    tree->count = count;
    for (int i = 0; i < count; i++)
        tree->kids[i] = leaf(arena, WORD, 1);
    return tree;
}

static struct tree *joined(struct tc_arena *arena, enum kind kind, struct tree *a, struct tree *b)
{
    struct tree *tree = group(arena, kind, 2);
    tree->kids[0] = a;
    tree->kids[1] = b;
    return tree;
}

static struct tree *any_clause(struct tc_arena *arena)
{
    struct tree *tree;
    switch (below(7)) {
    case 6:
        tree = leaf(arena, REGEX, 1);
        items_any(&tree->expression, any_word());
        return tree;
    case 0: return leaf(arena, PHRASE, 2 + below(3));
    case 1: return group(arena, below(2) ? NEAR : ONEAR, 2);
    case 2: return leaf(arena, PREFIX, 1);
    case 3: return group(arena, OR, 2 + below(4));
    default: return leaf(arena, WORD, 1);
    }
}

static struct tree *any_shape(struct tc_arena *arena)
{
    struct tree *tree;
    switch (below(9)) {
    case 0: return group(arena, AND, 2 + below(3));
    case 1: return leaf(arena, PHRASE, 2 + below(3));
    case 2: return joined(arena, AND, group(arena, OR, 2 + below(4)), group(arena, OR, 2));
    case 3: return group(arena, below(2) ? NEAR : ONEAR, 2);
    case 4: return joined(arena, AND, leaf(arena, PREFIX, 1), any_clause(arena));
    case 5: return joined(arena, AND_NOT, any_clause(arena), any_clause(arena));
    case 6: return joined(arena, OR, any_clause(arena), group(arena, AND, 2 + below(2)));
    case 7:
        tree = group(arena, ANY, 3);
        tree->number = 1 + below(3);
        tree->kids[below(3)] = any_clause(arena);
        return tree;
    default:
        tree = group(arena, SENTENCE, 1);
        tree->kids[0] = any_clause(arena);
        return joined(arena, AND, any_clause(arena), tree);
    }
}

// ---- in writing ----------------------------------------------------------------------------

static void print(const struct tree *tree, struct tc_buf *out);

static void print_joined(const struct tree *tree, const char *joint, struct tc_buf *out)
{
    for (int i = 0; i < tree->count; i++) {
        tc_buf_puts(out, i ? joint : "(");
        print(tree->kids[i], out);
    }
    tc_buf_puts(out, ")");
}

static void print_call(const struct tree *tree, const char *name, struct tc_buf *out)
{
    tc_buf_puts(out, name);
    if (tree->kind != SENTENCE && tree->kind != PARAGRAPH)
        tc_buf_addf(out, "/%d", tree->number);
    print_joined(tree, ", ", out);
}

static void print(const struct tree *tree, struct tc_buf *out)
{
    static const char *const joints[] = {
        [OR] = " OR ", [AND] = " AND ", [AND_NOT] = " AND NOT ", [EXCEPT] = " EXCEPT "};
    static const char *const names[] = {[NEAR] = "NEAR",           [ONEAR] = "ONEAR",
                                        [NOTNEAR] = "NOTNEAR",     [ANY] = "ANY",
                                        [ATLEAST] = "ATLEAST",     [SENTENCE] = "SENTENCE",
                                        [PARAGRAPH] = "PARAGRAPH", [FIRST] = "FIRST"};
    char joint[32];
    switch (tree->kind) {
    case WORD: tc_buf_puts(out, tree->words[0]); break;
    case PREFIX: tc_buf_addf(out, "%.3s*", tree->words[0]); break;
    case PHRASE:
        for (int i = 0; i < tree->word_count; i++)
            tc_buf_addf(out, "%s%s", i ? " " : "\"", tree->words[i]);
        tc_buf_puts(out, "\"");
        break;
    case WINDOW:
        tc_buf_addf(out, "\"%s %s\"~%d", tree->words[0], tree->words[1], tree->number);
        break;
    case REGEX: items_print(&tree->expression, out); break;
    case OR:
    case AND:
    case AND_NOT:
    case EXCEPT: print_joined(tree, joints[tree->kind], out); break;
    case NEAR:
    case ONEAR:
    case NOTNEAR:
        snprintf(joint, sizeof joint, " %s/%d ", names[tree->kind], tree->number);
        print_joined(tree, joint, out);
        break;
    default: print_call(tree, names[tree->kind], out); break;
    }
}

// ---- the plain reading ---------------------------------------------------------------------

struct place {
    int first, last;
};

struct places {
    struct place at[SPANS_MOST];
    int count;
};

static void add(struct places *places, int first, int last)
{
    for (int i = 0; i < places->count; i++) {
        if (places->at[i].first == first && places->at[i].last == last)
            return;
    }
    assert_true(places->count < SPANS_MOST);
    places->at[places->count++] = (struct place){first, last};
}

static bool holds(const struct tree *tree, const struct plain *text, int from, int to);
static void find(const struct tree *tree, const struct plain *text, int from, int to,
                 struct places *out);

static bool has_gaps(const struct tree *tree)
{
    bool gaps =
        tree->kind == NEAR || tree->kind == ONEAR || (tree->kind == WINDOW && tree->number > 0);
    for (int i = 0; i < tree->count; i++)
        gaps |= has_gaps(tree->kids[i]);
    return gaps;
}

static bool same_paragraph(const struct plain *text, struct place a, struct place b)
{
    return text->paragraph[a.first] == text->paragraph[b.first];
}

static int between(struct place a, struct place b)
{
    return a.last < b.first ? b.first - a.last - 1 : b.last < a.first ? a.first - b.last - 1 : 0;
}

static bool overlap(struct place a, struct place b)
{
    return a.first <= b.last && b.first <= a.last;
}

static bool near(const struct tree *tree, const struct plain *text, struct place a, struct place b)
{
    bool a_gaps = has_gaps(tree->kids[0]), b_gaps = has_gaps(tree->kids[1]);
    if (!same_paragraph(text, a, b) || between(a, b) > tree->number)
        return false;
    if (tree->kind == ONEAR)
        return a.last < b.first;
    if (!overlap(a, b))
        return true;
    if (a_gaps && b_gaps)
        return a.first != b.first && a.last != b.last && a.first != b.last && a.last != b.first;
    return (a_gaps && a.first < b.first && b.last < a.last) ||
           (b_gaps && b.first < a.first && a.last < b.last);
}

// All words, any order, at most `number` others: the shortest stretch for each end.
static void find_window(const struct tree *tree, const struct plain *text, int from, int to,
                        struct places *out)
{
    bool twice = strcmp(tree->words[0], tree->words[1]) == 0;
    for (int last = from; last < to; last++) {
        for (int first = last; first >= from; first--) {
            bool a = false, b = false;
            int count = 0;
            for (int i = first; i <= last; i++) {
                a |= strcmp(text->words[i], tree->words[0]) == 0;
                b |= strcmp(text->words[i], tree->words[1]) == 0;
                count += strcmp(text->words[i], tree->words[0]) == 0;
            }
            if (!a || !b || (twice && count < 2))
                continue;
            bool ends = strcmp(text->words[last], tree->words[0]) == 0 ||
                        strcmp(text->words[last], tree->words[1]) == 0;
            if (ends && text->paragraph[first] == text->paragraph[last] &&
                last - first - 1 <= tree->number)
                add(out, first, last);
            break;
        }
    }
}

static bool is_phrase(const struct tree *tree, const struct plain *text, int at, int to)
{
    if (at + tree->word_count > to ||
        text->paragraph[at] != text->paragraph[at + tree->word_count - 1])
        return false;
    for (int i = 0; i < tree->word_count; i++) {
        if (strcmp(text->words[at + i], tree->words[i]) != 0)
            return false;
    }
    return true;
}

static void find_expression(const struct tree *tree, const struct plain *text, int from, int to,
                            struct places *out)
{
    for (int word = 0, next; word < text->count; word = next) {
        for (next = word; next < text->count && text->paragraph[next] == text->paragraph[word];)
            next++;
        int end = text->behind[next - 1], at = text->first[word], reach = -1;
        end += text->letters[end] == '.';
        for (; items_next(&tree->expression, text->letters, &at, end, &reach); at++) {
            int first = word, last = next - 1;
            while (text->behind[first] <= at)
                first++;
            while (text->first[last] >= reach)
                last--;
            if (first >= from && last < to)
                add(out, first, last);
        }
    }
}

static void find_leaf(const struct tree *tree, const struct plain *text, int from, int to,
                      struct places *out)
{
    for (int i = from; i < to; i++) {
        if (tree->kind == WORD && strcmp(text->words[i], tree->words[0]) == 0)
            add(out, i, i);
        if (tree->kind == PREFIX && strncmp(text->words[i], tree->words[0], 3) == 0)
            add(out, i, i);
        if (tree->kind == PHRASE && is_phrase(tree, text, i, to))
            add(out, i, i + tree->word_count - 1);
    }
}

static void find_pairs(const struct tree *tree, const struct plain *text, int from, int to,
                       struct places *out)
{
    struct places *a = tc_new(sizeof *a), *b = tc_new(sizeof *b);
    bool apart = tree->kind == NOTNEAR || tree->kind == EXCEPT;
    find(tree->kids[0], text, from, to, a);
    find(tree->kids[1], text, apart ? 0 : from, apart ? text->count : to, b);
    for (int i = 0; i < a->count; i++) {
        bool spoiled = false;
        for (int k = 0; k < b->count; k++) {
            struct place x = a->at[i], y = b->at[k];
            if (tree->kind == EXCEPT)
                spoiled |= y.first <= x.first && x.last <= y.last;
            else if (tree->kind == NOTNEAR)
                spoiled |= same_paragraph(text, x, y) && between(x, y) <= tree->number;
            else if (near(tree, text, x, y))
                add(out, x.first < y.first ? x.first : y.first, x.last > y.last ? x.last : y.last);
        }
        if (apart && !spoiled)
            add(out, a->at[i].first, a->at[i].last);
    }
    free(a);
    free(b);
}

// Calls it for each sentence or paragraph that overlaps the range.
static int next_part(const struct tree *tree, const struct plain *text, int from, int to)
{
    const int *part = tree->kind == SENTENCE ? text->sentence : text->paragraph;
    int end = from;
    while (end < to && part[end] == part[from])
        end++;
    return end;
}

static void find(const struct tree *tree, const struct plain *text, int from, int to,
                 struct places *out)
{
    switch (tree->kind) {
    case WORD:
    case PREFIX:
    case PHRASE: find_leaf(tree, text, from, to, out); return;
    case WINDOW: find_window(tree, text, from, to, out); return;
    case REGEX: find_expression(tree, text, from, to, out); return;
    case NEAR:
    case ONEAR:
    case NOTNEAR:
    case EXCEPT: find_pairs(tree, text, from, to, out); return;
    case FIRST: to = to < tree->number ? to : tree->number; break;
    case SENTENCE:
    case PARAGRAPH:
        for (int at = from, end; at < to; at = end) {
            end = next_part(tree, text, at, to);
            struct places *part = tc_new(sizeof *part);
            if (holds(tree->kids[0], text, at, end))
                find(tree->kids[0], text, at, end, part);
            int first = to, last = -1;
            for (int i = 0; i < part->count; i++) {
                first = part->at[i].first < first ? part->at[i].first : first;
                last = part->at[i].last > last ? part->at[i].last : last;
            }
            if (part->count)
                add(out, first, last);
            free(part);
        }
        return;
    default: break;
    }
    if (!holds(tree, text, from, to))
        return;
    for (int i = 0; i < tree->count && !(tree->kind == AND_NOT && i == 1); i++)
        find(tree->kids[i], text, from, to, out);
}

// The most that can be chosen without overlap, by always taking the one that ends first.
static int most_apart(const struct places *places)
{
    int chosen = 0, free_from = 0;
    for (;;) {
        int best = -1;
        for (int i = 0; i < places->count; i++) {
            if (places->at[i].first >= free_from &&
                (best < 0 || places->at[i].last < places->at[best].last))
                best = i;
        }
        if (best < 0)
            return chosen;
        chosen++;
        free_from = places->at[best].last + 1;
    }
}

static bool holds(const struct tree *tree, const struct plain *text, int from, int to)
{
    int held = 0;
    if (tree->kind == FIRST)
        to = to < tree->number ? to : tree->number;
    if (tree->kind == SENTENCE || tree->kind == PARAGRAPH) {
        for (int at = from, end; at < to; at = end) {
            end = next_part(tree, text, at, to);
            if (holds(tree->kids[0], text, at, end))
                return true;
        }
        return false;
    }
    if (tree->kind == FIRST)
        return from < to && holds(tree->kids[0], text, from, to);
    if (tree->kind == AND || tree->kind == AND_NOT || tree->kind == ANY || tree->kind == OR) {
        for (int i = 0; i < tree->count; i++)
            held += holds(tree->kids[i], text, from, to) != (tree->kind == AND_NOT && i == 1);
        int least = tree->kind == OR ? 1 : tree->kind == ANY ? tree->number : tree->count;
        return held >= least;
    }
    struct places *places = tc_new(sizeof *places);
    find(tree->kind == ATLEAST ? tree->kids[0] : tree, text, from, to, places);
    held = tree->kind == ATLEAST ? most_apart(places) >= tree->number : places->count > 0;
    free(places);
    return held;
}

// ---- which clauses had a part --------------------------------------------------------------

static bool had_part[PROGRAM_NOT];
static bool was_proven, was_paired;

static void note_program(const struct matcher *matcher, uint32_t act)
{
    uint32_t terms;
    if (!(act & INDEX_RUN)) {
        was_proven = true;
        return;
    }
    const uint32_t *code = matcher->index->code + index_at(act) + 1;
    for (; *code != PROGRAM_END; code += 1 + program_operands(*code, &terms))
        had_part[program_kind(*code)] = true;
}

static void note_hit(const struct matcher *matcher, uint32_t watch)
{
    const struct index_part *part = &matcher->index->segment;
    for (uint32_t term = 0; term < matcher->index->term_count; term++) {
        struct index_row row = index_row(part, term);
        for (uint32_t i = 0; i < row.count; i++) {
            if (index_watch(matcher->index, row.acts[i]) != watch)
                continue;
            was_paired |= row.needs[i] < VIEW_PAIRS;
            note_program(matcher, row.acts[i]);
        }
    }
}

// ---- the comparison ------------------------------------------------------------------------

static void make_text(struct plain *text, struct tc_buf *out)
{
    int paragraph = 0, sentence = 0, letters = 0;
    bool begins = true;
    text->count = 1 + below(WORDS_MOST);
    for (int i = 0; i < text->count; i++) {
        text->words[i] = any_word();
        text->paragraph[i] = paragraph;
        text->sentence[i] = sentence;
        text->first[i] = letters;
        tc_buf_byte(out, (char)(text->words[i][0] - (begins ? 'a' - 'A' : 0)));
        tc_buf_puts(out, text->words[i] + 1);
        letters += (int)strlen(text->words[i]);
        text->behind[i] = letters;
        memcpy(text->letters + text->first[i], out->ptr + out->len - strlen(text->words[i]),
               strlen(text->words[i]));
        bool ends = below(6) == 0, breaks = ends && below(3) == 0;
        memcpy(text->letters + letters, ends ? ". " : "  ", 2);
        letters += ends ? 2 : 1;
        tc_buf_puts(out, breaks ? ".\n\n" : ends ? ". " : " ");
        begins = ends;
        sentence += ends;
        paragraph += breaks;
    }
}

// The reader of texts must see what was meant, or the comparison would be about something else.
static void check_text(const struct plain *plain, const struct text *text)
{
    const struct text_segment *segment = &text->segments[0];
    assert_int_equal(text->segment_count, 1);
    assert_int_equal(segment->word_count, plain->count);
    for (int i = 0; i < plain->count; i++) {
        assert_memory_equal(segment->words[i].folded, plain->words[i],
                            segment->words[i].folded_len);
        assert_int_equal(segment->words[i].paragraph, plain->paragraph[i]);
        assert_int_equal(segment->words[i].sentence, plain->sentence[i]);
    }
}

struct round {
    struct tree *trees[WATCHES];
    struct tc_buf queries[WATCHES];
    struct watch watches[WATCHES];
    struct plain plain;
};

static int compare(struct round *round, struct scan *scan, struct matcher *matcher,
                   struct tc_buf *written)
{
    struct article *article = try_plain(written->ptr);
    const struct text *text = try_text(article);
    const struct scan_hit *hits;
    bool found[WATCHES] = {false};
    int wrong = 0;
    check_text(&round->plain, text);
    try_run(scan, matcher, text, NULL);
    size_t count = scan_run(scan, matcher, text, &hits);
    for (size_t i = 0; i < count; i++) {
        struct tc_hit hit; // filling must hold for every hit
        found[hits[i].watch] = true;
        note_hit(matcher, hits[i].watch);
        scan_hit_fill(scan, matcher, text, &hits[i], &hit);
        assert_true(hit.match_count > 0);
        assert_true(hit.excerpt.len > 0);
    }
    for (int i = 0; i < WATCHES; i++) {
        if (holds(round->trees[i], &round->plain, 0, round->plain.count) == found[i])
            continue;
        print_error("%s\n  on: %s\n  matcher says %s\n", round->queries[i].ptr, written->ptr,
                    found[i] ? "yes" : "no");
        wrong++;
    }
    article_free(article);
    return wrong;
}

// ---- rounds --------------------------------------------------------------------------------

static int one_round(struct scan *scan, bool shapes)
{
    static struct round round;
    struct tc_arena *arena = tc_arena_new();
    int wrong = 0;
    for (int i = 0; i < WATCHES; i++) {
        round.trees[i] = shapes ? any_shape(arena) : any_tree(arena, DEPTH, false);
        round.queries[i] = (struct tc_buf){0};
        print(round.trees[i], &round.queries[i]);
        round.watches[i] = try_watch("random/watch", try_query(round.queries[i].ptr, arena));
    }
    struct matcher *matcher = try_matcher(round.watches, WATCHES);
    for (int texts = 0; texts < 8; texts++) {
        struct tc_buf written = {0};
        make_text(&round.plain, &written);
        wrong += compare(&round, scan, matcher, &written);
        tc_buf_done(&written);
    }
    matcher_drop(matcher);
    for (int i = 0; i < WATCHES; i++)
        tc_buf_done(&round.queries[i]);
    tc_arena_free(arena);
    return wrong;
}

static void random_watches_match_as_a_plain_reading_says(void **state)
{
    (void)state;
    struct scan *scan = scan_new();
    int wrong = 0;
    begin();
    for (int i = 0; i < ROUNDS && wrong < 5; i++)
        wrong += one_round(scan, false);
    scan_free(scan);
    assert_int_equal(wrong, 0);
}

static void programs_of_common_shapes_match_as_a_plain_reading_says(void **state)
{
    (void)state;
    static const enum program_kind kinds[] = {PROGRAM_ALL,    PROGRAM_ANY,   PROGRAM_NONE,
                                              PROGRAM_PHRASE, PROGRAM_NEAR,  PROGRAM_ONEAR,
                                              PROGRAM_NODE,   PROGRAM_EVERY, PROGRAM_SOME};
    struct scan *scan = scan_new();
    int wrong = 0;
    begin();
    memset(had_part, 0, sizeof had_part);
    was_proven = was_paired = false;
    for (int i = 0; i < 2 * ROUNDS && wrong < 5; i++)
        wrong += one_round(scan, true);
    scan_free(scan);
    assert_int_equal(wrong, 0);
    assert_true(was_proven);
    assert_true(was_paired);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!had_part[kinds[i]])
            fail_msg("no match went through clauses of kind %d", (int)kinds[i]);
    }
}

// Words that share a position (kalo's is found as kalo as well) take other ways through a phrase; here the
// evaluator is the plain reading.
static void words_that_share_a_position_are_no_different(void **state)
{
    (void)state;
    struct scan *scan = scan_new();
    size_t found = 0;
    begin();
    for (int i = 0; i < ROUNDS; i++) {
        struct tc_arena *arena = tc_arena_new();
        struct watch watches[WATCHES];
        struct tc_buf text = {0};
        for (int k = 0; k < WATCHES; k++) {
            struct tc_buf query = {0};
            print(any_shape(arena), &query);
            watches[k] = try_watch("random/watch", try_query(query.ptr, arena));
            tc_buf_done(&query);
        }
        struct matcher *matcher = try_matcher(watches, WATCHES);
        for (int k = 0; k < WORDS_MOST; k++)
            tc_buf_addf(&text, "%s%s%s", any_word(), below(3) ? "" : "'s",
                        below(9) ? " " : ".\n\n");
        struct article *article = try_plain(text.ptr);
        found += try_run(scan, matcher, try_text(article), NULL);
        article_free(article);
        tc_buf_done(&text);
        matcher_drop(matcher);
        tc_arena_free(arena);
    }
    scan_free(scan);
    assert_true(found > ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_watches_match_as_a_plain_reading_says),
        cmocka_unit_test(programs_of_common_shapes_match_as_a_plain_reading_says),
        cmocka_unit_test(words_that_share_a_position_are_no_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
