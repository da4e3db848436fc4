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

// Where the places of a clause may be, and whether paragraphs part them.
struct room {
    struct view *view;
    struct range range;
    bool running;
};

static struct room room_of(struct view *view, uint32_t header)
{
    uint32_t title = view->segment->title_words, words = view->segment->word_count;
    uint32_t scope = program_scope(header);
    struct range range = {scope == 1 + TERMS_BODY ? title : 0,
                          scope == 1 + TERMS_TITLE ? title : words};
    return (struct room){view, range, (header & PROGRAM_RUNNING) != 0};
}

// The places of a term in the room.
static const uint32_t *list_in(const struct room *room, uint32_t term, size_t *count)
{
    const uint32_t *list = view_list(room->view, term, count);
    if (room->range.from || room->range.to < room->view->segment->word_count) {
        size_t from = view_from(list, *count, room->range.from);
        *count = view_from(list, *count, room->range.to) - from;
        list += from;
    }
    return list;
}

static bool follows(const struct room *room, uint32_t word, const uint32_t *terms, uint32_t count)
{
    const struct text_word *words = room->view->segment->words;
    if (word < room->range.from || word + count > room->range.to)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (room->view->words[word + i] != terms[i])
            return false;
    }
    return room->running || words[word].paragraph == words[word + count - 1].paragraph;
}

// Neighbours by number: from each place of its rarest word (of the highest number) the words around it
// are compared.
static bool holds_plain_phrase(const struct room *room, const uint32_t *terms, uint32_t count)
{
    uint32_t rarest = 0;
    for (uint32_t i = 1; i < count; i++)
        rarest = terms[i] > terms[rarest] ? i : rarest;
    size_t places;
    if (view_walks(room->view)) {
        for (uint32_t i = room->range.from + rarest; i < room->range.to; i++) {
            if (room->view->words[i] == terms[rarest] && follows(room, i - rarest, terms, count))
                return true;
        }
        return false;
    }
    const uint32_t *list = view_list(room->view, terms[rarest], &places);
    for (size_t i = 0; i < places; i++) {
        if (list[i] >= rarest && follows(room, list[i] - rarest, terms, count))
            return true;
    }
    return false;
}

// Whether a term stands at a position, in the paragraph of a word.
static bool stands_at(const struct room *room, uint32_t term, uint32_t position, uint32_t word)
{
    const struct text_word *words = room->view->segment->words;
    size_t count, low = 0;
    const uint32_t *list = list_in(room, term, &count);
    for (size_t high = count; low < high;) {
        size_t middle = (low + high) / 2;
        if (words[list[middle]].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && words[list[low]].position == position &&
           (room->running || words[list[low]].paragraph == words[word].paragraph);
}

// Where several words share a position.
static bool holds_phrase(const struct room *room, const uint32_t *terms, uint32_t count)
{
    const struct text_word *words = room->view->segment->words;
    size_t places;
    const uint32_t *list = list_in(room, terms[0], &places);
    for (size_t i = 0; i < places; i++) {
        uint32_t held = 1;
        while (held < count &&
               stands_at(room, terms[held], words[list[i]].position + held, list[i]))
            held++;
        if (held == count)
            return true;
    }
    return false;
}

static bool phrase_holds(struct view *view, uint32_t header, const uint32_t *terms)
{
    struct room room = room_of(view, header);
    uint32_t count = program_count(header);
    if (!has_all(view, terms, count))
        return false;
    return view->plain ? holds_plain_phrase(&room, terms, count)
                       : holds_phrase(&room, terms, count);
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
static bool walk_near(const struct room *room, const uint32_t *terms, uint32_t distance,
                      bool ordered)
{
    const struct text_word *words = room->view->segment->words;
    const struct text_word *last_a = NULL, *last_b = NULL;
    for (uint32_t i = room->range.from; i < room->range.to; i++) {
        bool is_a = room->view->words[i] == terms[0], is_b = room->view->words[i] == terms[1];
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
static bool holds_near(const struct room *room, const uint32_t *terms, uint32_t distance,
                       bool ordered)
{
    const struct text_word *words = room->view->segment->words;
    size_t a_count, b_count, start = 0;
    const uint32_t *a = list_in(room, terms[0], &a_count);
    const uint32_t *b = list_in(room, terms[1], &b_count);
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
    struct room room = room_of(view, header);
    uint32_t distance = program_count(header);
    bool ordered = program_kind(header) == PROGRAM_ONEAR;
    if (!has_all(view, terms, 2))
        return false;
    return header & PROGRAM_PLAIN && view_walks(view) ? walk_near(&room, terms, distance, ordered)
                                                      : holds_near(&room, terms, distance, ordered);
}

// Two words that differ, moved so many places in all (sloppy.h): the phrases that they would belong to
// begin at most that far apart.
static bool sloppy_holds(struct view *view, uint32_t header, const uint32_t *terms)
{
    struct room room = room_of(view, header);
    const struct text_word *words = view->segment->words;
    int64_t slop = program_count(header);
    size_t a_count, b_count, k = 0;
    if (!has_all(view, terms, 2))
        return false;
    const uint32_t *a = list_in(&room, terms[0], &a_count);
    const uint32_t *b = list_in(&room, terms[1], &b_count);
    for (size_t i = 0; i < a_count; i++) {
        int64_t begin = words[a[i]].position;
        while (k < b_count && (int64_t)words[b[k]].position - 1 < begin - slop)
            k++;
        if (k < b_count && (int64_t)words[b[k]].position - 1 <= begin + slop)
            return true;
    }
    return false;
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

static bool node_holds(struct run *run, uint32_t header, uint32_t node)
{
    struct eval *eval = &run->scan->eval;
    struct view *before = eval->view;
    eval->plan = &run->matcher->plan;
    eval->view = run->view;
    bool holds = eval_holds(eval, node, room_of(run->view, header).range);
    eval->view = before;
    return holds;
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
    case PROGRAM_PHRASE: return phrase_holds(run->view, header, operands) == wanted;
    case PROGRAM_SLOPPY: return sloppy_holds(run->view, header, operands) == wanted;
    case PROGRAM_NEAR:
    case PROGRAM_ONEAR: return near_holds(run->view, header, operands) == wanted;
    case PROGRAM_NODE: return node_holds(run, header, *operands) == wanted;
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

bool run_program(struct scan *scan, const struct matcher *matcher, struct view *view,
                 const uint32_t *program, double *score)
{
    struct run run = {scan, matcher, view, *program & ~INDEX_ONCE, score};
    for (const uint32_t *clause = program + 1; *clause != PROGRAM_END;
         clause += length_of(clause)) {
        if (!clause_holds(&run, clause))
            return false;
    }
    return true;
}
