#include "watcher/match/running.h"

#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/match/expressions.h"
#include "watcher/text/unicode.h"
#include "watcher/text/utf8.h"

#include <endian.h>
#include <stdlib.h>

enum { CLUSTER = 256 }; // bytes of a character with its marks, which NFC looks at together

struct mark { // from here on, original bytes are text bytes and a distance
    uint32_t at, from;
};

struct piece {         // a paragraph
    uint32_t from, to; // in text[]
    uint32_t first_mark;
};

struct found {             // of one expression
    uint32_t first, count; // in spans[]
    bool known;
};

struct running {
    const struct text *text;
    const struct text_segment *segment;
    char *bytes;
    size_t len, room;
    struct mark *marks;
    size_t mark_count, mark_room;
    struct piece *pieces;
    size_t piece_room;
    struct found *found; // by number
    size_t found_room;
    uint32_t *asked; // numbers whose found[] is known
    size_t asked_count, asked_room;
    struct spans spans;
    struct expression_finder finder;
};

struct running *running_new(void)
{
    return tc_new(sizeof(struct running));
}

void running_free(struct running *running)
{
    if (!running)
        return;
    free(running->bytes);
    free(running->marks);
    free(running->pieces);
    free(running->found);
    free(running->asked);
    near_done(&running->spans);
    expression_finder_done(&running->finder);
    free(running);
}

// ---- writing -------------------------------------------------------------------------------------

struct writer {
    struct running *running;
    tc_str original;
    size_t begun;      // of the paragraph, in bytes[]
    size_t last, from; // the character written last: where it begins there, and in the original
};

// What is written next comes from byte `from` of the original.
static void mark(struct running *running, size_t from)
{
    struct mark *last = running->mark_count ? &running->marks[running->mark_count - 1] : NULL;
    if (last && running->len - last->at == from - last->from)
        return;
    if (!last || last->at != running->len)
        running->mark_count++;
    running->marks =
        tc_room(running->marks, running->mark_count, &running->mark_room, sizeof *running->marks);
    running->marks[running->mark_count - 1] = (struct mark){(uint32_t)running->len, (uint32_t)from};
}

static void put(struct writer *writer, size_t from, const char *bytes, size_t len)
{
    struct running *running = writer->running;
    mark(running, from);
    writer->last = running->len;
    writer->from = from;
    memcpy(running->bytes + running->len, bytes, len);
    running->len += len;
}

// One blank for any run of them, none at the beginning of a paragraph.
static void put_blank(struct writer *writer, size_t from)
{
    struct running *running = writer->running;
    if (running->len > writer->begun && running->bytes[running->len - 1] != ' ')
        put(writer, from, " ", 1);
}

// Copies the characters from byte `at` on that are what they are: ASCII, single blanks. Eight at a time, a bit
// for each byte that ends it. Gives how many.
static size_t put_plain(struct writer *writer, size_t at, size_t to)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    struct running *running = writer->running;
    size_t begun = at;
    bool blank = running->len == writer->begun || running->bytes[running->len - 1] == ' ';
    uint64_t carry = blank ? 0x80 : 0;
    if (at + 8 > to)
        return 0;
    mark(running, at);
    for (; at + 8 <= to; at += 8, running->len += 8) {
        uint64_t eight;
        memcpy(&eight, writer->original.ptr + at, 8);
        eight = le64toh(eight);
        uint64_t beyond = eight & high;
        uint64_t control = ~((eight & ~high) + ones * (0x80 - 0x20)) & high;
        uint64_t other = eight ^ ones * 0x20;
        uint64_t blanks = ~(((other & ~high) + ~high) | other) & high;
        if (beyond | control | (blanks & (blanks << 8 | carry)))
            break;
        memcpy(running->bytes + running->len, writer->original.ptr + at, 8);
        carry = blanks >> 56;
    }
    if (at > begun) {
        writer->last = running->len - 1;
        writer->from = at - 1;
    }
    return at - begun;
}

// A character that NFC has to look at, with the one before it and all such behind it. Gives the next byte.
static size_t put_cluster(struct writer *writer, size_t at, size_t to)
{
    struct running *running = writer->running;
    char cluster[CLUSTER], composed[3 * CLUSTER];
    size_t len = 0, from = at;
    if (running->len > writer->begun && running->len - writer->last < CLUSTER / 2) {
        from = writer->from;
        len = running->len - writer->last;
        memcpy(cluster, running->bytes + writer->last, len);
        running->len = writer->last;
    }
    while (at < to && len + UTF8_MOST <= CLUSTER) {
        uint32_t cp;
        size_t bytes = utf8_next(writer->original.ptr + at, writer->original.ptr + to, &cp);
        unsigned cell = unicode_cell_of(cp);
        if (!(cell & (UNICODE_COMPOSES | UNICODE_DROPS)))
            break;
        if (!(cell & UNICODE_DROPS))
            len += tc_utf8_put(cp, cluster + len);
        at += bytes;
    }
    while (running->mark_count && running->marks[running->mark_count - 1].at > running->len)
        running->mark_count--;
    len = utf8_nfc((tc_str){cluster, len}, composed, sizeof composed);
    put(writer, from, composed, len);
    return at;
}

