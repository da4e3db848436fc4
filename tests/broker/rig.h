// rig - a desk over a real store in a temporary folder, asked without sockets, in a time of our own.
#ifndef RIG_H
#define RIG_H

#include "broker/desk.h"
#include "common/hit.h"

enum { RIG_ANSWERS = 64, RIG_FRAMES = 512 };

#define RIG_DEFINITION                                                                             \
    "{\"name\":\"news/"                                                                            \
    "one\",\"severity\":\"high\",\"status\":\"live\",\"labels\":{\"desk\":\"asia\"},"              \
    "\"annotations\":{},\"alert\":{},\"query\":\"x\"}"
#define RIG_SESSION "00112233445566778899aabbccddeeff"

struct rig_answer {
    char peer[8], reply[16];
    struct json_t *header;
    size_t header_bytes; // as it went out
    size_t count;        // payload frames, whose bytes are kept one behind the other
    struct tc_buf frames;
    size_t ends[RIG_FRAMES];
};

struct rig {
    char folder[64], path[96];
    struct store *store;
    struct desk *desk;
    struct gauges gauges;
    struct backup *backup;
    bool inside;                // as what requests are sent from now on
    const struct tc_peer *peer; // likewise: whose key
    int64_t wall_ns, mono_ns;   // what the desk is told
    struct rig_answer answers[RIG_ANSWERS];
    size_t count;
    char published[64]; // topic of the last live message
};

void rig_open(struct rig *rig); // ends the test when it fails
void rig_close(struct rig *rig);
void rig_restart(struct rig *rig); // closes and opens the store again
void rig_stop(struct rig *rig);    // the two halves of that
void rig_start(struct rig *rig);

// Takes a request of the connection `peer` into the turn.
void rig_send(struct rig *rig, const char *peer, const char *command, const char *header,
              const tc_str *payload, size_t count);
int rig_turn(struct rig *rig); // ends the turn; the answers of the one before are gone

// Both at once for a request without payload; gives its answer.
const struct rig_answer *rig_ask(struct rig *rig, const char *command, const char *header);

// Says HELLO and brings RIG_DEFINITION.
void rig_begin(struct rig *rig);

// One PUT of article `id` with one hit of news/one in each of the segments below `segments`.
void rig_put(struct rig *rig, const char *peer, unsigned batch, const char *id, unsigned segments);

// Makes the two frames of such a PUT. Both are to be ended with tc_buf_done.
void rig_frames(const char *id, unsigned segments, struct tc_buf *record, struct tc_buf *hits);

// A number in an answer's header; ends the test when it is not there.
uint64_t rig_number(const struct rig_answer *answer, const char *key);
const char *rig_text(const struct rig_answer *answer, const char *key); // "" when absent

// The sequence of the event in frame `index`.
uint64_t rig_sequence(const struct rig_answer *answer, size_t index);

#endif
