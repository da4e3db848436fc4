#include "common/diag.h"

#include "common/buf.h"
#include "common/mem.h"
#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>

// A longer source line is kept up to here; a caret behind that is not drawn. (Watches in bulk
// stand on lines of any length, and 200 of them are kept.)
enum { SOURCE_BYTES = 4096 };

struct kept {
    struct tc_diag diag;
    size_t file_rank; // files in order of first appearance
    size_t order;     // of adding
};

struct tc_diags {
    struct tc_arena *arena;
    struct kept *list;
    size_t count, capacity, order;
    size_t errors, warnings;
};

struct tc_diags *tc_diags_new(void)
{
    struct tc_diags *diags = tc_new(sizeof *diags);
    diags->arena = tc_arena_new();
    return diags;
}

void tc_diags_free(struct tc_diags *diags)
{
    if (!diags)
        return;
    tc_arena_free(diags->arena);
    free(diags->list);
    free(diags);
}

// Where the next mistake is kept. When all places are taken an error takes that of the last
// warning: warnings must not hide what stops the program. NULL when there is none.
static struct kept *place_for(struct tc_diags *diags, enum tc_severity severity)
{
    if (diags->count < TC_DIAG_MOST) {
        diags->list = tc_room(diags->list, diags->count, &diags->capacity, sizeof *diags->list);
        return &diags->list[diags->count++];
    }
    for (size_t i = diags->count; severity == TC_DIAG_ERROR && i-- > 0;) {
        if (diags->list[i].diag.severity == TC_DIAG_WARNING)
            return &diags->list[i];
    }
    return NULL;
}

// A file that is known keeps its rank and its name in memory; a new one comes last.
static void name_file(struct tc_diags *diags, struct kept *place, tc_str file)
{
    size_t rank = 0;
    for (size_t i = 0; i < diags->count; i++) {
        const struct kept *other = &diags->list[i];
        if (other == place)
            continue;
        if (tc_str_eq(other->diag.file, file)) {
            place->diag.file = other->diag.file;
            place->file_rank = other->file_rank;
            return;
        }
        if (other->file_rank >= rank)
            rank = other->file_rank + 1;
    }
    place->diag.file = tc_arena_str(diags->arena, file);
    place->file_rank = rank;
}

void tc_diags_add(struct tc_diags *diags, const struct tc_diag *diag)
{
    if (diag->severity == TC_DIAG_ERROR)
        diags->errors++;
    else
        diags->warnings++;
    struct kept *place = place_for(diags, diag->severity);
    if (!place)
        return;
    *place = (struct kept){.diag = *diag, .order = diags->order++};
    name_file(diags, place, diag->file);
    place->diag.message = tc_arena_str(diags->arena, diag->message);
    place->diag.help = tc_arena_str(diags->arena, diag->help);
    place->diag.source = tc_arena_str(diags->arena, tc_utf8_cut(diag->source, SOURCE_BYTES));
}

void tc_diags_append(struct tc_diags *diags, const struct tc_diags *from)
{
    size_t errors = diags->errors + from->errors, warnings = diags->warnings + from->warnings;
    for (size_t i = 0; i < from->count; i++)
        tc_diags_add(diags, &from->list[i].diag);
    diags->errors = errors; // those that were not kept, too
    diags->warnings = warnings;
}

size_t tc_diags_errors(const struct tc_diags *diags)
{
    return diags->errors;
}

size_t tc_diags_warnings(const struct tc_diags *diags)
{
    return diags->warnings;
}

size_t tc_diags_count(const struct tc_diags *diags)
{
    return diags->count;
}

const struct tc_diag *tc_diags_at(const struct tc_diags *diags, size_t index)
{
    return index < diags->count ? &diags->list[index].diag : NULL;
}

