#include "watcher/match/regexp/regexp.h"

#include "common/utf8.h"
#include "watcher/match/regexp/parts.h"

// A reader by recursive descent, one function a rule of Lucene's grammar. After the first mistake
// more() says that nothing is left, so that every loop ends.

struct reader {
    tc_str text;
    size_t at;
    struct tc_arena *arena;
    uint32_t parts;
    int depth;
    const char *wrong; // the first mistake
    size_t wrong_at;
};

static struct regexp_part *read_union(struct reader *reader);

static void mistake(struct reader *reader, const char *why)
{
    if (reader->wrong)
        return;
    reader->wrong = why;
    reader->wrong_at = reader->at;
}

static bool more(const struct reader *reader)
{
    return reader->at < reader->text.len && !reader->wrong;
}

static bool peek(const struct reader *reader, const char *letters)
{
    char c = more(reader) ? reader->text.ptr[reader->at] : '\0';
    return c && strchr(letters, c);
}

static bool take(struct reader *reader, char letter)
{
    if (!more(reader) || reader->text.ptr[reader->at] != letter)
        return false;
    reader->at++;
    return true;
}

// ---- parts ---------------------------------------------------------------------------------

static struct regexp_part *new_part(struct reader *reader, enum regexp_kind kind)
{
    struct regexp_part *part = tc_arena_take(reader->arena, sizeof *part);
    *part = (struct regexp_part){.kind = kind, .number = reader->parts++};
    if (reader->parts > REGEXP_PARTS_MOST)
        mistake(reader, "the expression has too many parts");
    return part;
}

static struct regexp_part *new_pair(struct reader *reader, enum regexp_kind kind,
                                    struct regexp_part *left, struct regexp_part *right)
{
    struct regexp_part *part = new_part(reader, kind);
    part->left = left;
    part->right = right;
    return part;
}

static void add_range(struct reader *reader, struct regexp_part *part, uint32_t from, uint32_t to)
{
    struct regexp_range *range = tc_arena_take(reader->arena, sizeof *range);
    *range = (struct regexp_range){from, to, part->ranges};
    part->ranges = range;
}

// One letter, after a backslash any.
static uint32_t read_letter(struct reader *reader)
{
    take(reader, '\\');
    if (!more(reader)) {
        mistake(reader, "it ends too early");
        return 0;
    }
    return tc_utf8_next(reader->text, &reader->at);
}

static struct regexp_part *read_class(struct reader *reader)
{
    struct regexp_part *part = new_part(reader, PART_CLASS);
    part->negated = take(reader, '^');
    do {
        uint32_t from = read_letter(reader), to = from;
        if (take(reader, '-'))
            to = read_letter(reader);
        if (from > to)
            mistake(reader, "a range of letters runs backwards");
        add_range(reader, part, from, to);
    } while (more(reader) && !peek(reader, "]"));
    if (!take(reader, ']'))
        mistake(reader, "\"]\" is missing");
    return part;
}

// Behind the opening quote.
static struct regexp_part *read_string(struct reader *reader)
{
    size_t at = reader->at;
    struct regexp_part *part = new_part(reader, PART_STRING);
    while (more(reader) && !peek(reader, "\""))
        reader->at++;
    tc_str text = tc_str_cut(reader->text, 0, reader->at);
    if (!take(reader, '"'))
        mistake(reader, "a quote is missing");
    uint32_t *letters = tc_arena_take(reader->arena, (text.len - at + 1) * sizeof *letters);
    while (at < text.len)
        letters[part->letter_count++] = tc_utf8_next(text, &at);
    part->letters = letters;
    return part;
}

// Behind "<".
static struct regexp_part *read_number(struct reader *reader)
{
    struct regexp_part *part = new_part(reader, PART_NUMBER);
    size_t from = reader->at;
    while (more(reader) && !peek(reader, ">"))
        reader->at++;
    tc_str low = tc_str_cut(reader->text, from, reader->at), high = {NULL, 0};
    const char *minus = low.len ? memchr(low.ptr, '-', low.len) : NULL;
    if (minus) {
        high = tc_str_cut(low, (size_t)(minus - low.ptr) + 1, low.len);
        low = tc_str_cut(low, 0, (size_t)(minus - low.ptr));
    }
    if (!take(reader, '>'))
        mistake(reader, "\">\" is missing");
    else if (!tc_str_u64(low, &part->low) || !tc_str_u64(high, &part->high) ||
             part->low > INT32_MAX || part->high > INT32_MAX)
        mistake(reader, "an interval is written <1-31>");
    if (part->low > part->high) {
        uint64_t swap = part->low;
        part->low = part->high;
        part->high = swap;
    }
    part->least = low.len == high.len ? (int)low.len : 0;
    return part;
}

