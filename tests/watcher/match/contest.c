#include "tests/watcher/match/contest.h"

#include "common/diag.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_MOST = 3, SHRINKS_MOST = 2000 };

static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};

struct round {
    struct tc_arena *arena;
    struct sample_lists sampled;
    struct query_list lists[SAMPLE_LISTS];
    const struct query_list *list_of[SAMPLE_LISTS];
    struct sample_watch watches[CONTEST_WATCHES];
    struct sample_article article;
};

void contest_open(struct contest *contest, uint64_t seed)
{
    *contest = (struct contest){.seed = seed, .scan = scan_new(), .forms = word_form_reader_new()};
}

void contest_done(struct contest *contest)
{
    scan_free(contest->scan);
    word_form_reader_free(contest->forms);
}

// ---- from samples to what the matcher takes ------------------------------------------------

// NULL when the query cannot be read; `loud` says why.
static struct query_node *read_query(const struct round *round, const struct plain_tree *tree,
                                     bool loud)
{
    struct query_lists lists = {round->list_of, SAMPLE_LISTS};
    struct tc_buf query = {0}, why = {0};
    sample_print(tree, &query);
    tc_str text = tc_arena_str(round->arena, tc_buf_view(&query));
    struct tc_diags *diags = tc_diags_new();
    struct query_text_place where = {TC_STR("query"), text};
    struct query_place place = {query_wrong_in_text, diags, &where};
    struct query_node *node = query_read(text, &settings, &lists, round->arena, &place);
    if (!node && loud) {
        tc_diags_print(diags, false, &why);
        fprintf(stderr, "cannot read %.*s\n%.*s\n", TC_ARG(text), TC_ARG(tc_buf_view(&why)));
    }
    tc_diags_free(diags);
    tc_buf_done(&query);
    tc_buf_done(&why);
    return node;
}

static bool make_lists(struct round *round)
{
    static const char *const names[SAMPLE_LISTS] = {"list0", "list1", "list2"};
    for (int i = 0; i < SAMPLE_LISTS; i++) {
        const struct plain_tree *list = round->sampled.lists[i];
        struct query_list_entry *entries =
            tc_arena_take(round->arena, (size_t)list->count * sizeof *entries);
        for (int k = 0; k < list->count; k++) {
            entries[k] = (struct query_list_entry){tc_str_of(list->langs[k]),
                                                   read_query(round, list->kids[k], true)};
            if (!entries[k].node)
                return false;
        }
        round->lists[i] = (struct query_list){tc_str_of(names[i]), entries, (size_t)list->count, 0};
        round->list_of[i] = &round->lists[i];
    }
    return true;
}

static const struct watch_where *where_of(struct round *round, const struct sample_watch *from)
{
    struct watch_where *where = tc_arena_take(round->arena, sizeof *where);
    where->words_least = (uint32_t)from->words_least;
    where->words_most = (uint32_t)from->words_most;
    tc_str *values = tc_arena_take(round->arena, 2 * sizeof *values);
    if (from->lang) {
        values[0] = tc_str_of(from->lang);
        where->langs = &values[0];
        where->lang_count = 1;
    }
    if (from->source) {
        values[1] = tc_str_of(from->source);
        where->sources = &values[1];
        where->source_count = 1;
    }
    return where;
}

static bool make_watch(struct round *round, const struct sample_watch *from, bool loud,
                       struct watch *out)
{
    struct switched_list *known = NULL;
    struct watch_term *terms = tc_arena_take(round->arena, SAMPLE_TERMS * sizeof *terms);
    *out = (struct watch){.name = TC_STR("random/watch"),
                          .severity = TC_STR("info"),
                          .where = where_of(round, from),
                          .all_articles = from->all_articles,
                          .threshold = from->threshold};
    for (int i = 0; i < from->term_count && !from->all_articles; i++) {
        const struct query_node *node = read_query(round, from->terms[i], loud);
        if (!node)
            return false;
        if (switches_any(from->switches))
            node = switches_put_on(from->switches, node, round->arena, &known);
        terms[i] = (struct watch_term){node, from->weights[i]};
        out->query = node;
    }
    if (from->scores) {
        out->query = NULL;
        out->terms = terms;
        out->term_count = (size_t)from->term_count;
    }
    return true;
}

// ---- the plain answer ----------------------------------------------------------------------

