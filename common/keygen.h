// keygen - makes pairs of keys. Apart from keys.h, because libtocsin reads keys and writes none.
#ifndef TC_KEYGEN_H
#define TC_KEYGEN_H

#include "common/keys.h"

// Makes FOLDER/NAME.secret (0600) and FOLDER/NAME.public; the folder must be there. Gives the public
// half. Overwrites nothing.
//   TC_EEXIST  one of the two is there already
//   TC_EIO     cannot be written; nothing of it is left
int tc_key_make(const char *folder, const char *name, struct tc_key *out, struct tc_err *err);

#endif
