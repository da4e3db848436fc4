#include "watcher/text/forms.h"

enum { PIECE_LEAST = 64, PIECE_MOST = 16 * 1024, FORM_BYTES = FOLD_ROOM(WORDS_SPAN_MOST + 16) };

void forms_init(struct forms *forms, struct tc_arena *arena, enum text_words mode, size_t bytes)
{
    *forms = (struct forms){.arena = arena, .mode = mode};
    forms->piece = bytes / 8 < PIECE_LEAST  ? PIECE_LEAST
                   : bytes / 8 > PIECE_MOST ? PIECE_MOST
                                            : bytes / 8;
}

static tc_str keep(struct forms *forms, const char *bytes, size_t len)
{
    if (forms->left < len) {
        forms->left = len > forms->piece ? len : forms->piece;
        forms->room = tc_arena_bytes(forms->arena, forms->left + TEXT_BEHIND);
    }
    tc_str kept = {forms->room, len};
    memcpy(forms->room, bytes, len);
    forms->room += len;
    forms->left -= len;
    return kept;
}

static tc_str keep_unless(struct forms *forms, tc_str same, const char *bytes, size_t len)
{
    return tc_str_eq(same, (tc_str){bytes, len}) ? same : keep(forms, bytes, len);
}

// Capital letters of ASCII differ from small ones in one bit.
static tc_str fold_ascii(struct forms *forms, tc_str word)
{
    char small[WORDS_SPAN_MOST + 16];
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.ptr[i];
        small[i] = (char)(c | ((unsigned)(c - 'A') < 26u ? 0x20u : 0u));
    }
    return keep(forms, small, word.len);
}

// A form whose bytes are those of the text: there bytes can be read behind it only in the copy.
static tc_str copied(const struct forms *forms, tc_str written)
{
    return forms->small ? (tc_str){forms->small + (written.ptr - forms->text), written.len}
                        : written;
}

bool forms_of(struct forms *forms, const struct words_span *span, tc_str *surface, tc_str *folded)
{
    tc_str raw = {span->start, (size_t)(span->end - span->start)};
    char made[FORM_BYTES];
    size_t len;
    *surface = raw;
    *folded = copied(forms, raw);
    if (span->flags & WORDS_PLAIN || (span->flags & WORDS_ASCII && forms->small))
        return true;
    if (span->flags & WORDS_ASCII && raw.len <= WORDS_SPAN_MOST + 16) {
        *folded = fold_ascii(forms, raw);
        return true;
    }
    if (forms->mode == TEXT_WORDS_STANDARD) {
        len = fold_lower(raw, made, sizeof made);
        *folded = keep_unless(forms, *folded, made, len);
        return true;
    }
    if (!(span->flags & WORDS_WRITTEN)) {
        len = fold_surface(raw, (span->flags & WORDS_INITIALS) != 0, made, sizeof made);
        if (len == 0)
            return false;
        *surface = keep_unless(forms, raw, made, len);
    }
    len = fold_case(*surface, FOLD_PLAIN, made, sizeof made);
    *folded = keep_unless(forms, surface->ptr == raw.ptr ? *folded : *surface, made, len);
    return true;
}

tc_str forms_turkic(struct forms *forms, tc_str surface)
{
    char made[FORM_BYTES];
    size_t len = fold_case(surface, FOLD_TURKIC, made, sizeof made);
    return keep(forms, made, len);
}
