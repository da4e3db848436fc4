// event - the CloudEvents JSON of hits and alerts (docs/protocol.md, "Live messages").
//
// The watcher's tap and the broker say the same things about a hit, so they say them through this
// one file. What belongs to the article and what belongs to the watch is read, checked and escaped
// once and then copied as bytes: an article may fire thousands of watches, a watch thousands of
// articles.
//
//   memory   an opened article holds its record parsed and its parts as JSON, an opened watch
//            about as many bytes as its labels and annotations. Ending verbs: tc_event_article_free, tc_event_watch_free
//   cost     an event is about 1 KiB of copying and one escape of its excerpt
//   threads  none: what is opened never changes and may be read by any thread
//   clock    none inside: the time is an argument
#ifndef TC_EVENT_H
#define TC_EVENT_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hit.h"

#define TC_EVENT_HIT "org.tocsin.hit.v1"     // the tap: not stored, no sequence
#define TC_EVENT_ALERT "org.tocsin.alert.v1" // the broker

enum { TC_TOPIC_BYTES = 200, TC_NAME_BYTES = 63 };

// [a-z0-9-]{1,63}: namespaces, watch names without theirs, severities.
bool tc_event_name_ok(tc_str name);

// "namespace/name".
bool tc_event_watch_name_ok(tc_str name);

// A topic or the beginning of one: names, each with a "/" behind it.
bool tc_event_prefix_ok(tc_str prefix);

// --- the article: frame 1 of PUT ---

struct tc_event_article;

// Reads an article's record. Gives *out. Names that are not known are ignored, so that an older
// broker takes what a newer watcher sends.
//   TC_EPARSE  not JSON, or id, source, version, seen or segments are missing or wrong
int tc_event_article_open(tc_str record, struct tc_event_article **out, struct tc_err *err);
void tc_event_article_free(struct tc_event_article *article);

// These view the article.
tc_str tc_event_article_id(const struct tc_event_article *article);
tc_str tc_event_article_source(const struct tc_event_article *article);
uint64_t tc_event_article_version(const struct tc_event_article *article);
tc_str tc_event_article_language(const struct tc_event_article *article); // may be empty
int64_t tc_event_article_seen_ns(const struct tc_event_article *article);

// Why nothing about the article may be told now ("withheld", "embargoed"), NULL when it may.
const char *tc_event_article_quiet(const struct tc_event_article *article, int64_t now_wall_ns);

// --- the watch: a definition as WATCH carries it ---

struct tc_event_watch;

// Reads a definition. Gives *out.
//   TC_EPARSE  not JSON, a bad name or severity, labels or annotations that are no texts
int tc_event_watch_open(tc_str definition, struct tc_event_watch **out, struct tc_err *err);
void tc_event_watch_free(struct tc_event_watch *watch);

// These view the watch.
struct tc_id tc_event_watch_hash(const struct tc_event_watch *watch); // over the definition's bytes
tc_str tc_event_watch_name(const struct tc_event_watch *watch);
tc_str tc_event_watch_severity(const struct tc_event_watch *watch);
tc_str tc_event_watch_labels(const struct tc_event_watch *watch); // {"key":"value"}, no blanks

// Why no hit of the watch may be told now ("shadow", "paused", "retired", "expired"), NULL when it may.
const char *tc_event_watch_quiet(const struct tc_event_watch *watch, int64_t now_wall_ns);

// --- the event ---

struct tc_event_story {
    struct tc_id id;
    tc_str first; // id of its first article
    uint64_t articles, sources;
    const tc_str *languages;
    size_t language_count;
};

struct tc_event {
    const char *type; // TC_EVENT_HIT, TC_EVENT_ALERT
    struct tc_id id;  // the hit's, or tc_event_alert_id()
    int64_t time_wall_ns;
    uint64_t seq;                       // 0: the event is not stored and says so
    struct tc_id epoch;                 // of seq
    const struct tc_event_story *story; // NULL: none
    bool recovered;                     // it was sent before, in a history that was lost
};

// Adds the topic "namespace/watch/severity/" to `out`.
void tc_event_topic(const struct tc_hit *hit, struct tc_buf *out);

// Adds one event to `out`, without a line end. The texts of the hit must be valid UTF-8.
void tc_event_add(struct tc_buf *out, const struct tc_event *event,
                  const struct tc_event_watch *watch, const struct tc_event_article *article,
                  const struct tc_hit *hit);

// Whether an event says that it is recovered. Costs a look at its first few hundred bytes.
bool tc_event_recovered(tc_str event);

// The deterministic id of an alert: a hash over the watch, the id of the hit that caused it, the
// kind ("alert", "updated", ...) and its ordinal among that hit's alerts, from 1. Never the story's.
struct tc_id tc_event_alert_id(tc_str watch, struct tc_id hit, const char *kind, uint64_t ordinal);

#endif