static bool where_holds(const struct sample_watch *watch, const struct plain *text)
{
    int words = plain_body_words(text);
    return (!watch->lang || strcmp(watch->lang, text->lang) == 0) &&
           (!watch->source || tc_str_eq(text->article->source, tc_str_of(watch->source))) &&
           words >= watch->words_least && (!watch->words_most || words <= watch->words_most);
}

static bool plain_answer(const struct contest *contest, const struct sample_watch *watch,
                         const struct plain *text)
{
    int score = 0;
    if (!where_holds(watch, text))
        return false;
    for (int i = 0; i < watch->term_count && !watch->all_articles; i++) {
        if (plain_holds(watch->terms[i], text, watch->switches, contest->forms))
            score += watch->scores ? watch->weights[i] : 1;
    }
    return watch->all_articles || score >= (watch->scores ? watch->threshold : 1);
}

// ---- one article ---------------------------------------------------------------------------

struct told { // of an article: what the matcher said, and what it read
    struct article *article;
    const struct text *text;
    bool found[CONTEST_ARTICLES * SAMPLE_TOKENS][CONTEST_WATCHES]; // by segment
    const char *fault; // what is wrong beside the answers, NULL when nothing is
    int faulty;        // with which watch, -1 when it is none's
};

static const struct text *read_article(const struct sample_article *sample, struct article **out)
{
    const struct text *text = NULL;
    struct tc_buf json = {0};
    struct tc_err err = {0};
    sample_article_print(sample, &json);
    if (article_from_json(tc_buf_view(&json), TC_STR("test"), ARTICLE_BYTES, out, &err) != TC_OK ||
        text_read(*out, &settings, &text, &err) != TC_OK) {
        fprintf(stderr, "%.*s: %s\n", TC_ARG(tc_buf_view(&json)), err.text);
        abort();
    }
    tc_buf_done(&json);
    return text;
}

static bool same_hits(const struct scan_hit *a, size_t a_count, const struct scan_hit *b,
                      size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++) {
        if (a[i].watch != b[i].watch || a[i].segment != b[i].segment)
            return false;
    }
    return true;
}

// Whole hits are made of what was found: places lie in their text, and most watches have some.
static bool is_whole(const struct told *told, const struct sample_watch *watch,
                     const struct tc_hit *hit)
{
    for (size_t i = 0; i < hit->match_count; i++) {
        const struct tc_match *match = &hit->matches[i];
        tc_str in = match->field == TC_FIELD_TITLE ? told->article->title : told->article->body;
        if (match->field == TC_FIELD_META)
            continue; // stands in no text
        if (match->start >= match->end || match->end > in.len)
            return false;
    }
    return hit->excerpt.len > 0 || watch->all_articles || told->text->segment_count > 1;
}

static void ask_matcher(struct contest *contest, struct matcher *matcher,
                        const struct sample_watch *watches, struct told *told)
{
    const struct scan_hit *hits;
    memset(told->found, 0, told->text->segment_count * sizeof told->found[0]);
    size_t all = scan_run_all(contest->scan, matcher, told->text, &hits);
    struct scan_hit *kept = tc_new((all + 1) * sizeof *kept);
    if (all)
        memcpy(kept, hits, all * sizeof *kept);
    size_t count = scan_run(contest->scan, matcher, told->text, &hits);
    if (!same_hits(kept, all, hits, count))
        told->fault = "the index loses what a look at every watch finds";
    free(kept);
    for (size_t i = 0; i < count; i++) {
        struct tc_hit hit;
        told->found[hits[i].segment][hits[i].watch] = true;
        if (contest->saw)
            contest->saw(matcher, hits[i].watch);
        scan_hit_fill(contest->scan, matcher, told->text, &hits[i], &hit);
        if (is_whole(told, &watches[hits[i].watch], &hit))
            continue;
        told->fault = "a hit is not whole";
        told->faulty = (int)hits[i].watch;
    }
}

// The reader of texts must see what was meant, or the comparison would be about something else.
static bool is_as_meant(const struct sample_article *meant, const struct plain *read)
{
    if (meant->page)
        return true;
    if (read->count != meant->count || read->title != meant->title)
        return false;
    for (int i = 1; i < meant->count; i++) {
        bool sentence = read->places[i].sentence != read->places[i - 1].sentence;
        bool paragraph = read->places[i].paragraph != read->places[i - 1].paragraph;
        enum sample_joint joint = meant->tokens[i - 1].joint;
        if (sentence != (joint >= JOINT_SENTENCE || i == meant->title) ||
            paragraph != (joint >= JOINT_PARAGRAPH || i == meant->title))
            return false;
    }
    return true;
}

