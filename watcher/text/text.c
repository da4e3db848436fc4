// Puts the parts together: blocks become paragraphs, the scanner cuts their words, and everything
// goes into flat arrays.
//
// The array of words is sized by a count made beforehand that can only be too high (words_most), so
// nothing moves while it grows and no word costs an allocation. Sentences double when their guess
// was too low. Every pass is linear in the bytes.
#include "watcher/text/text.h"

#include "watcher/text/blocks.h"
#include "watcher/text/clean.h"
#include "watcher/text/forms.h"
#include "watcher/text/lang.h"
#include "watcher/text/sentence.h"
#include "watcher/text/utf8.h"

#include <assert.h>

enum {
    TITLE_WORDS_LEAST = 4, // of a page's title line
    CREDIT_LINES = 4,      // so far below a publisher's name it may stand again, behind a dash
    SENTENCE_GUESS = 64,   // bytes of a sentence, for the first size of the array
    LANGS_MOST = 8,        // languages that compete for a segment
};

struct reader {
    struct article *article;
    enum text_words mode;
    struct forms forms;
    struct lang stated;
    bool turkic;

    struct text_word *words;
    size_t word_count, word_room;
    struct text_sentence *sentences;
    size_t sentence_count, sentence_room;
    struct text_paragraph *paragraphs;
    size_t paragraph_count;
    tc_str *urls;
    size_t url_count, url_room;

    // Of the segment that is being read.
    uint32_t position, paragraph, sentence;
};

// ---- words ---------------------------------------------------------------------------------

// An upper bound of the words in `text`: each begins with an ASCII letter or digit after another
// byte, or with a lead byte, or where a run was too long for one word; # and ' make a second form.
static size_t words_most(tc_str text)
{
    size_t count = text.len / WORDS_SPAN_MOST;
    unsigned before = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        unsigned core = ((unsigned)(c | 0x20) - 'a' < 26u) | ((unsigned)c - '0' < 10u);
        count += (core & ~before) + (c >= 0xC0) + (c == '#') + (c == '\'');
        before = core;
    }
    return count;
}

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

// One word with everything that stands at its place. False when nothing is left of it.
static bool add_span(struct reader *reader, const struct words_span *span, const char *base,
                     struct sentence_word *out)
{
    uint32_t start = (uint32_t)(span->start - base), end = (uint32_t)(span->end - base);
    tc_str surface, folded;
    if (!forms_of(&reader->forms, span, &surface, &folded))
        return false;
    add_word(reader, surface, folded, start, end);
    if (span->flags & WORDS_HASH)
        add_word(reader, tc_str_cut(surface, 1, surface.len), tc_str_cut(folded, 1, folded.len),
                 start + 1, end);
    if (span->flags & WORDS_APOSTROPHE)
        add_parts(reader, span, surface, folded, base);
    if (reader->turkic && memchr(surface.ptr, 'I', surface.len))
        add_word(reader, surface, forms_turkic(&reader->forms, surface), start, end);
    reader->position++;
    *out = (struct sentence_word){surface, folded, (span->flags & WORDS_INITIALS) != 0};
    return true;
}

static void add_url(struct reader *reader, tc_str url)
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

// ---- sentences and paragraphs ----------------------------------------------------------------

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

// Ends the sentence whose words begin at `first`; without words there is none.
static void close_sentence(struct reader *reader, size_t first, uint32_t start, uint32_t end,
                           enum tc_field field)
{
    if (reader->word_count == first)
        return;
    *new_sentence(reader) = (struct text_sentence){
        (uint32_t)first, (uint32_t)(reader->word_count - first), start, end, field};
    reader->sentence++;
}

static uint32_t skip_space(const char *base, uint32_t at, uint32_t end)
{
    size_t len;
    uint32_t cp;
    while (at < end && words_class_at(base + at, base + end, &len, &cp) == CLASS_SPACE)
        at += (uint32_t)len;
    return at;
}

// Cuts bytes from..to of a field into sentences and words.
static void read_sentences(struct reader *reader, tc_str field_text, uint32_t from, uint32_t to,
                           enum tc_field field)
{
    const char *base = field_text.ptr, *before = base + from, *end = base + to;
    struct sentence_word last = {0};
    struct words words;
    struct words_span span;
    size_t first = reader->word_count;
    uint32_t start = from;
    words_init(&words, (tc_str){before, to - from}, reader->mode, false);
    while (words_next(&words, &span)) {
        const char *cut =
            reader->word_count > first ? sentence_end(&last, before, span.start, end) : NULL;
        if (cut) {
            close_sentence(reader, first, start, (uint32_t)(cut - base), field);
            first = reader->word_count;
            start = skip_space(base, (uint32_t)(cut - base), to);
        }
        before = span.end;
        if (span.flags & WORDS_ADDRESS) {
            add_url(reader, (tc_str){span.start, (size_t)(span.end - span.start)});
            last = (struct sentence_word){0};
        } else {
            add_span(reader, &span, base, &last);
        }
    }
    close_sentence(reader, first, start, to, field);
}

