/* libtocsin - receive the alerts of tocsin, hand articles in, ask the history.
 *
 * A handle stands for one client. It is pulled: nothing happens between calls, no thread of ours, no
 * callback. Open it, say what you want, and call tocsin_next() in a loop:
 *
 *     struct tocsin *tocsin;
 *     struct tocsin_event event;
 *     if (tocsin_open(NULL, &tocsin) != TOCSIN_OK || tocsin_consume(tocsin, "desk", NULL) != TOCSIN_OK)
 *         return 1;
 *     while (tocsin_next(tocsin, -1, &event) >= 0) {
 *         if (event.kind != TOCSIN_ALERT)
 *             continue;
 *         printf("%s: %s\n", event.watch, event.title);
 *         tocsin_acknowledge(tocsin, event.seq);
 *     }
 *     tocsin_close(tocsin);
 *
 * Delivery. tocsin_consume() and tocsin_follow() read the broker's history by number: every alert
 * comes, in order, also those from the time when you or the broker were away; only what retention
 * removed is missing, and a TOCSIN_GAP says so. The request waits at the broker, so a new alert comes at
 * once and no live feed is needed beside it. A consumer that died gets again what it had not
 * acknowledged: write the number in the same transaction as the effect and it happens once.
 * tocsin_subscribe() listens to the live feed, which is a hint and may lose.
 *
 * Errors. Every function that can fail returns TOCSIN_OK or a negative enum tocsin_code and leaves
 * one sentence in tocsin_error(). The library prints nothing, never ends the process and catches no
 * signal. Every allocation of its own that fails says TOCSIN_ENOMEM. Below it libzmq starts I/O threads,
 * and aborts the process when it has no memory itself; jansson, without memory, may misread.
 *
 * Threads. A handle belongs to one thread at a time. Handles are independent of each other. After a
 * fork() only the parent may use them.
 *
 * Time. Each function says whether it waits, and for how long; "the time limit" is
 * tocsin_options.timeout_ms. What comes back in a struct tocsin_event, tocsin_receipt or from
 * tocsin_status() belongs to the handle and lives until the next call with that handle.
 */
#ifndef TOCSIN_H
#define TOCSIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define TOCSIN_API __attribute__((visibility("default")))
#else
#define TOCSIN_API
#endif

enum tocsin_code {
    TOCSIN_OK = 0,
    TOCSIN_NOTHING = 1,   /* tocsin_next(): nothing came in time; call again */
    TOCSIN_EINVAL = -1,   /* an argument is wrong */
    TOCSIN_ENOMEM = -2,   /* an allocation failed; the handle may still be used and closed */
    TOCSIN_EFULL = -4,    /* larger than a limit of the protocol */
    TOCSIN_EBUSY = -7,    /* the watcher kept saying "later" for the whole time limit */
    TOCSIN_EPARSE = -8,   /* the article is no JSON object */
    TOCSIN_ETIMEOUT = -9, /* nobody answered within the time limit */
    TOCSIN_EPROTO = -10,  /* the peer refused the request, or speaks another protocol */
    TOCSIN_EINTR = -13    /* a signal arrived while waiting; nothing was lost, call again */
};

struct tocsin; /* a handle */

/* Where the daemons are. A NULL endpoint is $TOCSIN_FETCH, $TOCSIN_LIVE or $TOCSIN_INTAKE, else the
 * socket of that name in the runtime folder: $TOCSIN_RUNTIME_DIR, else $XDG_RUNTIME_DIR/tocsin, else
 * /run/tocsin for root, else tocsin-UID in the temporary folder. */
struct tocsin_options {
    const char *fetch; /* the broker, requests: "ipc:///run/tocsin/fetch.sock", "tcp://host:5561" */
    const char *live;  /* the broker, live feed (or a watcher's tap) */
    const char *intake; /* the watcher, articles */
    int timeout_ms;     /* how long a request waits for its answer; 0: 5,000 */
    /* Folder of keys for tcp endpoints: client.secret (0600), broker.public and, for the intake,
     * watcher.public, as `tocsin keygen` makes them. NULL is $TOCSIN_KEYS, else no keys. */
    const char *keys;
};

/* Makes a handle; `options` may be NULL and is copied. Connects nothing yet and does not wait.
 * On success *out is yours; tocsin_close() ends it.
 *   TOCSIN_ENOMEM
 *   TOCSIN_EINVAL  an empty endpoint, a negative time limit, or a runtime folder in the temporary folder
 *                  that somebody else can write to
 * Keys that are missing, or that others can read, are reported by what first needs them. */
TOCSIN_API int tocsin_open(const struct tocsin_options *options, struct tocsin **out);

