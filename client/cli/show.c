#include "client/cli/show.h"
#include "client/cli/cli.h"
#include "common/clock.h"

#include <inttypes.h>
#include <limits.h>
#include <time.h>
#include <wchar.h>

enum { TIME_BYTES = 32, INDENT = 4 };

#define OPEN_MARK 0x27E6  // ⟦
#define CLOSE_MARK 0x27E7 // ⟧
#define MARK_ON CLI_BOLD CLI_YELLOW

struct show show_for_stdout(void)
{
    return (struct show){.colour = cli_colour(stdout), .width = cli_width(stdout)};
}

// --- one character ---

struct glyph {
    wchar_t code;
    int columns;
    size_t bytes;
};

// Directions and line ends that a terminal would obey: nothing from outside may move the cursor or
// turn the text around.
static bool is_control(wchar_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

// Reads one character. A control character becomes a blank, a byte that is no UTF-8 U+FFFD.
static struct glyph next_glyph(tc_str *rest)
{
    mbstate_t state = {0};
    wchar_t code = 0;
    size_t bytes = mbrtowc(&code, rest->ptr, rest->len, &state);
    if (bytes == 0 || bytes > rest->len) {
        bytes = 1;
        code = rest->ptr[0] ? 0xfffd : ' ';
    }
    *rest = tc_str_cut(*rest, bytes, rest->len);
    if (is_control(code))
        code = ' ';
    int columns = wcwidth(code);
    return (struct glyph){.code = code, .columns = columns < 0 ? 1 : columns, .bytes = bytes};
}

static void add_glyph(struct tc_buf *out, wchar_t code)
{
    char bytes[MB_LEN_MAX];
    mbstate_t state = {0};
    size_t len = wcrtomb(bytes, code, &state);
    if (len != (size_t)-1)
        tc_buf_add(out, bytes, len);
    else
        tc_buf_byte(out, '?');
}

// --- wrapping ---

struct wrap {
    const struct show *show;
    struct tc_buf *out;
    int indent, column;
    bool begun, blank, lit; // a line was begun; a blank waits; the text so far ends highlighted
    struct tc_buf word;     // what must not be broken, not yet put out
    int word_columns;
    bool word_lit; // highlighted at the end of the word
    wchar_t last;  // its last character
    int last_columns;
};

static void begin_line(struct wrap *wrap)
{
    for (int i = 0; i < wrap->indent; i++)
        tc_buf_byte(wrap->out, ' ');
    wrap->begun = true;
    wrap->column = 0;
}

static void break_line(struct wrap *wrap)
{
    bool relight = wrap->lit && wrap->show->colour;
    if (relight)
        tc_buf_puts(wrap->out, CLI_PLAIN);
    tc_buf_byte(wrap->out, '\n');
    begin_line(wrap);
    if (relight)
        tc_buf_puts(wrap->out, MARK_ON);
}

static void flush_word(struct wrap *wrap)
{
    int room = wrap->show->width - wrap->indent;
    int need = wrap->word_columns + wrap->blank;
    if (wrap->word.len == 0)
        return;
    if (!wrap->begun)
        begin_line(wrap);
    else if (wrap->column > 0 && wrap->column + need > room)
        break_line(wrap);
    else if (wrap->column > 0 && wrap->blank) {
        tc_buf_byte(wrap->out, ' ');
        wrap->column++;
    }
    tc_buf_str(wrap->out, tc_buf_view(&wrap->word));
    wrap->column += wrap->word_columns;
    wrap->lit = wrap->word_lit;
    wrap->blank = false;
    wrap->word_columns = 0;
    tc_buf_clear(&wrap->word);
}

static bool is_one_of(wchar_t code, const wchar_t *set)
{
    return wcschr(set, code) != NULL;
}

// Scripts without blanks may be broken between any two characters, but no line begins with a full
// stop or a closing bracket, and none ends with an opening one.
static bool may_break(const struct wrap *wrap, struct glyph glyph)
{
    static const wchar_t never_first[] = L"、。，．！？：；」』）】》〉〕”’…⟧";
    static const wchar_t never_last[] = L"「『（【《〈〔“‘⟦";
    if (wrap->word.len == 0 || (wrap->last_columns != 2 && glyph.columns != 2))
        return false;
    return !is_one_of(glyph.code, never_first) && !is_one_of(wrap->last, never_last);
}

static void put(struct wrap *wrap, struct glyph glyph)
{
    bool mark = glyph.code == OPEN_MARK || glyph.code == CLOSE_MARK;
    if (glyph.code == ' ') {
        flush_word(wrap);
        wrap->blank = true;
        wrap->last_columns = 0;
        return;
    }
    if (may_break(wrap, glyph) || (glyph.code == OPEN_MARK && wrap->last_columns == 2))
        flush_word(wrap);
    if (mark)
        wrap->word_lit = glyph.code == OPEN_MARK;
    if (mark && wrap->show->colour) {
        tc_buf_puts(&wrap->word, wrap->word_lit ? MARK_ON : CLI_PLAIN);
    } else {
        add_glyph(&wrap->word, glyph.code);
        wrap->word_columns += glyph.columns;
    }
    wrap->last = glyph.code;
    wrap->last_columns = mark ? 0 : glyph.columns;
}

void show_text(const struct show *show, const char *text, int indent, struct tc_buf *out)
{
    struct wrap wrap = {.show = show, .out = out, .indent = indent};
    tc_str rest = tc_str_of(text);
    while (rest.len > 0)
        put(&wrap, next_glyph(&rest));
    flush_word(&wrap);
    if (wrap.lit && show->colour)
        tc_buf_puts(out, CLI_PLAIN);
    if (wrap.begun)
        tc_buf_byte(out, '\n');
    tc_buf_done(&wrap.word);
}

void show_plain(const char *text, struct tc_buf *out)
{
    tc_str rest = tc_str_of(text);
    while (rest.len > 0)
        add_glyph(out, next_glyph(&rest).code);
}

// --- an alert ---

void show_time(const char *rfc3339, struct tc_buf *out)
{
    int64_t wall_ns = 0;
    struct tm local;
    char text[TIME_BYTES];
    if (!tc_time_read(tc_str_of(rfc3339), &wall_ns)) {
        show_plain(rfc3339, out);
        return;
    }
    time_t seconds = (time_t)(wall_ns / TC_SECOND);
    localtime_r(&seconds, &local);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    tc_buf_puts(out, text);
}

const char *show_severity(const char *severity)
{
    static const struct {
        const char *name, *colour;
    } known[] = {
        {"critical", CLI_BOLD CLI_RED},
        {"emergency", CLI_BOLD CLI_RED},
        {"high", CLI_RED},
        {"medium", CLI_YELLOW},
        {"warning", CLI_YELLOW},
        {"low", CLI_GREEN},
        {"info", CLI_CYAN},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, severity))
            return known[i].colour;
    return CLI_CYAN;
}

