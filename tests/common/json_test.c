#include "common/json.h"

#include <jansson.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void the_emitter_places_commas_and_escapes(void **state)
{
    struct tc_buf buf = {0};
    struct tc_json json = tc_json_on(&buf);
    (void)state;
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "a", TC_STR("\"\\\n\t\r\x01\x7f \xe1\xbb\xb9"));
    tc_json_put_u64(&json, "b", UINT64_MAX);
    tc_json_put_bool(&json, "c", true);
    tc_json_key(&json, "d");
    tc_json_open(&json, '[');
    tc_json_close(&json, ']');
    tc_json_key_str(&json, TC_STR("e\"f"));
    tc_json_open(&json, '[');
    tc_json_i64(&json, INT64_MIN);
    tc_json_null(&json);
    tc_json_real(&json, 0.5);
    tc_json_real(&json, 1.0 / 0.0);
    tc_json_raw(&json, TC_STR("{}"));
    tc_json_bool(&json, false);
    tc_json_close(&json, ']');
    tc_json_close(&json, '}');
    assert_string_equal(buf.ptr, "{\"a\":\"\\\"\\\\\\n\\t\\r\\u0001\x7f \xe1\xbb\xb9\","
                                 "\"b\":18446744073709551615,\"c\":true,\"d\":[],\"e\\\"f\":"
                                 "[-9223372036854775808,null,0.5,null,{},false]}");
    tc_buf_done(&buf);
}

static void what_is_written_is_read_back(void **state)
{
    struct tc_buf buf = {0};
    struct tc_json json = tc_json_on(&buf);
    json_t *value = NULL;
    (void)state;
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "k", TC_STR("a\0b\x1f"));
    tc_json_put_u64(&json, "n", 7);
    tc_json_close(&json, '}');
    assert_int_equal(tc_json_read(tc_buf_view(&buf), &value, NULL), TC_OK);
    assert_true(tc_str_eq(tc_json_get_str(value, "k"), TC_STR("a\0b\x1f")));
    uint64_t number = 0;
    assert_true(tc_json_get_u64(value, "n", &number));
    assert_int_equal(number, 7);
    assert_false(tc_json_get_u64(value, "k", &number));
    assert_false(tc_json_get_u64(value, "absent", &number));
    assert_int_equal(tc_json_get_str(value, "absent").len, 0);
    assert_int_equal(tc_json_get_str(value, "n").len, 0);
    json_decref(value);
    tc_buf_done(&buf);
}

static void unknown_members_are_named(void **state)
{
    static const char *const known[] = {"rid", "name", NULL};
    struct tc_err err = {0};
    json_t *value = NULL;
    (void)state;
    assert_int_equal(tc_json_read(TC_STR("{\"rid\":1,\"nmae\":2}"), &value, NULL), TC_OK);
    assert_int_equal(tc_json_only(value, known, &err), TC_EPARSE);
    assert_string_equal(err.text, "unknown key \"nmae\"");
    json_decref(value);
    assert_int_equal(tc_json_read(TC_STR("{\"name\":2}"), &value, NULL), TC_OK);
    assert_int_equal(tc_json_only(value, known, &err), TC_OK);
    json_decref(value);
}

static void mistakes_name_line_and_column(void **state)
{
    static const char *const wrong[] = {
        "",           " ",   "{",    "{\"a\":1,\"a\":2}", "[1] x", "[1,]", "{'a':1}",
        "[\"\xff\"]", "nul", "[01]", "[\"\\ud800\"]"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct tc_err err = {0};
        json_t *value = NULL;
        assert_int_equal(tc_json_read(tc_str_of(wrong[i]), &value, &err), TC_EPARSE);
        assert_non_null(strstr(err.text, "line "));
        assert_null(value);
    }
}

// JSONTestSuite texts that must be accepted and are not, with the reason.
static const char *const refused_on_purpose[] = {
    "y_object_duplicated_key.json",           // a repeated name is a mistake here
    "y_object_duplicated_key_and_value.json", // the same
};

static bool is_refused_on_purpose(tc_str id)
{
    for (size_t i = 0; i < sizeof refused_on_purpose / sizeof *refused_on_purpose; i++) {
        if (tc_str_eq(id, tc_str_of(refused_on_purpose[i])))
            return true;
    }
    return false;
}

static bool is_accepted(tc_str base64)
{
    unsigned char *bytes = malloc(base64.len + 1);
    size_t len = 0;
    json_t *value = NULL;
    assert_int_equal(sodium_base642bin(bytes, base64.len + 1, base64.ptr, base64.len, NULL, &len,
                                       NULL, sodium_base64_VARIANT_ORIGINAL),
                     0);
    bool accepted = tc_json_read((tc_str){(char *)bytes, len}, &value, NULL) == TC_OK;
    json_decref(value);
    free(bytes);
    return accepted;
}

static void the_json_test_suite_is_met(void **state)
{
    FILE *file = fopen(TEST_SHARED "/corpus/json/jsontestsuite.jsonl", "r");
    char *line = NULL;
    size_t capacity = 0, wrong = 0, count = 0;
    ssize_t len = 0;
    (void)state;
    if (!file) {
        print_message("skipped: %s is absent\n", TEST_SHARED "/corpus/json");
        skip();
    }
    while ((len = getline(&line, &capacity, file)) > 0) {
        json_t *entry = NULL;
        assert_int_equal(tc_json_read((tc_str){line, (size_t)len}, &entry, NULL), TC_OK);
        tc_str id = tc_json_get_str(entry, "id"), expect = tc_json_get_str(entry, "expect");
        bool accepted = is_accepted(tc_json_get_str(entry, "bytes_base64"));
        bool want = tc_str_eq(expect, TC_STR("accept")) && !is_refused_on_purpose(id);
        count++;
        if (!tc_str_eq(expect, TC_STR("either")) && accepted != want) {
            print_error("%.*s: %s\n", TC_ARG(id), accepted ? "accepted" : "refused");
            wrong++;
        }
        json_decref(entry);
    }
    free(line);
    fclose(file);
    assert_true(count > 100);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_emitter_places_commas_and_escapes),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(unknown_members_are_named),
        cmocka_unit_test(mistakes_name_line_and_column),
        cmocka_unit_test(the_json_test_suite_is_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
