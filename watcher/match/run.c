#include "watcher/match/run.h"

struct run {
    struct scan *scan;
    const struct matcher *matcher;
    struct view *view;
    uint32_t watch;
    double *score;
};

// ---- words -----------------------------------------------------------------------------------

// Four at a time, because a branch on each costs more than the bits.
static bool has_any(const struct view *view, const uint32_t *terms, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (view_bit(view, VIEW_PAIRS + terms[i]))
            return true;
    }
    return false;
}

// From the rarest on: one that is missing ends it.
static bool has_all(const struct view *view, const uint32_t *terms, uint32_t count)
{
    for (uint32_t i = count; i-- > 0;) {
        if (!view_bit(view, VIEW_PAIRS + terms[i]))
            return false;
    }
    return true;
}

// ---- places ----------------------------------------------------------------------------------

static bool follows(const struct view *view, uint32_t word, const uint32_t *terms, uint32_t count)
{
    const struct text_word *words = view->segment->words;
    if (word + count > view->segment->word_count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (view->words[word + i] != terms[i])
            return false;
    }
    return words[word].paragraph == words[word + count - 1].paragraph;
}

// Neighbours by number: from each place of its rarest word (of the highest number) the words around it
// are compared.
static bool holds_plain_phrase(struct view *view, const uint32_t *terms, uint32_t count)
{
    uint32_t rarest = 0;
    for (uint32_t i = 1; i < count; i++)
        rarest = terms[i] > terms[rarest] ? i : rarest;
    size_t places;
    if (view_walks(view)) {
        for (uint32_t i = rarest; i < view->segment->word_count; i++) {
            if (view->words[i] == terms[rarest] && follows(view, i - rarest, terms, count))
                return true;
        }
        return false;
    }
    const uint32_t *list = view_list(view, terms[rarest], &places);
    for (size_t i = 0; i < places; i++) {
        if (list[i] >= rarest && follows(view, list[i] - rarest, terms, count))
            return true;
    }
    return false;
}

