// Any bytes as a watch file, in YAML and in lines: never crashes, never refuses without a word.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "watcher/rules/rules.h"

static void read_as(const char *path, const uint8_t *bytes, size_t count)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    struct rules *rules = rules_new(&settings);
    struct tc_diags *diags = tc_diags_new();
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0)
        abort();
    int code = rules_add_file(rules, path, diags);
    if ((code == TC_OK) != (tc_diags_errors(diags) == 0))
        abort();
    rules_drop(rules);
    tc_diags_free(diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char yaml[64], lines[64];
    snprintf(yaml, sizeof yaml, "/tmp/rules_fuzz.%d.yaml", (int)getpid());
    snprintf(lines, sizeof lines, "/tmp/rules_fuzz.%d.jsonl", (int)getpid());
    read_as(yaml, bytes, count);
    read_as(lines, bytes, count);
    unlink(yaml);
    unlink(lines);
    return 0;
}
