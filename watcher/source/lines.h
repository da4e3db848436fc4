// lines - articles out of files and standard input, one after the other.
//
// What a file holds goes by its name, without a ".gz" at its end:
//   .jsonl .ndjson  one article a line, blank lines skipped
//   .json           one article
//   .html .htm      refused until a later version
//   anything else, and "-" (standard input): when the first line begins with '{' articles as JSON (one a
//                   line when that line also ends with '}', else one for the whole input), when not
//                   one page of text
// gzip is recognised by its first bytes, on standard input too.
//
// Nothing is fatal but a file that cannot be read on: a line that is no article, or is too large,
// is reported with its place, and the next call goes on behind it.
//
//   memory   one line or page (LINES_BYTES_PER_LIMIT times `limit` and a little) and 128 KiB
//   threads  one
#ifndef LINES_H
#define LINES_H

#include "watcher/source/article.h"

// JSON may spell a text in more bytes than the text has, and carry keys that we skip; a line longer
// than so many times the limit cannot hold an article that is not too large.
enum { LINES_BYTES_PER_LIMIT = 4, LINES_BYTES_MORE = 64 * 1024 };

struct lines;

// Opens `path`, "-" for standard input. `source_name` (copied) is used for articles that name no source;
// `limit` is max_article_bytes. Gives *out; lines_close() ends it.
//   TC_ENOENT  there is no such file
//   TC_EIO     it cannot be opened or read, or is a folder
int lines_open(const char *path, tc_str source_name, size_t limit, struct lines **out,
               struct tc_err *err);

// The same on an open descriptor, which it takes; `name` decides the kind and is the pages' id.
int lines_open_fd(int fd, const char *name, tc_str source_name, size_t limit, struct lines **out,
                  struct tc_err *err);

// From now on lines_next() ends with TC_ESTOP as soon as `stop_fd` is readable (borrowed).
void lines_stop_on(struct lines *lines, int stop_fd);

// The next article. Gives *out (article_free ends it).
//   TC_ENOENT  the end
//   TC_EPARSE  the line or page is no article; err names file and line; call again for the next
//   TC_EFULL   it is too large; call again for the next
//   TC_EIO     the file cannot be read on (a disk error, a damaged .gz)
int lines_next(struct lines *lines, struct article **out, struct tc_err *err);

// The line that the last call read, from 1; 0 for a page.
int lines_number(const struct lines *lines);

void lines_close(struct lines *lines); // NULL is fine

#endif
