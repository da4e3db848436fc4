#include "watcher/match/lexicon.h"

#include "common/mem.h"

#include <stdlib.h>

enum {
    SLOTS_LEAST = 64, // a power of two
    MEAN_MOST = 4,    // words of a bucket on average: one in fifty is full then
};

#define LOW(bytes) (UINT64_MAX >> (64 - 8 * (bytes)))
const struct lexicon_key lexicon_masks[LEXICON_SHORT + 1] = {
    {0, 0},           {LOW(1), 0},      {LOW(2), 0},      {LOW(3), 0},      {LOW(4), 0},
    {LOW(5), 0},      {LOW(6), 0},      {LOW(7), 0},      {LOW(8), 0},      {LOW(8), LOW(1)},
    {LOW(8), LOW(2)}, {LOW(8), LOW(3)}, {LOW(8), LOW(4)}, {LOW(8), LOW(5)}, {LOW(8), LOW(6)},
    {LOW(8), LOW(7)}, {LOW(8), LOW(8)},
};

void lexicon_init(struct lexicon *lexicon, uint64_t seed)
{
    *lexicon = (struct lexicon){.seed = seed, .slot_mask = SLOTS_LEAST - 1};
    lexicon->slots = tc_new(SLOTS_LEAST * sizeof *lexicon->slots);
}

void lexicon_done(struct lexicon *lexicon)
{
    tc_free(lexicon->slots);
    tc_free(lexicon->buckets);
    *lexicon = (struct lexicon){0};
}

size_t lexicon_bytes(const struct lexicon *lexicon)
{
    return ((size_t)lexicon->bucket_mask + 1) * sizeof *lexicon->buckets;
}

uint64_t lexicon_hash_long(const char *word, size_t len, uint64_t seed)
{
    uint64_t hash = lexicon_mix(len ^ seed, UINT64_C(0x9e3779b97f4a7c15));
    for (; len > LEXICON_SHORT; word += 8, len -= 8)
        hash = lexicon_mix(lexicon_load8(word) ^ hash, seed | 1);
    struct lexicon_key rest = lexicon_pack(word, len);
    return lexicon_mix(lexicon_mix(rest.low ^ hash, seed | 1) ^ rest.high, seed | 1);
}

// ---- while adding ------------------------------------------------------------------------------

static void place(struct lexicon_slot *slots, uint32_t mask, uint64_t hash, uint32_t term)
{
    uint32_t at = (uint32_t)hash & mask;
    while (slots[at].term)
        at = (at + 1) & mask;
    slots[at] = (struct lexicon_slot){lexicon_tag(hash), term};
}

// A term's key as a text's word would have it.
static struct lexicon_key known_key(const struct lexicon_words *words, uint32_t term)
{
    struct lexicon_key key = words->keys[term];
    if (lexicon_is_long(key))
        key.low = (uint64_t)(uintptr_t)(words->bytes + key.low);
    return key;
}

static void double_slots(struct lexicon *lexicon, const struct lexicon_words *words)
{
    uint32_t mask = 2 * lexicon->slot_mask + 1;
    struct lexicon_slot *slots = tc_new(((size_t)mask + 1) * sizeof *slots);
    for (size_t at = 0; at <= lexicon->slot_mask; at++) {
        uint32_t term = lexicon->slots[at].term;
        if (term)
            place(slots, mask, lexicon_hash(known_key(words, term), lexicon->seed), term);
    }
    tc_free(lexicon->slots);
    lexicon->slots = slots;
    lexicon->slot_mask = mask;
}

uint32_t *lexicon_add(struct lexicon *lexicon, const struct lexicon_words *words,
                      struct lexicon_key key)
{
    if (lexicon->count > lexicon->slot_mask / 2)
        double_slots(lexicon, words);
    uint64_t hash = lexicon_hash(key, lexicon->seed);
    uint32_t tag = lexicon_tag(hash), at = (uint32_t)hash & lexicon->slot_mask;
    for (; lexicon->slots[at].term; at = (at + 1) & lexicon->slot_mask) {
        struct lexicon_slot *slot = &lexicon->slots[at];
        if (slot->tag == tag && lexicon_same(words, key, words->keys[slot->term]))
            return &slot->term;
    }
    lexicon->count++;
    lexicon->slots[at].tag = tag;
    return &lexicon->slots[at].term;
}

// ---- sealing -------------------------------------------------------------------------------

static void make_buckets(struct lexicon *lexicon)
{
    size_t count = 1;
    while (count * MEAN_MOST < lexicon->count)
        count *= 2;
    tc_free(lexicon->buckets);
    lexicon->buckets = tc_table(count, sizeof *lexicon->buckets);
    memset(lexicon->buckets, 0, count * sizeof *lexicon->buckets);
    lexicon->bucket_mask = (uint32_t)count - 1;
}

// False when its tag stands on the way already: that word would be taken for this one.
static bool seal_term(struct lexicon *lexicon, uint64_t hash, uint32_t term)
{
    uint32_t tag = lexicon_tag(hash);
    for (uint32_t at = (uint32_t)hash & lexicon->bucket_mask;;
         at = (at + 1) & lexicon->bucket_mask) {
        struct lexicon_bucket *bucket = &lexicon->buckets[at];
        for (int slot = 0; slot < LEXICON_SLOTS; slot++) {
            if (bucket->tags[slot] == tag)
                return false;
            if (bucket->tags[slot])
                continue;
            bucket->tags[slot] = tag;
            bucket->terms[slot] = term;
            return true;
        }
    }
}

static bool seal_all(struct lexicon *lexicon, const struct lexicon_words *words,
                     const uint32_t *map)
{
    for (size_t at = 0; at <= lexicon->slot_mask; at++) {
        uint32_t term = lexicon->slots[at].term;
        if (!term)
            continue;
        uint64_t hash = lexicon_hash(known_key(words, map[term]), lexicon->seed);
        if (!seal_term(lexicon, hash, map[term]))
            return false;
    }
    return true;
}

void lexicon_seal(struct lexicon *lexicon, const struct lexicon_words *words, const uint32_t *map)
{
    make_buckets(lexicon);
    while (!seal_all(lexicon, words, map)) {
        lexicon->seed = lexicon_mix(lexicon->seed, UINT64_C(0xd1342543de82ef95)) + 1;
        make_buckets(lexicon);
    }
    tc_free(lexicon->slots);
    lexicon->slots = NULL;
}

uint32_t lexicon_find_further(const struct lexicon *lexicon, uint64_t hash)
{
    uint32_t tag = lexicon_tag(hash);
    for (uint32_t at = (uint32_t)hash & lexicon->bucket_mask;;
         at = (at + 1) & lexicon->bucket_mask) {
        const struct lexicon_bucket *bucket = &lexicon->buckets[at];
        for (int slot = 0; slot < LEXICON_SLOTS; slot++) {
            if (bucket->tags[slot] == tag)
                return bucket->terms[slot];
        }
        if (!bucket->tags[LEXICON_SLOTS - 1])
            return 0;
    }
}