// Adds a paragraph, if it has words.
static bool read_paragraph(struct reader *reader, tc_str field_text, uint32_t from, uint32_t to,
                           enum tc_field field)
{
    size_t first = reader->word_count;
    read_sentences(reader, field_text, from, to, field);
    if (reader->word_count == first)
        return false;
    struct lang lang =
        reader->stated.sure ? reader->stated : lang_of(tc_str_cut(field_text, from, to));
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

// ---- segments --------------------------------------------------------------------------------

static size_t count_words(tc_str line, enum text_words mode)
{
    struct words words;
    struct words_span span;
    size_t count = 0;
    words_init(&words, line, mode, false);
    while (count < TITLE_WORDS_LEAST && words_next(&words, &span))
        count += !(span.flags & WORDS_ADDRESS);
    return count;
}

// "- RTHK" under a line "RTHK": that is who wrote it, no heading.
static bool is_repeated_credit(const struct reader *reader, const struct blocks *blocks, size_t at,
                               size_t last)
{
    tc_str body = reader->article->body;
    tc_str line = tc_str_cut(body, blocks->list[at].from, blocks->list[at].to);
    if (tc_str_starts(line, TC_STR("- ")))
        return true;
    for (size_t i = at + 1; i <= last && i <= at + CREDIT_LINES; i++) {
        tc_str other = tc_str_cut(body, blocks->list[i].from, blocks->list[i].to);
        if (tc_str_starts(other, TC_STR("- ")) && tc_str_eq(tc_str_cut(other, 2, other.len), line))
            return true;
    }
    return false;
}

// The first line of a page's segment that can be its title; `last` + 1 when none can.
static size_t find_title(const struct reader *reader, const struct blocks *blocks, size_t first,
                         size_t last)
{
    for (size_t i = first; i <= last; i++) {
        tc_str line = tc_str_cut(reader->article->body, blocks->list[i].from, blocks->list[i].to);
        if (clean_line(line) == CLEAN_TEXT && !is_repeated_credit(reader, blocks, i, last) &&
            count_words(line, reader->mode) >= TITLE_WORDS_LEAST)
            return i;
    }
    return last + 1;
}

// The language of most words of a segment.
static void choose_lang(struct text_segment *segment)
{
    const char *names[LANGS_MOST];
    size_t words[LANGS_MOST], count = 0, best = 0;
    for (size_t i = 0; i < segment->paragraph_count; i++) {
        const struct text_paragraph *paragraph = &segment->paragraphs[i];
        size_t at = 0;
        while (at < count && strcmp(names[at], paragraph->lang) != 0)
            at++;
        if (at == LANGS_MOST)
            continue;
        if (at == count) {
            names[count] = paragraph->lang;
            words[count++] = 0;
        }
        words[at] += paragraph->count;
        if (words[at] > words[best])
            best = at;
    }
    if (count)
        memcpy(segment->lang, names[best], strlen(names[best]) + 1);
}

// Where the arrays stood when a segment began.
struct begun {
    size_t word, sentence, paragraph;
};

static struct begun begin_segment(struct reader *reader)
{
    reader->position = reader->paragraph = reader->sentence = 0;
    return (struct begun){reader->word_count, reader->sentence_count, reader->paragraph_count};
}

// Counts words of sentences and paragraphs from the segment's first.
static void end_segment(struct reader *reader, const struct begun *begun,
                        struct text_segment *segment)
{
    segment->words = reader->words + begun->word;
    segment->word_count = (uint32_t)(reader->word_count - begun->word);
    segment->paragraphs = reader->paragraphs + begun->paragraph;
    segment->paragraph_count = (uint32_t)(reader->paragraph_count - begun->paragraph);
    segment->sentence_count = (uint32_t)(reader->sentence_count - begun->sentence);
    for (size_t i = begun->sentence; i < reader->sentence_count; i++)
        reader->sentences[i].first -= (uint32_t)begun->word;
    for (size_t i = begun->paragraph; i < reader->paragraph_count; i++)
        reader->paragraphs[i].first -= (uint32_t)begun->word;
    choose_lang(segment);
}

// Reads the body of a segment, blocks first..last without `title`. The lead is its first
// paragraph that is neither navigation, byline nor date, nor the title once more.
static void read_body(struct reader *reader, const struct blocks *blocks, size_t first, size_t last,
                      size_t title, const struct begun *begun, struct text_segment *segment)
{
    tc_str body = reader->article->body;
    bool led = false;
    segment->lead_paragraph = (uint32_t)(reader->paragraph_count - begun->paragraph);
    for (size_t i = first; i <= last; i++) {
        const struct block *block = &blocks->list[i];
        uint32_t number = (uint32_t)(reader->paragraph_count - begun->paragraph);
        if (i == title || !read_paragraph(reader, body, block->from, block->to, TC_FIELD_BODY) ||
            led)
            continue;
        tc_str line = tc_str_cut(body, block->from, block->to);
        led = !reader->article->page ||
              (clean_line(line) == CLEAN_TEXT && !tc_str_eq(line, segment->title));
        if (led)
            segment->lead_paragraph = number;
    }
}

static void read_segment(struct reader *reader, const struct blocks *blocks, size_t first,
                         size_t last, struct text_segment *segment)
{
    const struct article *article = reader->article;
    struct begun begun = begin_segment(reader);
    size_t title = SIZE_MAX;
    if (segment->number == 0 && article->title.len) {
        segment->title = article->title;
        read_paragraph(reader, article->title, 0, (uint32_t)article->title.len, TC_FIELD_TITLE);
    } else if (article->page && blocks->count) {
        title = find_title(reader, blocks, first, last);
    }
    if (title <= last && blocks->count) {
        const struct block *line = &blocks->list[title];
        segment->title = tc_str_cut(article->body, line->from, line->to);
        read_paragraph(reader, article->body, line->from, line->to, TC_FIELD_BODY);
    }
    segment->title_words = (uint32_t)(reader->word_count - begun.word);
    if (article->page && blocks->count) {
        segment->first_line = blocks->list[first].line;
        segment->last_line = blocks->list[last].last_line;
    }
    if (blocks->count)
        read_body(reader, blocks, first, last, title, &begun, segment);
    end_segment(reader, &begun, segment);
}

static void read_segments(struct reader *reader, const struct blocks *blocks,
                          struct text_segment *segments)
{
    size_t first = 0, number = 0, sentence = 0;
    for (size_t i = 0; i < blocks->count || number == 0; i++) {
        bool ends =
            i + 1 >= blocks->count || blocks->list[i + 1].segment != blocks->list[i].segment;
        if (!ends)
            continue;
        segments[number].number = (uint32_t)number;
        read_segment(reader, blocks, first, i, &segments[number]);
        number++;
        first = i + 1;
    }
    // Only now the array of sentences stays where it is.
    for (size_t i = 0; i < number; i++) {
        segments[i].sentences = reader->sentences + sentence;
        sentence += segments[i].sentence_count;
    }
}

// Makes the arrays that are sized before reading.
static void prepare(struct reader *reader, const struct blocks *blocks)
{
    const struct article *article = reader->article;
    size_t bytes = article->title.len + article->body.len;
    reader->word_room = words_most(article->title) + words_most(article->body);
    if (reader->turkic)
        reader->word_room *= 2;
    if (reader->word_room > TEXT_WORDS_MOST)
        reader->word_room = (size_t)TEXT_WORDS_MOST + 1;
    reader->sentence_room = blocks->count + 2 + bytes / SENTENCE_GUESS;
    reader->words = tc_arena_take(article->arena, (reader->word_room + 1) * sizeof *reader->words);
    reader->paragraphs =
        tc_arena_take(article->arena, (blocks->count + 1) * sizeof *reader->paragraphs);
    reader->sentences =
        tc_arena_take(article->arena, reader->sentence_room * sizeof *reader->sentences);
    forms_init(&reader->forms, article->arena, reader->mode, bytes);
}

int text_read(struct article *article, const struct text_settings *settings,
              const struct text **out, struct tc_err *err)
{
    struct reader reader = {.article = article, .mode = settings->words};
    struct blocks blocks;
    reader.stated = lang_stated(article->lang);
    reader.turkic = reader.mode == TEXT_WORDS_TOCSIN &&
                    (!strcmp(reader.stated.name, "tr") || !strcmp(reader.stated.name, "az"));
    blocks_read(article->body, article->page, article->arena, &blocks);
    prepare(&reader, &blocks);

    struct text *text = tc_arena_take(article->arena, sizeof *text);
    text->segment_count = blocks.segments ? blocks.segments : 1;
    struct text_segment *segments =
        tc_arena_take(article->arena, text->segment_count * sizeof *segments);
    if (article->url.len)
        add_url(&reader, article->url);
    read_segments(&reader, &blocks, segments);
    if (reader.word_count > TEXT_WORDS_MOST)
        return tc_fail(err, TC_EFULL, "article has more than %d words", TEXT_WORDS_MOST);
    text->article = article;
    text->segments = segments;
    text->urls = reader.urls;
    text->url_count = (uint32_t)reader.url_count;
    text->repaired = utf8_bad(article->title) + utf8_bad(article->body);
    *out = text;
    return TC_OK;
}
