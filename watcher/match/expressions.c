#include "watcher/match/expressions.h"

#include "common/buf.h"
#include "common/mem.h"

#include <hs.h>
#include <stdatomic.h>
#include <stdlib.h>

// Blocks are shared by the sets before and after a reload. A block that has fewer than three of four
// expressions still wanted is given up; so are the smallest, when blocks become many: each costs every
// text a scan.

struct expression_block {
    atomic_size_t holders;
    hs_database_t *database;
    struct tc_buf *keys; // of its expressions
    size_t count;
};

static void block_drop(struct expression_block *block)
{
    if (!block || atomic_fetch_sub(&block->holders, 1) != 1)
        return;
    hs_free_database(block->database);
    for (size_t i = 0; i < block->count; i++)
        tc_buf_done(&block->keys[i]);
    free(block->keys);
    free(block);
}

static void key_of(const struct expression *expression, struct tc_buf *key)
{
    tc_buf_clear(key);
    tc_buf_byte(key, expression->fold_case ? 'i' : '-');
    tc_buf_str(key, expression->text);
}

void expressions_init(struct expressions *set, uint64_t seed)
{
    *set = (struct expressions){0};
    dict_init(&set->numbers, seed);
}

void expressions_done(struct expressions *set)
{
    for (size_t i = 0; i < set->block_count; i++) {
        block_drop(set->blocks[i].block);
        free(set->blocks[i].numbers);
    }
    free(set->blocks);
    free(set->list);
    free(set->terms);
    dict_done(&set->numbers);
    *set = (struct expressions){0};
}

uint32_t expressions_number(const struct expressions *set, const struct expression *expression)
{
    struct tc_buf key = {0};
    key_of(expression, &key);
    uint32_t number = dict_find(&set->numbers, tc_buf_view(&key));
    tc_buf_done(&key);
    return number;
}

void expressions_add(struct expressions *set, const struct expression *expression, uint32_t term)
{
    struct tc_buf key = {0};
    key_of(expression, &key);
    set->list = tc_room(set->list, set->count, &set->list_room, sizeof(const struct expression *));
    set->terms = tc_room(set->terms, set->count, &set->term_room, sizeof *set->terms);
    set->list[set->count] = expression;
    set->terms[set->count] = term;
    *dict_add(&set->numbers, tc_buf_view(&key)) = (uint32_t)set->count++;
    tc_buf_done(&key);
}

// ---- how many there are -------------------------------------------------------------------------

size_t expressions_together(const struct expressions *one, const struct expressions *other)
{
    size_t count = one->count;
    for (size_t i = 0; i < other->count; i++)
        count += expressions_number(one, other->list[i]) == DICT_NONE;
    return count;
}

static bool was_counted(struct expressions_tally *tally, const struct query_list *list)
{
    for (size_t i = 0; i < tally->list_count; i++) {
        if (tally->lists[i] == list)
            return true;
    }
    tally->lists = tc_room(tally->lists, tally->list_count, &tally->list_room,
                           sizeof(const struct query_list *));
    tally->lists[tally->list_count++] = list;
    return false;
}

static void count_in(struct expressions_tally *tally, const struct query_node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->child_count; i++)
        count_in(tally, node->children[i]);
    if (node->op == QUERY_REGEX) {
        struct tc_buf key = {0};
        key_of(node->expression, &key);
        *dict_add(&tally->seen, tc_buf_view(&key)) = 0;
        tc_buf_done(&key);
    } else if (node->op == QUERY_LIST && !was_counted(tally, node->list)) {
        for (size_t i = 0; i < node->list->count; i++)
            count_in(tally, node->list->entries[i].node);
    }
}

size_t expressions_tally_add(struct expressions_tally *tally, const struct watch *watch)
{
    if (!tally->begun) {
        uint64_t key;
        struct tc_id random = tc_id_random();
        memcpy(&key, random.bytes, sizeof key);
        dict_init(&tally->seen, key);
        tally->begun = true;
    }
    if (watch->expressions) {
        count_in(tally, watch->query);
        for (size_t i = 0; i < watch->term_count; i++)
            count_in(tally, watch->terms[i].query);
    }
    return tally->seen.count;
}

