#include "watcher/match/excerpt.h"

#include "common/utf8.h"

static const char dots[] = "\xe2\x80\xa6", broken[] = "\xef\xbf\xbd";

enum {
    BEFORE_IN = 4
}; // a cut excerpt begins at most a quarter of its bytes before the first match

// ---- characters ----------------------------------------------------------------------------

// Bytes of the character at `at`; 0 when it is none.
static size_t character(tc_str text, size_t at)
{
    size_t next = at;
    uint32_t point = tc_utf8_next(text, &next);
    return point == 0xfffd && next == at + 1 ? 0 : next - at;
}

tc_str excerpt_clean(tc_str bytes, size_t most, struct tc_arena *arena)
{
    size_t at = 0, len = 0;
    while (at < bytes.len && (len = character(bytes, at)) != 0 && at + len <= most)
        at += len;
    if (at == bytes.len || len)
        return tc_str_cut(bytes, 0, at);
    char *copy = tc_arena_bytes(arena, most + sizeof broken);
    size_t used = 0;
    for (at = 0; at < bytes.len && used + 4 <= most; at += len ? len : 1) {
        len = character(bytes, at);
        memcpy(copy + used, len ? bytes.ptr + at : broken, len ? len : 3);
        used += len ? len : 3;
    }
    return (tc_str){copy, used};
}

// ---- which sentence ------------------------------------------------------------------------

static bool in_sentence(const struct text_sentence *sentence, const struct excerpt_match *match)
{
    return match->field == sentence->field && match->start >= sentence->start &&
           match->start < sentence->end;
}

static bool seen_leaf(const struct excerpt_match *matches, size_t from, size_t i)
{
    for (size_t k = from; k < i; k++) {
        if (matches[k].leaf == matches[i].leaf)
            return true;
    }
    return false;
}

static bool seen_clause(const struct excerpt_match *matches, size_t from, size_t i)
{
    for (size_t k = from; k < i; k++) {
        if (tc_str_eq(matches[k].clause, matches[i].clause))
            return true;
    }
    return matches[i].clause.len == 0;
}

// Matches from..to stand in one sentence: different words and clauses count most.
static uint32_t worth(const struct excerpt_match *matches, size_t from, size_t to)
{
    uint32_t sum = 0;
    for (size_t i = from; i < to; i++) {
        bool seen = seen_leaf(matches, from, i);
        if (!seen)
            sum += 4 + (matches[i].tight ? 6U : 0U) + matches[i].boost * 4;
        sum += seen_clause(matches, from, i) ? 1 : 7;
    }
    return sum;
}

static const struct text_sentence *first_of_body(const struct text_segment *segment)
{
    for (uint32_t i = 0; i < segment->sentence_count; i++) {
        if (segment->sentences[i].first >= segment->title_words)
            return &segment->sentences[i];
    }
    return segment->sentence_count ? &segment->sentences[0] : NULL;
}

static const struct text_sentence *best_sentence(const struct text_segment *segment,
                                                 const struct excerpt_match *matches, size_t count)
{
    const struct text_sentence *best = NULL;
    uint32_t most = 0;
    for (uint32_t i = 0; i < segment->sentence_count; i++) {
        const struct text_sentence *sentence = &segment->sentences[i];
        size_t from = 0, to;
        while (from < count && !in_sentence(sentence, &matches[from]))
            from++;
        for (to = from; to < count && in_sentence(sentence, &matches[to]);)
            to++;
        if (from == to)
            continue;
        // Between equals the body says more than the title, which readers see anyway.
        uint32_t value = 2 * worth(matches, from, to) + (sentence->first >= segment->title_words);
        if (value > most) {
            most = value;
            best = sentence;
        }
    }
    return best ? best : first_of_body(segment);
}

// ---- writing it ----------------------------------------------------------------------------

struct piece { // of one original
    tc_str text;
    uint32_t from, to;
    const struct excerpt_match *matches; // those that overlap it
    size_t count;
};

static void put_character(tc_str text, size_t *at, struct tc_buf *out, size_t begun)
{
    size_t len = character(text, *at);
    tc_str one = tc_str_cut(text, *at, *at + len);
    *at += len ? len : 1;
    if (!len)
        tc_buf_puts(out, broken);
    else if (len == 1 && ((unsigned char)one.ptr[0] <= ' ' || one.ptr[0] == 0x7f)) {
        if (out->len > begun && out->ptr[out->len - 1] != ' ')
            tc_buf_byte(out, ' ');
    } else if (tc_str_eq(one, TC_STR(TC_MARK_OPEN)))
        tc_buf_byte(out, '[');
    else if (tc_str_eq(one, TC_STR(TC_MARK_CLOSE)))
        tc_buf_byte(out, ']');
    else
        tc_buf_str(out, one);
}