static int by_place(const void *left, const void *right)
{
    const struct kept *a = left, *b = right;
    if (a->file_rank != b->file_rank)
        return a->file_rank < b->file_rank ? -1 : 1;
    if (a->diag.line != b->diag.line)
        return a->diag.line < b->diag.line ? -1 : 1;
    if (a->diag.column != b->diag.column)
        return a->diag.column < b->diag.column ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

void tc_diags_sort(struct tc_diags *diags)
{
    if (diags->count)
        qsort(diags->list, diags->count, sizeof *diags->list, by_place);
}

static const char *paint(bool colour, const char *sequence)
{
    return colour ? sequence : "";
}

static void add_blanks(struct tc_buf *out, int count, char mark)
{
    for (int i = 0; i < count; i++)
        tc_buf_byte(out, mark);
}

// What would move the cursor or colour the terminal: shown as a question mark.
static bool is_control(uint32_t character)
{
    return (character < 0x20 && character != '\t') || (character >= 0x7f && character < 0xa0);
}

static void add_shown(struct tc_buf *out, tc_str line)
{
    for (size_t at = 0; at < line.len;) {
        size_t from = at;
        uint32_t character = tc_utf8_next(line, &at);
        if (is_control(character) || (character == 0xfffd && at - from == 1))
            tc_buf_byte(out, '?');
        else
            tc_buf_add(out, line.ptr + from, at - from);
    }
}

// Blanks up to the caret (tabs stay tabs, so that they end where those above end), the caret, and
// a tilde for every further column.
static void add_caret(struct tc_buf *out, const struct tc_diag *diag)
{
    size_t at = 0;
    int column = 1, under = 0;
    for (; column < diag->column && at < diag->source.len; column++) {
        uint32_t character = tc_utf8_next(diag->source, &at);
        if (character == '\t')
            tc_buf_byte(out, '\t');
        else
            add_blanks(out, is_control(character) ? 1 : tc_utf8_width(character), ' ');
    }
    for (int i = 0; i < diag->width && at < diag->source.len; i++) {
        uint32_t character = tc_utf8_next(diag->source, &at);
        under += is_control(character) ? 1 : tc_utf8_width(character);
    }
    tc_buf_byte(out, '^');
    add_blanks(out, under - 1, '~');
}

static void add_source(struct tc_buf *out, const struct tc_diag *diag, bool colour)
{
    tc_buf_addf(out, "%6d | ", diag->line);
    add_shown(out, diag->source);
    // The caret may stand one behind the last character, where something is missing.
    if (tc_utf8_count(diag->source) + 1 >= (size_t)diag->column) {
        tc_buf_puts(out, "\n       | ");
        tc_buf_puts(out, paint(colour, "\033[1;32m"));
        add_caret(out, diag);
        tc_buf_puts(out, paint(colour, "\033[0m"));
    }
    tc_buf_byte(out, '\n');
}

static void add_help(struct tc_buf *out, tc_str help)
{
    tc_str rest = help, line = {0};
    const char *lead = "  help: ";
    while (tc_str_next(&rest, '\n', &line)) {
        if (!line.len && !rest.ptr)
            break;
        tc_buf_puts(out, lead);
        add_shown(out, line);
        tc_buf_byte(out, '\n');
        lead = "          ";
    }
}

void tc_diag_print(const struct tc_diag *diag, bool colour, struct tc_buf *out)
{
    bool error = diag->severity == TC_DIAG_ERROR;
    tc_buf_puts(out, paint(colour, "\033[1m"));
    add_shown(out, diag->file);
    if (diag->line > 0)
        tc_buf_addf(out, ":%d:%d", diag->line, diag->column > 0 ? diag->column : 1);
    tc_buf_puts(out, ": ");
    tc_buf_puts(out, paint(colour, error ? "\033[31m" : "\033[33m"));
    tc_buf_addf(out, "%s[%s]", error ? "error" : "warning", diag->code);
    tc_buf_puts(out, paint(colour, "\033[0m"));
    tc_buf_puts(out, ": ");
    add_shown(out, diag->message);
    tc_buf_byte(out, '\n');
    if (diag->line > 0 && diag->source.len)
        add_source(out, diag, colour);
    if (diag->help.len)
        add_help(out, diag->help);
}

void tc_diags_print(const struct tc_diags *diags, bool colour, struct tc_buf *out)
{
    for (size_t i = 0; i < diags->count; i++) {
        if (i)
            tc_buf_byte(out, '\n');
        tc_diag_print(&diags->list[i].diag, colour, out);
    }
    size_t all = diags->errors + diags->warnings;
    if (all > diags->count)
        tc_buf_addf(out, "\n%zu more mistakes are not shown\n", all - diags->count);
}

int tc_diags_result(const struct tc_diags *diags, struct tc_err *err)
{
    if (!diags->errors)
        return TC_OK;
    for (size_t i = 0; i < diags->count; i++) {
        const struct tc_diag *diag = &diags->list[i].diag;
        if (diag->severity != TC_DIAG_ERROR)
            continue;
        return tc_fail_at(err, TC_EPARSE, diag->file.ptr, diag->line, diag->column, "%.*s",
                          TC_ARG(diag->message));
    }
    return tc_fail(err, TC_EPARSE, "%zu mistakes", diags->errors); // never: errors are kept first
}

enum { WORD_BYTES = 64 }; // longer words are nobody's typing mistake

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Damerau-Levenshtein distance (optimal string alignment): one for each byte put in, left out,
// changed, or swapped with its neighbour. Case does not count. O(a.len * b.len).
static size_t distance(tc_str a, tc_str b)
{
    size_t rows[3][WORD_BYTES + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char here = lower(a.ptr[i - 1]), there = lower(b.ptr[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (here != there));
            if (i > 1 && j > 1 && here == lower(b.ptr[j - 2]) && there == lower(a.ptr[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b.len];
}

const char *tc_nearest(tc_str word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t nearest_far = 0;
    if (!word.len || word.len > WORD_BYTES)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        tc_str candidate = tc_str_of(candidates[i]);
        if (candidate.len > WORD_BYTES)
            continue;
        size_t longer = word.len > candidate.len ? word.len : candidate.len;
        size_t far = distance(word, candidate);
        if (far > least(longer / 3, 3) || (nearest && far >= nearest_far))
            continue;
        nearest = candidates[i];
        nearest_far = far;
    }
    return nearest;
}

tc_str tc_line_at(tc_str text, int number)
{
    tc_str rest = text, line = {0};
    for (int i = 0; i < number; i++) {
        if (!tc_str_next(&rest, '\n', &line))
            return (tc_str){"", 0};
    }
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}