void expressions_tally_done(struct expressions_tally *tally)
{
    dict_done(&tally->seen);
    free(tally->lists);
    *tally = (struct expressions_tally){0};
}

// ---- blocks of the set before --------------------------------------------------------------------

static size_t wanted_of(const struct expressions *set, const struct expression_block *block)
{
    size_t wanted = 0;
    for (size_t i = 0; i < block->count; i++)
        wanted += dict_find(&set->numbers, tc_buf_view(&block->keys[i])) != DICT_NONE;
    return wanted;
}

struct choice {
    struct expression_block *block;
    size_t wanted;
};

static int larger_first(const void *a, const void *b)
{
    size_t left = ((const struct choice *)a)->wanted, right = ((const struct choice *)b)->wanted;
    return (left < right) - (left > right);
}

// The blocks worth taking over, in choices[]; their number. What none of them has is compiled anew.
static size_t choose(const struct expressions *set, const struct expressions *before,
                     struct choice *choices)
{
    size_t count = 0, left = set->count;
    for (size_t i = 0; before && i < before->block_count; i++) {
        struct expression_block *block = before->blocks[i].block;
        struct choice choice = {block, wanted_of(set, block)};
        if (choice.wanted && choice.wanted * 4 >= block->count * 3)
            choices[count++] = choice;
    }
    if (count)
        qsort(choices, count, sizeof *choices, larger_first);
    for (size_t i = 0; i < count; i++)
        left -= choices[i].wanted;
    while (count && count + (left > 0) > EXPRESSIONS_BLOCKS)
        left += choices[--count].wanted;
    return count;
}

static struct expressions_block *add_block(struct expressions *set, struct expression_block *block)
{
    set->blocks = tc_room(set->blocks, set->block_count, &set->block_room, sizeof *set->blocks);
    struct expressions_block *added = &set->blocks[set->block_count++];
    *added = (struct expressions_block){block, tc_new(block->count * sizeof *added->numbers)};
    return added;
}

static void take_over(struct expressions *set, const struct expressions *before, bool *done)
{
    size_t most = before ? before->block_count : 0;
    struct choice *choices = tc_new((most + 1) * sizeof *choices);
    size_t count = choose(set, before, choices);
    for (size_t i = 0; i < count; i++) {
        struct expression_block *block = choices[i].block;
        atomic_fetch_add(&block->holders, 1);
        struct expressions_block *taken = add_block(set, block);
        for (size_t k = 0; k < block->count; k++) {
            uint32_t number = dict_find(&set->numbers, tc_buf_view(&block->keys[k]));
            taken->numbers[k] = number != DICT_NONE && !done[number] ? number : DICT_NONE;
            if (number != DICT_NONE)
                done[number] = true;
        }
    }
    free(choices);
}

// ---- compiling -----------------------------------------------------------------------------------

static int refused(const struct expression *expression, const hs_compile_error_t *why,
                   struct tc_err *err)
{
    return tc_fail(err, TC_EINVAL, "regular expression /%.*s/: %s", TC_ARG(expression->text),
                   why ? why->message : "vectorscan does not take it");
}

// One database of `count` expressions.
static int compile_block(struct expressions *set, const uint32_t *numbers, size_t count,
                         struct tc_err *err)
{
    const char **filters = tc_new(count * sizeof(const char *));
    unsigned *flags = tc_new(count * sizeof *flags), *ids = tc_new(count * sizeof *ids);
    struct expression_block *block = tc_new(sizeof *block);
    hs_compile_error_t *why = NULL;
    int code = TC_OK;
    atomic_init(&block->holders, 1);
    for (size_t i = 0; i < count; i++) {
        filters[i] = set->list[numbers[i]]->filter;
        flags[i] = HS_FLAG_UTF8 | HS_FLAG_SINGLEMATCH;
        ids[i] = (unsigned)i;
    }
    if (hs_compile_multi(filters, flags, ids, (unsigned)count, HS_MODE_BLOCK, NULL,
                         &block->database, &why) == HS_SUCCESS) {
        block->keys = tc_new(count * sizeof *block->keys);
        block->count = count;
        for (size_t i = 0; i < count; i++)
            key_of(set->list[numbers[i]], &block->keys[i]);
        memcpy(add_block(set, block)->numbers, numbers, count * sizeof *numbers);
    } else {
        size_t which = why && why->expression >= 0 ? (size_t)why->expression : 0;
        code = refused(set->list[numbers[which]], why, err);
        block_drop(block);
    }
    hs_free_compile_error(why);
    free(ids);
    free(flags);
    free(filters);
    return code;
}

