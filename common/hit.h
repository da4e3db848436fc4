// hit - one watch matched one segment of one article; how hits travel and are kept.
//
// The watcher makes hits, the outbox keeps them, PUT carries them (all hits of one article in one
// frame), the broker stores each in its own row. The bytes hold no host name and no clock, so the
// same article under the same watches gives the same bytes.
//
//   HITS frame   u8 format (1), u32 crc, u32 count, then count times: u32 length, HIT
//                crc = CRC-32 over the article's header frame, then everything behind the crc field
//   HIT          16 bytes id, 16 bytes watch hash, u32 segment, f64 score (NaN: none),
//                u16+watch ("namespace/name"), u8+severity,
//                u16 number of matches, each: u8+clause, u8 field, u32 start, u32 end, u16+words,
//                u16+excerpt
//   u8+x, u16+x: a length of that size, then the bytes. Integers are little-endian.
//
//   memory   a tc_hit views the frame or the arena it came from
//   threads  none: plain data
#ifndef TC_HIT_H
#define TC_HIT_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

enum {
    TC_HIT_FORMAT = 1,
    TC_HIT_MATCHES_MOST = 64,    // later matches of a hit are left out
    TC_HIT_EXCERPT_BYTES = 1024, // longer sentences are cut around their matches
    TC_HIT_WORDS_BYTES = 512,
};

// The matched words in an excerpt stand between these two (U+27E6, U+27E7).
#define TC_MARK_OPEN "\xe2\x9f\xa6"
#define TC_MARK_CLOSE "\xe2\x9f\xa7"

enum tc_field { TC_FIELD_TITLE, TC_FIELD_BODY, TC_FIELD_PAGE, TC_FIELD_META };

struct tc_match {
    tc_str clause;       // name given with name::, else empty
    enum tc_field field; // where the bytes count: the article's title or body as it came in
    uint32_t start, end; // byte offsets into the original, half-open
    tc_str words;        // as written there
};

struct tc_hit {
    struct tc_id id;
    struct tc_id watch_hash; // of the watch's definition
    tc_str watch;            // namespace/name
    tc_str severity;
    uint32_t segment;
    double score; // NaN when the watch has none
    const struct tc_match *matches;
    size_t match_count;
    tc_str excerpt; // best sentence, matches between TC_MARK_OPEN and TC_MARK_CLOSE
};

// "title", "body", "page", "meta".
const char *tc_field_name(enum tc_field field);

// The deterministic id: hash over namespace, watch name, source, article id, version and segment
// (numbers as decimal text). `watch` is namespace/name.
struct tc_id tc_hit_id(tc_str watch, tc_str source, tc_str article, uint64_t version,
                       uint32_t segment);

// Adds one HIT (without its u32 length).
void tc_hit_encode(const struct tc_hit *hit, struct tc_buf *out);

// Reads one HIT. Views `bytes`; the matches are carved from the arena.
//   TC_EPROTO  cut off, too many matches, or bytes left over
int tc_hit_decode(tc_str bytes, struct tc_arena *arena, struct tc_hit *out, struct tc_err *err);

// Builds a HITS frame: begin, add each, finish with the article's header frame for the checksum.
void tc_hits_begin(struct tc_buf *frame);
void tc_hits_add(struct tc_buf *frame, const struct tc_hit *hit);
void tc_hits_finish(struct tc_buf *frame, tc_str article_header);

// Walks a HITS frame.
struct tc_hits {
    tc_str rest;
    uint32_t count, taken;
};

// Checks format and checksum.
//   TC_EPROTO    unknown format, or cut off
//   TC_ECORRUPT  checksum
int tc_hits_open(tc_str frame, tc_str article_header, struct tc_hits *out, struct tc_err *err);

// The bytes of the next HIT. TC_ENOENT at the end, TC_EPROTO when cut off.
int tc_hits_next(struct tc_hits *hits, tc_str *hit, struct tc_err *err);

#endif
