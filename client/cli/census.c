#include "client/cli/census.h"

#include "common/buf.h"
#include "common/hash.h"
#include "common/mem.h"
#include "watcher/match/dict.h"

#include <stdlib.h>

enum { NONE = UINT32_MAX };

struct counted { // a folded word, or one spelling of it
    tc_str text;
    uint64_t count;
    uint32_t articles, last; // last: the article it was last seen in, from 1
    uint32_t spellings;      // of a folded word: its first spelling; of a spelling: the next one
};

struct words { // each distinct one once
    struct dict dict;
    struct counted *items;
    size_t room;
};

struct census {
    struct rules_census query; // what queries are told; first, so that it leads back here
    struct tc_arena *arena;
    struct words folded, surface;
    uint32_t *sorted; // folded words by their text
    uint64_t words;
    uint32_t articles;
};

static const struct census *census_of(const struct rules_census *query)
{
    return (const struct census *)query;
}

// ---- counting ------------------------------------------------------------------------------

struct census *census_new(void)
{
    struct census *census = tc_new(sizeof *census);
    struct tc_id id = tc_id_random();
    uint64_t key;
    memcpy(&key, id.bytes, sizeof key);
    census->arena = tc_arena_new();
    dict_init(&census->folded.dict, key);
    dict_init(&census->surface.dict, key);
    return census;
}

void census_free(struct census *census)
{
    if (!census)
        return;
    dict_done(&census->folded.dict);
    dict_done(&census->surface.dict);
    free(census->folded.items);
    free(census->surface.items);
    free(census->sorted);
    tc_arena_free(census->arena);
    free(census);
}

// Counts a word; *out is its number. True when it is new.
static bool count(struct census *census, struct words *words, tc_str text, uint32_t *out)
{
    size_t known = words->dict.count;
    uint32_t *value = dict_add(&words->dict, text);
    bool fresh = *value == DICT_NONE;
    if (fresh) {
        *value = (uint32_t)known;
        words->items = tc_room(words->items, known, &words->room, sizeof *words->items);
        words->items[known] =
            (struct counted){.text = tc_arena_str(census->arena, text), .spellings = NONE};
    }
    struct counted *item = &words->items[*value];
    item->count++;
    item->articles += item->last != census->articles;
    item->last = census->articles;
    *out = *value;
    return fresh;
}

void census_add(struct census *census, const struct text *text)
{
    census->articles++;
    for (uint32_t s = 0; s < text->segment_count; s++) {
        const struct text_segment *segment = &text->segments[s];
        census->words += segment->word_count;
        for (uint32_t i = 0; i < segment->word_count; i++) {
            const struct text_word *word = &segment->words[i];
            uint32_t folded, surface;
            count(census, &census->folded, (tc_str){word->folded, word->folded_len}, &folded);
            tc_str spelling = {word->surface, word->surface_len};
            if (!count(census, &census->surface, spelling, &surface))
                continue;
            census->surface.items[surface].spellings = census->folded.items[folded].spellings;
            census->folded.items[folded].spellings = surface;
        }
    }
}

static int by_text(const void *a, const void *b, void *context)
{
    const struct counted *items = context;
    return tc_str_cmp(items[*(const uint32_t *)a].text, items[*(const uint32_t *)b].text);
}

uint64_t census_words(const struct census *census)
{
    return census->words;
}

static const struct counted *find(const struct words *words, tc_str text)
{
    uint32_t number = dict_find(&words->dict, text);
    return number == DICT_NONE ? NULL : &words->items[number];
}

// ---- W0201 ---------------------------------------------------------------------------------

void census_put_number(uint64_t number, struct tc_buf *out)
{
    if (number >= 1000) {
        census_put_number(number / 1000, out);
        tc_buf_addf(out, ",%03u", (unsigned)(number % 1000));
    } else {
        tc_buf_addf(out, "%u", (unsigned)number);
    }
}

