// A page to YAML, in one layout: two blanks an indent, a list or map in brackets where its style
// allows and it fits on the line, quotes only where they are needed.
//
// Whatever holds a comment inside is opened, a line an entry, so that every comment has a line to
// stand on.
#include <strings.h>

#include "common/utf8.h"
#include "watcher/rules/fmt.h"

enum { INDENT = 2 };

// ---- scalars -------------------------------------------------------------------------------

static bool is_break(uint32_t c) // of a line, in YAML 1.1
{
    return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool is_printable(uint32_t c)
{
    return c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0) && c != 0xFEFF && c < 0x110000 &&
           (c & 0xFFFE) != 0xFFFE && !is_break(c);
}

static bool is_one_line(tc_str text)
{
    for (size_t i = 0; i < text.len;) {
        if (!is_printable(tc_utf8_next(text, &i)))
            return false;
    }
    return true;
}

bool fmt_is_literal(tc_str text)
{
    size_t lines = 0;
    if (text.len < 2 || strchr(" \t\n", text.ptr[0]) || tc_str_ends(text, TC_STR("\n\n")))
        return false;
    for (size_t i = 0; i < text.len;) {
        uint32_t c = tc_utf8_next(text, &i);
        lines += c == '\n';
        if (c != '\n' && c != '\t' && !is_printable(c))
            return false;
    }
    return lines > 0;
}

// What other readers of YAML take for a number, a boolean or nothing.
static bool is_ambiguous(tc_str text)
{
    static const char *const words[] = {"y",   "n",    "yes",   "no",   "on",
                                        "off", "true", "false", "null", "~"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) == text.len && strncasecmp(words[i], text.ptr, text.len) == 0)
            return true;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!strchr("0123456789.,:+-_eExXoO", text.ptr[i]))
            return false;
    }
    return text.len > 0 && (strchr("0123456789", text.ptr[0]) || strchr("+-.", text.ptr[0]));
}

static bool is_plain(tc_str text, bool flow)
{
    if (text.len == 0 || !is_one_line(text) || tc_str_eq(text, TC_STR("=")) ||
        tc_str_eq(text, TC_STR("<<")) || tc_str_trim(text).len < text.len)
        return false;
    bool number = text.len > 1 && text.ptr[0] == '-' && text.ptr[1] >= '0' && text.ptr[1] <= '9';
    if (!number && strchr("-?:,[]{}#&*!|>'\"%@`", text.ptr[0]))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i], next = i + 1 < text.len ? text.ptr[i + 1] : ' ';
        if ((c == ':' && (flow || next == ' ')) || (c == ' ' && next == '#'))
            return false;
        if (flow && strchr(",[]{}", c))
            return false;
    }
    return true;
}

static void put_escaped(tc_str text, struct tc_buf *out)
{
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        uint32_t c = tc_utf8_next(text, &i);
        if (c == '"' || c == '\\')
            tc_buf_addf(out, "\\%c", (char)c);
        else if (c == '\n')
            tc_buf_puts(out, "\\n");
        else if (c == '\t')
            tc_buf_puts(out, "\\t");
        else if (is_printable(c))
            tc_buf_str(out, tc_str_cut(text, from, i));
        else
            tc_buf_addf(out, c > 0xFFFF ? "\\U%08X" : "\\u%04X", (unsigned)c);
    }
}

static void put_single(tc_str text, struct tc_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            tc_buf_byte(out, '\'');
        tc_buf_byte(out, text.ptr[i]);
    }
}

// Plain, else in double quotes when nothing in it needs a backslash, else in single quotes, else
// with escapes.
static void put_scalar(const struct fmt_value *value, bool flow, struct tc_buf *out)
{
    tc_str text = value->text;
    if (is_plain(text, flow) && !(value->quoted && is_ambiguous(text))) {
        tc_buf_str(out, text);
        return;
    }
    bool escapes = memchr(text.ptr, '"', text.len) || memchr(text.ptr, '\\', text.len);
    bool single = escapes && is_one_line(text);
    tc_buf_byte(out, single ? '\'' : '"');
    if (single)
        put_single(text, out);
    else
        put_escaped(text, out);
    tc_buf_byte(out, single ? '\'' : '"');
}