/* Ends a handle and what came from it; NULL is fine. Does not wait for the network. */
TOCSIN_API void tocsin_close(struct tocsin *tocsin);

/* The last failure of this handle in one sentence; "" when there was none. Lives with the handle. */
TOCSIN_API const char *tocsin_error(const struct tocsin *tocsin);

/* The endpoints in use, after defaults; they live with the handle. */
TOCSIN_API const char *tocsin_fetch_endpoint(const struct tocsin *tocsin);
TOCSIN_API const char *tocsin_live_endpoint(const struct tocsin *tocsin);
TOCSIN_API const char *tocsin_intake_endpoint(const struct tocsin *tocsin);

/* ---- what to receive ------------------------------------------------------------------------ */

enum { TOCSIN_FILTERS_MOST = 64 };

enum tocsin_start {
    TOCSIN_FROM_EARLIEST, /* the oldest alert kept */
    TOCSIN_FROM_NOW,      /* the next one */
    TOCSIN_FROM_AFTER,    /* the first with a number greater than `after` */
    TOCSIN_FROM_SINCE     /* the first stored at or after `since` */
};

/* Which alerts, and from where on. All zero means every alert from the oldest. */
struct tocsin_stream {
    /* Topics that end in '/' ("china-ai/", "china-ai/travel-advice/high/") and labels
     * ("label.desk=asia"). An alert passes when it has one of the topics (if any is named) and, for
     * every label key named, one of its values. At most TOCSIN_FILTERS_MOST; copied. */
    const char *const *filters;
    size_t filter_count;
    enum tocsin_start start;
    uint64_t after;    /* with TOCSIN_FROM_AFTER */
    const char *since; /* with TOCSIN_FROM_SINCE: RFC 3339, "2025-03-01T05:00:00Z" */
};

/* The four below begin a stream, end the one before it, and do not wait; tocsin_next() connects,
 * and reconnects. `stream` may be NULL.
 *   TOCSIN_EINVAL   a filter, name or time that is none
 *   TOCSIN_EFULL    too many filters
 *   TOCSIN_ENOMEM */

/* Every alert that passes, from `start` on and then as they are stored. Nothing is remembered. */
TOCSIN_API int tocsin_follow(struct tocsin *tocsin, const struct tocsin_stream *stream);

/* The same up to the newest alert at this moment, then one TOCSIN_END. */
TOCSIN_API int tocsin_query(struct tocsin *tocsin, const struct tocsin_stream *stream);

/* Durably, under a name ([a-zA-Z0-9._-], 1 to 63 characters): begins behind what
 * tocsin_acknowledge() acknowledged last under this name; a new name begins at `start`
 * (TOCSIN_FROM_AFTER cannot be had). Alerts that the filters leave out count as acknowledged as soon as
 * all that were given before them are. One process has a name at a time: who consumes takes it over
 * from the one before, who gets TOCSIN_FENCED. With keys, a name belongs to the key that used it first. */
TOCSIN_API int tocsin_consume(struct tocsin *tocsin, const char *name,
                              const struct tocsin_stream *stream);

/* The live feed, or a watcher's tap: fast, needs no history, may lose. `start` is ignored. Lost
 * messages are reported as TOCSIN_LOST when no topic filters are set; with topics a missing number
 * may be somebody else's: use tocsin_follow() to be sure. */
TOCSIN_API int tocsin_subscribe(struct tocsin *tocsin, const struct tocsin_stream *stream);

/* Waits at most `timeout_ms` until the subscriptions of tocsin_subscribe() have reached the broker:
 * what is published afterwards arrives. Asks the broker, so it needs its fetch endpoint. Alerts that
 * come meanwhile are not lost.
 *   TOCSIN_EINVAL  not subscribed
 *   TOCSIN_ETIMEOUT, TOCSIN_EPROTO, TOCSIN_ENOMEM, TOCSIN_EINTR */
TOCSIN_API int tocsin_settle(struct tocsin *tocsin, int timeout_ms);

/* ---- what comes ----------------------------------------------------------------------------- */

