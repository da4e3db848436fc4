// Any bytes as access.yaml: refused with a mistake that can be printed, or a list whose every prefix holds
// what it promises.

#include "common/access.h"
#include "common/buf.h"

#include <stdlib.h>

static void expect(bool holds)
{
    if (!holds)
        abort();
}

// Straight from the words of docs/operating.md, to compare with.
static bool below(const tc_str *prefixes, size_t count, tc_str topic)
{
    bool found = count == 0;
    for (size_t i = 0; i < count; i++)
        found |= topic.len >= prefixes[i].len &&
                 memcmp(topic.ptr, prefixes[i].ptr, prefixes[i].len) == 0;
    return found;
}

static void check(const struct tc_peer *peer)
{
    static const char *const topics[] = {"a/b/high/", "a/bc/high/", "a/", "", "health/flu/low/"};
    for (size_t i = 0; i < peer->read_count; i++)
        expect(tc_str_ends(peer->read[i], TC_STR("/")) && peer->read[i].len > 1);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        tc_str topic = tc_str_of(topics[i]);
        expect(tc_peer_reads(peer, topic) == (tc_peer_is(peer, TC_ROLE_SUBSCRIBER) &&
                                              below(peer->read, peer->read_count, topic)));
        expect(tc_peer_writes(peer, topic) ==
               (tc_peer_is(peer, TC_ROLE_WATCHER) && below(peer->write, peer->write_count, topic)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char known[] = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"; // in the corpus
    struct tc_diags *diags = tc_diags_new();
    struct tc_access *access = NULL;
    struct tc_buf out = {0};
    int code = tc_access_read_text(TC_STR("f"), (tc_str){(const char *)data, size}, diags, &access);
    expect((code == TC_OK) == (tc_diags_errors(diags) == 0) && (code == TC_OK) == (access != NULL));
    const struct tc_peer *peer = access ? tc_access_find(access, tc_str_of(known)) : NULL;
    if (peer)
        check(peer);
    (void)tc_key_ok((tc_str){(const char *)data, size});
    tc_diags_print(diags, false, &out);
    tc_buf_done(&out);
    tc_access_drop(access);
    tc_diags_free(diags);
    return 0;
}
