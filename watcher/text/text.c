// Puts the parts together: marks, blocks, and for each segment its title, body and lead. Every pass
// is linear in the bytes.
#include "watcher/text/text.h"

#include "watcher/text/blocks.h"
#include "watcher/text/clean.h"
#include "watcher/text/letters.h"
#include "watcher/text/reader.h"
#include "watcher/text/utf8.h"

enum {
    TITLE_WORDS_LEAST = 4, // of a page's title line
    CREDIT_LINES = 4,      // so far below a publisher's name it may stand again, behind a dash
    SENTENCE_GUESS = 64,   // bytes of a sentence, for the first size of the array
    LANGS_MOST = 8,        // languages that compete for a segment
};

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
        if (i == title || !reader_add_paragraph(reader, TC_FIELD_BODY, block->from, block->to) ||
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
        reader_add_paragraph(reader, TC_FIELD_TITLE, 0, (uint32_t)article->title.len);
    } else if (article->page && blocks->count) {
        title = find_title(reader, blocks, first, last);
    }
    if (title <= last && blocks->count) {
        const struct block *line = &blocks->list[title];
        segment->title = tc_str_cut(article->body, line->from, line->to);
        reader_add_paragraph(reader, TC_FIELD_BODY, line->from, line->to);
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
    reader->word_room = reader->title.words + reader->body.words + READER_SLACK;
    if (reader->turkic)
        reader->word_room *= 2;
    if (reader->word_room > TEXT_WORDS_MOST)
        reader->word_room = (size_t)TEXT_WORDS_MOST + 1;
    reader->sentence_room = blocks->count + 2 + bytes / SENTENCE_GUESS;
    reader->words = tc_arena_room(article->arena, (reader->word_room + 1) * sizeof *reader->words);
    reader->paragraphs =
        tc_arena_room(article->arena, (blocks->count + 1) * sizeof *reader->paragraphs);
    reader->sentences =
        tc_arena_room(article->arena, reader->sentence_room * sizeof *reader->sentences);
    forms_init(&reader->forms, article->arena, reader->mode, bytes);
}

static void mark_letters(const struct reader *reader, struct marks *marks)
{
    if (reader->mode == TEXT_WORDS_TOCSIN && !reader->turkic && !marks->ascii && !marks->doubtful)
        letters_mark(marks, reader->article->arena);
}

static void read_marks(struct reader *reader)
{
    struct article *article = reader->article;
    enum marks_how how = marks_can(MARKS_AVX2) ? MARKS_AVX2 : MARKS_TABLE;
    bool signs = reader->mode != TEXT_WORDS_ASCII;
    marks_make(article->title, how, signs, article->arena, &reader->title);
    marks_make(article->body, how, signs, article->arena, &reader->body);
    mark_letters(reader, &reader->title);
    mark_letters(reader, &reader->body);
}

static uint32_t bad_bytes(const struct marks *marks)
{
    return marks->doubtful ? utf8_bad(marks->text) : 0;
}

int text_read(struct article *article, const struct text_settings *settings,
              const struct text **out, struct tc_err *err)
{
    struct reader reader = {.article = article, .mode = settings->words};
    struct blocks blocks;
    reader.stated = lang_stated(article->lang);
    reader.turkic = reader.mode == TEXT_WORDS_TOCSIN &&
                    (!strcmp(reader.stated.name, "tr") || !strcmp(reader.stated.name, "az"));
    read_marks(&reader);
    blocks_read(&reader.body, article->page, article->arena, &blocks);
    prepare(&reader, &blocks);

    struct text *text = tc_arena_take(article->arena, sizeof *text);
    text->segment_count = blocks.segments ? blocks.segments : 1;
    struct text_segment *segments =
        tc_arena_take(article->arena, text->segment_count * sizeof *segments);
    if (article->url.len)
        reader_add_url(&reader, article->url);
    read_segments(&reader, &blocks, segments);
    if (reader.word_count > TEXT_WORDS_MOST)
        return tc_fail(err, TC_EFULL, "article has more than %d words", TEXT_WORDS_MOST);
    text->article = article;
    text->segments = segments;
    text->urls = reader.urls;
    text->url_count = (uint32_t)reader.url_count;
    text->repaired = bad_bytes(&reader.title) + bad_bytes(&reader.body);
    *out = text;
    return TC_OK;
}
