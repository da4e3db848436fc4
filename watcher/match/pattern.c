#include "watcher/match/pattern.h"

#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/text/text.h"

#include <stdlib.h>

// How a word finds its patterns. Each wildcard gives one key: a letter for where its run of plain
// letters stands ('p' start, 's' end, 'i' anywhere) and at most RUN_MOST bytes of it. A word is looked
// up with its beginnings, its ends and its inner pieces of the lengths that occur; what is found is then
// matched in full. Worst case a word of n bytes makes n * RUN_MOST look-ups, once (memo.h).

enum { RUN_MOST = 12, PAIRS = 1024 };

enum place { AT_START, AT_END, INSIDE, PLACES };
static const char place_letters[PLACES] = {'p', 's', 'i'};

struct pattern {
    uint32_t at, len; // in `bytes`
    uint32_t term;
    uint32_t next; // with the same key
};

struct fuzzy {
    uint32_t at, len;
    uint32_t term;
    uint16_t letters;
    uint8_t edits;
    uint64_t signature; // which letters occur, by code point modulo 64
};

struct test {
    const struct word_test *test;
    uint32_t term;
};

struct pattern_set {
    struct test *tests;
    size_t test_count, test_capacity;
    struct word_forms *forms; // tests by form; NULL: none
    uint64_t key;
    struct dict keys; // to the first pattern of a key
    struct pattern *patterns;
    size_t count, capacity;
    struct fuzzy *fuzzies;
    size_t fuzzy_count, fuzzy_capacity;
    uint32_t loose;           // first pattern without a run of letters
    uint32_t lengths[PLACES]; // bit n: a key with n bytes exists
    uint32_t starts[PAIRS];   // the same of AT_START keys of two bytes and more, by their first two
    char *bytes;
    size_t bytes_used, bytes_capacity;
};

struct pattern_set *pattern_set_new(uint64_t key)
{
    struct pattern_set *set = tc_new(sizeof *set);
    dict_init(&set->keys, key);
    set->key = key;
    set->loose = DICT_NONE;
    return set;
}

void pattern_set_free(struct pattern_set *set)
{
    if (!set)
        return;
    dict_done(&set->keys);
    free(set->patterns);
    free(set->fuzzies);
    free(set->tests);
    word_forms_free(set->forms);
    free(set->bytes);
    free(set);
}

size_t pattern_set_count(const struct pattern_set *set)
{
    return set->count + set->fuzzy_count + set->test_count +
           (set->forms ? word_forms_count(set->forms) : 0);
}

size_t pattern_set_bytes(const struct pattern_set *set)
{
    return sizeof *set + dict_bytes(&set->keys) + set->capacity * sizeof *set->patterns +
           set->fuzzy_capacity * sizeof *set->fuzzies + set->bytes_capacity +
           (set->forms ? word_forms_bytes(set->forms) : 0);
}

static uint32_t keep(struct pattern_set *set, tc_str text)
{
    size_t need = set->bytes_used + text.len;
    if (need > set->bytes_capacity) {
        set->bytes_capacity = need < 256 ? 256 : need * 2;
        set->bytes = tc_grow(set->bytes, set->bytes_capacity, 1);
    }
    memcpy(set->bytes + set->bytes_used, text.ptr, text.len);
    uint32_t at = (uint32_t)set->bytes_used;
    set->bytes_used = need;
    return at;
}

void pattern_set_renumber(struct pattern_set *set, const uint32_t *map)
{
    for (size_t i = 0; i < set->count; i++)
        set->patterns[i].term = map[set->patterns[i].term];
    for (size_t i = 0; i < set->fuzzy_count; i++)
        set->fuzzies[i].term = map[set->fuzzies[i].term];
    for (size_t i = 0; i < set->test_count; i++)
        set->tests[i].term = map[set->tests[i].term];
    if (set->forms)
        word_forms_renumber(set->forms, map);
}

// ---- near spellings ------------------------------------------------------------------------

// Code points of a word; -1 when it has more than PATTERN_FUZZY_LETTERS.
static int letters_of(tc_str word, uint32_t *out)
{
    int count = 0;
    for (size_t i = 0; i < word.len;) {
        if (count == PATTERN_FUZZY_LETTERS)
            return -1;
        out[count++] = tc_utf8_next(word, &i);
    }
    return count;
}

