#include "client/parse.h"

#include <jansson.h>

int parse_object(tc_str text, json_t **out, struct tc_err *err)
{
    json_error_t wrong;
    json_t *value = json_loadb(text.ptr ? text.ptr : "", text.len,
                               JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &wrong);
    if (!value && !wrong.text[0]) // how jansson mostly says that an allocation failed
        return tc_fail(err, TC_ENOMEM, "no memory for JSON of %zu bytes", text.len);
    if (!value)
        return tc_fail(err, TC_EPARSE, "not JSON: %s (line %d, column %d)", wrong.text, wrong.line,
                       wrong.column);
    if (!json_is_object(value)) {
        json_decref(value);
        return tc_fail(err, TC_EPARSE, "JSON, but no object");
    }
    *out = value;
    return TC_OK;
}

const char *parse_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}