static void put_times(tc_str word, uint64_t times, struct tc_buf *out)
{
    tc_buf_addf(out, "\"%.*s\" ", TC_ARG(word));
    if (times == 0) {
        tc_buf_puts(out, "never");
        return;
    }
    census_put_number(times, out);
    tc_buf_puts(out, times == 1 ? " time" : " times");
}

static void say(const struct query_place *place, const struct query_node *node, const char *code,
                const struct tc_buf *help, const struct tc_buf *message)
{
    place->wrong(place, node->from, node->to, TC_DIAG_WARNING, code, tc_buf_view(help),
                 tc_buf_view(message));
}

// The most frequent other spelling, and how often all others stand there.
static tc_str other_spelling(const struct census *census, const struct query_node *leaf,
                             uint64_t *times)
{
    const struct counted *folded = find(&census->folded, leaf->words[0].folded), *best = NULL;
    *times = 0;
    for (uint32_t i = folded ? folded->spellings : NONE; i != NONE;) {
        const struct counted *spelling = &census->surface.items[i];
        i = spelling->spellings;
        if (tc_str_eq(spelling->text, leaf->words[0].surface))
            continue;
        *times += spelling->count;
        if (!best || spelling->count > best->count)
            best = spelling;
    }
    return best ? best->text : leaf->words[0].folded;
}

static void check_capitals(const struct census *census, const struct query_node *leaf,
                           const struct query_place *place)
{
    struct tc_buf message = {0}, help = {0};
    const struct counted *same = find(&census->surface, leaf->words[0].surface);
    uint64_t others;
    tc_str other = other_spelling(census, leaf, &others);
    tc_buf_addf(&message, "\"%.*s\" also matches \"%.*s\": the corpus has ", TC_ARG(leaf->text),
                TC_ARG(other));
    put_times(leaf->text, same ? same->count : 0, &message);
    tc_buf_puts(&message, ", ");
    put_times(other, others, &message);
    tc_buf_addf(&help, "=%.*s matches the capitals only", TC_ARG(leaf->text));
    say(place, leaf, "W0201", &help, &message);
    tc_buf_done(&message);
    tc_buf_done(&help);
}

// ---- W0204 ---------------------------------------------------------------------------------

struct expansion {
    size_t count;
    const struct counted *most[CENSUS_SHOWN]; // the most frequent first
    size_t shown;
};

static void add_word(struct expansion *expansion, const struct counted *word)
{
    size_t at = expansion->shown;
    expansion->count++;
    if (at == CENSUS_SHOWN && expansion->most[at - 1]->count >= word->count)
        return;
    at -= at == CENSUS_SHOWN;
    for (; at > 0 && expansion->most[at - 1]->count < word->count; at--)
        expansion->most[at] = expansion->most[at - 1];
    expansion->most[at] = word;
    expansion->shown += expansion->shown < CENSUS_SHOWN;
}

// Letters before the first sign of a wildcard.
static tc_str literal_start(tc_str pattern)
{
    size_t end = 0;
    while (end < pattern.len && !strchr("*?\\", pattern.ptr[end]))
        end++;
    return tc_str_cut(pattern, 0, end);
}