// Compares all watches on the article. *first is one with a difference, -1 when there is none; *fault says what
// is wrong beside the answers, NULL when nothing is.
static int compare(struct contest *contest, struct round *round, struct matcher *matcher,
                   const struct sample_watch *watches, int watch_count, int *first,
                   const char **fault)
{
    static struct told told;
    static struct plain segment, page;
    told.fault = NULL;
    told.faulty = -1;
    told.text = read_article(&round->article, &told.article);
    ask_matcher(contest, matcher, watches, &told);
    int wrong = 0;
    *first = -1;
    plain_read(told.text, -1, &page);
    for (uint32_t s = 0; s < told.text->segment_count; s++) {
        plain_read(told.text, (int)s, &segment);
        segment.page = &page;
        if (!is_as_meant(&round->article, &segment))
            told.fault = "a text is not read as it was meant";
        for (int i = 0; i < watch_count; i++) {
            contest->pairs++;
            contest->hits += told.found[s][i];
            if (plain_answer(contest, &watches[i], &segment) == told.found[s][i])
                continue;
            *first = *first < 0 ? i : *first;
            wrong++;
        }
    }
    article_free(told.article);
    *first = *first < 0 ? told.faulty : *first;
    *fault = told.fault;
    return wrong + (told.fault != NULL);
}

// ---- making a difference small -------------------------------------------------------------

struct shrink {
    struct contest *contest;
    struct round *round;
    struct sample_watch watch;
    int tries;
};

static bool still_differs(struct shrink *shrink)
{
    struct watch watch;
    struct matcher *matcher = NULL;
    struct tc_err err = {0};
    const char *fault;
    int first;
    if (++shrink->tries > SHRINKS_MOST ||
        !make_watch(shrink->round, &shrink->watch, false, &watch) ||
        matcher_new(&watch, 1, NULL, NULL, &matcher, &err) != TC_OK)
        return false;
    compare(shrink->contest, shrink->round, matcher, &shrink->watch, 1, &first, &fault);
    matcher_drop(matcher);
    return first == 0;
}

static bool shrink_words(struct shrink *shrink)
{
    bool smaller = false;
    struct sample_article *article = &shrink->round->article;
    for (int i = 0; i < article->count && article->count > 1;) {
        struct sample_article kept = *article;
        memmove(&article->tokens[i], &article->tokens[i + 1],
                (size_t)(article->count - i - 1) * sizeof *article->tokens);
        article->count--;
        article->title -= i < article->title;
        if (still_differs(shrink)) {
            smaller = true;
            continue;
        }
        *article = kept;
        i++;
    }
    return smaller;
}

static bool shrink_tree(struct shrink *shrink, struct plain_tree **slot)
{
    struct plain_tree *tree = *slot;
    for (int i = 0; i < tree->count; i++) {
        *slot = tree->kids[i];
        if (still_differs(shrink))
            return true;
    }
    *slot = tree;
    for (int i = 0; i < tree->count; i++) {
        if (tree->kind != PLAIN_LIST && shrink_tree(shrink, &tree->kids[i]))
            return true;
    }
    return false;
}

static bool shrink_watch(struct shrink *shrink)
{
    struct sample_watch kept = shrink->watch;
    struct sample_watch *watch = &shrink->watch;
    watch->lang = watch->source = NULL;
    watch->words_least = watch->words_most = 0;
    if (kept.lang || kept.source || kept.words_least || kept.words_most) {
        if (still_differs(shrink))
            return true;
        *watch = kept;
    }
    if (switches_any(watch->switches)) {
        watch->switches = (struct text_switches){0};
        if (still_differs(shrink))
            return true;
        *watch = kept;
    }
    for (int i = 0; i < watch->term_count && !watch->all_articles; i++) {
        struct plain_tree *tree = (struct plain_tree *)(uintptr_t)watch->terms[i];
        watch->terms[i] = tree;
        if (shrink_tree(shrink, (struct plain_tree **)(uintptr_t)&watch->terms[i]))
            return true;
    }
    return false;
}