enum tocsin_kind {
    TOCSIN_ALERT,        /* an alert; the fields below are its */
    TOCSIN_CONNECTED,    /* the stream stands, first or again; `seq` is the newest number of the
                            history at this moment (0 on the live feed) */
    TOCSIN_DISCONNECTED, /* nobody answers; once per outage. It goes on trying */
    TOCSIN_GAP,     /* alerts `from`..`to` were removed by retention before you had them; `count`
                            of them. The next call goes on behind them */
    TOCSIN_LOST,    /* live feed: numbers `from`..`to` did not arrive, `count` of them */
    TOCSIN_DAMAGED, /* alert `seq` is damaged in the broker's store and was left out */
    TOCSIN_EPOCH,   /* the history was replaced by another one (`epoch`), its numbers mean
                            something else. The next call goes on at its oldest alert, a consumer at
                            the cursor that came with that history (a backup, say, knows how far it was
                            then); tocsin_seek(), stop, or begin anew if that is not what you want */
    TOCSIN_FENCED,  /* another process consumes under this name now: the stream has ended, and what
                            you have not acknowledged is that one's */
    TOCSIN_END      /* end of a tocsin_query() */
};

/* Text is UTF-8, ends in a zero byte, is never NULL, and "" when not known. */
struct tocsin_event {
    enum tocsin_kind kind;
    uint64_t seq;             /* the alert's number; 0 on a tap, which has none */
    uint64_t from, to, count; /* GAP, LOST */
    const char *epoch;        /* of the history */
    const char *topic;        /* namespace/watch/severity/ */
    const char *id;           /* the same hit has the same id whenever it is sent */
    const char *time;         /* when it was stored, RFC 3339 UTC */
    const char *watch;        /* namespace/name */
    const char *severity;
    const char *article; /* id */
    const char *source;  /* who published it */
    const char *title, *url, *language, *published;
    const char *excerpt; /* matched words stand between U+27E6 and U+27E7 */
    const char *story;   /* id */
    const char *json;    /* the whole CloudEvents object, as it came */
    size_t json_bytes;
};

/* Gives the next event of the stream. Waits at most `timeout_ms`; -1 waits for ever, 0 not at all.
 *   TOCSIN_OK       *event is filled
 *   TOCSIN_NOTHING  the time is over
 *   TOCSIN_EINVAL   no stream was begun
 *   TOCSIN_EPROTO   the broker refused the stream, or our key (tocsin_error() has the reason), or one
 *                   message was not understood and is skipped
 *   TOCSIN_ENOMEM, TOCSIN_EINTR  call again, nothing is lost */
TOCSIN_API int tocsin_next(struct tocsin *tocsin, int timeout_ms, struct tocsin_event *event);

/* Says that everything up to number `seq` of the tocsin_consume() stream has been dealt with. Waits
 * for the broker's answer, at most the time limit; reconnects meanwhile. A lower number than before
 * changes nothing. The broker writes it down within a second: after a crash of the broker, what was
 * acknowledged in its last second may come again.
 *   TOCSIN_EINVAL    not consuming, or nothing has come yet
 *   TOCSIN_ETIMEOUT  not known to be acknowledged; do it again, or a later one
 *   TOCSIN_EPROTO    refused: another process has the name (tocsin_next() says TOCSIN_FENCED), another
 *                    history, or a number that does not exist */
TOCSIN_API int tocsin_acknowledge(struct tocsin *tocsin, uint64_t seq);

/* Puts the cursor of the tocsin_consume() stream somewhere else, back too, and goes on there; of `where`
 * only start, after and since count, NULL is the oldest alert. What was received and not given yet is
 * dropped. Waits for the broker's commit, at most the time limit.
 *   TOCSIN_EINVAL    not consuming, nothing has come yet, or no time
 *   TOCSIN_ETIMEOUT  not known to be done; do it again
 *   TOCSIN_EPROTO    as tocsin_acknowledge() */
TOCSIN_API int tocsin_seek(struct tocsin *tocsin, const struct tocsin_stream *where);

/* Ends the tocsin_consume() stream and gives its name free, for programs that read without a lease
 * (docs/protocol.md); what was acknowledged is on disk then. Waits at most the time limit. Not
 * needed before tocsin_close(): the next to consume takes the name over.
 *   TOCSIN_EINVAL, TOCSIN_ETIMEOUT, TOCSIN_EPROTO  as tocsin_seek() */
TOCSIN_API int tocsin_detach(struct tocsin *tocsin);

/* ---- handing in and asking ------------------------------------------------------------------ */

enum tocsin_outcome {
    TOCSIN_ACCEPTED,  /* read and matched; `hits` are safe on the watcher's disk */
    TOCSIN_DUPLICATE, /* the watcher has had exactly this article before */
    TOCSIN_REJECTED   /* cannot be read, `reason` says why; sending it again is useless */
};

struct tocsin_receipt {
    enum tocsin_outcome outcome;
    uint64_t hits;
    const char *id, *reason; /* never NULL */
};

