#include "common/buf.h"
#include "common/clock.h"
#include "common/utf8.h"
#include "common/yaml_parts.h"

#include <stdarg.h>
#include <stdio.h>

// --- showing mistakes ---

int yaml_line_of(const struct tc_yaml_file *file, size_t offset)
{
    int low = 0, high = file->line_count; // the line is in low..high-1
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (file->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

tc_str yaml_line(const struct tc_yaml_file *file, int number)
{
    if (number < 1 || number > file->line_count)
        return (tc_str){"", 0};
    tc_str rest = tc_str_cut(file->text, file->line_starts[number - 1], file->text.len);
    return tc_line_at(rest, 1);
}

static bool is_full(const struct tc_diags *diags, enum tc_severity severity)
{
    size_t kept = severity == TC_DIAG_ERROR ? tc_diags_errors(diags) : tc_diags_count(diags);
    return kept >= TC_DIAG_MOST;
}

void yaml_mistake_add(const struct tc_yaml_file *file, const struct yaml_mistake *mistake,
                      struct tc_diags *diags)
{
    struct tc_diag diag = {
        .severity = mistake->severity,
        .code = mistake->code,
        .file = file->name,
        .message = mistake->message,
        .help = mistake->help,
        .line = 1,
        .column = 1,
        .width = 1,
    };
    if (!is_full(diags, mistake->severity)) {
        diag.line = yaml_line_of(file, mistake->from);
        diag.source = yaml_line(file, diag.line);
        size_t start = file->line_starts[diag.line - 1];
        size_t from = mistake->from - start, to = mistake->to > start ? mistake->to - start : 0;
        size_t width = tc_utf8_count(tc_str_cut(diag.source, from, to));
        diag.column = (int)tc_utf8_count(tc_str_cut(diag.source, 0, from)) + 1;
        diag.width = width ? (int)width : 1;
    }
    tc_diags_add(diags, &diag);
}

// The byte where a node begins. Positions are kept as line and column, which people ask for more.
static size_t node_start(const struct tc_yaml *node)
{
    tc_str line = yaml_line(node->file, node->line);
    size_t at = 0;
    for (int column = 1; column < node->column && at < line.len; column++)
        tc_utf8_next(line, &at);
    return node->file->line_starts[node->line - 1] + at;
}

static void wrong_node(const struct tc_yaml *node, const char *code, struct tc_diags *diags,
                       tc_str help, tc_str message)
{
    size_t from = is_full(diags, TC_DIAG_ERROR) ? 0 : node_start(node), to = from + 1;
    if (node->kind == TC_YAML_SCALAR && !node->block)
        to = node->places[node->text.len] + (node->quoted ? 1 : 0);
    struct yaml_mistake mistake = {
        .code = code,
        .from = from,
        .to = to,
        .help = help,
        .message = message,
    };
    yaml_mistake_add(node->file, &mistake, diags);
}

void tc_yaml_wrong(const struct tc_yaml *node, const char *code, struct tc_diags *diags,
                   const char *help, const char *format, ...)
{
    char message[TC_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    wrong_node(node, code, diags, tc_str_of(help), tc_str_of(message));
}

// Behind the last byte in the file of what gave byte `at` of a scalar: an escape is longer than what
// it stands for. What follows may stand on another line, so its beginning is no end otherwise.
static size_t end_of(const struct tc_yaml *scalar, size_t at)
{
    size_t from = scalar->places[at], next = scalar->places[at + 1];
    tc_str source = tc_str_cut(scalar->file->text, from, next);
    bool escape = scalar->quoted && source.len > 1 && source.ptr[0] == '\\';
    return escape && !memchr(source.ptr, '\n', source.len) ? next : from + 1;
}

void tc_yaml_wrong_span(const struct tc_yaml *scalar, size_t from, size_t to,
                        enum tc_severity severity, const char *code, struct tc_diags *diags,
                        tc_str help, tc_str message)
{
    tc_str text = scalar->text;
    if (to > text.len)
        to = text.len;
    if (from > to)
        from = to;
    // What is missing at the end is missed behind the last word, not on the line after it.
    bool behind = from == to && tc_str_trim(tc_str_cut(text, from, text.len)).len == 0;
    while (behind && from > 0 && strchr(" \t\n", text.ptr[from - 1]))
        to = --from;
    behind = behind && from > 0;
    struct yaml_mistake mistake = {
        .severity = severity,
        .code = code,
        .help = help,
        .message = message,
    };
    mistake.from = behind ? (size_t)scalar->places[from - 1] + 1 : scalar->places[from];
    mistake.to = to > from ? end_of(scalar, to - 1) : mistake.from;
    yaml_mistake_add(scalar->file, &mistake, diags);
}

// --- asking the tree ---

const struct tc_yaml *tc_yaml_get(const struct tc_yaml *map, const char *key)
{
    tc_str wanted = tc_str_of(key);
    for (size_t i = 0; map && map->kind == TC_YAML_MAP && i < map->count; i++) {
        if (tc_str_eq(map->keys[i].text, wanted))
            return &map->items[i];
    }
    return NULL;
}

static bool is_known(tc_str word, const char *const *known, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tc_str_eq(word, tc_str_of(known[i])))
            return true;
    }
    return false;
}

size_t tc_yaml_only(const struct tc_yaml *map, const char *const *known, struct tc_diags *diags)
{
    size_t count = 0, unknown = 0;
    while (known[count])
        count++;
    for (size_t i = 0; map && map->kind == TC_YAML_MAP && i < map->count; i++) {
        const struct tc_yaml *key = &map->keys[i];
        if (is_known(key->text, known, count))
            continue;
        const char *nearest = tc_nearest(key->text, known, count);
        char help[128] = "";
        if (nearest)
            snprintf(help, sizeof help, "did you mean %s?", nearest);
        tc_yaml_wrong(key, "E0115", diags, help, "unknown key \"%.*s\"", TC_ARG(key->text));
        unknown++;
    }
    return unknown;
}

static bool expect_scalar(const struct tc_yaml *node, const char *what, struct tc_diags *diags)
{
    if (node->kind == TC_YAML_SCALAR)
        return true;
    tc_yaml_wrong(node, "E0117", diags, NULL, "expected %s, found a %s", what,
                  node->kind == TC_YAML_LIST ? "list" : "map");
    return false;
}

bool tc_yaml_str(const struct tc_yaml *node, tc_str *out, struct tc_diags *diags)
{
    if (!node)
        return true;
    if (!expect_scalar(node, "text", diags))
        return false;
    *out = node->text;
    return true;
}

bool tc_yaml_bool(const struct tc_yaml *node, bool *out, struct tc_diags *diags)
{
    if (!node)
        return true;
    if (!expect_scalar(node, "true or false", diags))
        return false;
    bool yes = tc_str_eq(node->text, TC_STR("true"));
    if (!yes && !tc_str_eq(node->text, TC_STR("false"))) {
        tc_yaml_wrong(node, "E0117", diags, NULL, "expected true or false, found \"%.*s\"",
                      TC_ARG(node->text));
        return false;
    }
    *out = yes;
    return true;
}

bool tc_yaml_u64(const struct tc_yaml *node, uint64_t least, uint64_t most, uint64_t *out,
                 struct tc_diags *diags)
{
    uint64_t value = 0;
    if (!node)
        return true;
    if (!expect_scalar(node, "a whole number", diags))
        return false;
    if (!tc_str_u64(node->text, &value) || value < least || value > most) {
        tc_yaml_wrong(node, "E0117", diags, NULL,
                      "expected a whole number from %llu to %llu, found \"%.*s\"",
                      (unsigned long long)least, (unsigned long long)most, TC_ARG(node->text));
        return false;
    }
    *out = value;
    return true;
}

bool tc_yaml_duration(const struct tc_yaml *node, int64_t *out_ns, struct tc_diags *diags)
{
    if (!node)
        return true;
    if (!expect_scalar(node, "a duration", diags))
        return false;
    if (!tc_duration_read(node->text, out_ns)) {
        tc_yaml_wrong(node, "E0117", diags, "write a number and its unit: 30s 5m 2h 3d 1w",
                      "\"%.*s\" is no duration", TC_ARG(node->text));
        return false;
    }
    return true;
}

// A number and a unit, a blank between allowed: 64KiB, 4 MiB, 10MB, 512B.
static bool size_read(tc_str text, uint64_t *out)
{
    static const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = {
        {"B", 1},
        {"KiB", UINT64_C(1) << 10},
        {"MiB", UINT64_C(1) << 20},
        {"GiB", UINT64_C(1) << 30},
        {"TiB", UINT64_C(1) << 40},
        {"kB", 1000},
        {"KB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"TB", UINT64_C(1000000000000)},
    };
    size_t digits = 0;
    uint64_t count = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (!tc_str_u64(tc_str_cut(text, 0, digits), &count))
        return false;
    tc_str unit = tc_str_trim(tc_str_cut(text, digits, text.len));
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (tc_str_eq(unit, tc_str_of(units[i].unit)))
            return !__builtin_mul_overflow(count, units[i].bytes, out);
    }
    return false;
}

bool tc_yaml_size(const struct tc_yaml *node, uint64_t *out_bytes, struct tc_diags *diags)
{
    uint64_t bytes = 0;
    if (!node)
        return true;
    if (!expect_scalar(node, "a size", diags))
        return false;
    if (!size_read(node->text, &bytes)) {
        tc_yaml_wrong(node, "E0117", diags, "write a number and its unit: 512B 64KiB 4MiB 1GiB",
                      "\"%.*s\" is no size", TC_ARG(node->text));
        return false;
    }
    *out_bytes = bytes;
    return true;
}
