// reader - a store read by somebody who is not its broker: verify, recover.
//
// Opens the file for reading only, may do so while a broker writes it, and holds no snapshot for long (a
// long one would keep the broker's log from being emptied), so what is read is not of one moment: rows
// that retention removes meanwhile are missing. A page that cannot be read costs the rows on it and no
// others.
//
//   memory   SQLite's cache of 2 MiB
//   threads  the caller's; one at a time
#ifndef READER_H
#define READER_H

#include "broker/age.h"
#include "broker/store.h"

struct sqlite3_stmt;

enum { READER_CHUNK = 2000, READER_CONSUMER_COLUMNS = 2 }; // a chunk: rows of one snapshot

struct reader;

// Gives *out, which reader_close() ends.
//   TC_ENOENT    no such file
//   TC_ECORRUPT  no database at all, or another program's
//   TC_EVERSION  its schema is newer than this program, or older
//   TC_EIO       cannot be opened
int reader_open(const char *path, struct reader **out, struct tc_err *err);
void reader_close(struct reader *reader);

struct reader_marks {
    struct store_marks marks;
    struct age age;
    bool has_age;
    bool is_copy; // made by a backup
};
//   TC_ECORRUPT, TC_EIO
int reader_marks(struct reader *reader, struct reader_marks *out, struct tc_err *err);

// The lowest and highest numbers of the rows themselves, as far as that can be read (else 1 and 0).
void reader_ends(struct reader *reader, struct store_marks *out);

// Walks hits, or alerts, from a number on, up to and with `end`. One walk at a time.
void reader_seek_hits(struct reader *reader, uint64_t from, uint64_t end);
void reader_seek_alerts(struct reader *reader, uint64_t from, uint64_t end);

// The next one. *number is set but at the end.
//   TC_ENOENT    no more
//   TC_ECORRUPT  it fails its checksum
//   TC_EIO       the page on which it would be cannot be read; there may be none of that number
int reader_next_hit(struct reader *reader, uint64_t *number, struct store_hit *out);
int reader_next_alert(struct reader *reader, uint64_t *number, struct store_alert *out);

struct reader_article {
    tc_str source, id, record;
    uint64_t version, hseq;
};

struct reader_watch {
    struct tc_id hash;
    tc_str name, definition;
    int64_t since_wall_ns;
};

// What a walk over a table without numbers tells; the texts are valid during the call. What fails its
// checksum is told as not whole. Each ends early with what is given back, if that is not TC_OK.
struct reader_tell {
    void *context;
    int (*article)(void *context, const struct reader_article *article, bool whole);
    int (*watch)(void *context, const struct reader_watch *watch, bool whole);
    // All columns of the table follow in the row behind the first READER_CONSUMER_COLUMNS.
    int (*consumer)(void *context, tc_str name, uint64_t cursor, struct sqlite3_stmt *row);
    int (*seen)(void *context, uint64_t hseq, tc_str id, uint64_t crc);
    int (*hour)(void *context, int64_t hour, uint64_t head, uint64_t hhead);
};
// Both ends of a table are read when a page in its middle cannot be.
//   TC_EIO  a page could not be read; err has SQLite's words, and some rows were not told
int reader_each_article(struct reader *reader, const struct reader_tell *tell, struct tc_err *err);
int reader_each_watch(struct reader *reader, const struct reader_tell *tell, struct tc_err *err);
int reader_each_consumer(struct reader *reader, const struct reader_tell *tell, struct tc_err *err);
int reader_each_seen(struct reader *reader, const struct reader_tell *tell, struct tc_err *err);
int reader_each_hour(struct reader *reader, const struct reader_tell *tell, struct tc_err *err);

// Is there such a row? False also when that cannot be read.
bool reader_has_hit(struct reader *reader, uint64_t hseq);
bool reader_has_seen(struct reader *reader, struct tc_id id);
bool reader_has_article(struct reader *reader, const struct store_hit *hit);

// SQLite's own check of pages and indexes, which holds a snapshot all the time; tells sentences. `stop`
// may be NULL.
//   TC_ESTOP
int reader_check(struct reader *reader, void *context,
                 void (*tell)(void *context, const char *sentence), int (*stop)(void *context));

#endif