// ---- telling -------------------------------------------------------------------------------

static void print_watch(const struct round *round, const struct sample_watch *watch,
                        struct tc_buf *out)
{
    for (int i = 0; i < watch->term_count && !watch->all_articles; i++) {
        tc_buf_puts(out, "  query: ");
        sample_print(watch->terms[i], out);
        tc_buf_puts(out, "\n");
        if (watch->scores)
            tc_buf_addf(out, "    weight %d, threshold %d\n", watch->weights[i], watch->threshold);
    }
    tc_buf_addf(out, "  where: lang %s, source %s, words %d to %d%s\n",
                watch->lang ? watch->lang : "any", watch->source ? watch->source : "any",
                watch->words_least, watch->words_most, watch->all_articles ? ", all articles" : "");
    if (switches_any(watch->switches))
        tc_buf_addf(out, "  text: marks folded %d, umlauts expanded %d, stems %x, turkic %d\n",
                    watch->switches.marks_folded, watch->switches.umlauts_expanded,
                    (unsigned)watch->switches.stems, watch->switches.turkic);
    for (int i = 0; i < SAMPLE_LISTS; i++) {
        const struct plain_tree *list = round->sampled.lists[i];
        tc_buf_addf(out, "  @list%d:", i);
        for (int k = 0; k < list->count; k++) {
            tc_buf_addf(out, "%s %s%s", k ? "," : "", list->langs[k], *list->langs[k] ? ": " : "");
            sample_print(list->kids[k], out);
        }
        tc_buf_puts(out, "\n");
    }
}

static void tell(struct contest *contest, struct round *round, uint64_t seed, int watch,
                 const char *fault)
{
    struct tc_buf out = {0};
    tc_buf_addf(&out, "the matcher and the plain reading differ; seed %llu\n",
                (unsigned long long)seed);
    if (watch >= 0) {
        struct shrink shrink = {contest, round, round->watches[watch], 0};
        if (still_differs(&shrink)) {
            while (shrink_words(&shrink) || shrink_watch(&shrink))
                continue;
        } else {
            tc_buf_puts(&out, "  (only among the other watches of its set)\n");
        }
        print_watch(round, &shrink.watch, &out);
    }
    if (fault)
        tc_buf_addf(&out, "  %s\n", fault);
    tc_buf_puts(&out, "  article: ");
    sample_article_print(&round->article, &out);
    fprintf(stderr, "%.*s\n", TC_ARG(tc_buf_view(&out)));
    tc_buf_done(&out);
}

// ---- rounds --------------------------------------------------------------------------------

static bool make_round(struct chance *chance, struct round *round, struct watch *watches,
                       bool shapes)
{
    sample_lists_make(chance, round->arena, &round->sampled);
    if (!make_lists(round))
        return false;
    for (int i = 0; i < CONTEST_WATCHES; i++) {
        sample_watch_make(chance, round->arena, &round->sampled, shapes, &round->watches[i]);
        if (!make_watch(round, &round->watches[i], true, &watches[i]))
            return false;
    }
    return true;
}

int contest_round(struct contest *contest, bool shapes)
{
    static struct round round;
    struct watch watches[CONTEST_WATCHES];
    struct matcher *matcher = NULL;
    struct tc_err err = {0};
    uint64_t seed = contest->seed++;
    struct chance chance = {seed * UINT64_C(0x9E3779B97F4A7C15)};
    int wrong = 0;
    round.arena = tc_arena_new();
    if (!make_round(&chance, &round, watches, shapes) ||
        matcher_new(watches, CONTEST_WATCHES, NULL, NULL, &matcher, &err) != TC_OK) {
        fprintf(stderr, "seed %llu makes no watches: %s\n", (unsigned long long)seed, err.text);
        wrong++;
    }
    for (int i = 0; i < CONTEST_ARTICLES && wrong < TOLD_MOST && matcher; i++) {
        const char *fault;
        int first;
        sample_article_make(&chance, true, &round.article);
        int differ =
            compare(contest, &round, matcher, round.watches, CONTEST_WATCHES, &first, &fault);
        if (differ)
            tell(contest, &round, seed, first, fault);
        wrong += differ;
    }
    matcher_drop(matcher);
    tc_arena_free(round.arena);
    return wrong;
}
