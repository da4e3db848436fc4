// request - one request as it came, and the answer that goes back. No sockets.
//
// A request is a command, a JSON header and payload frames (docs/protocol.md, "Requests"); an
// answer is the same with a reply for the command. Both are bytes here, so that everything
// behind the sockets can be driven by a test or a fuzzer.
//
//   memory   a request views the message; an answer owns its bytes until answer_done()
//   threads  the broker's loop
#ifndef REQUEST_H
#define REQUEST_H

#include "common/access.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"
#include "common/json.h"

enum { REQUEST_ENVELOPE_MOST = 8 }; // frames before "T1"

struct request {
    tc_str command, header;
    const tc_str *payload;
    size_t payload_count;
    const tc_str *envelope; // goes back with the answer; the first frame tells the connection
    size_t envelope_count;
    bool inside;                // from a room of our own (web.h): may only read
    const struct tc_peer *peer; // whose key it came with; NULL: on a socket guarded by file modes
};

// Reads the header: one JSON object whose names are all in `known` (NULL-ended) or "rid". Gives
// *out (json_decref ends it) and fills in the answer's rid. After a failure the answer has one
// too when the header could be read that far.
//   TC_EPARSE  the sentence names the key
struct answer;
int request_header(const struct request *request, const char *const *known, struct answer *answer,
                   struct json_t **out, struct tc_err *err);

// Members of a header that must be there.
//   TC_EPARSE  missing, or not what it should be; the sentence names the key
int request_u64(const struct json_t *header, const char *key, uint64_t *out, struct tc_err *err);
int request_id(const struct json_t *header, const char *key, struct tc_id *out, struct tc_err *err);
int request_bool(const struct json_t *header, const char *key, bool *out, // may be absent
                 struct tc_err *err);
int request_name(const struct json_t *header, const char *key, tc_str *out, struct tc_err *err);

// [a-zA-Z0-9._-]{1,63}: watchers and consumers.
bool request_name_ok(tc_str name);

struct answer {
    const char *reply; // static text; NULL while there is none
    bool has_rid;
    uint64_t rid;
    uint64_t batch; // of a PUT
    struct tc_buf header;
    struct tc_buf frames; // the payload, frame behind frame
    size_t *ends;         // where each frame ends in `frames`
    size_t count, capacity;
    struct tc_buf envelope; // likewise, a copy
    size_t envelope_ends[REQUEST_ENVELOPE_MOST];
    size_t envelope_count;
    bool inside; // where the request came from
};

void answer_done(struct answer *answer);

// Keeps the way back: copies the envelope.
void answer_to(struct answer *answer, const struct request *request);

// Begins the header with `{` and the rid, replacing what was there; close it with
// tc_json_close(&json, '}'). The emitter is valid until the answer is changed otherwise.
struct tc_json answer_begin(struct answer *answer, const char *reply);

// The same, but the payload frames added so far stay.
struct tc_json answer_header(struct answer *answer, const char *reply);

// ERR with a code of the protocol and a reason.
void answer_refuse(struct answer *answer, const char *code, const char *reason);

// Adds one payload frame.
void answer_frame(struct answer *answer, tc_str bytes);

// Frame `index` of the payload or of the envelope. Views the answer.
tc_str answer_frame_at(const struct answer *answer, size_t index);
tc_str answer_envelope_at(const struct answer *answer, size_t index);

// An id as 32 hex digits, a time as RFC 3339, under a key.
void answer_put_id(struct tc_json *json, const char *key, struct tc_id id);
void answer_put_time(struct tc_json *json, const char *key, int64_t wall_ns);

#endif
