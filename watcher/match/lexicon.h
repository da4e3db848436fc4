// lexicon - the watched words of one form, looked up for every word of every text.
//
// A word of up to LEXICON_SHORT bytes is a key of two numbers, so that comparing it is comparing them; a
// longer one keeps its bytes. While words are added the lexicon is a plain open table. Sealing it lays
// out buckets of eight, one cache line each: short tags and term numbers, compared without a
// branch. The tags along the way of a look-up differ (a lexicon where two are equal is sealed again with
// another key), so that a tag found is the word, or the word is not there. The hash is keyed with random
// bytes: an author of articles cannot make words collide.
//
// Terms are numbered by the caller; 0 is no term. The keys of the terms are the caller's too (struct
// lexicon_words), because the words of both forms share one numbering.
//
//   memory   sealed: 16 to 32 bytes a word, and 16 for its key
//   threads  sealed: any number; adding: one
#ifndef LEXICON_H
#define LEXICON_H

#include "common/str.h"

#include <endian.h>

enum { LEXICON_SHORT = 16, LEXICON_SLOTS = 8 };

struct lexicon_key {
    uint64_t low, high; // of a long word: where its bytes are, and ~its length
};

struct lexicon_bucket {
    uint32_t tags[LEXICON_SLOTS]; // never 0; 0: free, and so are all behind it
    uint32_t terms[LEXICON_SLOTS];
};

struct lexicon_slot { // while adding
    uint32_t tag, term;
};

struct lexicon { // lexicon_init, lexicon_done
    uint64_t seed;
    uint32_t count;
    struct lexicon_slot *slots;
    uint32_t slot_mask;
    struct lexicon_bucket *buckets;
    uint32_t bucket_mask;
};

struct lexicon_words { // the keys of terms, and the bytes of those that are long
    struct lexicon_key *keys;
    char *bytes;
};

void lexicon_init(struct lexicon *lexicon, uint64_t seed);
void lexicon_done(struct lexicon *lexicon);
size_t lexicon_bytes(const struct lexicon *lexicon); // when sealed

static inline uint64_t lexicon_mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t lexicon_load8(const char *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return le64toh(value);
}

static inline uint64_t lexicon_load4(const char *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return le32toh(value);
}

// The bytes of a word as two numbers, behind them zeros, which no word holds. A long word only says where
// it is. Loads overlap, so that no byte behind the word is read.
static inline struct lexicon_key lexicon_pack(const char *word, size_t len)
{
    struct lexicon_key key = {0, 0};
    if (len > LEXICON_SHORT)
        return (struct lexicon_key){(uint64_t)(uintptr_t)word, ~(uint64_t)len};
    if (len >= 8) {
        key.low = lexicon_load8(word);
        if (len > 8)
            key.high = lexicon_load8(word + len - 8) >> (8 * (16 - len));
    } else if (len >= 4) {
        key.low = lexicon_load4(word) | (lexicon_load4(word + len - 4) >> (8 * (8 - len))) << 32;
    } else if (len) {
        const unsigned char *byte = (const unsigned char *)word;
        key.low = (uint64_t)byte[0] | (uint64_t)byte[len / 2] << (8 * (len / 2)) |
                  (uint64_t)byte[len - 1] << (8 * (len - 1));
    }
    return key;
}

extern const struct lexicon_key lexicon_masks[LEXICON_SHORT + 1]; // the bits of so many bytes

// The same where LEXICON_SHORT bytes can be read at `word`, whatever its length: without a branch on a
// length that nobody can foretell.
static inline struct lexicon_key lexicon_pack_roomy(const char *word, size_t len)
{
    if (__builtin_expect(len > LEXICON_SHORT, 0))
        return (struct lexicon_key){(uint64_t)(uintptr_t)word, ~(uint64_t)len};
    struct lexicon_key mask = lexicon_masks[len];
    return (struct lexicon_key){lexicon_load8(word) & mask.low,
                                lexicon_load8(word + 8) & mask.high};
}

