// Most tokens hold nothing but letters, digits and signs that mean nothing (marks.h, letters.h).
// Their words are read off the bitmaps, two counts of zeros each; every other token goes through the
// scanner (words.h). The scanner alone would give the same: reader_test.c reads every paragraph a
// second time with it and compares.
#include "watcher/text/reader.h"

#include "watcher/text/sentence.h"

#include <assert.h>

// ---- words ---------------------------------------------------------------------------------

static void add_word(struct reader *reader, tc_str surface, tc_str folded, uint32_t start,
                     uint32_t end)
{
    if (surface.len == 0)
        return; // a part of fillers only, which leave no trace
    if (reader->word_count == reader->word_room) {
        assert(reader->word_room > TEXT_WORDS_MOST); // text_read refuses the article
        return;
    }
    reader->words[reader->word_count++] = (struct text_word){
        .folded = folded.ptr,
        .surface = surface.ptr,
        .folded_len = (uint16_t)folded.len,
        .surface_len = (uint16_t)surface.len,
        .start = start,
        .end = end,
        .position = reader->position,
        .paragraph = reader->paragraph,
        .sentence = reader->sentence,
    };
}

// Elided articles and prepositions of French, Italian and Catalan: the word behind stands alone
// too.
static bool is_elision(tc_str head)
{
    static const char *const heads[] = {
        "l",    "d",     "j",      "m",      "n",      "t",    "s",  "c",     "qu",
        "all",  "dall",  "dell",   "nell",   "sull",   "coll", "un", "quest", "quell",
        "bell", "jusqu", "lorsqu", "puisqu", "quoiqu", "sant", "gl",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (tc_str_eq(head, tc_str_of(heads[i])))
            return true;
    return false;
}

// Where apostrophes cut a form: before the last one, behind the first, and between the two.
struct cut {
    tc_str head, tail, middle;
};

static struct cut cut_form(tc_str form)
{
    const char *first = memchr(form.ptr, '\'', form.len);
    const char *last = memrchr(form.ptr, '\'', form.len);
    if (!first)
        return (struct cut){form, form, form};
    size_t from = (size_t)(first - form.ptr) + 1, to = (size_t)(last - form.ptr);
    return (struct cut){tc_str_cut(form, 0, to), tc_str_cut(form, from, form.len),
                        tc_str_cut(form, from, to)};
}

// China's is also China, l'IA also IA, at the same position; l'Oréal's also Oréal.
static void add_parts(struct reader *reader, const struct words_span *span, tc_str surface,
                      tc_str folded, const char *base)
{
    struct cut s = cut_form(surface), f = cut_form(folded);
    uint32_t start = (uint32_t)(span->start - base), end = (uint32_t)(span->end - base);
    uint32_t tail = (uint32_t)(span->after_first - base),
             head = (uint32_t)(span->last_quote - base);
    if (s.head.len == surface.len || f.head.len == folded.len)
        return;
    bool owned = tc_str_eq(tc_str_cut(folded, f.head.len + 1, folded.len), TC_STR("s"));
    bool elided = is_elision(tc_str_cut(folded, 0, folded.len - f.tail.len - 1));
    if (owned)
        add_word(reader, s.head, f.head, start, head);
    if (elided)
        add_word(reader, s.tail, f.tail, tail, end);
    if (owned && elided)
        add_word(reader, s.middle, f.middle, tail, head);
}

void reader_add_url(struct reader *reader, tc_str url)
{
    if (reader->url_count == reader->url_room) {
        size_t room = reader->url_room * 2 + 4;
        tc_str *urls = tc_arena_take(reader->article->arena, room * sizeof *urls);
        if (reader->url_count)
            memcpy(urls, reader->urls, reader->url_count * sizeof *urls);
        reader->urls = urls;
        reader->url_room = room;
    }
    reader->urls[reader->url_count++] = url;
}

// ---- sentences ---------------------------------------------------------------------------------

// A paragraph while its words are read.
struct passage {
    struct reader *reader;
    const struct marks *marks;
    enum tc_field field;
    size_t to;         // where it ends
    size_t first;      // word that the open sentence begins with
    size_t start;      // byte where it begins
    size_t before;     // byte where the last word or address ended
    size_t last;       // number of the last word; NO_WORD at the beginning and behind an address
    bool initials;     // that is one
    struct words scan; // of the whole paragraph
};

enum { NO_WORD = TEXT_WORDS_MOST + 1 };

static struct sentence_word last_word(const struct passage *passage)
{
    if (passage->last == NO_WORD)
        return (struct sentence_word){0};
    const struct text_word *word = &passage->reader->words[passage->last];
    return (struct sentence_word){
        {word->surface, word->surface_len}, {word->folded, word->folded_len}, passage->initials};
}

static struct text_sentence *new_sentence(struct reader *reader)
{
    if (reader->sentence_count == reader->sentence_room) {
        size_t room = reader->sentence_room * 2;
        struct text_sentence *more = tc_arena_take(reader->article->arena, room * sizeof *more);
        memcpy(more, reader->sentences, reader->sentence_count * sizeof *more);
        reader->sentences = more;
        reader->sentence_room = room;
    }
    return &reader->sentences[reader->sentence_count++];
}

// Ends the open sentence at byte `end`; without words there is none.
static void close_sentence(struct passage *passage, size_t end)
{
    struct reader *reader = passage->reader;
    if (reader->word_count == passage->first)
        return;
    *new_sentence(reader) = (struct text_sentence){
        (uint32_t)passage->first, (uint32_t)(reader->word_count - passage->first),
        (uint32_t)passage->start, (uint32_t)end, passage->field};
    reader->sentence++;
    passage->first = reader->word_count;
}

static size_t skip_space(tc_str text, size_t at, size_t end)
{
    size_t len;
    uint32_t cp;
    while (at < end && words_class_at(text.ptr + at, text.ptr + end, &len, &cp) == CLASS_SPACE)
        at += len;
    return at;
}

// A byte that may end a sentence stands between the last word and the one at `start`.
static void look_for_end(struct passage *passage, size_t start)
{
    tc_str text = passage->marks->text;
    struct sentence_word last = last_word(passage);
    if (passage->reader->word_count == passage->first)
        return;
    const char *cut =
        sentence_end(&last, text.ptr + passage->before, text.ptr + start, text.ptr + passage->to);
    if (!cut)
        return;
    close_sentence(passage, (size_t)(cut - text.ptr));
    passage->start = skip_space(text, (size_t)(cut - text.ptr), passage->to);
}

// Goes on to the next word, which begins at byte `start`: a sentence may have ended before it.
static inline void go_on(struct passage *passage, size_t start)
{
    size_t gap = start - passage->before;
    if (gap >= MARKS_WINDOW || marks_bits(passage->marks->stop, passage->before) & marks_low(gap))
        look_for_end(passage, start);
}

// ---- words of a passage ------------------------------------------------------------------------

// A word of the scanner with everything that stands at its place.
static void add_span(struct passage *passage, const struct words_span *span)
{
    struct reader *reader = passage->reader;
    const char *base = passage->marks->text.ptr;
    uint32_t start = (uint32_t)(span->start - base), end = (uint32_t)(span->end - base);
    tc_str surface, folded;
    if (!forms_of(&reader->forms, span, &surface, &folded))
        return; // fillers only
    passage->last = reader->word_count;
    passage->initials = (span->flags & WORDS_INITIALS) != 0;
    add_word(reader, surface, folded, start, end);
    if (span->flags & WORDS_HASH)
        add_word(reader, tc_str_cut(surface, 1, surface.len), tc_str_cut(folded, 1, folded.len),
                 start + 1, end);
    if (span->flags & WORDS_APOSTROPHE)
        add_parts(reader, span, surface, folded, base);
    if (reader->turkic && memchr(surface.ptr, 'I', surface.len))
        add_word(reader, surface, forms_turkic(&reader->forms, surface), start, end);
    reader->position++;
}

// Reads with the scanner the words that begin before byte `stop`. Gives where it stands then.
static size_t scan(struct passage *passage, size_t at, size_t stop)
{
    const char *base = passage->marks->text.ptr;
    struct words_span span;
    passage->scan.p = base + at;
    passage->scan.stop = base + stop;
    while (words_next(&passage->scan, &span)) {
        go_on(passage, (size_t)(span.start - base));
        passage->before = (size_t)(span.end - base);
        if (span.flags & WORDS_ADDRESS) {
            reader_add_url(passage->reader, (tc_str){span.start, (size_t)(span.end - span.start)});
            passage->last = NO_WORD;
        } else {
            add_span(passage, &span);
        }
    }
    return passage->scan.p > base + stop ? (size_t)(passage->scan.p - base) : stop;
}

// The next 64 bytes of a passage, or what is left of it: behind its end everything is blank.
struct window {
    uint64_t core, blank, stop, careful, cut;
};

static struct window window_at(const struct passage *passage, size_t at)
{
    const struct marks *marks = passage->marks;
    size_t left = passage->to - at;
    uint64_t inside = left < MARKS_WINDOW ? marks_low(left) : UINT64_MAX;
    return (struct window){.core = marks_bits(marks->core, at) & inside,
                           .blank = marks_bits(marks->blank, at) | ~inside,
                           .stop = marks_bits(marks->stop, at) & inside,
                           .careful = marks_bits(marks->careful, at) & inside,
                           .cut = marks->cut ? marks_bits(marks->cut, at) : 0};
}

// How many bytes at the beginning of a window need no care: whole tokens and the blanks behind
// each. Between characters of a script without spaces is as good an end as a blank.
static size_t plain_length(const struct window *window)
{
    uint64_t ends = window->blank << 1 | (window->cut & ~window->careful);
    uint64_t first_careful = window->careful & (0 - window->careful);
    if (first_careful)
        ends &= (first_careful - 1) << 1 | 1;
    else if (window->blank >> (MARKS_WINDOW - 1))
        return MARKS_WINDOW;
    return ends ? MARKS_WINDOW - 1 - (size_t)__builtin_clzll(ends) : 0;
}

// Adds the words of the first `len` bytes of a window, each a run of core bytes: a view of the
// text, and of the text in small letters. This is the loop where most of the time goes, so it
// keeps what it counts in registers.
static void add_plain(struct passage *passage, size_t at, const struct window *window, size_t len)
{
    struct reader *reader = passage->reader;
    const struct marks *marks = passage->marks;
    struct text_word *word = reader->words + reader->word_count;
    uint64_t inside = len < MARKS_WINDOW ? marks_low(len) : UINT64_MAX;
    uint64_t core = window->core & inside, stop = window->stop;
    uint64_t starts = core & (~(core << 1) | window->cut), ends = ~core;
    uint32_t position = reader->position;
    if (!core)
        return;
    go_on(passage, at + marks_first(core));
    stop &= ~((core & -core) - 1);
    while (starts) {
        uint64_t first = starts & -starts;
        starts ^= first;
        size_t from = at + marks_first(first), to = at + marks_first((ends | starts) & -first);
        if (stop & (first - 1)) {
            reader->word_count = (size_t)(word - reader->words);
            passage->last = reader->word_count - 1;
            passage->initials = false;
            look_for_end(passage, from);
            stop &= ~(first - 1);
        }
        *word++ = (struct text_word){.folded = marks->small + from,
                                     .surface = marks->text.ptr + from,
                                     .folded_len = (uint16_t)(to - from),
                                     .surface_len = (uint16_t)(to - from),
                                     .start = (uint32_t)from,
                                     .end = (uint32_t)to,
                                     .position = position++,
                                     .paragraph = reader->paragraph,
                                     .sentence = reader->sentence};
        passage->before = to;
    }
    reader->position = position;
    reader->word_count = (size_t)(word - reader->words);
    passage->last = reader->word_count - 1;
    passage->initials = false;
}

// Reads stretch after stretch of plain tokens, and the tokens between them with the scanner.
static void read_tokens(struct passage *passage, size_t at)
{
    const struct reader *reader = passage->reader;
    while (at < passage->to) {
        struct window window = window_at(passage, at);
        size_t len = plain_length(&window);
        if (len && reader->word_room - reader->word_count >= READER_SLACK) {
            add_plain(passage, at, &window, len);
            at += len;
        } else {
            at = scan(passage, at, marks_find(passage->marks->blank, at + 1, passage->to));
        }
    }
}

static void read_words(struct reader *reader, const struct marks *marks, enum tc_field field,
                       size_t from, size_t to)
{
    struct passage passage = {.reader = reader,
                              .marks = marks,
                              .field = field,
                              .to = to,
                              .first = reader->word_count,
                              .start = from,
                              .before = from,
                              .last = NO_WORD};
    words_init(&passage.scan, tc_str_cut(marks->text, from, to), reader->mode, false);
    reader->forms.text = marks->text.ptr;
    reader->forms.small = marks->small;
    if (reader->turkic)
        scan(&passage, from, to);
    else
        read_tokens(&passage, from);
    close_sentence(&passage, to);
}

bool reader_add_paragraph(struct reader *reader, enum tc_field field, uint32_t from, uint32_t to)
{
    const struct marks *marks = field == TC_FIELD_TITLE ? &reader->title : &reader->body;
    size_t first = reader->word_count;
    read_words(reader, marks, field, from, to);
    if (reader->word_count == first)
        return false;
    struct lang lang = {0};
    if (reader->stated.sure)
        lang = reader->stated;
    else if (!marks->ascii)
        lang = lang_of(tc_str_cut(marks->text, from, to));
    struct text_paragraph *paragraph = &reader->paragraphs[reader->paragraph_count++];
    *paragraph = (struct text_paragraph){.first = (uint32_t)first,
                                         .count = (uint32_t)(reader->word_count - first),
                                         .start = from,
                                         .end = to,
                                         .field = field,
                                         .lang_sure = lang.sure};
    memcpy(paragraph->lang, lang.name, sizeof paragraph->lang);
    reader->paragraph++;
    return true;
}
