#include "client/publish.h"
#include "client/parse.h"
#include "common/clock.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

enum { RETRY_MS = 100, RETRY_MOST_MS = 5000 };

// The text of an article goes in a frame of its own: a header has room for 16 KiB. Takes it out of
// the object, where it stands under one of the names of docs/articles.md, best first. HTML stays
// where it is: in a frame of its own it would be taken for plain text.
static json_t *take_text(json_t *article)
{
    static const char *const names[] = {"content_text", "text", "body"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *text = json_object_get(article, names[i]);
        if (!json_is_string(text))
            continue;
        json_incref(text);
        json_object_del(article, names[i]);
        return text;
    }
    return NULL;
}

static int write_article(struct peer *peer, const json_t *article, struct tc_err *err)
{
    struct tc_json *json = peer_question(peer);
    char *text = json_dumps(article, JSON_COMPACT);
    if (!text)
        return tc_fail(err, TC_ENOMEM, "no memory for an article");
    tc_json_key(json, "article");
    tc_json_raw(json, tc_str_of(text));
    free(text);
    return TC_OK;
}

// Waits as long as the watcher asked for. A signal may shorten it, which does no harm.
static void pause_for(const struct peer *peer, int64_t until)
{
    uint64_t ms = RETRY_MS;
    tc_json_get_u64(peer->answer, "retry_ms", &ms);
    int64_t ns = (int64_t)(ms > RETRY_MOST_MS ? RETRY_MOST_MS : ms) * TC_MS;
    int64_t left = until - tc_mono_ns();
    if (ns > left)
        ns = left;
    if (ns > 0)
        nanosleep(&(struct timespec){ns / TC_SECOND, ns % TC_SECOND}, NULL);
}

static int hand_in(struct peer *peer, tc_str body, int64_t until, struct tc_err *err)
{
    for (;;) {
        int code = peer_ask(peer, "ARTICLE", body, until, err);
        if (code != TC_OK || !tc_str_eq(peer->command, TC_STR("BUSY")))
            return code;
        if (tc_mono_ns() >= until)
            return tc_fail(err, TC_EBUSY, "the watcher at %s is busy", peer->endpoint);
        pause_for(peer, until);
    }
}

static int read_receipt(const struct peer *peer, struct tocsin_receipt *out, struct tc_err *err)
{
    struct tocsin_receipt receipt = {.id = parse_text(peer->answer, "id"),
                                     .reason = parse_text(peer->answer, "reason")};
    tc_json_get_u64(peer->answer, "hits", &receipt.hits);
    if (tc_str_eq(peer->command, TC_STR("ACCEPTED")))
        receipt.outcome = TOCSIN_ACCEPTED;
    else if (tc_str_eq(peer->command, TC_STR("DUPLICATE")))
        receipt.outcome = TOCSIN_DUPLICATE;
    else if (tc_str_eq(peer->command, TC_STR("REJECTED")))
        receipt.outcome = TOCSIN_REJECTED;
    else
        return tc_fail(err, TC_EPROTO, "the watcher at %s answered an article with '%.*s'",
                       peer->endpoint, TC_ARG(peer->command));
    *out = receipt;
    return TC_OK;
}

int publish_article(struct peer *peer, tc_str article, tc_str body, int64_t until,
                    struct tocsin_receipt *out, struct tc_err *err)
{
    json_t *tree = NULL, *text = NULL;
    int code = parse_object(article, &tree, err);
    if (code != TC_OK)
        return code;
    if (!body.ptr && (text = take_text(tree)) != NULL)
        body = (tc_str){json_string_value(text), json_string_length(text)};
    code = write_article(peer, tree, err);
    if (code == TC_OK)
        code = hand_in(peer, body, until, err);
    if (code == TC_OK)
        code = read_receipt(peer, out, err);
    json_decref(text);
    json_decref(tree);
    return code;
}