// One character that needs a look. Gives the next byte.
static size_t put_character(struct writer *writer, size_t at, size_t to)
{
    uint32_t cp;
    char repaired[UTF8_MOST];
    const char *bytes = writer->original.ptr + at;
    size_t len = utf8_next(bytes, writer->original.ptr + to, &cp);
    unsigned cell = unicode_cell_of(cp);
    if (unicode_class(cell) == CLASS_SPACE || cp == '\n') {
        put_blank(writer, at);
    } else if (cell & UNICODE_COMPOSES) {
        return put_cluster(writer, at, to);
    } else if (expression_is_quote(cp)) {
        put(writer, at, "\"", 1);
    } else if (cell & UNICODE_MAPS) {
        tc_str plain = unicode_map(cp);
        put(writer, at, plain.ptr, plain.len);
    } else if (cp == UTF8_BAD) {
        put(writer, at, repaired, tc_utf8_put(cp, repaired));
    } else if (!(cell & UNICODE_DROPS)) {
        put(writer, at, bytes, len);
    }
    return at + len;
}

static void put_range(struct writer *writer, size_t at, size_t to)
{
    while (at < to) {
        size_t plain = put_plain(writer, at, to);
        at += plain;
        for (size_t few = 0; at < to && few < 8; few++)
            at = put_character(writer, at, to);
    }
}

// ---- addresses -----------------------------------------------------------------------------------

// Whether something between two words would be one, if it were not part of an address.
static bool holds_letters(tc_str gap)
{
    const char *p = gap.ptr, *end = gap.ptr + gap.len;
    while (p < end) {
        uint32_t cp;
        p += utf8_next(p, end, &cp);
        enum unicode_class class = unicode_class(unicode_cell_of(cp));
        if (class >= CLASS_LETTER && class <= CLASS_COMPLEX)
            return true;
    }
    return false;
}

// A paragraph with addresses: from word to word, leaving out what is none.
static void put_between_addresses(struct writer *writer, const struct text_paragraph *paragraph)
{
    const struct text_word *words = writer->running->segment->words + paragraph->first;
    size_t from = paragraph->start, end = from;
    for (uint32_t i = 0; i < paragraph->count; i++) {
        if (words[i].start > end &&
            holds_letters(tc_str_cut(writer->original, end, words[i].start))) {
            put_range(writer, from, end);
            put_blank(writer, end);
            from = words[i].start;
        }
        end = words[i].end > end ? words[i].end : end;
    }
    bool tail = holds_letters(tc_str_cut(writer->original, end, paragraph->end));
    put_range(writer, from, tail ? end : paragraph->end);
}

// ---- a segment -----------------------------------------------------------------------------------

// NFC makes three bytes of one at most, and a few of the cluster that is held back.
static void make_room(struct running *running, const struct text_segment *segment)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < segment->paragraph_count; i++)
        bytes += segment->paragraphs[i].end - segment->paragraphs[i].start + 2;
    if (3 * bytes + 3 * CLUSTER + EXPRESSIONS_BEHIND > running->room) {
        running->room = 6 * bytes + 3 * CLUSTER + EXPRESSIONS_BEHIND;
        running->bytes = tc_grow(running->bytes, running->room, 1);
    }
    if (segment->paragraph_count > running->piece_room) {
        running->piece_room = 2 * (size_t)segment->paragraph_count;
        running->pieces = tc_grow(running->pieces, running->piece_room, sizeof *running->pieces);
    }
}

static void forget_found(struct running *running, size_t expressions)
{
    for (size_t i = 0; i < running->asked_count; i++)
        running->found[running->asked[i]].known = false;
    running->asked_count = running->spans.count = 0;
    if (expressions > running->found_room) {
        free(running->found);
        running->found_room = 2 * expressions;
        running->found = tc_new(running->found_room * sizeof *running->found);
    }
}

