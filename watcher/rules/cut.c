// Where the watches of a YAML file begin and end, found without parsing it.
//
// A file is cut where it is laid out as people and programs lay it out: everything else first, then
// `watches:` alone on its line, then items that all begin with "- " under each other. The cut is a guess
// until each piece has been parsed: when every one is by itself a list of one item without a mistake, they
// are together the list that the whole is. (A quote or bracket that is open at the end of a piece is a mistake
// there; a plain or block scalar ends where the next item begins further left.)
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/rules/parts.h"

struct cutting {
    tc_str text;
    size_t at; // of the line that comes next
    int number;
    tc_str line; // the current one
    size_t begin;
};

static bool next_line(struct cutting *cutting)
{
    if (cutting->at >= cutting->text.len)
        return false;
    const char *from = cutting->text.ptr + cutting->at;
    const char *end = memchr(from, '\n', cutting->text.len - cutting->at);
    size_t len = end ? (size_t)(end - from) : cutting->text.len - cutting->at;
    cutting->line = (tc_str){from, len};
    cutting->begin = cutting->at;
    cutting->at += len + (end != NULL);
    cutting->number++;
    return true;
}

static size_t indent_of(tc_str line)
{
    size_t indent = 0;
    while (indent < line.len && line.ptr[indent] == ' ')
        indent++;
    return indent;
}

// A line of white space only, or of a comment: it may stand anywhere.
static bool is_nothing(tc_str line)
{
    tc_str rest = tc_str_trim(line);
    return rest.len == 0 || rest.ptr[0] == '#';
}

static bool is_watches_key(tc_str line)
{
    static const char key[] = "watches:";
    return tc_str_starts(line, tc_str_of(key)) &&
           is_nothing(tc_str_cut(line, sizeof key - 1, line.len)) &&
           (line.len == sizeof key - 1 || strchr(" \t\r", line.ptr[sizeof key - 1]));
}

static bool is_item(tc_str line, size_t indent)
{
    return indent + 1 < line.len && line.ptr[indent] == '-' && line.ptr[indent + 1] == ' ';
}

static bool find_watches(struct cutting *cutting)
{
    while (next_line(cutting)) {
        if (is_watches_key(cutting->line))
            return true;
    }
    return false;
}

bool rules_cut(tc_str text, size_t *head, struct rules_piece **pieces, size_t *count)
{
    struct cutting cutting = {.text = text};
    struct rules_piece *list = NULL;
    size_t found = 0, room = 0, column = 0;
    bool fits = find_watches(&cutting);
    *head = cutting.at;
    while (fits && next_line(&cutting)) {
        if (is_nothing(cutting.line))
            continue;
        size_t indent = indent_of(cutting.line);
        if (found && indent > column)
            continue;
        fits = is_item(cutting.line, indent) && (!found || indent == column);
        column = indent;
        if (found)
            list[found - 1].to = cutting.begin;
        list = tc_room(list, found, &room, sizeof *list);
        list[found++] = (struct rules_piece){cutting.begin, text.len, cutting.number};
    }
    if (!fits || !found) {
        free(list);
        return false;
    }
    *pieces = list;
    *count = found;
    return true;
}
