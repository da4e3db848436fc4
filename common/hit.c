#include "common/hit.h"

#include "common/utf8.h"

#include <stdio.h>

// A HITS frame comes from another process, possibly over TCP: every length is checked against what
// is left before it is believed, every count against its limit, every text against UTF-8 (it goes
// into JSON later). Decoding costs one pass over the bytes and the matches in the arena.

enum {
    CRC_AT = 1,
    COUNT_AT = 5,
    FRAME_HEAD_BYTES = 9, // format, crc, count
    HIT_LENGTH_BYTES = 4,
};

const char *tc_field_name(enum tc_field field)
{
    static const char *const names[] = {"title", "body", "page", "meta"};
    return (size_t)field < sizeof names / sizeof *names ? names[field] : "body";
}

struct tc_id tc_hit_id(tc_str watch, tc_str source, tc_str article, uint64_t version,
                       uint32_t segment)
{
    char version_text[24], segment_text[16];
    tc_str space = {"", 0}, name = watch;
    const char *slash = watch.len ? memchr(watch.ptr, '/', watch.len) : NULL;
    if (slash) {
        space = tc_str_cut(watch, 0, (size_t)(slash - watch.ptr));
        name = tc_str_cut(watch, space.len + 1, watch.len);
    }
    snprintf(version_text, sizeof version_text, "%llu", (unsigned long long)version);
    snprintf(segment_text, sizeof segment_text, "%u", (unsigned)segment);
    const tc_str parts[] = {
        space, name, source, article, tc_str_of(version_text), tc_str_of(segment_text),
    };
    return tc_id_of(parts, sizeof parts / sizeof *parts);
}

// --- writing ---

static void put_short(struct tc_buf *out, tc_str text) // u8+
{
    tc_str cut = tc_utf8_cut(text, UINT8_MAX);
    tc_buf_u8(out, (uint8_t)cut.len);
    tc_buf_str(out, cut);
}

static void put_long(struct tc_buf *out, tc_str text) // u16+
{
    tc_str cut = tc_utf8_cut(text, UINT16_MAX);
    tc_buf_u16(out, (uint16_t)cut.len);
    tc_buf_str(out, cut);
}

static void put_real(struct tc_buf *out, double value)
{
    uint64_t bits;
    _Static_assert(sizeof bits == sizeof value, "a double is an IEEE 754 binary64");
    memcpy(&bits, &value, sizeof bits);
    tc_buf_u64(out, bits);
}

void tc_hit_encode(const struct tc_hit *hit, struct tc_buf *out)
{
    size_t count = hit->match_count < TC_HIT_MATCHES_MOST ? hit->match_count : TC_HIT_MATCHES_MOST;
    tc_buf_add(out, hit->id.bytes, sizeof hit->id.bytes);
    tc_buf_add(out, hit->watch_hash.bytes, sizeof hit->watch_hash.bytes);
    tc_buf_u32(out, hit->segment);
    put_real(out, hit->score);
    put_long(out, hit->watch);
    put_short(out, hit->severity);
    tc_buf_u16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct tc_match *match = &hit->matches[i];
        put_short(out, match->clause);
        tc_buf_u8(out, (uint8_t)match->field);
        tc_buf_u32(out, match->start);
        tc_buf_u32(out, match->end);
        put_long(out, match->words);
    }
    put_long(out, hit->excerpt);
}

static void store_u32(char *to, uint32_t value)
{
    for (size_t i = 0; i < sizeof value; i++)
        to[i] = (char)(value >> (8 * i));
}

void tc_hits_begin(struct tc_buf *frame)
{
    tc_buf_clear(frame);
    tc_buf_u8(frame, TC_HIT_FORMAT);
    tc_buf_u32(frame, 0); // crc, count: known at the end
    tc_buf_u32(frame, 0);
}

void tc_hits_add(struct tc_buf *frame, const struct tc_hit *hit)
{
    size_t length_at = frame->len;
    tc_buf_u32(frame, 0);
    tc_hit_encode(hit, frame);
    if (frame->failed)
        return;
    store_u32(frame->ptr + length_at, (uint32_t)(frame->len - length_at - HIT_LENGTH_BYTES));
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof count; i++)
        count |= (uint32_t)(unsigned char)frame->ptr[COUNT_AT + i] << (8 * i);
    store_u32(frame->ptr + COUNT_AT, count + 1);
}

static uint32_t checksum(tc_str frame, tc_str article_header)
{
    return tc_crc32(tc_crc32(0, article_header), tc_str_cut(frame, COUNT_AT, frame.len));
}

void tc_hits_finish(struct tc_buf *frame, tc_str article_header)
{
    if (!frame->failed)
        store_u32(frame->ptr + CRC_AT, checksum(tc_buf_view(frame), article_header));
}

// --- reading ---

// Bytes still to be read. The first thing that is missing sets `wrong`; what is read after that is
// zero and empty, so that a reader checks once.
struct reader {
    tc_str rest;
    bool wrong;
};