/* Hands one article to the watcher and waits, at most the time limit, until it has dealt with it;
 * reconnects and sends again meanwhile. `article` is a JSON object (docs/articles.md); `body`, when
 * not NULL, is its text instead of the object's.
 *   TOCSIN_EPARSE    no JSON object
 *   TOCSIN_EFULL     the object without its text is larger than 16 KiB, or the text than 4 MiB
 *   TOCSIN_EBUSY     try again later
 *   TOCSIN_EINVAL    articles of tocsin_submit() are on the way
 *   TOCSIN_ETIMEOUT  it may or may not have been accepted; handing it in again is harmless
 *   TOCSIN_EPROTO, TOCSIN_ENOMEM */
TOCSIN_API int tocsin_publish(struct tocsin *tocsin, const char *article, size_t article_bytes,
                              const void *body, size_t body_bytes, struct tocsin_receipt *receipt);

/* Several at a time, for programs with many: tocsin_submit() takes an article in (copied), sends it and
 * does not wait; tocsin_collect() tells what became of the oldest on the way, so receipts come in the
 * order of submission. Nothing is sent between calls, so go on collecting.
 *
 *     while (have_more) {
 *         while ((code = tocsin_submit(tocsin, article, bytes, NULL, 0)) == TOCSIN_EBUSY)
 *             if (tocsin_collect(tocsin, &receipt) != TOCSIN_OK)
 *                 return 1;
 *         ...
 *     }
 *     while (tocsin_collect(tocsin, &receipt) == TOCSIN_OK)
 *         ...
 */
enum {
    TOCSIN_ON_THE_WAY_MOST = 128
}; /* articles; fewer when they are together larger than 4 MiB */

/*   TOCSIN_EBUSY     as many as may be are on the way: collect one, and submit it again
 *   TOCSIN_EPARSE, TOCSIN_EFULL, TOCSIN_ENOMEM, TOCSIN_EPROTO  as tocsin_publish() */
TOCSIN_API int tocsin_submit(struct tocsin *tocsin, const char *article, size_t article_bytes,
                             const void *body, size_t body_bytes);

/* Waits, at most the time limit. The receipt's id is what the article named, when the answer has none.
 *   TOCSIN_NOTHING   nothing is on the way
 *   TOCSIN_ETIMEOUT, TOCSIN_EBUSY  it is still on the way; call again, or close
 *   TOCSIN_EPROTO    the watcher refused it, and it is no longer on the way; or spoke nonsense
 *   TOCSIN_ENOMEM    call again */
TOCSIN_API int tocsin_collect(struct tocsin *tocsin, struct tocsin_receipt *receipt);

enum tocsin_daemon { TOCSIN_BROKER, TOCSIN_WATCHER };

/* Asks a daemon how it is; waits at most the time limit. *json is the answer's header, one JSON object
 * (docs/protocol.md, STATS), zero-ended.
 *   TOCSIN_ETIMEOUT, TOCSIN_EPROTO, TOCSIN_ENOMEM */
TOCSIN_API int tocsin_status(struct tocsin *tocsin, enum tocsin_daemon daemon, const char **json);

/* Asks the broker for all durable consumers, by name: *json is one JSON array of objects (docs/protocol.md,
 * CONSUMERS), zero-ended. It wants the role admin. Waits at most the time limit for each 100 of them.
 *   TOCSIN_ETIMEOUT, TOCSIN_EPROTO, TOCSIN_ENOMEM */
TOCSIN_API int tocsin_consumers(struct tocsin *tocsin, const char **json);

/* Forgets a consumer, or ends its lease and makes it nobody's, so that the next key that uses the name has it;
 * who consumes under it is fenced. They want the role admin, and wait for the broker's commit, at most the
 * time limit.
 *   TOCSIN_EINVAL    no name
 *   TOCSIN_EPROTO    also when there is no such consumer
 *   TOCSIN_ETIMEOUT, TOCSIN_ENOMEM */
TOCSIN_API int tocsin_drop(struct tocsin *tocsin, const char *name);
TOCSIN_API int tocsin_release(struct tocsin *tocsin, const char *name);

/* Asks the broker to copy its history into a file that is not there yet: an absolute path on the broker's
 * machine; or, with NULL, how the last copy goes. It wants the role admin, is answered at once, and the
 * copy goes on whoever asks or goes away. Waits at most the time limit. *json is the answer's header
 * (docs/protocol.md, BACKUP), zero-ended.
 *   TOCSIN_ETIMEOUT, TOCSIN_EPROTO, TOCSIN_ENOMEM */
TOCSIN_API int tocsin_backup(struct tocsin *tocsin, const char *file, const char **json);

/* The version of the library, "0.1.0". */
TOCSIN_API const char *tocsin_version(void);

#ifdef __cplusplus
}
#endif

#endif