// Copies the bytes from *at on that stay as they are: ASCII with single blanks between words.
static void put_plain(tc_str text, size_t *at, size_t to, struct tc_buf *out, size_t begun)
{
    size_t from = *at, i = from;
    bool spaced = out->len == begun || out->ptr[out->len - 1] == ' ';
    for (; i < to; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte < ' ' || byte >= 0x7f || (spaced && byte == ' '))
            break;
        spaced = byte == ' ';
    }
    tc_buf_add(out, text.ptr + from, i - from);
    *at = i;
}

// Matches that overlap are marked as one.
static void put_piece(const struct piece *piece, struct tc_buf *out)
{
    size_t begun = out->len, next = 0;
    uint32_t open_to = 0;
    bool open = false;
    for (size_t at = piece->from; at < piece->to;) {
        if (open && at >= open_to) {
            tc_buf_puts(out, TC_MARK_CLOSE);
            open = false;
        }
        for (; next < piece->count && piece->matches[next].start <= at; next++) {
            uint32_t end = piece->matches[next].end;
            if (end <= at)
                continue;
            if (!open) {
                tc_buf_puts(out, TC_MARK_OPEN);
                open_to = end;
            }
            open = true;
            if (end > open_to)
                open_to = end;
        }
        size_t to = next < piece->count && piece->matches[next].start < piece->to
                        ? piece->matches[next].start
                        : piece->to;
        if (open && open_to < to)
            to = open_to;
        put_plain(piece->text, &at, to, out, begun);
        if (at < to)
            put_character(piece->text, &at, out, begun);
    }
    if (open)
        tc_buf_puts(out, TC_MARK_CLOSE);
    while (out->len > begun && out->ptr[out->len - 1] == ' ')
        out->len--;
}

// The last word end of the sentence before byte `before`; `least` when there is none behind it.
static uint32_t word_end_before(const struct view *view, const struct text_sentence *sentence,
                                uint32_t before, uint32_t least)
{
    uint32_t best = least;
    for (uint32_t i = 0; i < sentence->count; i++) {
        uint32_t end = view->segment->words[sentence->first + i].end;
        if (end < before && end > best)
            best = end;
    }
    return best;
}

static uint32_t word_start_from(const struct view *view, const struct text_sentence *sentence,
                                uint32_t from, uint32_t most)
{
    for (uint32_t i = 0; i < sentence->count; i++) {
        uint32_t start = view->segment->words[sentence->first + i].start;
        if (start >= from)
            return start < most ? start : most;
    }
    return most;
}

// Writes with dots where something is left out. False when it came out too long.
static bool put_cut(const struct piece *piece, const struct text_sentence *sentence,
                    struct tc_buf *out)
{
    size_t begun = out->len;
    if (piece->from > sentence->start)
        tc_buf_puts(out, dots);
    put_piece(piece, out);
    if (piece->to < sentence->end)
        tc_buf_puts(out, dots);
    return out->len - begun <= TC_HIT_EXCERPT_BYTES;
}

static struct piece shortened(const struct view *view, const struct text_sentence *sentence,
                              struct piece piece)
{
    uint32_t begin = piece.count ? piece.matches[0].start : sentence->start;
    uint32_t back = TC_HIT_EXCERPT_BYTES / BEFORE_IN;
    if (begin > sentence->start + back)
        piece.from = word_start_from(view, sentence, begin - back, begin);
    if (piece.to > piece.from + TC_HIT_EXCERPT_BYTES)
        piece.to = word_end_before(view, sentence, piece.from + TC_HIT_EXCERPT_BYTES,
                                   piece.from + TC_HIT_EXCERPT_BYTES / 2);
    return piece;
}

void excerpt_write(const struct view *view, const struct excerpt_match *matches, size_t count,
                   struct tc_buf *out)
{
    const struct text_sentence *sentence = best_sentence(view->segment, matches, count);
    if (!sentence)
        return;
    size_t from = 0, to, begun = out->len;
    while (from < count && !in_sentence(sentence, &matches[from]))
        from++;
    for (to = from; to < count && in_sentence(sentence, &matches[to]);)
        to++;
    struct piece piece = {view_original(view, sentence->field), sentence->start, sentence->end,
                          matches + from, to - from};
    if (put_cut(&piece, sentence, out))
        return;
    piece = shortened(view, sentence, piece);
    for (;;) {
        out->len = begun;
        if (put_cut(&piece, sentence, out) || piece.to <= piece.from)
            return;
        uint32_t half = piece.from + (piece.to - piece.from) / 2;
        piece.to = word_end_before(view, sentence, piece.to, half);
    }
}