static tc_str take(struct reader *in, size_t bytes)
{
    if (in->wrong || bytes > in->rest.len) {
        in->wrong = true;
        return (tc_str){"", 0};
    }
    tc_str taken = tc_str_cut(in->rest, 0, bytes);
    in->rest = tc_str_cut(in->rest, bytes, in->rest.len);
    return taken;
}

static uint64_t take_integer(struct reader *in, size_t bytes)
{
    tc_str taken = take(in, bytes);
    uint64_t value = 0;
    for (size_t i = 0; i < taken.len; i++)
        value |= (uint64_t)(unsigned char)taken.ptr[i] << (8 * i);
    return value;
}

static tc_str take_text(struct reader *in, size_t length_bytes)
{
    tc_str text = take(in, (size_t)take_integer(in, length_bytes));
    if (tc_utf8_valid(text) != text.len)
        in->wrong = true;
    return text;
}

static struct tc_id take_id(struct reader *in)
{
    struct tc_id id = {{0}};
    tc_str taken = take(in, sizeof id.bytes);
    if (taken.len)
        memcpy(id.bytes, taken.ptr, sizeof id.bytes);
    return id;
}

static double take_real(struct reader *in)
{
    uint64_t bits = take_integer(in, sizeof bits);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static struct tc_match take_match(struct reader *in)
{
    struct tc_match match = {.clause = take_text(in, 1)};
    uint64_t field = take_integer(in, 1);
    match.start = (uint32_t)take_integer(in, 4);
    match.end = (uint32_t)take_integer(in, 4);
    match.words = take_text(in, 2);
    if (field > TC_FIELD_META || match.end < match.start)
        in->wrong = true;
    match.field = in->wrong ? TC_FIELD_BODY : (enum tc_field)field;
    return match;
}

int tc_hit_decode(tc_str bytes, struct tc_arena *arena, struct tc_hit *out, struct tc_err *err)
{
    struct reader in = {.rest = bytes};
    struct tc_hit hit = {.id = take_id(&in)};
    hit.watch_hash = take_id(&in);
    hit.segment = (uint32_t)take_integer(&in, 4);
    hit.score = take_real(&in);
    hit.watch = take_text(&in, 2);
    hit.severity = take_text(&in, 1);
    hit.match_count = (size_t)take_integer(&in, 2);
    if (hit.match_count > TC_HIT_MATCHES_MOST)
        return tc_fail(err, TC_EPROTO, "a hit has %zu matches, more than %d", hit.match_count,
                       TC_HIT_MATCHES_MOST);
    struct tc_match *matches = tc_arena_take(arena, hit.match_count * sizeof *matches);
    for (size_t i = 0; i < hit.match_count && !in.wrong; i++)
        matches[i] = take_match(&in);
    hit.matches = matches;
    hit.excerpt = take_text(&in, 2);
    if (in.wrong)
        return tc_fail(err, TC_EPROTO, "a hit is cut off or holds wrong values");
    if (in.rest.len)
        return tc_fail(err, TC_EPROTO, "%zu bytes are left over behind a hit", in.rest.len);
    *out = hit;
    return TC_OK;
}

int tc_hits_open(tc_str frame, tc_str article_header, struct tc_hits *out, struct tc_err *err)
{
    struct reader in = {.rest = frame};
    uint64_t format = take_integer(&in, 1);
    uint32_t crc = (uint32_t)take_integer(&in, 4);
    uint32_t count = (uint32_t)take_integer(&in, 4);
    if (in.wrong)
        return tc_fail(err, TC_EPROTO, "hits are cut off after %zu of %d bytes", frame.len,
                       FRAME_HEAD_BYTES);
    if (format != TC_HIT_FORMAT)
        return tc_fail(err, TC_EPROTO, "hits have format %u, this program knows %d",
                       (unsigned)format, TC_HIT_FORMAT);
    if (crc != checksum(frame, article_header))
        return tc_fail(err, TC_ECORRUPT, "hits or their article fail the checksum");
    *out = (struct tc_hits){.rest = in.rest, .count = count};
    return TC_OK;
}

int tc_hits_next(struct tc_hits *hits, tc_str *hit, struct tc_err *err)
{
    if (hits->taken == hits->count) {
        if (hits->rest.len)
            return tc_fail(err, TC_EPROTO, "%zu bytes are left over behind the last hit",
                           hits->rest.len);
        return TC_ENOENT;
    }
    struct reader in = {.rest = hits->rest};
    tc_str taken = take(&in, (size_t)take_integer(&in, HIT_LENGTH_BYTES));
    if (in.wrong)
        return tc_fail(err, TC_EPROTO, "hits are cut off after %u of %u", hits->taken, hits->count);
    hits->rest = in.rest;
    hits->taken++;
    *hit = taken;
    return TC_OK;
}
