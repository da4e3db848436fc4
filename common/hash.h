// hash - identities and checksums.
//
//   id        first 16 bytes of SHA-256 (FIPS 180-4) over length-prefixed parts
//   crc       CRC-32 as in zlib (ISO 3309)
//
// Both appear in frames and on disk, so they never change within a protocol version.
//   safe     for libtocsin
#ifndef TC_HASH_H
#define TC_HASH_H

#include "common/str.h"

enum { TC_ID_BYTES = 16, TC_ID_TEXT_BYTES = 33 };

struct tc_id {
    uint8_t bytes[TC_ID_BYTES];
};

// Each part goes in as a 32-bit little-endian length and its bytes, so that ("ab","c") and
// ("a","bc") differ.
struct tc_id tc_id_of(const tc_str *parts, size_t count);

// The first 16 bytes of SHA-256 over the bytes alone, without a length: for whole documents.
struct tc_id tc_id_of_bytes(tc_str bytes);

// A fingerprint under a key (SipHash-2-4, 128 bits): nobody without the key can make two texts equal.
// A gigabyte a second; for comparing inside one process, never for frames or disk.
struct tc_id tc_id_keyed(struct tc_id key, tc_str bytes);

bool tc_id_eq(struct tc_id a, struct tc_id b);

// 32 lower-case hex digits and a zero byte.
void tc_id_text(struct tc_id id, char *out);

uint32_t tc_crc32(uint32_t before, tc_str bytes); // start with 0

// Random bytes from the kernel, for sessions and epochs.
struct tc_id tc_id_random(void);

#endif
