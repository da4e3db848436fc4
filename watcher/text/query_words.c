// Words of queries: the scanner of the text reads them, so that both sides agree by construction.
//
// Before that, unescaped * and ? become two noncharacters that the scanner takes for letters, and
// backslashes go. A map of offsets leads back to the entry.
#include "watcher/text/forms.h"
#include "watcher/text/utf8.h"

#include "common/utf8.h"

struct entry {
    tc_str plain;     // without backslashes, wildcards replaced
    uint32_t *origin; // for each byte of plain and its end: byte of the entry
};

static void unescape(tc_str entry, struct tc_arena *arena, struct entry *out)
{
    char *text = tc_arena_bytes(arena, entry.len * 3 + 1);
    size_t used = 0;
    out->origin = tc_arena_take(arena, (entry.len * 3 + 1) * sizeof *out->origin);
    for (size_t i = 0; i < entry.len; i++) {
        size_t from = i, len = 1;
        if (entry.ptr[i] == '\\' && i + 1 < entry.len)
            text[used] = entry.ptr[++i];
        else if (entry.ptr[i] == '*')
            len = tc_utf8_put(UNICODE_WILD_MANY, text + used);
        else if (entry.ptr[i] == '?')
            len = tc_utf8_put(UNICODE_WILD_ONE, text + used);
        else
            text[used] = entry.ptr[i];
        for (size_t k = 0; k < len; k++)
            out->origin[used++] = (uint32_t)from;
    }
    out->origin[used] = (uint32_t)entry.len;
    out->plain = (tc_str){text, used};
}

// The two noncharacters as * and ? again; literal ones never are inside words.
static tc_str show_wildcards(tc_str form, struct tc_arena *arena)
{
    char *text = tc_arena_bytes(arena, form.len + 1);
    size_t used = 0;
    const char *p = form.ptr, *end = form.ptr + form.len;
    while (p < end) {
        uint32_t cp;
        size_t len = utf8_next(p, end, &cp);
        if (cp == UNICODE_WILD_MANY || cp == UNICODE_WILD_ONE) {
            text[used++] = cp == UNICODE_WILD_MANY ? '*' : '?';
        } else {
            memcpy(text + used, p, len);
            used += len;
        }
        p += len;
    }
    return (tc_str){text, used};
}

// Looks at what stands between two words: whether white space does, and the first sign that no
// word can hold. Punctuation of ordinary writing is no loss.
static bool look_between(const char *p, const char *end, const char **lost)
{
    bool space = false;
    while (p < end) {
        uint32_t cp;
        size_t len;
        enum unicode_class class = words_class_at(p, end, &len, &cp);
        space = space || class == CLASS_SPACE;
        bool sign = class == CLASS_SYMBOL || class == CLASS_MONEY || class == CLASS_PERCENT ||
                    class == CLASS_JOIN || (cp < 0x80 && cp && strchr("#@&*\\", (int)cp));
        if (sign && !*lost)
            *lost = p;
        p += len;
    }
    return space;
}

size_t text_query_words(tc_str entry, const struct text_settings *settings, struct tc_arena *arena,
                        const struct text_query_word **out, size_t *lost)
{
    struct entry plain;
    struct words words;
    struct words_span span;
    struct forms forms;
    size_t count = 0;
    const char *lost_at = NULL;

    unescape(entry, arena, &plain);
    struct text_query_word *list = tc_arena_take(arena, (plain.plain.len + 1) * sizeof *list);
    forms_init(&forms, arena, settings->words, plain.plain.len);
    words_init(&words, plain.plain, settings->words, true);
    const char *before = plain.plain.ptr, *begin = before;
    while (words_next(&words, &span)) {
        struct text_query_word *word = &list[count];
        bool space = look_between(before, span.start, &lost_at);
        before = span.end;
        if (!forms_of(&forms, &span, &word->surface, &word->folded))
            continue;
        word->wild = (span.flags & WORDS_WILD) != 0;
        if (word->wild) {
            word->surface = show_wildcards(word->surface, arena);
            word->folded = show_wildcards(word->folded, arena);
        }
        word->from = plain.origin[span.start - begin];
        word->to = plain.origin[span.end - begin];
        word->glued = count > 0 && !space;
        count++;
    }
    look_between(before, begin + plain.plain.len, &lost_at);
    if (lost)
        *lost = lost_at ? plain.origin[lost_at - begin] : entry.len;
    *out = list;
    return count;
}

tc_str text_query_fold(tc_str part, const struct text_settings *settings, struct tc_arena *arena)
{
    size_t room = FOLD_ROOM(part.len), len;
    char *surface = tc_arena_bytes(arena, room);
    if (settings->words == TEXT_WORDS_STANDARD) {
        len = fold_lower(part, surface, room);
        return (tc_str){surface, len};
    }
    size_t folded_room = FOLD_ROOM(room);
    char *folded = tc_arena_bytes(arena, folded_room);
    len = fold_surface(part, false, surface, room);
    len = fold_case((tc_str){surface, len}, FOLD_PLAIN, folded, folded_room);
    return (tc_str){folded, len};
}

// One pass with one place to come back to, the last *: at most pattern times word steps.
bool text_wild_match(tc_str pattern, tc_str word)
{
    const char *p = pattern.ptr, *p_end = p + pattern.len;
    const char *w = word.ptr, *w_end = w + word.len;
    const char *star = NULL, *resume = NULL;
    uint32_t cp;
    while (w < w_end) {
        const char *literal = p;
        if (p < p_end && *p == '\\' && p + 1 < p_end)
            literal = p + 1;
        if (p < p_end && literal == p && *p == '*') {
            star = ++p;
            resume = w;
        } else if (p < p_end && literal == p && *p == '?') {
            p++;
            w += utf8_next(w, w_end, &cp);
        } else if (p < p_end && *literal == *w) {
            p = literal + 1;
            w++;
        } else if (star) {
            p = star;
            resume += utf8_next(resume, w_end, &cp);
            w = resume;
        } else {
            return false;
        }
    }
    while (p < p_end && *p == '*')
        p++;
    return p == p_end;
}
