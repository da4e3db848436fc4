// dict - words to numbers, built once or filled as it goes.
//
// The watched words of a whole watch set, and the memories that hang on words. A bucket is one cache
// line: eight short tags and eight entry numbers, so that a word nobody watches costs one line and no
// comparison of bytes. The hash is keyed with random bytes: an author of articles cannot make words
// collide.
//
//   memory   about 12 bytes a word beside its own bytes
//   threads  reading: any number; adding: one
#ifndef DICT_H
#define DICT_H

#include "common/str.h"

enum { DICT_NONE = UINT32_MAX }; // no value

struct dict_bucket;
struct dict_entry {
    uint32_t at, len, value;
};

struct dict { // zero it, then dict_init; fields are dict.c's
    uint64_t key;
    struct dict_bucket *buckets;
    uint32_t bucket_mask;
    struct dict_entry *entries;
    size_t entry_capacity;
    uint32_t count;
    char *bytes;
    size_t bytes_used, bytes_capacity;
};

void dict_init(struct dict *dict, uint64_t key);
void dict_done(struct dict *dict);
void dict_clear(struct dict *dict); // keeps the memory

// The value of a word, DICT_NONE when it is not there.
uint32_t dict_find(const struct dict *dict, tc_str word);

// The word that was added as number `entry`, from 0; views the dict until the next dict_add.
tc_str dict_word(const struct dict *dict, uint32_t entry);

// Where the value of a word stands, DICT_NONE when it is new. Valid until the next dict_add.
uint32_t *dict_add(struct dict *dict, tc_str word);

// Puts map[value] in the place of every value.
void dict_renumber(struct dict *dict, const uint32_t *map);

size_t dict_bytes(const struct dict *dict);

#endif