static void put_key(tc_str key, bool flow, struct tc_buf *out)
{
    struct fmt_value scalar = fmt_scalar(key);
    put_scalar(&scalar, flow, out);
    tc_buf_byte(out, ':');
}

// ---- in brackets ---------------------------------------------------------------------------

static int height(const struct fmt_value *value)
{
    int most = 0;
    for (size_t i = 0; i < value->count; i++) {
        int child = height(&value->entries[i].value);
        most = child > most ? child : most;
    }
    return value->kind == TC_YAML_SCALAR ? 0 : most + 1;
}

static bool is_literal(const struct fmt_value *value)
{
    return value->kind == TC_YAML_SCALAR && value->literal && fmt_is_literal(value->text);
}

static bool has_comments(const struct fmt_entry *entry)
{
    return entry->above.first || entry->behind.first || entry->after.first;
}

// Whether something in it needs lines of its own.
static bool is_open(const struct fmt_value *value)
{
    if (value->kind != TC_YAML_SCALAR && value->count > 0 && value->style == FMT_OPEN)
        return true;
    for (size_t i = 0; i < value->count; i++) {
        const struct fmt_entry *entry = &value->entries[i];
        if (has_comments(entry) || is_literal(&entry->value) || is_open(&entry->value))
            return true;
    }
    return false;
}

static void put_flow(const struct fmt_value *value, struct tc_buf *out)
{
    bool map = value->kind == TC_YAML_MAP;
    if (value->kind == TC_YAML_SCALAR) {
        put_scalar(value, true, out);
        return;
    }
    tc_buf_byte(out, map ? '{' : '[');
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0)
            tc_buf_puts(out, ", ");
        if (map) {
            put_key(value->entries[i].key, true, out);
            tc_buf_byte(out, ' ');
        }
        put_flow(&value->entries[i].value, out);
    }
    tc_buf_byte(out, map ? '}' : ']');
}

// Writes it in brackets behind what stands on the line, if it may stand there.
static bool try_flow(const struct fmt_value *value, size_t column, struct tc_buf *out)
{
    struct tc_buf flow = {0};
    bool fits = value->count == 0;
    if (is_open(value) || (value->style == FMT_LOW && height(value) > FMT_LOW_MOST))
        return false;
    put_flow(value, &flow);
    fits = fits || column + tc_utf8_count(tc_buf_view(&flow)) <= FMT_WIDTH;
    if (fits)
        tc_buf_str(out, tc_buf_view(&flow));
    tc_buf_done(&flow);
    return fits;
}

// ---- lines ---------------------------------------------------------------------------------

static void indent_by(size_t indent, struct tc_buf *out)
{
    for (size_t i = 0; i < indent; i++)
        tc_buf_byte(out, ' ');
}

static void put_blank(struct tc_buf *out)
{
    if (out->len > 1 && !tc_str_ends(tc_buf_view(out), TC_STR("\n\n")))
        tc_buf_byte(out, '\n');
}

static void put_comment(const struct fmt_comment *comment, size_t indent, struct tc_buf *out)
{
    if (comment->blank_above)
        put_blank(out);
    indent_by(indent, out);
    tc_buf_addf(out, "%.*s\n", TC_ARG(comment->text));
}

static void put_comments(const struct fmt_comments *comments, size_t indent, struct tc_buf *out)
{
    for (const struct fmt_comment *c = comments->first; c; c = c->next)
        put_comment(c, indent, out);
}

// The end of a line, with the last of the comments behind the entry.
static void end_line(const struct fmt_entry *entry, struct tc_buf *out)
{
    if (entry->behind.last)
        tc_buf_addf(out, "  %.*s", TC_ARG(entry->behind.last->text));
    tc_buf_byte(out, '\n');
}

