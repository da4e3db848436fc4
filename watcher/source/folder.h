// folder - a folder whose files are articles.
//
// A file counts when it was closed after writing or moved in, never while somebody still writes it;
// names that begin with a dot or end in .tmp or .part are left alone. When all its hits are safe it is
// moved to done/, when something in it cannot be read to failed/, with the reasons in NAME.reason
// beside it (the good articles of such a file count). A name that is taken there gets ".2", ".3" ...
// behind it. A known id with other bytes is a new version of the article.
//
//   memory   FOLDER_FILES_MOST files on the way, one of them being read
//   threads  folder_run belongs to the source's thread
//   source   inotify, and a look at the whole folder at start, when events were lost, each
//            FOLDER_LOOK_MS, and soon after a file that was still written; docs/operating.md
#ifndef FOLDER_H
#define FOLDER_H

#include "watcher/source/source.h"

enum {
    FOLDER_FILES_MOST = 256,
    FOLDER_LOOK_MS =
        60 * 1000, // finds what no event told of, and tries again what could not be moved
    FOLDER_REASONS_BYTES = 64 * 1024, // of one file; later reasons are counted
};

struct folder;

// Opens the folder, makes done/ and failed/ in it. `name` (copied) is the source of articles that
// name none. The host is borrowed until folder_close. Gives *out.
//   TC_ENOENT  there is no such folder
//   TC_EIO     it cannot be read, watched or written
int folder_open(const char *path, tc_str name, const struct source_host *host, struct folder **out,
                struct tc_err *err);

// Works until the host says stop (with host->once: until all that is there is done).
void folder_run(struct folder *folder);

void folder_close(struct folder *folder); // NULL is fine

#endif
