#include "watcher/match/dict.h"

#include "common/mem.h"

#include <stdlib.h>

enum {
    SLOTS = 8,         // of a bucket
    BUCKETS_LEAST = 4, // a power of two
    FULL_IN_EIGHT = 5, // entries per bucket before the table doubles
};

struct dict_bucket {
    uint32_t tags[SLOTS]; // upper half of the hash, never 0; 0: free, and so are all behind it
    uint32_t entries[SLOTS];
};

_Static_assert(sizeof(struct dict_bucket) == 64, "a bucket is one cache line");

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *from, size_t len) // up to 8 bytes
{
    uint64_t value = 0;
    memcpy(&value, from, len);
    return value;
}

// Multiply and fold, 16 bytes a step; the key goes into both factors.
static uint64_t hash_of(tc_str word, uint64_t key)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = key ^ mix(word.len ^ odd, key | 1);
    const char *at = word.ptr;
    size_t left = word.len;
    for (; left > 16; at += 16, left -= 16)
        hash = mix(load(at, 8) ^ key, load(at + 8, 8) ^ hash);
    uint64_t low = left ? load(at, left < 8 ? left : 8) : 0;
    uint64_t high = left > 8 ? load(at + 8, left - 8) : 0;
    return mix(mix(low ^ key, high ^ hash ^ odd), key ^ odd);
}

static uint32_t tag_of(uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    return tag ? tag : 1;
}

static void make_buckets(struct dict *dict, size_t count)
{
    free(dict->buckets);
    size_t bytes = count * sizeof *dict->buckets;
    dict->buckets = tc_table(count, sizeof *dict->buckets);
    memset(dict->buckets, 0, bytes);
    dict->bucket_mask = (uint32_t)count - 1;
}

void dict_init(struct dict *dict, uint64_t key)
{
    *dict = (struct dict){.key = key};
    make_buckets(dict, BUCKETS_LEAST);
}

void dict_done(struct dict *dict)
{
    free(dict->buckets);
    free(dict->entries);
    free(dict->bytes);
    *dict = (struct dict){0};
}

void dict_clear(struct dict *dict)
{
    if (!dict->count)
        return;
    memset(dict->buckets, 0, ((size_t)dict->bucket_mask + 1) * sizeof *dict->buckets);
    dict->count = 0;
    dict->bytes_used = 0;
}

static bool is_entry(const struct dict *dict, uint32_t number, tc_str word)
{
    const struct dict_entry *entry = &dict->entries[number];
    return entry->len == word.len &&
           (!word.len || memcmp(dict->bytes + entry->at, word.ptr, word.len) == 0);
}

static uint32_t entry_of(const struct dict *dict, uint64_t hash, tc_str word)
{
    uint32_t tag = tag_of(hash);
    for (uint32_t at = (uint32_t)hash & dict->bucket_mask;; at = (at + 1) & dict->bucket_mask) {
        const struct dict_bucket *bucket = &dict->buckets[at];
        for (int slot = 0; slot < SLOTS; slot++) {
            if (bucket->tags[slot] == tag && is_entry(dict, bucket->entries[slot], word))
                return bucket->entries[slot];
        }
        if (!bucket->tags[SLOTS - 1])
            return DICT_NONE;
    }
}

uint32_t dict_find(const struct dict *dict, tc_str word)
{
    if (!dict->count)
        return DICT_NONE;
    uint32_t entry = entry_of(dict, hash_of(word, dict->key), word);
    return entry == DICT_NONE ? DICT_NONE : dict->entries[entry].value;
}

tc_str dict_word(const struct dict *dict, uint32_t entry)
{
    return (tc_str){dict->bytes + dict->entries[entry].at, dict->entries[entry].len};
}

static void place(struct dict *dict, uint64_t hash, uint32_t entry)
{
    for (uint32_t at = (uint32_t)hash & dict->bucket_mask;; at = (at + 1) & dict->bucket_mask) {
        struct dict_bucket *bucket = &dict->buckets[at];
        for (int slot = 0; slot < SLOTS; slot++) {
            if (!bucket->tags[slot]) {
                bucket->tags[slot] = tag_of(hash);
                bucket->entries[slot] = entry;
                return;
            }
        }
    }
}

static void double_buckets(struct dict *dict)
{
    make_buckets(dict, 2 * ((size_t)dict->bucket_mask + 1));
    for (uint32_t i = 0; i < dict->count; i++) {
        place(dict, hash_of(dict_word(dict, i), dict->key), i);
    }
}

static uint32_t keep_bytes(struct dict *dict, tc_str word)
{
    size_t need = dict->bytes_used + word.len;
    if (need > dict->bytes_capacity) {
        dict->bytes_capacity = need < 256 ? 256 : need * 2;
        dict->bytes = tc_grow(dict->bytes, dict->bytes_capacity, 1);
    }
    if (word.len)
        memcpy(dict->bytes + dict->bytes_used, word.ptr, word.len);
    uint32_t at = (uint32_t)dict->bytes_used;
    dict->bytes_used = need;
    return at;
}

uint32_t *dict_add(struct dict *dict, tc_str word)
{
    uint64_t hash = hash_of(word, dict->key);
    uint32_t known = dict->count ? entry_of(dict, hash, word) : DICT_NONE;
    if (known != DICT_NONE)
        return &dict->entries[known].value;
    if ((size_t)dict->count >= ((size_t)dict->bucket_mask + 1) * FULL_IN_EIGHT)
        double_buckets(dict);
    dict->entries =
        tc_room(dict->entries, dict->count, &dict->entry_capacity, sizeof *dict->entries);
    struct dict_entry *entry = &dict->entries[dict->count];
    *entry = (struct dict_entry){keep_bytes(dict, word), (uint32_t)word.len, DICT_NONE};
    place(dict, hash, dict->count++);
    return &entry->value;
}

void dict_renumber(struct dict *dict, const uint32_t *map)
{
    for (uint32_t i = 0; i < dict->count; i++)
        dict->entries[i].value = map[dict->entries[i].value];
}

size_t dict_bytes(const struct dict *dict)
{
    return ((size_t)dict->bucket_mask + 1) * sizeof(struct dict_bucket) +
           dict->entry_capacity * sizeof *dict->entries + dict->bytes_capacity;
}
