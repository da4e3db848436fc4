// settings - broker.yaml, read strictly.
//
// Every key has a default; without a file all of them hold. All mistakes are reported with their
// places, and then nothing is used.
//
//   memory   texts live in the arena given
//   source   docs/operating.md; config/broker.yaml is the commented example
#ifndef SETTINGS_H
#define SETTINGS_H

#include "broker/retain.h"
#include "broker/space.h"
#include "common/diag.h"
#include "common/http_settings.h"
#include "common/log.h"

struct settings {
    tc_str store;        // the database file; a relative one was counted from the settings' folder
    tc_str fetch, live;  // endpoints
    tc_str keys;         // folder of keys, zero-ended; empty: none, and then no tcp endpoint either
    tc_str *live_except; // topic prefixes that the live feed leaves out
    size_t live_except_count;
    struct tc_http_settings http;
    struct retain_settings retain;
    enum tc_level log;
    uint64_t disk_reserve;  // bytes (space.h)
    bool network_storage;   // a network file system is wanted
    bool accept_data_loss;  // no key of the file: a person said so once
    bool insecure_loopback; // plaintext tcp on loopback is wanted
};

// The defaults: in the state folder and the runtime folder, which are not made here.
//   TC_ENOENT, TC_EIO  there is no such folder for this user
int settings_default(struct tc_arena *arena, struct settings *out, struct tc_err *err);

// Reads the file over what is in *settings. On mistakes *settings is not to be used.
//   TC_EIO, TC_EPARSE  said in diags
int settings_read(const char *path, struct tc_arena *arena, struct tc_diags *diags,
                  struct settings *settings);

// The same from a text under the name `name`.
int settings_read_text(tc_str name, tc_str text, struct tc_arena *arena, struct tc_diags *diags,
                       struct settings *settings);

#endif