// Text in a colour, where colours are wanted.
static void paint(const struct show *show, const char *colour, const char *text, struct tc_buf *out)
{
    if (show->colour)
        tc_buf_puts(out, colour);
    show_plain(text, out);
    if (show->colour)
        tc_buf_puts(out, CLI_PLAIN);
}

static void headline(const struct show *show, const struct tocsin_event *alert, struct tc_buf *out)
{
    if (show->colour)
        tc_buf_puts(out, CLI_DIM);
    show_time(alert->time, out);
    if (show->colour)
        tc_buf_puts(out, CLI_PLAIN);
    tc_buf_puts(out, "  ");
    paint(show, show_severity(alert->severity), alert->severity, out);
    tc_buf_puts(out, "  ");
    paint(show, CLI_BOLD, alert->watch, out);
    if (alert->seq > 0)
        tc_buf_addf(out, "  #%" PRIu64, alert->seq);
    tc_buf_byte(out, '\n');
}

// Who, in which language, where: what is known of it.
static void origin(const struct tocsin_event *alert, struct tc_buf *out)
{
    const char *const parts[] = {alert->source, alert->language, alert->url};
    bool any = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i][0])
            continue;
        if (any)
            tc_buf_puts(out, " · ");
        show_plain(parts[i], out);
        any = true;
    }
    if (any)
        tc_buf_byte(out, '\n');
}

void show_alert(const struct show *show, const struct tocsin_event *alert, struct tc_buf *out)
{
    headline(show, alert, out);
    if (show->colour)
        tc_buf_puts(out, CLI_BOLD);
    show_text(show, alert->title[0] ? alert->title : alert->article, 0, out);
    if (show->colour)
        tc_buf_puts(out, CLI_PLAIN);
    origin(alert, out);
    show_text(show, alert->excerpt, INDENT, out);
    tc_buf_byte(out, '\n');
}
