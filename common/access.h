// access - whom a daemon lets in: access.yaml, one entry a key.
//
//   peers:
//     - {name: desk, key: '40 characters', roles: [subscriber], read: [china-ai/]}
//
// Read strictly and whole: every mistake with its place, and then nothing of it is used. What was read
// never changes; a reload reads another one. Two threads look into it (the loop and the ZAP handler),
// so it is counted.
//
//   memory   the file and 100 bytes a peer, at most TC_ACCESS_PEERS of them
//   cost     tc_access_find: a binary search
//   source   docs/operating.md, "Keys"
#ifndef TC_ACCESS_H
#define TC_ACCESS_H

#include "common/diag.h"
#include "common/keys.h"

enum { TC_ACCESS_PEERS = 10000, TC_ACCESS_PREFIXES = 1000 };

enum tc_role {
    TC_ROLE_WATCHER = 1,    // submits hits to the broker
    TC_ROLE_SUBSCRIBER = 2, // reads alerts
    TC_ROLE_ADMIN = 4,      // asks and orders what concerns the whole broker
    TC_ROLE_PUBLISHER = 8,  // hands articles to a watcher
};

struct tc_peer {
    tc_str name;
    tc_str key;
    unsigned roles;     // enum tc_role, ORed
    const tc_str *read; // topic prefixes; none: all
    size_t read_count;
    const tc_str *write;
    size_t write_count;
};

struct tc_access;

// Gives *out, which tc_access_drop() ends.
//   TC_EPARSE, TC_EIO  said in diags
int tc_access_read(const char *path, struct tc_diags *diags, struct tc_access **out);
int tc_access_read_text(tc_str name, tc_str text, struct tc_diags *diags, struct tc_access **out);

struct tc_access *tc_access_hold(struct tc_access *access);
void tc_access_drop(struct tc_access *access); // NULL is fine

size_t tc_access_count(const struct tc_access *access);

// The entry of a key, NULL when there is none. Views the list.
const struct tc_peer *tc_access_find(const struct tc_access *access, tc_str key);

// Whether a peer may read, or write, a whole topic ("china-ai/travel/high/"). Without a peer, which is
// somebody on an ipc socket, everything may be done.
bool tc_peer_reads(const struct tc_peer *peer, tc_str topic);
bool tc_peer_writes(const struct tc_peer *peer, tc_str topic);
bool tc_peer_is(const struct tc_peer *peer, enum tc_role role);

const char *tc_role_name(enum tc_role role);

#endif
