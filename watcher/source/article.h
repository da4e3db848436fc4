// article - what comes in: one article or page as its source gave it.
//
// An article travels with its own arena from the source to the outbox; each stage only adds.
// Read from JSON (JSON Feed 1.1 item names and the plain ones of docs/articles.md) or from a
// bare .txt file. Nothing here looks inside the text: bytes stay as they came, so that offsets in
// hits point into them.
//
//   memory   the arena holds the text once (about 1 byte per input byte) and the metadata
//   threads  one at a time: it is handed on
#ifndef ARTICLE_H
#define ARTICLE_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

enum {
    ARTICLE_BYTES = 4 * 1024 * 1024, // default of max_article_bytes
    ARTICLE_ID_BYTES = 512,
    ARTICLE_TITLE_BYTES = 4096,
    ARTICLE_VALUE_BYTES = 1024, // source, author, url, ... each
    ARTICLE_TAGS_MOST = 64,
    ARTICLE_RECORD_TAGS_BYTES = 2048, // tags beyond this stay out of the record
};

// The largest version that is taken at its word: what every reader of JSON holds exactly (2^53), and
// far from where the number of the next version would overflow.
#define ARTICLE_VERSION_MOST (UINT64_C(1) << 53)

enum article_status { ARTICLE_USABLE, ARTICLE_WITHHELD, ARTICLE_CANCELED };

struct article {
    struct tc_arena *arena; // owns everything below
    tc_str source;          // publisher; the source's configured name when the article says none
    tc_str id;
    uint64_t version; // from 1
    tc_str url, title, body;
    bool page;   // true: body is a page to be cut into segments; its title is a line of it
    bool html;   // body came as content_html (refused until the issue on reading pages)
    tc_str lang; // BCP 47 as stated, else empty
    tc_str author, section, country;
    const tc_str *tags;
    size_t tag_count;
    enum article_status status;
    int64_t published_wall_ns; // 0: not stated
    int64_t modified_wall_ns, embargo_wall_ns;
    int64_t seen_wall_ns; // first seen; set by the pipeline from the mark, the clock by default
    struct tc_id content; // hash of everything that the article says, for marks
    uint64_t ticket;      // the source's own word for it; comes back with the outcome
    void *from;           // the source that waits for the outcome (opaque here)
};

// Reads one JSON object. Gives *out (article_free ends it). `source_name` is used when the
// object names no source; `limit` bounds title and body together.
//   TC_EPARSE  not JSON, no object, wrong type (names the key), no text
//   TC_EFULL   larger than a limit (names it)
// Unknown keys are ignored; a text key must be a string; ids that are numbers become strings.
int article_from_json(tc_str json, tc_str source_name, size_t limit, struct article **out,
                      struct tc_err *err);

// Reads an article whose text comes apart from its JSON record (the socket source's body frame).
// `body` overrides text keys of the object. Errors as above.
int article_from_parts(tc_str json, tc_str body, tc_str source_name, size_t limit,
                       struct article **out, struct tc_err *err);

// A bare text file: its base name with extension is its id, `page` is true.
//   TC_EPARSE  empty
//   TC_EFULL   larger than the limit
int article_from_text(tc_str file_name, tc_str bytes, tc_str source_name, size_t limit,
                      struct article **out, struct tc_err *err);

void article_free(struct article *article);

// The record that travels with the hits, as JSON: id source version status, and where known url
// title language published modified seen author tags embargoed_until.
// Leaves the object open (no closing brace) so that the caller can add `segments`.
struct tc_json;
void article_record(const struct article *article, struct tc_json *json);

#endif
