#include "watcher/text/blocks.h"

#include "watcher/text/sentence.h"
#include "watcher/text/utf8.h"
#include "watcher/text/words.h"

enum {
    WRAP_COLUMNS = 110,   // hard-wrapped lines are shorter
    WRAP_LEAST = 40,      // narrower columns are lists
    WRAP_SLACK = 2,       // columns that wrapped lines may leave free beyond the next word
    WRAP_GOOD = 60,       // of 100 pairs of lines that must look wrapped
    WRAP_RUNNING = 25,    // of 100 that must go on with a small letter
    WRAP_LONG = 10,       // of 100 lines that may be longer
    SENTENCE_BYTES = 160, // a block of this size is text even without a full stop
    TAB = 8,
};

static bool is_space(const char *p, const char *end, size_t *len, uint32_t *cp)
{
    enum unicode_class class = words_class_at(p, end, len, cp);
    return class == CLASS_SPACE || *cp == 0xFEFF || *cp == 0x200B;
}

static bool is_graphic(char c)
{
    return c > ' ' && c < '\x7f';
}

static unsigned columns(uint32_t cp)
{
    return cp == '\t' ? TAB : cp == 0x3000 ? 2 : cp == 0xFEFF || cp == '\r' ? 0 : 1;
}

// Strips white space off a line. False when nothing is left.
static bool trim(tc_str text, size_t from, size_t to, struct block *out)
{
    const char *p = text.ptr + from, *end = text.ptr + to;
    size_t len, indent = 0;
    uint32_t cp;
    while (p < end && !is_graphic(*p) && is_space(p, end, &len, &cp)) {
        indent += columns(cp);
        p += len;
    }
    while (end > p && !is_graphic(end[-1])) {
        const char *last = utf8_back(p, end);
        if (!is_space(last, end, &len, &cp))
            break;
        end = last;
    }
    out->from = (uint32_t)(p - text.ptr);
    out->to = (uint32_t)(end - text.ptr);
    out->indent = (uint16_t)(indent > UINT16_MAX ? UINT16_MAX : indent);
    return p < end;
}

// The lines with anything in them, as blocks.
static void split(const struct marks *marks, struct tc_arena *arena, struct blocks *out)
{
    tc_str text = marks->text;
    uint32_t number = 0;
    uint16_t blanks = 0;
    out->count = 0;
    out->list = tc_arena_room(arena, (marks->lines + 1) * sizeof *out->list);
    for (size_t from = 0; from < text.len; number++) {
        size_t to = marks_find(marks->line, from, text.len);
        struct block *block = &out->list[out->count];
        *block = (struct block){0};
        if (trim(text, from, to, block)) {
            block->line = block->last_line = number + 1;
            block->blanks = blanks;
            blanks = 0;
            out->count++;
        } else if (blanks < UINT16_MAX) {
            blanks++;
        }
        from = to + 1;
    }
}

static uint32_t characters(const struct marks *marks, const struct block *block)
{
    uint32_t count = block->to - block->from;
    if (marks->ascii || count > WRAP_COLUMNS * UTF8_MOST)
        return count; // or so many that they are too many
    for (size_t at = block->from; at < block->to; at += MARKS_WINDOW) {
        uint64_t inner = marks_bits(marks->high, at) & ~marks_bits(marks->lead, at);
        if (block->to - at < MARKS_WINDOW)
            inner &= marks_low(block->to - at);
        count -= (uint32_t)__builtin_popcountll(inner);
    }
    return count;
}

static size_t first_word(const struct marks *marks, const struct block *block)
{
    tc_str text = marks->text;
    size_t i = marks_find(marks->blank, block->from, block->to); // a tab is no end here
    while (i < block->to && text.ptr[i] != ' ')
        i++;
    return i - block->from;
}

static bool begins_small(tc_str text, const struct block *block)
{
    uint32_t cp;
    utf8_next(text.ptr + block->from, text.ptr + block->to, &cp);
    return (unicode_cell_of(cp) & UNICODE_LOWER) != 0;
}

static bool ends_sentence(tc_str text, const struct block *block)
{
    return sentence_ends(tc_str_cut(text, block->from, block->to));
}