static uint64_t signature_of(const uint32_t *letters, int count)
{
    uint64_t signature = 0;
    for (int i = 0; i < count; i++)
        signature |= UINT64_C(1) << (letters[i] & 63);
    return signature;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

// Optimal string alignment, three rows.
static int distance(const uint32_t *a, int a_len, const uint32_t *b, int b_len)
{
    int rows[3][PATTERN_FUZZY_LETTERS + 1];
    for (int j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (int i = 1; i <= a_len; i++) {
        int *now = rows[i % 3];
        const int *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= b_len; j++) {
            int cost = above[j - 1] + (a[i - 1] != b[j - 1]);
            cost = least(cost, least(above[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost = least(cost, before[j - 2] + 1);
            now[j] = cost;
        }
    }
    return rows[a_len % 3][b_len];
}

bool pattern_near_spelling(tc_str pattern, tc_str word, unsigned edits)
{
    uint32_t a[PATTERN_FUZZY_LETTERS], b[PATTERN_FUZZY_LETTERS];
    int a_len = letters_of(pattern, a), b_len = letters_of(word, b);
    if (a_len < 0 || b_len < 0)
        return tc_str_eq(pattern, word);
    return abs(a_len - b_len) <= (int)edits && distance(a, a_len, b, b_len) <= (int)edits;
}

static void add_fuzzy(struct pattern_set *set, tc_str word, uint8_t edits, uint32_t term)
{
    uint32_t letters[PATTERN_FUZZY_LETTERS];
    int count = letters_of(word, letters);
    set->fuzzies =
        tc_room(set->fuzzies, set->fuzzy_count, &set->fuzzy_capacity, sizeof *set->fuzzies);
    set->fuzzies[set->fuzzy_count++] = (struct fuzzy){
        .at = keep(set, word),
        .len = (uint32_t)word.len,
        .term = term,
        .letters = (uint16_t)(count < 0 ? PATTERN_FUZZY_LETTERS : count),
        .edits = edits,
        .signature = signature_of(letters, count < 0 ? 0 : count),
    };
}

// ---- wildcards -----------------------------------------------------------------------------

struct run {
    enum place place;
    char key[RUN_MOST + 1]; // the place's letter first
    size_t len;             // of the run's bytes in key
};

// Offers a run of plain letters; the longest wins, the earlier place when equal.
static void offer(struct run *best, enum place place, const char *bytes, size_t len)
{
    const char *from = bytes;
    if (len > RUN_MOST) {
        if (place == AT_END)
            from += len - RUN_MOST;
        len = RUN_MOST;
    }
    if (len <= best->len)
        return;
    best->place = place;
    best->len = len;
    best->key[0] = place_letters[place];
    memcpy(best->key + 1, from, len);
}

static struct run longest_run(tc_str pattern)
{
    struct run best = {0};
    char *plain = tc_new(pattern.len + 1);
    size_t len = 0;
    bool at_start = true;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '*' || c == '?') {
            offer(&best, at_start ? AT_START : INSIDE, plain, len);
            at_start = false;
            len = 0;
            continue;
        }
        if (c == '\\' && i + 1 < pattern.len)
            c = pattern.ptr[++i];
        plain[len++] = c;
    }
    offer(&best, at_start ? AT_START : AT_END, plain, len);
    free(plain);
    return best;
}

static uint32_t pair_of(tc_str word)
{
    return ((unsigned)(unsigned char)word.ptr[0] * 31 + (unsigned char)word.ptr[1]) % PAIRS;
}

void pattern_set_add(struct pattern_set *set, tc_str text, uint8_t edits, uint32_t term)
{
    if (edits) {
        add_fuzzy(set, text, edits, term);
        return;
    }
    struct run run = longest_run(text);
    uint32_t *first = &set->loose;
    if (run.len) {
        first = dict_add(&set->keys, (tc_str){run.key, run.len + 1});
        set->lengths[run.place] |= UINT32_C(1) << run.len;
        if (run.place == AT_START && run.len > 1)
            set->starts[pair_of((tc_str){run.key + 1, run.len})] |= UINT32_C(1) << run.len;
    }
    uint32_t next = *first;
    *first = (uint32_t)set->count;
    set->patterns = tc_room(set->patterns, set->count, &set->capacity, sizeof *set->patterns);
    set->patterns[set->count++] = (struct pattern){keep(set, text), (uint32_t)text.len, term, next};
}

void pattern_set_add_test(struct pattern_set *set, const struct word_test *test, uint32_t term)
{
    if (test->by_form) {
        if (!set->forms)
            set->forms = word_forms_new(set->key);
        word_forms_add(set->forms, test->form, test->word, test->wild, term);
        return;
    }
    set->tests = tc_room(set->tests, set->test_count, &set->test_capacity, sizeof *set->tests);
    set->tests[set->test_count++] = (struct test){test, term};
}

// ---- answers -------------------------------------------------------------------------------

void pattern_answer(struct pattern_answers *answers, uint32_t term)
{
    answers->terms = tc_room(answers->terms, answers->used, &answers->room, sizeof *answers->terms);
    answers->terms[answers->used++] = term;
}

void pattern_answers_done(struct pattern_answers *answers)
{
    free(answers->terms);
    word_form_reader_free(answers->forms);
    *answers = (struct pattern_answers){0};
}

static void try_chain(const struct pattern_set *set, uint32_t first, tc_str word,
                      struct pattern_answers *answers, size_t begun)
{
    for (uint32_t i = first; i != DICT_NONE; i = set->patterns[i].next) {
        const struct pattern *pattern = &set->patterns[i];
        bool known = false;
        for (size_t k = begun; k < answers->used && !known; k++)
            known = answers->terms[k] == pattern->term;
        if (!known && text_wild_match((tc_str){set->bytes + pattern->at, pattern->len}, word))
            pattern_answer(answers, pattern->term);
    }
}

static void try_key(const struct pattern_set *set, enum place place, tc_str piece, tc_str word,
                    struct pattern_answers *answers, size_t begun)
{
    char key[RUN_MOST + 1];
    key[0] = place_letters[place];
    memcpy(key + 1, piece.ptr, piece.len);
    try_chain(set, dict_find(&set->keys, (tc_str){key, piece.len + 1}), word, answers, begun);
}

// The lengths of keys that can be the word's beginning.
static uint32_t lengths_at_start(const struct pattern_set *set, tc_str word)
{
    uint32_t of_one = set->lengths[AT_START] & 2;
    return word.len < 2 ? of_one : of_one | set->starts[pair_of(word)];
}

static void try_wildcards(const struct pattern_set *set, tc_str word,
                          struct pattern_answers *answers, size_t begun)
{
    uint32_t starts = lengths_at_start(set, word);
    for (size_t len = 1; len <= RUN_MOST && len <= word.len; len++) {
        if (starts >> len & 1)
            try_key(set, AT_START, tc_str_cut(word, 0, len), word, answers, begun);
        if (set->lengths[AT_END] >> len & 1)
            try_key(set, AT_END, tc_str_cut(word, word.len - len, word.len), word, answers, begun);
        if (set->lengths[INSIDE] >> len & 1) {
            for (size_t at = 0; at + len <= word.len; at++)
                try_key(set, INSIDE, tc_str_cut(word, at, at + len), word, answers, begun);
        }
    }
    try_chain(set, set->loose, word, answers, begun);
}

static void try_fuzzies(const struct pattern_set *set, tc_str word, struct pattern_answers *answers)
{
    uint32_t letters[PATTERN_FUZZY_LETTERS];
    int count = letters_of(word, letters);
    if (count < 0)
        return;
    uint64_t signature = signature_of(letters, count);
    for (size_t i = 0; i < set->fuzzy_count; i++) {
        const struct fuzzy *fuzzy = &set->fuzzies[i];
        // An edit takes at most one letter away and brings at most one.
        if (abs((int)fuzzy->letters - count) <= fuzzy->edits &&
            __builtin_popcountll(signature ^ fuzzy->signature) <= 2 * fuzzy->edits &&
            pattern_near_spelling((tc_str){set->bytes + fuzzy->at, fuzzy->len}, word, fuzzy->edits))
            pattern_answer(answers, fuzzy->term);
    }
}

static void try_tests(const struct pattern_set *set, tc_str word, struct pattern_answers *answers)
{
    for (size_t i = 0; i < set->test_count; i++) {
        if (word_test_holds(set->tests[i].test, word))
            pattern_answer(answers, set->tests[i].term);
    }
}

static void try_forms(const struct pattern_set *set, tc_str word, struct pattern_answers *answers)
{
    const uint32_t *terms;
    if (!answers->forms)
        answers->forms = word_form_reader_new();
    size_t count = word_forms_find(set->forms, answers->forms, word, &terms);
    for (size_t i = 0; i < count; i++)
        pattern_answer(answers, terms[i]);
}

size_t pattern_match(const struct pattern_set *set, struct pattern_answers *answers, tc_str word)
{
    size_t begun = answers->used;
    try_wildcards(set, word, answers, begun);
    if (set->fuzzy_count)
        try_fuzzies(set, word, answers);
    try_tests(set, word, answers);
    if (set->forms)
        try_forms(set, word, answers);
    return answers->used - begun;
}
