// corpus - a file or a folder of articles, for the commands that measure watches.
//
//   memory   the names of the files
//   threads  one
#ifndef CORPUS_H
#define CORPUS_H

#include "client/cli/offline.h"

struct corpus {
    struct offline_files files;
    char **names; // that files points to
    size_t count, room;
    const char *path; // as given
};

// Lists the files of `path`: itself, or every file below the folder in the order of their names.
// Hidden and unfinished files (.x, x.tmp, x.part) are left out. `path` is borrowed.
//   TC_ENOENT  there is nothing, or no file in the folder
//   TC_EIO     it cannot be listed
int corpus_open(const char *path, struct corpus *out, struct tc_err *err);
void corpus_close(struct corpus *corpus);

// Calls `each` for every article whose text can be read, with its number from 0; the article is
// gone afterwards. What cannot be read is said on standard error. Returns the number of articles.
uint64_t corpus_each(const struct corpus *corpus, const struct text_settings *settings,
                     void (*each)(void *context, const struct text *text, uint64_t number),
                     void *context);

#endif
