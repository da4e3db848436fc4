// unmark - letters without their marks: tránh as tranh, façade as facade.
//
// Marks are what Unicode writes above, below and through letters of Latin, Greek and Cyrillic, and the
// points of Hebrew and Arabic. The signs of Indian scripts and of Kana stay: there they are other
// letters. A stroke is no mark to Unicode, so đ, ø, ł, ħ, ŧ and the dotless ı have rules of their own.
//
//   memory   none: the caller gives room
//   threads  any
#ifndef UNMARK_H
#define UNMARK_H

#include "common/str.h"

// Room that `len` bytes without their marks fit into: a decomposition is never longer than that.
#define UNMARK_ROOM(len) ((len)*3 + 16)

// Writes a folded form without its marks; gives its length.
size_t unmark(tc_str folded, char *out, size_t room);

// Writes a folded form with ä, ö and ü as ae, oe and ue; gives its length.
size_t unmark_german(tc_str folded, char *out, size_t room);

#endif