static void put_literal(const struct fmt_entry *entry, size_t indent, struct tc_buf *out)
{
    tc_str rest = entry->value.text, line;
    bool ended = tc_str_ends(rest, TC_STR("\n"));
    tc_buf_puts(out, ended ? " |" : " |-");
    rest.len -= ended;
    end_line(entry, out);
    while (tc_str_next(&rest, '\n', &line)) {
        if (line.len > 0)
            indent_by(indent, out);
        tc_buf_addf(out, "%.*s\n", TC_ARG(line));
    }
}

static void put_open(const struct fmt_value *value, size_t indent, bool begun, struct tc_buf *out);

// Whether an item is a map that begins behind its dash, and not in brackets.
static bool is_opened_item(const struct fmt_value *holder, const struct fmt_entry *entry,
                           size_t indent)
{
    const struct fmt_value *value = &entry->value;
    struct tc_buf flow = {0};
    if (holder->kind != TC_YAML_LIST || value->kind != TC_YAML_MAP || value->count == 0)
        return false;
    bool fits = value->style == FMT_FIT && try_flow(value, indent + INDENT, &flow);
    tc_buf_done(&flow);
    return !fits;
}

// Of several comments behind an entry only the last can stay there; an opened item has none behind
// it, and those behind its first key, but for the last, stand above the dash.
static void put_above(const struct fmt_value *holder, const struct fmt_entry *entry, size_t indent,
                      struct tc_buf *out)
{
    bool opened = is_opened_item(holder, entry, indent);
    if (entry->blank_above)
        put_blank(out);
    put_comments(&entry->above, indent, out);
    for (const struct fmt_comment *c = entry->behind.first; c && (c->next || opened); c = c->next)
        put_comment(c, indent, out);
    if (opened)
        put_above(&entry->value, &entry->value.entries[0], indent, out);
    if (entry->blank_below && entry->above.first)
        put_blank(out);
}

// The value of a key whose line has begun with `column` columns.
static void put_value(const struct fmt_entry *entry, size_t indent, size_t column,
                      struct tc_buf *out)
{
    const struct fmt_value *value = &entry->value;
    size_t begun = out->len;
    if (is_literal(value)) {
        put_literal(entry, indent + INDENT, out);
        return;
    }
    tc_buf_byte(out, ' ');
    if (value->kind == TC_YAML_SCALAR)
        put_scalar(value, false, out);
    else if (!try_flow(value, column + 1, out)) {
        out->len = begun;
        end_line(entry, out);
        put_open(value, indent + INDENT, false, out);
        return;
    }
    end_line(entry, out);
}

static void put_key_line(const struct fmt_entry *entry, size_t indent, struct tc_buf *out)
{
    size_t begun = out->len;
    put_key(entry->key, false, out);
    put_value(entry, indent, indent + tc_utf8_count(tc_str_cut(tc_buf_view(out), begun, out->len)),
              out);
}

static void put_item(const struct fmt_value *holder, const struct fmt_entry *entry, size_t indent,
                     struct tc_buf *out)
{
    tc_buf_byte(out, '-');
    if (is_opened_item(holder, entry, indent)) {
        tc_buf_byte(out, ' ');
        put_open(&entry->value, indent + INDENT, true, out);
    } else {
        put_value(entry, indent, indent + 1, out);
    }
}

static void put_entry(const struct fmt_value *holder, const struct fmt_entry *entry, size_t indent,
                      struct tc_buf *out)
{
    if (holder->kind == TC_YAML_MAP)
        put_key_line(entry, indent, out);
    else
        put_item(holder, entry, indent, out);
    put_comments(&entry->after, indent, out);
}

// A line or more for each entry. `begun`: the first one's line has its indent already.
static void put_open(const struct fmt_value *value, size_t indent, bool begun, struct tc_buf *out)
{
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0 || !begun) {
            put_above(value, &value->entries[i], indent, out);
            indent_by(indent, out);
        }
        put_entry(value, &value->entries[i], indent, out);
    }
}

void fmt_write(const struct fmt_page *page, struct tc_buf *out)
{
    put_open(&page->root, 0, false, out);
    put_comments(&page->tail, 0, out);
}
