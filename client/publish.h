// publish - articles to a watcher, several on the way, and what became of each.
//
// An article is kept until its answer is here: a lost connection, a silent watcher and BUSY all mean
// that it is sent again, which the watcher answers with DUPLICATE if it had it. BUSY tells how many
// the watcher has room for: so many are out from then on, and slowly more (as TCP does). Articles
// of one id are never out together, so that versions keep their order.
//
//   memory   PUBLISH_MOST articles, and beyond PUBLISH_BYTES of them one more
//   threads  the handle's
//   safe     for libtocsin
#ifndef PUBLISH_H
#define PUBLISH_H

#include "client/peer.h"

#include <tocsin/tocsin.h>

enum { PUBLISH_MOST = TOCSIN_ON_THE_WAY_MOST, PUBLISH_BYTES = 4 * 1024 * 1024 };

struct parcel; // an article on the way

struct publish {
    struct peer peer;
    struct parcel *parcels; // a ring of PUBLISH_MOST, made with the first article
    size_t first, count;
    size_t bytes;       // of all articles on the way
    size_t room;        // how many may be out: what the watcher seems to have room for
    size_t answered;    // since `room` changed
    bool busy;          // the watcher's last word was BUSY
    int64_t not_before; // nothing is sent until then
    int64_t heard_mono_ns;
};

// Fills in a publish without connecting it (`context` and `endpoint` borrowed until publish_done()).
void publish_init(struct publish *publish, void *context, const char *endpoint);
void publish_done(struct publish *publish);

// Takes an article in (copied) and sends it if it can go at once; does not wait. `body` as in
// tocsin_publish().
//   TC_EBUSY   as many as may be are on the way: collect one first
//   TC_EPARSE, TC_EFULL, TC_ENOMEM, TC_EINVAL, TC_EPROTO
int publish_submit(struct publish *publish, tc_str article, tc_str body, struct tc_err *err);

// What became of the oldest, waiting at most to `until` (mono ns). The receipt views `publish` until
// the next call. A signal does not end it.
//   TC_ENOENT    nothing is on the way
//   TC_ETIMEOUT, TC_EBUSY (the watcher says so): it is still on the way
//   TC_EPROTO    the watcher refused it with ERR; or said nonsense, and it is still on the way
int publish_collect(struct publish *publish, int64_t until, struct tocsin_receipt *out,
                    struct tc_err *err);

// Gives up what is on the way: it may or may not arrive.
void publish_forget(struct publish *publish);

#endif