// Whether a term stands at a position of a paragraph.
static bool stands_at(struct view *view, uint32_t term, uint32_t position, uint32_t paragraph)
{
    const struct text_word *words = view->segment->words;
    size_t count, low = 0;
    const uint32_t *list = view_list(view, term, &count);
    for (size_t high = count; low < high;) {
        size_t middle = (low + high) / 2;
        if (words[list[middle]].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && words[list[low]].position == position &&
           words[list[low]].paragraph == paragraph;
}

// Where several words share a position.
static bool holds_phrase(struct view *view, const uint32_t *terms, uint32_t count)
{
    const struct text_word *words = view->segment->words;
    size_t places;
    const uint32_t *list = view_list(view, terms[0], &places);
    for (size_t i = 0; i < places; i++) {
        uint32_t held = 1;
        while (held < count && stands_at(view, terms[held], words[list[i]].position + held,
                                         words[list[i]].paragraph))
            held++;
        if (held == count)
            return true;
    }
    return false;
}

static bool is_near(const struct text_word *a, const struct text_word *b, uint32_t distance,
                    bool ordered)
{
    if (a->paragraph != b->paragraph || a->position == b->position)
        return false;
    if (a->position < b->position)
        return b->position - a->position - 1 <= distance;
    return !ordered && a->position - b->position - 1 <= distance;
}

// One walk over the words: each a or b against the other that stood last before it. If that one is not
// near, none before it is.
static bool walk_near(const struct view *view, const uint32_t *terms, uint32_t distance,
                      bool ordered)
{
    const struct text_word *words = view->segment->words;
    const struct text_word *last_a = NULL, *last_b = NULL;
    for (uint32_t i = 0; i < view->segment->word_count; i++) {
        bool is_a = view->words[i] == terms[0], is_b = view->words[i] == terms[1];
        if (!is_a && !is_b)
            continue;
        if (is_b && last_a && is_near(last_a, &words[i], distance, ordered))
            return true;
        if (is_a && last_b && !ordered && is_near(last_b, &words[i], distance, false))
            return true;
        last_a = is_a ? &words[i] : last_a;
        last_b = is_b ? &words[i] : last_b;
    }
    return false;
}

// For each a, the b from the first that is not too far before it.
static bool holds_near(struct view *view, const uint32_t *terms, uint32_t distance, bool ordered)
{
    const struct text_word *words = view->segment->words;
    size_t a_count, b_count, start = 0;
    const uint32_t *a = view_list(view, terms[0], &a_count);
    const uint32_t *b = view_list(view, terms[1], &b_count);
    for (size_t i = 0; i < a_count; i++) {
        const struct text_word *word = &words[a[i]];
        while (start < b_count &&
               (uint64_t)words[b[start]].position + distance + 1 < word->position)
            start++;
        for (size_t k = start;
             k < b_count && words[b[k]].position <= (uint64_t)word->position + distance + 1; k++) {
            if (is_near(word, &words[b[k]], distance, ordered))
                return true;
        }
    }
    return false;
}

static bool near_holds(struct view *view, uint32_t header, const uint32_t *terms)
{
    uint32_t distance = program_count(header);
    bool ordered = program_kind(header) == PROGRAM_ONEAR;
    if (!has_all(view, terms, 2))
        return false;
    return header & PROGRAM_PLAIN && view_walks(view) ? walk_near(view, terms, distance, ordered)
                                                      : holds_near(view, terms, distance, ordered);
}

// ---- clauses ---------------------------------------------------------------------------------

static bool clause_holds(struct run *run, const uint32_t *clause);

static size_t length_of(const uint32_t *clause)
{
    uint32_t kind = program_kind(*clause), terms;
    size_t length = 1 + (size_t)program_operands(*clause, &terms);
    return kind == PROGRAM_EVERY || kind == PROGRAM_SOME ? length + program_count(*clause) : length;
}

static bool some_hold(struct run *run, const uint32_t *clauses, uint32_t length, uint32_t least)
{
    const uint32_t *end = clauses + length;
    uint32_t held = 0;
    for (; held < least && clauses < end; clauses += length_of(clauses))
        held += clause_holds(run, clauses);
    return held >= least;
}

static bool every_holds(struct run *run, const uint32_t *clauses, uint32_t length)
{
    const uint32_t *end = clauses + length;
    for (; clauses < end; clauses += length_of(clauses)) {
        if (!clause_holds(run, clauses))
            return false;
    }
    return true;
}

static bool node_holds(struct run *run, uint32_t node)
{
    struct eval *eval = &run->scan->eval;
    eval->plan = &run->matcher->plan;
    return eval_holds(eval, node, view_whole(run->view));
}

static bool clause_holds(struct run *run, const uint32_t *clause)
{
    const uint32_t header = *clause, count = program_count(header), *operands = clause + 1;
    const uint32_t *lists = run->matcher->index->lists;
    const bool wanted = !(header & PROGRAM_NOT);
    switch ((enum program_kind)program_kind(header)) {
    case PROGRAM_ALL: return has_all(run->view, operands, count);
    case PROGRAM_ANY: return has_any(run->view, operands, count) == wanted;
    case PROGRAM_NONE: return !has_any(run->view, operands, count);
    case PROGRAM_LIST: return has_any(run->view, lists + *operands + 1, lists[*operands]) == wanted;
    case PROGRAM_PHRASE:
        if (!has_all(run->view, operands, count))
            return !wanted;
        return (run->view->plain ? holds_plain_phrase(run->view, operands, count)
                                 : holds_phrase(run->view, operands, count)) == wanted;
    case PROGRAM_NEAR:
    case PROGRAM_ONEAR: return near_holds(run->view, header, operands) == wanted;
    case PROGRAM_NODE: return node_holds(run, *operands) == wanted;
    case PROGRAM_WHERE: return scan_where_holds(run->scan, run->matcher, run->watch);
    case PROGRAM_WATCH: return scan_watch_holds(run->scan, run->matcher, run->watch, run->score);
    case PROGRAM_EVERY: return every_holds(run, operands, count) == wanted;
    case PROGRAM_SOME: return some_hold(run, operands + 1, count, *operands) == wanted;
    case PROGRAM_NEVER:
    case PROGRAM_END:
    case PROGRAM_NOT: break;
    }
    return false;
}

bool run_program(struct scan *scan, const struct matcher *matcher, const uint32_t *program,
                 double *score)
{
    struct run run = {scan, matcher, &scan->segment, *program & ~INDEX_ONCE, score};
    for (const uint32_t *clause = program + 1; *clause != PROGRAM_END;
         clause += length_of(clause)) {
        if (!clause_holds(&run, clause))
            return false;
    }
    return true;
}
