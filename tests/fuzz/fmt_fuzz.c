// Any bytes as a watch file: where there is a canonical form, it is its own canonical form, in each
// form of queries. (rules_format() makes sure itself that it means the same.)
#include <stdio.h>
#include <stdlib.h>

#include "watcher/rules/rules.h"

// Whether there is a form; a refusal says why.
static bool format(tc_str text, enum rules_form form, struct tc_buf *out)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    struct tc_diags *diags = tc_diags_new();
    struct tc_err err = {0};
    int code = rules_format("/fuzz.yaml", &text, form, &settings, out, diags, &err);
    if (code == TC_EPARSE ? tc_diags_errors(diags) == 0 : code != TC_OK && err.text[0] == '\0')
        abort();
    if (code == TC_EINVAL && getenv("FMT_FUZZ_STRICT")) {
        fprintf(stderr, "%s\n%.*s\n", err.text, TC_ARG(tc_buf_view(out)));
        abort();
    }
    tc_diags_free(diags);
    return code == TC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static const enum rules_form forms[] = {RULES_FORM_KEEP, RULES_FORM_TEXT, RULES_FORM_TREE};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tc_buf once = {0}, twice = {0};
        if (format((tc_str){(const char *)bytes, count}, forms[i], &once)) {
            bool again = format(tc_buf_view(&once), forms[i], &twice);
            if (!again || !tc_str_eq(tc_buf_view(&once), tc_buf_view(&twice))) {
                fprintf(stderr, "%.*s\n--- and then\n%.*s\n", TC_ARG(tc_buf_view(&once)),
                        TC_ARG(tc_buf_view(&twice)));
                abort();
            }
        }
        tc_buf_done(&once);
        tc_buf_done(&twice);
    }
    return 0;
}