static int compile_others(struct expressions *set, const bool *done, struct tc_err *err)
{
    uint32_t *numbers = tc_new((set->count + 1) * sizeof *numbers);
    size_t left = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (!done[i])
            numbers[left++] = (uint32_t)i;
    }
    int code = left ? compile_block(set, numbers, left, err) : TC_OK;
    free(numbers);
    return code;
}

int expressions_seal(struct expressions *set, const uint32_t *map, const struct expressions *before,
                     struct tc_err *err)
{
    for (size_t i = 0; i < set->count; i++)
        set->terms[i] = map[set->terms[i]];
    if (!set->count)
        return TC_OK;
    if (set->count > EXPRESSIONS_MOST)
        return tc_fail(err, TC_EFULL,
                       "the watches have %zu different regular expressions, at most %d are allowed",
                       set->count, EXPRESSIONS_MOST);
    if (hs_valid_platform() != HS_SUCCESS)
        return tc_fail(err, TC_EINVAL,
                       "regular expressions need a processor with SSE 4.2, which this one lacks");
    bool *done = tc_new(set->count * sizeof *done);
    take_over(set, before, done);
    int code = compile_others(set, done, err);
    free(done);
    return code;
}

size_t expressions_bytes(const struct expressions *set)
{
    size_t bytes = set->list_room * sizeof(void *) + set->term_room * sizeof *set->terms +
                   dict_bytes(&set->numbers);
    for (size_t i = 0; i < set->block_count; i++) {
        const struct expression_block *block = set->blocks[i].block;
        size_t database = 0;
        hs_database_size(block->database, &database);
        bytes += database + block->count * (sizeof *block->keys + sizeof(uint32_t));
        for (size_t k = 0; k < block->count; k++)
            bytes += block->keys[k].capacity;
    }
    return bytes;
}

// ---- scanning ------------------------------------------------------------------------------------

void expressions_scratch_done(struct expressions_scratch *scratch)
{
    hs_free_scratch(scratch->scratch);
    free(scratch->found);
    *scratch = (struct expressions_scratch){0};
}

void expressions_use(struct expressions_scratch *scratch, const struct expressions *set)
{
    for (size_t i = 0; i < set->block_count; i++) {
        if (hs_alloc_scratch(set->blocks[i].block->database, &scratch->scratch) != HS_SUCCESS)
            abort(); // as common/mem does: memory that runs out ends the program
    }
    if (set->count > scratch->room) {
        scratch->room = set->count;
        scratch->found = tc_grow(scratch->found, scratch->room, sizeof *scratch->found);
    }
}

static int note(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                void *context)
{
    struct expressions_scratch *scratch = context;
    uint32_t number = scratch->numbers[id];
    (void)from, (void)to, (void)flags;
    if (number != DICT_NONE)
        scratch->found[scratch->count++] = number;
    return 0;
}

void expressions_scan(const struct expressions *set, struct expressions_scratch *scratch,
                      tc_str text)
{
    scratch->count = 0;
    for (size_t i = 0; i < set->block_count; i++) {
        const struct expressions_block *block = &set->blocks[i];
        scratch->numbers = block->numbers;
        if (hs_scan(block->block->database, text.ptr, (unsigned)text.len, 0, scratch->scratch, note,
                    scratch) != HS_SUCCESS)
            abort(); // only a damaged database or scratch: a bug of ours
    }
}
