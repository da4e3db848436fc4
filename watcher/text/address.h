// address - links and mail addresses inside a text; they are no words.
//
// Found are scheme://..., www...., mailto:..., name@host.tld, and host.tld/path in lower case. A
// bare host ("amazon.com said") is words.
//
//   cost     looks at most ADDRESS_LOOK bytes ahead before it says no
//   threads  any
#ifndef ADDRESS_H
#define ADDRESS_H

#include "common/str.h"

enum { ADDRESS_LOOK = 128, ADDRESS_BYTES_MOST = 4096 };

// Length of the address that begins at p, 0 when none does.
size_t address_length(const char *p, const char *end);

#endif