// Behind "(".
static struct regexp_part *read_group(struct reader *reader)
{
    if (take(reader, ')'))
        return new_part(reader, PART_STRING);
    struct regexp_part *part = read_union(reader);
    if (!take(reader, ')'))
        mistake(reader, "\")\" is missing");
    return part;
}

static struct regexp_part *read_plain(struct reader *reader)
{
    struct regexp_part *part = new_part(reader, PART_CLASS);
    uint32_t letter = read_letter(reader);
    add_range(reader, part, letter, letter);
    return part;
}

static struct regexp_part *read_any_letter(struct reader *reader)
{
    struct regexp_part *part = new_part(reader, PART_CLASS);
    part->negated = true;
    return part;
}

static struct regexp_part *read_simple(struct reader *reader)
{
    if (take(reader, '['))
        return read_class(reader);
    if (take(reader, '.'))
        return read_any_letter(reader);
    if (take(reader, '#'))
        return new_part(reader, PART_NOTHING);
    if (take(reader, '@'))
        return new_part(reader, PART_ANY);
    if (take(reader, '"'))
        return read_string(reader);
    if (take(reader, '('))
        return read_group(reader);
    if (take(reader, '<'))
        return read_number(reader);
    return read_plain(reader);
}

static struct regexp_part *read_complement(struct reader *reader)
{
    size_t nots = 0;
    while (take(reader, '~'))
        nots++;
    struct regexp_part *part = read_simple(reader);
    while (nots-- > 0 && !reader->wrong)
        part = new_pair(reader, PART_NOT, part, NULL);
    return part;
}

static bool read_count(struct reader *reader, int *out)
{
    size_t from = reader->at;
    uint64_t number = 0;
    while (peek(reader, "0123456789"))
        reader->at++;
    if (reader->at == from)
        return false;
    if (!tc_str_u64(tc_str_cut(reader->text, from, reader->at), &number) ||
        number > REGEXP_REPEAT_MOST) {
        mistake(reader, "a part is repeated at most 1000 times");
        return true;
    }
    *out = (int)number;
    return true;
}

// Behind "{".
static void read_bounds(struct reader *reader, struct regexp_part *part)
{
    if (!read_count(reader, &part->least))
        mistake(reader, "a number is missing");
    part->most = part->least;
    if (take(reader, ',') && !read_count(reader, &part->most))
        part->most = REGEXP_NO_MOST;
    if (!take(reader, '}'))
        mistake(reader, "\"}\" is missing");
}

static struct regexp_part *read_repeat(struct reader *reader)
{
    struct regexp_part *part = read_complement(reader);
    while (peek(reader, "?*+{")) {
        part = new_pair(reader, PART_REPEAT, part, NULL);
        part->most = REGEXP_NO_MOST;
        if (take(reader, '?'))
            part->most = 1;
        else if (take(reader, '+'))
            part->least = 1;
        else if (take(reader, '{'))
            read_bounds(reader, part);
        else
            take(reader, '*');
    }
    return part;
}

static struct regexp_part *read_concat(struct reader *reader)
{
    struct regexp_part *part = read_repeat(reader);
    while (more(reader) && !peek(reader, ")|&"))
        part = new_pair(reader, PART_CONCAT, part, read_repeat(reader));
    return part;
}

static struct regexp_part *read_both(struct reader *reader)
{
    struct regexp_part *part = read_concat(reader);
    while (take(reader, '&'))
        part = new_pair(reader, PART_BOTH, part, read_concat(reader));
    return part;
}

static struct regexp_part *read_union(struct reader *reader)
{
    if (++reader->depth > REGEXP_DEPTH_MOST)
        mistake(reader, "parentheses are nested too deep");
    struct regexp_part *part = read_both(reader);
    while (take(reader, '|'))
        part = new_pair(reader, PART_UNION, part, read_both(reader));
    reader->depth--;
    return part;
}

const struct regexp *regexp_read(tc_str text, struct tc_arena *arena, const char **wrong,
                                 size_t *at)
{
    struct reader reader = {.text = text, .arena = arena};
    struct regexp *regexp = tc_arena_take(arena, sizeof *regexp);
    regexp->root = text.len ? read_union(&reader) : new_part(&reader, PART_STRING);
    if (more(&reader))
        mistake(&reader, "the end was expected here");
    regexp->parts = reader.parts;
    *wrong = reader.wrong;
    *at = reader.wrong_at;
    return reader.wrong ? NULL : regexp;
}