void running_fill(struct running *running, const struct text *text,
                  const struct text_segment *segment, size_t expressions)
{
    const struct article *article = text->article;
    bool addresses = text->url_count > (article->url.len ? 1u : 0u);
    running->text = text;
    running->segment = segment;
    running->len = running->mark_count = 0;
    forget_found(running, expressions);
    make_room(running, segment);
    for (uint32_t i = 0; i < segment->paragraph_count; i++) {
        const struct text_paragraph *paragraph = &segment->paragraphs[i];
        struct writer writer = {.running = running, .begun = running->len};
        struct piece *piece = &running->pieces[i];
        writer.original = paragraph->field == TC_FIELD_TITLE ? article->title : article->body;
        mark(running, paragraph->start);
        piece->first_mark = running->mark_count ? (uint32_t)running->mark_count - 1 : 0;
        piece->from = (uint32_t)running->len;
        if (addresses)
            put_between_addresses(&writer, paragraph);
        else
            put_range(&writer, paragraph->start, paragraph->end);
        if (running->len > writer.begun && running->bytes[running->len - 1] == ' ')
            running->len--;
        piece->to = (uint32_t)running->len;
        running->bytes[running->len++] = '\n';
    }
    memset(running->bytes + running->len, '\n', EXPRESSIONS_BEHIND);
}

tc_str running_text(const struct running *running)
{
    return (tc_str){running->bytes, running->len + EXPRESSIONS_BEHIND};
}

tc_str running_paragraph(const struct running *running, uint32_t paragraph)
{
    const struct piece *piece = &running->pieces[paragraph];
    return (tc_str){running->bytes + piece->from, piece->to - piece->from};
}

// ---- back to words -------------------------------------------------------------------------------

// The byte of the original that a byte of the text came from.
static uint32_t original_of(const struct running *running, uint32_t at)
{
    size_t low = 0, high = running->mark_count;
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;
        if (running->marks[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    uint32_t from = running->marks[low].from + (at - running->marks[low].at);
    // what composed to more bytes than it came from
    if (low + 1 < running->mark_count && from >= running->marks[low + 1].from &&
        running->marks[low + 1].from > running->marks[low].from)
        from = running->marks[low + 1].from - 1;
    return from;
}

// The first word at the position of the last word of a paragraph that begins at byte `at` or before it; the
// paragraph's first when all begin behind.
static uint32_t word_at(const struct text_segment *segment, const struct text_paragraph *paragraph,
                        uint32_t at)
{
    const struct text_word *words = segment->words;
    uint32_t low = paragraph->first, high = paragraph->first + paragraph->count;
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2;
        if (words[middle].start <= at)
            low = middle;
        else
            high = middle;
    }
    while (low > paragraph->first && words[low - 1].position == words[low].position)
        low--;
    return low;
}

// The words that a match touches; one that touches none stands at the word before it.
static struct span span_of(const struct running *running, uint32_t paragraph_number,
                           struct expression_match match)
{
    const struct text_segment *segment = running->segment;
    const struct text_paragraph *paragraph = &segment->paragraphs[paragraph_number];
    uint32_t begin = running->pieces[paragraph_number].from;
    uint32_t from = original_of(running, begin + match.from);
    uint32_t last_byte = original_of(running, begin + match.to - 1);
    struct span span = {word_at(segment, paragraph, from), word_at(segment, paragraph, last_byte)};
    uint32_t next = span.first;
    while (next < paragraph->first + paragraph->count &&
           segment->words[next].position == segment->words[span.first].position)
        next++;
    if (segment->words[span.first].end <= from && span.last > span.first &&
        next < paragraph->first + paragraph->count)
        span.first = next;
    return span;
}

static void find_in(struct running *running, uint32_t paragraph,
                    const struct expression *expression)
{
    const struct expression_match *matches;
    size_t begun = running->spans.count;
    size_t count = expression_find(expression, running_paragraph(running, paragraph),
                                   &running->finder, &matches);
    for (size_t i = 0; i < count; i++) {
        struct span span = span_of(running, paragraph, matches[i]);
        const struct span *last =
            running->spans.count > begun ? &running->spans.at[running->spans.count - 1] : NULL;
        if (!last || last->first != span.first || last->last != span.last)
            near_add(&running->spans, span);
    }
}

size_t running_find_other(struct running *running, const struct expression *expression,
                          const struct span **out)
{
    size_t begun = running->spans.count;
    for (uint32_t i = 0; i < running->segment->paragraph_count; i++)
        find_in(running, i, expression);
    size_t count = running->spans.count - begun;
    *out = count ? running->spans.at + begun : NULL;
    running->spans.count = begun;
    return count;
}

size_t running_find(struct running *running, size_t number, const struct expression *expression,
                    const struct span **out)
{
    struct found *found = &running->found[number];
    if (!found->known) {
        size_t begun = running->spans.count;
        size_t count = running_find_other(running, expression, out);
        running->spans.count = begun + count;
        *found = (struct found){(uint32_t)begun, (uint32_t)count, true};
        running->asked = tc_room(running->asked, running->asked_count, &running->asked_room,
                                 sizeof *running->asked);
        running->asked[running->asked_count++] = (uint32_t)number;
    }
    *out = found->count ? running->spans.at + found->first : NULL;
    return found->count;
}
