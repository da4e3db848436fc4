// watches - the definitions of watches, opened, by hash.
//
// A hit names its watch's definition by hash; the broker asks the watcher (NAK watch) for one that
// is neither here nor in the store. What is here is only a memory of the store.
//
//   memory   about WATCHES_HELD opened watches; watches_trim() forgets all when there are more
//   threads  the broker's loop
#ifndef WATCHES_H
#define WATCHES_H

#include "broker/store.h"
#include "common/event.h"

enum { WATCHES_HELD = 65536 };

struct watches;

// `store` is borrowed until watches_free().
struct watches *watches_new(struct store *store);
void watches_free(struct watches *watches);

// The watch with this hash. Valid until watches_trim().
//   TC_ENOENT  not known
//   TC_EPARSE  the store's definition cannot be read any more: as good as not known
//   TC_EIO, TC_ECORRUPT  the store refused
int watches_find(struct watches *watches, struct tc_id hash, const struct tc_event_watch **out,
                 struct tc_err *err);

// Stores a definition (in the open transaction) and remembers it.
//   TC_EPARSE  it is not one
int watches_add(struct watches *watches, tc_str definition, int64_t now_wall_ns,
                struct tc_err *err);

// Forgets everything when it holds more than it should. Call where no found watch is in use.
void watches_trim(struct watches *watches);

// Forgets everything: the transaction that added some was rolled back.
void watches_forget(struct watches *watches);

uint64_t watches_count(const struct watches *watches); // definitions ever stored

#endif
