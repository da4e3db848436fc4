// From the bytes of a decoded scalar back to the bytes of the file.
//
// libyaml gives a scalar's value and where it begins and ends, not what became of the bytes
// between. This file decodes the scalar once more, one pass per style, and notes for every byte
// it makes where that came from:
//
//   plain, '...', "..."   bytes stand for themselves; a line break with the blanks around it is
//                         folded; '' and \x stand for what they mean
//   |                     every line less its indentation
//   >                     the same, with line breaks folded between lines that are not indented more
//
// Each byte made is compared with libyaml's value. As soon as one differs (the breaks U+0085,
// U+2028 and U+2029 of YAML 1.1, and whatever we have not thought of) the map is given up: all
// bytes then point at the scalar's beginning. A caret in the wrong place is the worst that can
// happen; writing stays inside places[0..value.len] whatever the file says.

#include "common/yaml_parts.h"

#include "common/utf8.h"

struct map {
    tc_str file;
    size_t at, end; // what is left to decode
    tc_str value;   // what it must become
    uint32_t *places;
    size_t made;
    bool differs;
};

static void make(struct map *map, char byte, size_t place)
{
    if (map->differs || map->made >= map->value.len || map->value.ptr[map->made] != byte) {
        map->differs = true;
        return;
    }
    map->places[map->made++] = (uint32_t)place;
}

static bool going(const struct map *map)
{
    return map->at < map->end && !map->differs;
}

static char here(const struct map *map)
{
    return map->file.ptr[map->at];
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

// Bytes of the line break at `at`.
static size_t break_bytes(const struct map *map, size_t at)
{
    bool two = map->file.ptr[at] == '\r' && at + 1 < map->end && map->file.ptr[at + 1] == '\n';
    return two ? 2 : 1;
}

// What lies between two lines: breaks, and blanks that count for nothing. Folded, a single break
// becomes a blank, and of several the first is dropped.
static void make_breaks(struct map *map, size_t from, size_t to, bool folded)
{
    size_t breaks = 0, first = from;
    for (size_t at = from; at < to; at++) {
        if (!is_break(map->file.ptr[at]))
            continue;
        if (breaks++ == 0)
            first = at;
        if (breaks > 1 || !folded)
            make(map, '\n', at);
        at += break_bytes(map, at) - 1;
    }
    if (breaks == 1 && folded)
        make(map, ' ', first);
}

// Blanks inside a line stand for themselves; around a line break they are folded away with it.
static void white_space(struct map *map)
{
    size_t from = map->at;
    bool broken = false;
    while (map->at < map->end && (is_blank(here(map)) || is_break(here(map)))) {
        broken = broken || is_break(here(map));
        map->at++;
    }
    if (broken) {
        make_breaks(map, from, map->at, true);
        return;
    }
    for (size_t at = from; at < map->at; at++)
        make(map, map->file.ptr[at], at);
}

static void plain(struct map *map)
{
    while (going(map)) {
        if (is_blank(here(map)) || is_break(here(map))) {
            white_space(map);
        } else {
            make(map, here(map), map->at);
            map->at++;
        }
    }
}

static void single_quoted(struct map *map)
{
    while (going(map)) {
        if (is_blank(here(map)) || is_break(here(map))) {
            white_space(map);
            continue;
        }
        make(map, here(map), map->at);
        map->at += here(map) == '\'' ? 2 : 1;
    }
}

// The character that `\letter` means; 0 for a zero byte too, which no text of ours holds.
static uint32_t simple_escape(char letter)
{
    static const struct {
        char letter;
        uint16_t character;
    } escapes[] = {
        {'a', 7},     {'b', 8},    {'t', 9},    {'\t', 9},     {'n', 10},     {'v', 11},
        {'f', 12},    {'r', 13},   {'e', 27},   {' ', ' '},    {'"', '"'},    {'/', '/'},
        {'\\', '\\'}, {'N', 0x85}, {'_', 0xa0}, {'L', 0x2028}, {'P', 0x2029},
    };
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        if (escapes[i].letter == letter)
            return escapes[i].character;
    }
    return 0;
}

static uint32_t hex_escape(const struct map *map, size_t at, size_t digits)
{
    unsigned char bytes[4] = {0};
    uint32_t character = 0;
    if (!tc_unhex(tc_str_cut(map->file, at, at + digits), bytes, digits / 2))
        return 0;
    for (size_t i = 0; i < digits / 2; i++)
        character = character << 8 | bytes[i];
    return character;
}

