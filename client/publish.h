// publish - one article to a watcher, and what became of it.
//
//   safe     for libtocsin
#ifndef PUBLISH_H
#define PUBLISH_H

#include "client/peer.h"

#include <tocsin/tocsin.h>

// As tocsin_publish(), waiting at most to `until` (mono ns). The receipt views `peer`.
int publish_article(struct peer *peer, tc_str article, tc_str body, int64_t until,
                    struct tocsin_receipt *out, struct tc_err *err);

#endif