static uint16_t least_indent(const struct blocks *blocks)
{
    uint16_t least = UINT16_MAX;
    for (size_t i = 0; i < blocks->count; i++)
        if (blocks->list[i].indent < least)
            least = blocks->list[i].indent;
    return least;
}

static bool runs_on(const struct block *next, uint16_t margin)
{
    return next->blanks == 0 && next->indent <= margin;
}

// The longest line that may be wrapped; 0 when too many lines are longer.
static size_t wrap_width(const struct marks *marks, struct blocks *blocks)
{
    size_t width = 0, longer = 0;
    for (size_t i = 0; i < blocks->count; i++) {
        uint32_t len = blocks->list[i].characters = characters(marks, &blocks->list[i]);
        if (len > WRAP_COLUMNS)
            longer++;
        else if (len > width)
            width = len;
    }
    return longer * 100 > blocks->count * WRAP_LONG ? 0 : width;
}

static bool ends_small(tc_str text, const struct block *block)
{
    uint32_t cp;
    const char *end = text.ptr + block->to;
    utf8_next(utf8_back(text.ptr + block->from, end), end, &cp);
    return cp == ',' || (unicode_cell_of(cp) & UNICODE_LOWER) != 0;
}

// A pair of lines looks wrapped when the next word had no room on the first line, or when the
// second goes on in the middle of a sentence. Lists of headlines may also have lines of one
// length, so some pairs have to run on: from or into small letters. The first line does not count
// against it: wires print it short, behind a dateline that is gone.
static bool is_wrapped(const struct marks *marks, struct blocks *blocks, uint16_t margin)
{
    tc_str text = marks->text;
    size_t width = wrap_width(marks, blocks), pairs = 0, good = 0, running = 0;
    for (size_t i = 0; width >= WRAP_LEAST && i + 1 < blocks->count; i++) {
        const struct block *line = &blocks->list[i], *next = line + 1;
        if (!runs_on(next, margin))
            continue;
        bool open = !ends_sentence(text, line);
        bool full = line->characters + 1 + first_word(marks, next) + WRAP_SLACK >= width;
        bool small = open && (begins_small(text, next) || (full && ends_small(text, line)));
        if (i == 0 && open && !small && !full)
            continue;
        pairs++;
        good += small || full;
        running += small;
    }
    return pairs && good * 100 >= pairs * WRAP_GOOD && running * 100 >= pairs * WRAP_RUNNING;
}

// Joins lines that run on, in place.
static void unwrap(struct blocks *blocks, uint16_t margin)
{
    size_t kept = 0;
    for (size_t i = 1; i < blocks->count; i++) {
        struct block *last = &blocks->list[kept], *line = &blocks->list[i];
        if (runs_on(line, margin)) {
            last->to = line->to;
            last->last_line = line->last_line;
        } else {
            blocks->list[++kept] = *line;
        }
    }
    blocks->count = kept + 1;
}

// Whether blocks first..last hold a whole sentence.
static bool tells_something(tc_str text, const struct blocks *blocks, size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++) {
        const struct block *block = &blocks->list[i];
        if (block->to - block->from >= SENTENCE_BYTES || ends_sentence(text, block))
            return true;
    }
    return false;
}

static void number_segments(tc_str text, struct blocks *blocks)
{
    uint32_t segment = 0;
    size_t first = 0; // of the segment that grows
    for (size_t i = 0; i < blocks->count; i++) {
        bool gap = i > 0 && blocks->list[i].blanks >= 2;
        if (gap && tells_something(text, blocks, first, i - 1)) {
            segment++;
            first = i;
        }
        blocks->list[i].segment = segment;
    }
    if (segment > 0 && !tells_something(text, blocks, first, blocks->count - 1)) {
        segment--;
        for (size_t i = first; i < blocks->count; i++)
            blocks->list[i].segment = segment;
    }
    blocks->segments = segment + 1;
}

void blocks_read(const struct marks *marks, bool page, struct tc_arena *arena, struct blocks *out)
{
    *out = (struct blocks){0};
    split(marks, arena, out);
    if (out->count == 0)
        return;
    out->segments = 1;
    uint16_t margin = least_indent(out);
    if (is_wrapped(marks, out, margin))
        unwrap(out, margin);
    if (page)
        number_segments(marks->text, out);
}