// `\` and a line break: both, and the blanks that begin the next line, are nothing. Empty lines
// behind it are line breaks.
static void escaped_break(struct map *map)
{
    size_t from = map->at + 1 + break_bytes(map, map->at + 1);
    map->at = from < map->end ? from : map->end;
    while (map->at < map->end && (is_blank(here(map)) || is_break(here(map))))
        map->at++;
    make_breaks(map, from, map->at, false);
}

static void escape(struct map *map)
{
    size_t from = map->at;
    if (from + 1 >= map->end) {
        map->differs = true;
        return;
    }
    char letter = map->file.ptr[from + 1];
    if (is_break(letter)) {
        escaped_break(map);
        return;
    }
    size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    uint32_t character = digits ? hex_escape(map, from + 2, digits) : simple_escape(letter);
    char bytes[4];
    size_t count = tc_utf8_put(character, bytes);
    for (size_t i = 0; i < count; i++)
        make(map, bytes[i], from);
    map->at = from + 2 + digits;
}

static void double_quoted(struct map *map)
{
    while (going(map)) {
        if (here(map) == '\\') {
            escape(map);
        } else if (is_blank(here(map)) || is_break(here(map))) {
            white_space(map);
        } else {
            make(map, here(map), map->at);
            map->at++;
        }
    }
}

static size_t line_end(const struct map *map, size_t at)
{
    while (at < map->end && !is_break(map->file.ptr[at]))
        at++;
    return at;
}

static size_t leading_blanks(tc_str line)
{
    size_t count = 0;
    while (count < line.len && line.ptr[count] == ' ')
        count++;
    return count;
}

// How many blanks begin the first line of `text` that holds anything else.
static size_t first_indent(tc_str text)
{
    for (size_t at = 0; at < text.len;) {
        size_t blanks = leading_blanks(tc_str_cut(text, at, text.len));
        if (at + blanks >= text.len || !is_break(text.ptr[at + blanks]))
            return blanks;
        at += blanks + 1;
    }
    return 0;
}

// The indentation of a block is what its first line has in the file and no longer in the value;
// that is right with and without an indentation indicator (|2).
static size_t block_indent(const struct map *map)
{
    size_t written = first_indent(tc_str_cut(map->file, map->at, map->end));
    size_t kept = first_indent(map->value);
    return written > kept ? written - kept : 0;
}

static void block(struct map *map, bool folding)
{
    map->at = line_end(map, map->at); // behind the header "|2- # comment"
    map->at += map->at < map->end ? break_bytes(map, map->at) : 0;
    size_t indent = block_indent(map), between = map->at;
    bool after_plain = false; // the line before was there, and is not indented more
    while (map->made < map->value.len && going(map)) {
        size_t end = line_end(map, map->at);
        size_t blanks = leading_blanks(tc_str_cut(map->file, map->at, end));
        size_t from = map->at + (blanks < indent ? blanks : indent);
        if (from < end) {
            bool more = is_blank(map->file.ptr[from]);
            make_breaks(map, between, map->at, folding && after_plain && !more);
            for (size_t at = from; at < end; at++)
                make(map, map->file.ptr[at], at);
            between = end;
            after_plain = !more;
        }
        map->at = end < map->end ? end + break_bytes(map, end) : end;
    }
    // The breaks behind the last line: as many as the value has kept.
    for (map->at = between; map->made < map->value.len && going(map); map->at++) {
        if (!is_break(here(map)))
            continue;
        make(map, '\n', map->at);
        map->at += break_bytes(map, map->at) - 1;
    }
}

void yaml_places(tc_str file, size_t from, size_t to, yaml_scalar_style_t style, tc_str value,
                 uint32_t *places)
{
    struct map map = {.file = file, .at = from, .end = to, .value = value, .places = places};
    bool quoted =
        style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (quoted && to - from >= 2) {
        map.at++;
        map.end--;
    }
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: single_quoted(&map); break;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: double_quoted(&map); break;
    case YAML_LITERAL_SCALAR_STYLE: block(&map, false); break;
    case YAML_FOLDED_SCALAR_STYLE: block(&map, true); break;
    default: plain(&map);
    }
    bool agrees = !map.differs && map.made == value.len;
    for (size_t i = 0; i < value.len && !agrees; i++)
        places[i] = (uint32_t)from;
    places[value.len] = (uint32_t)(agrees ? map.at : to);
}
