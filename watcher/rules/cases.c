// Tests inside a watch file, as they are written. tests.c runs them.
#include "watcher/rules/parts.h"

enum { NAME_BYTES_MOST = 60 }; // of a name that is made from a text

static void keep_str(struct rules_reader *reader, const struct tc_yaml *map, const char *key,
                     tc_str *out)
{
    tc_str text = {0};
    const struct tc_yaml *node = tc_yaml_get(map, key);
    if (node && tc_yaml_str(node, &text, reader->diags))
        *out = tc_arena_str(reader->arena, text);
}

static void read_segments(struct rules_reader *reader, const struct tc_yaml *list,
                          struct rules_case *test)
{
    if (!rules_is_list(reader, list, "segments"))
        return;
    uint32_t *numbers = tc_arena_take(reader->arena, (list->count + 1) * sizeof *numbers);
    for (size_t i = 0; i < list->count; i++) {
        uint64_t number = 0;
        tc_yaml_u64(&list->items[i], 0, 100000, &number, reader->diags);
        numbers[i] = (uint32_t)number;
    }
    test->segments = numbers;
    test->segment_count = list->count;
    test->segments_given = true;
}

static void read_expect(struct rules_reader *reader, const struct tc_yaml *map,
                        struct rules_case *test)
{
    static const char *const words[] = {"hit", "none", "story", NULL};
    const struct tc_yaml *node = tc_yaml_get(map, "expect");
    if (!node) {
        tc_yaml_wrong(map, "E0117", reader->diags, "add expect: hit or expect: none",
                      "a test says what it expects");
        return;
    }
    int which = rules_one_of(reader, node, "expectation", words);
    if (which >= 0)
        test->expect = (enum rules_expect)which;
}

// text:, file: or (for stories) files: exactly one of them.
static void check_input(struct rules_reader *reader, const struct tc_yaml *map,
                        const struct rules_case *test)
{
    const struct tc_yaml *files = tc_yaml_get(map, "files");
    int inputs = !!tc_yaml_get(map, "text") + !!tc_yaml_get(map, "file") + !!files;
    if (inputs != 1)
        tc_yaml_wrong(map, "E0117", reader->diags, NULL, "a test has one of text:, file:, files:");
    else if (files && test->expect != RULES_EXPECT_STORY)
        tc_yaml_wrong(files, "E0117", reader->diags, NULL, "files: goes with expect: story");
    else if (!files && test->expect == RULES_EXPECT_STORY)
        tc_yaml_wrong(map, "E0117", reader->diags, NULL, "expect: story needs files:");
    if (test->expect == RULES_EXPECT_HIT)
        return;
    if (test->quote.len > 0 || test->segments_given)
        tc_yaml_wrong(map, "E0117", reader->diags, NULL,
                      "quote: and segments: go with expect: hit");
}

static void check_files(struct rules_reader *reader, const struct tc_yaml *map)
{
    const struct tc_yaml *files = tc_yaml_get(map, "files");
    const struct tc_yaml *stories = tc_yaml_get(map, "stories");
    tc_str text;
    uint64_t number;
    if (rules_is_list(reader, files, "files")) {
        for (size_t i = 0; i < files->count; i++)
            tc_yaml_str(&files->items[i], &text, reader->diags);
    }
    tc_yaml_u64(stories, 1, 1000, &number, reader->diags);
}

static tc_str name_of(struct rules_reader *reader, const struct rules_case *test)
{
    if (test->name.len > 0)
        return test->name;
    if (test->expect == RULES_EXPECT_STORY)
        return TC_STR("story");
    if (test->from_file)
        return test->file;
    size_t end = 0;
    while (end < test->text.len && test->text.ptr[end] != '\n')
        end++;
    if (end <= NAME_BYTES_MOST)
        return tc_str_cut(test->text, 0, end);
    for (end = NAME_BYTES_MOST; end > 0 && test->text.ptr[end] != ' ';)
        end--;
    return tc_arena_printf(reader->arena, "%.*s ...", (int)end, test->text.ptr);
}

static void read_case(struct rules_reader *reader, const struct tc_yaml *map,
                      struct rules_case *test)
{
    static const char *const known[] = {"name",   "text",   "file",  "files",    "title",   "lang",
                                        "source", "expect", "quote", "segments", "stories", NULL};
    if (!rules_is_map(reader, map, "a test"))
        return;
    tc_yaml_only(map, known, reader->diags);
    test->line = map->line;
    test->folder = reader->test_folder;
    test->from_file = tc_yaml_get(map, "file") != NULL;
    keep_str(reader, map, "name", &test->name);
    keep_str(reader, map, "text", &test->text);
    keep_str(reader, map, "file", &test->file);
    keep_str(reader, map, "title", &test->title);
    keep_str(reader, map, "lang", &test->lang);
    keep_str(reader, map, "source", &test->source);
    keep_str(reader, map, "quote", &test->quote);
    read_segments(reader, tc_yaml_get(map, "segments"), test);
    read_expect(reader, map, test);
    check_files(reader, map);
    check_input(reader, map, test);
    test->name = name_of(reader, test);
}

const struct rules_case *rules_read_cases(struct rules_reader *reader, const struct tc_yaml *list,
                                          size_t *count)
{
    *count = 0;
    if (!rules_is_list(reader, list, "tests"))
        return NULL;
    if (list->count > RULES_TESTS_MOST) {
        tc_yaml_wrong(list, "E0117", reader->diags, NULL, "a watch has at most %d tests",
                      RULES_TESTS_MOST);
        return NULL;
    }
    struct rules_case *cases = tc_arena_take(reader->arena, (list->count + 1) * sizeof *cases);
    for (size_t i = 0; i < list->count; i++)
        read_case(reader, &list->items[i], &cases[i]);
    *count = list->count;
    return cases;
}