static size_t first_from(const struct census *census, tc_str start)
{
    size_t low = 0, high = census->folded.dict.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tc_str_cmp(census->folded.items[census->sorted[middle]].text, start) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct expansion expand(const struct census *census, const struct query_word *word,
                               bool exact)
{
    struct expansion expansion = {0};
    tc_str start = literal_start(word->folded);
    for (size_t i = 0; exact && i < census->surface.dict.count; i++) {
        if (text_wild_match(word->surface, census->surface.items[i].text))
            add_word(&expansion, &census->surface.items[i]);
    }
    for (size_t i = first_from(census, start); !exact && i < census->folded.dict.count; i++) {
        const struct counted *item = &census->folded.items[census->sorted[i]];
        if (!tc_str_starts(item->text, start))
            break;
        if (text_wild_match(word->folded, item->text))
            add_word(&expansion, item);
    }
    return expansion;
}

static void check_wildcard(const struct census *census, const struct query_node *leaf,
                           const struct query_word *word, const struct query_place *place)
{
    struct expansion expansion = expand(census, word, leaf->exact);
    struct tc_buf message = {0}, help = {0};
    if (expansion.count <= CENSUS_EXPANSION)
        return;
    tc_buf_addf(&message, "\"%.*s\" stands for ", TC_ARG(word->surface));
    census_put_number(expansion.count, &message);
    tc_buf_puts(&message, " words of the corpus");
    tc_buf_puts(&help, "most often:");
    for (size_t i = 0; i < expansion.shown; i++) {
        tc_buf_addf(&help, "%s %.*s ", i ? "," : "", TC_ARG(expansion.most[i]->text));
        census_put_number(expansion.most[i]->count, &help);
    }
    say(place, leaf, "W0204", &help, &message);
    tc_buf_done(&message);
    tc_buf_done(&help);
}

static void look_at_leaf(const struct rules_census *query, const struct query_node *leaf,
                         const struct query_place *place)
{
    const struct census *census = census_of(query);
    if (query_is_short_capital(leaf))
        check_capitals(census, leaf, place);
    for (size_t i = 0; i < leaf->word_count; i++) {
        if (leaf->words[i].wild)
            check_wildcard(census, leaf, &leaf->words[i], place);
    }
}

// ---- W0206 ---------------------------------------------------------------------------------

// `at` is the node of the query that the warning stands under: the word, or the list that holds it.
static void check_alone(const struct census *census, const struct query_node *word,
                        const struct query_node *at, const struct query_place *place)
{
    struct tc_buf message = {0}, help = {0};
    if (word->word_count != 1 || word->words[0].wild || word->words[0].edits > 0)
        return;
    const struct counted *found = word->exact ? find(&census->surface, word->words[0].surface)
                                              : find(&census->folded, word->words[0].folded);
    if (!found || (uint64_t)found->articles * CENSUS_FREQUENT <= census->articles)
        return;
    tc_buf_addf(&message, "\"%.*s\"", TC_ARG(word->text));
    if (at != word)
        tc_buf_addf(&message, " of @%.*s", TC_ARG(at->text));
    tc_buf_puts(&message, " alone is enough here, and stands in ");
    census_put_number(found->articles, &message);
    tc_buf_puts(&message, " of ");
    census_put_number(census->articles, &message);
    tc_buf_puts(&message, " articles");
    tc_buf_puts(&help, "join it with AND, or write the phrase that is meant");
    say(place, at, "W0206", &help, &message);
    tc_buf_done(&message);
    tc_buf_done(&help);
}

static void check_branches(const struct census *census, const struct query_node *node,
                           const struct query_node *at, const struct query_place *place)
{
    if (node->op == QUERY_WORDS)
        check_alone(census, node, at ? at : node, place);
    else if (node->op == QUERY_LIST)
        for (size_t i = 0; i < node->list->count; i++)
            check_branches(census, node->list->entries[i].node, at ? at : node, place);
    else if (node->op == QUERY_OR || node->op == QUERY_NAMED)
        for (size_t i = 0; i < node->child_count; i++)
            check_branches(census, node->children[i], at, place);
}

static void look_at_whole(const struct rules_census *query, const struct query_node *root,
                          const struct query_place *place)
{
    const struct census *census = census_of(query);
    if (census->articles >= CENSUS_ARTICLES_LEAST)
        check_branches(census, root, NULL, place);
}

const struct rules_census *census_ready(struct census *census)
{
    size_t count = census->folded.dict.count;
    census->sorted = tc_new((count + 1) * sizeof *census->sorted);
    for (uint32_t i = 0; i < count; i++)
        census->sorted[i] = i;
    qsort_r(census->sorted, count, sizeof *census->sorted, by_text, census->folded.items);
    census->query = (struct rules_census){.leaf = look_at_leaf, .whole = look_at_whole};
    return &census->query;
}
