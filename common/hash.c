#include "common/hash.h"

#include <sodium.h>
#include <zlib.h>

static struct tc_id first_half(const unsigned char *digest)
{
    struct tc_id id;
    memcpy(id.bytes, digest, sizeof id.bytes);
    return id;
}

struct tc_id tc_id_of(const tc_str *parts, size_t count)
{
    crypto_hash_sha256_state state;
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < count; i++) {
        unsigned char length[4];
        for (size_t byte = 0; byte < sizeof length; byte++)
            length[byte] = (unsigned char)(parts[i].len >> (8 * byte));
        crypto_hash_sha256_update(&state, length, sizeof length);
        crypto_hash_sha256_update(&state, (const unsigned char *)parts[i].ptr, parts[i].len);
    }
    crypto_hash_sha256_final(&state, digest);
    return first_half(digest);
}

struct tc_id tc_id_of_bytes(tc_str bytes)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, (const unsigned char *)bytes.ptr, bytes.len);
    return first_half(digest);
}

struct tc_id tc_id_keyed(struct tc_id key, tc_str bytes)
{
    _Static_assert(crypto_shorthash_siphashx24_BYTES == TC_ID_BYTES &&
                       crypto_shorthash_siphashx24_KEYBYTES == TC_ID_BYTES,
                   "an id is a key and a fingerprint");
    struct tc_id id;
    crypto_shorthash_siphashx24(id.bytes, (const unsigned char *)bytes.ptr, bytes.len, key.bytes);
    return id;
}

bool tc_id_eq(struct tc_id a, struct tc_id b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

void tc_id_text(struct tc_id id, char *out)
{
    tc_hex(id.bytes, sizeof id.bytes, out);
}

uint32_t tc_crc32(uint32_t before, tc_str bytes)
{
    if (!bytes.len)
        return before; // zlib takes a NULL pointer for "begin anew"
    return (uint32_t)crc32_z(before, (const Bytef *)bytes.ptr, bytes.len);
}

struct tc_id tc_id_random(void)
{
    struct tc_id id;
    randombytes_buf(id.bytes, sizeof id.bytes);
    return id;
}