static inline bool lexicon_is_long(struct lexicon_key key)
{
    return key.high >> 56 == 0xff; // a byte that no UTF-8 holds
}

uint64_t lexicon_hash_long(const char *word, size_t len, uint64_t seed);

static inline uint64_t lexicon_hash(struct lexicon_key key, uint64_t seed)
{
    if (__builtin_expect(lexicon_is_long(key), 0))
        return lexicon_hash_long((const char *)(uintptr_t)key.low, (size_t)~key.high, seed);
    return lexicon_mix(lexicon_mix(key.low ^ seed, UINT64_C(0x9e3779b97f4a7c15)) ^ key.high,
                       seed | 1);
}

static inline uint32_t lexicon_tag(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1;
}

static inline const struct lexicon_bucket *lexicon_bucket(const struct lexicon *lexicon,
                                                          uint64_t hash)
{
    return &lexicon->buckets[(uint32_t)hash & lexicon->bucket_mask];
}

// Whether the key of a text's word is that of a term.
static inline bool lexicon_same(const struct lexicon_words *words, struct lexicon_key text,
                                struct lexicon_key known)
{
    if (__builtin_expect(!lexicon_is_long(text), 1))
        return (text.low == known.low) & (text.high == known.high);
    return text.high == known.high && memcmp((const char *)(uintptr_t)text.low,
                                             words->bytes + known.low, (size_t)~text.high) == 0;
}

// ---- while adding ------------------------------------------------------------------------------

// Where the term of a word stands; 0 there when it is new: the caller then sets it to the number of a term
// whose key it adds to `words` before the next call.
uint32_t *lexicon_add(struct lexicon *lexicon, const struct lexicon_words *words,
                      struct lexicon_key key);

// Ends adding: terms become map[term], and `words` holds their keys in the new order.
void lexicon_seal(struct lexicon *lexicon, const struct lexicon_words *words, const uint32_t *map);

// ---- when sealed ---------------------------------------------------------------------------

// The rare way of lexicon_find: a bucket that is full and has not the tag.
uint32_t lexicon_find_further(const struct lexicon *lexicon, uint64_t hash);

// The only term of its bucket whose tag is that of the hash, 0 when there is none: two vectors of four tags
// are compared, and the terms beside them masked and folded into one.
static inline uint32_t lexicon_look(const struct lexicon_bucket *bucket, uint32_t tag)
{
    typedef uint32_t four __attribute__((vector_size(16)));
    four tags[2], terms[2], wanted = {tag, tag, tag, tag};
    uint64_t halves[2];
    memcpy(tags, bucket->tags, sizeof tags);
    memcpy(terms, bucket->terms, sizeof terms);
    four found = (terms[0] & (four)(tags[0] == wanted)) | (terms[1] & (four)(tags[1] == wanted));
    memcpy(halves, &found, sizeof halves);
    uint64_t half = halves[0] | halves[1];
    return (uint32_t)half | (uint32_t)(half >> 32);
}

// The term of a word, 0 when there is none.
static inline uint32_t lexicon_find(const struct lexicon *lexicon,
                                    const struct lexicon_words *words, struct lexicon_key key,
                                    uint64_t hash)
{
    const struct lexicon_bucket *bucket = lexicon_bucket(lexicon, hash);
    uint32_t term = lexicon_look(bucket, lexicon_tag(hash));
    if (__builtin_expect(!term && bucket->tags[LEXICON_SLOTS - 1], 0))
        term = lexicon_find_further(lexicon, hash);
    struct lexicon_key known = words->keys[term];
    if (__builtin_expect(lexicon_is_long(key), 0))
        return lexicon_same(words, key, known) ? term : 0;
    return ((key.low ^ known.low) | (key.high ^ known.high)) ? 0 : term;
}

#endif
