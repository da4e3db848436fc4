// Any bytes as a YAML file: read or refused, every scalar followed back into the file, every
// mistake printable.

#include "common/buf.h"
#include "common/yaml.h"

#include <stdlib.h>

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void check_scalar(const struct tc_yaml *node, struct tc_diags *diags)
{
    for (size_t i = 0; i <= node->text.len; i++)
        expect(node->places[i] <= node->file->text.len);
    size_t middle = node->text.len / 2;
    tc_yaml_wrong_span(node, middle, node->text.len, TC_DIAG_WARNING, "W0000", diags, TC_STR("h"),
                       TC_STR("m"));
    tc_yaml_wrong(node, "E0000", diags, "help", "wrong");
}

static void check(const struct tc_yaml *node, struct tc_diags *diags)
{
    expect(node->line >= 1 && node->line <= node->file->line_count && node->column >= 1);
    if (node->kind == TC_YAML_SCALAR) {
        check_scalar(node, diags);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == TC_YAML_MAP)
            check(&node->keys[i], diags);
        check(&node->items[i], diags);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const known[] = {"match", "name", NULL};
    struct tc_arena *arena = tc_arena_new();
    struct tc_diags *diags = tc_diags_new();
    struct tc_yaml_file *file = NULL;
    struct tc_buf out = {0};
    int code =
        tc_yaml_read_text(TC_STR("f"), (tc_str){(const char *)data, size}, arena, diags, &file);
    expect((code == TC_OK) == (tc_diags_errors(diags) == 0));
    check(&file->root, diags);
    tc_yaml_only(&file->root, known, diags);
    tc_diags_sort(diags);
    tc_diags_print(diags, true, &out);
    tc_buf_done(&out);
    tc_diags_free(diags);
    tc_arena_free(arena);
    return 0;
}
