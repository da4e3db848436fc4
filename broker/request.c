#include "broker/request.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/utf8.h"

#include <jansson.h>
#include <stdlib.h>

// --- the request ---

static int check_members(const json_t *header, const char *const *known, struct tc_err *err)
{
    const char *key;
    json_t *member;
    // The iterator does not write; jansson's macro only lacks the const.
    json_object_foreach ((json_t *)(uintptr_t)header, key, member) {
        bool found = strcmp(key, "rid") == 0;
        for (const char *const *name = known; *name && !found; name++)
            found = strcmp(*name, key) == 0;
        if (!found)
            return tc_fail(err, TC_EPARSE, "unknown key \"%.64s\"", key);
    }
    return TC_OK;
}

int request_header(const struct request *request, const char *const *known, struct answer *answer,
                   json_t **out, struct tc_err *err)
{
    json_t *header = NULL;
    int code = tc_json_read(request->header, &header, err);
    if (code == TC_OK && !json_is_object(header))
        code = tc_fail(err, TC_EPARSE, "the header is no JSON object");
    if (code == TC_OK && json_object_get(header, "rid")) {
        answer->has_rid = tc_json_get_u64(header, "rid", &answer->rid);
        if (!answer->has_rid)
            code = tc_fail(err, TC_EPARSE, "\"rid\" is no non-negative integer");
    }
    if (code == TC_OK)
        code = check_members(header, known, err);
    if (code != TC_OK) {
        json_decref(header);
        return code;
    }
    *out = header;
    return TC_OK;
}

int request_u64(const json_t *header, const char *key, uint64_t *out, struct tc_err *err)
{
    if (!tc_json_get_u64(header, key, out))
        return tc_fail(err, TC_EPARSE, "\"%s\" is missing or no non-negative integer", key);
    return TC_OK;
}

int request_id(const json_t *header, const char *key, struct tc_id *out, struct tc_err *err)
{
    struct tc_id id;
    if (!tc_unhex(tc_json_get_str(header, key), id.bytes, sizeof id.bytes))
        return tc_fail(err, TC_EPARSE, "\"%s\" is missing or not 32 hex digits", key);
    *out = id;
    return TC_OK;
}

int request_bool(const json_t *header, const char *key, bool *out, struct tc_err *err)
{
    const json_t *value = json_object_get(header, key);
    if (value && !json_is_boolean(value))
        return tc_fail(err, TC_EPARSE, "\"%s\" is neither true nor false", key);
    if (value)
        *out = json_is_true(value);
    return TC_OK;
}

bool request_name_ok(tc_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
            return false;
    }
    return name.len >= 1 && name.len <= 63;
}

int request_name(const json_t *header, const char *key, tc_str *out, struct tc_err *err)
{
    tc_str name = tc_json_get_str(header, key);
    if (!request_name_ok(name))
        return tc_fail(err, TC_EPARSE, "\"%s\" is missing or not [a-zA-Z0-9._-]{1,63}", key);
    *out = name;
    return TC_OK;
}

// --- the answer ---

void answer_done(struct answer *answer)
{
    if (!answer)
        return;
    tc_buf_done(&answer->header);
    tc_buf_done(&answer->frames);
    tc_buf_done(&answer->envelope);
    free(answer->ends);
    *answer = (struct answer){0};
}

void answer_to(struct answer *answer, const struct request *request)
{
    tc_buf_clear(&answer->envelope);
    answer->envelope_count = 0;
    answer->inside = request->inside;
    for (size_t i = 0; i < request->envelope_count && i < REQUEST_ENVELOPE_MOST; i++) {
        tc_buf_str(&answer->envelope, request->envelope[i]);
        answer->envelope_ends[answer->envelope_count++] = answer->envelope.len;
    }
}

struct tc_json answer_begin(struct answer *answer, const char *reply)
{
    answer->count = 0;
    tc_buf_clear(&answer->frames);
    return answer_header(answer, reply);
}

struct tc_json answer_header(struct answer *answer, const char *reply)
{
    answer->reply = reply;
    tc_buf_clear(&answer->header);
    struct tc_json json = tc_json_on(&answer->header);
    tc_json_open(&json, '{');
    if (answer->has_rid)
        tc_json_put_u64(&json, "rid", answer->rid);
    return json;
}

void answer_refuse(struct answer *answer, const char *code, const char *reason)
{
    struct tc_json json = answer_begin(answer, "ERR");
    tc_json_put_str(&json, "code", tc_str_of(code));
    tc_str words = tc_str_of(reason); // may quote what a peer sent, cut anywhere
    tc_json_put_str(&json, "reason", tc_str_cut(words, 0, tc_utf8_valid(words)));
    tc_json_close(&json, '}');
}

void answer_frame(struct answer *answer, tc_str bytes)
{
    answer->ends = tc_room(answer->ends, answer->count, &answer->capacity, sizeof *answer->ends);
    tc_buf_str(&answer->frames, bytes);
    answer->ends[answer->count++] = answer->frames.len;
}

tc_str answer_frame_at(const struct answer *answer, size_t index)
{
    return tc_str_cut(tc_buf_view(&answer->frames), index ? answer->ends[index - 1] : 0,
                      answer->ends[index]);
}

tc_str answer_envelope_at(const struct answer *answer, size_t index)
{
    return tc_str_cut(tc_buf_view(&answer->envelope), index ? answer->envelope_ends[index - 1] : 0,
                      answer->envelope_ends[index]);
}

void answer_put_id(struct tc_json *json, const char *key, struct tc_id id)
{
    char text[TC_ID_TEXT_BYTES];
    tc_id_text(id, text);
    tc_json_put_str(json, key, tc_str_of(text));
}

void answer_put_time(struct tc_json *json, const char *key, int64_t wall_ns)
{
    char text[TC_TIME_BYTES];
    tc_time_text(wall_ns, text);
    tc_json_put_str(json, key, tc_str_of(text));
}
