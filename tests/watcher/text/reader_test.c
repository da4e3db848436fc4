// The proof that reading off bitmaps changes nothing: every paragraph is read a second time with
// the scanner and the folding alone, and must give the same words and sentences.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/watcher/text/mix.h"
#include "tests/watcher/text/reading.h"
#include "watcher/text/fold.h"
#include "watcher/text/sentence.h"
#include "watcher/text/words.h"

#include <zlib.h>

enum { ROUNDS = 6000, LONGEST = 1500, SEED = 20250301, FORM = FOLD_ROOM(WORDS_SPAN_MOST + 16) };

// One paragraph while it is read for the second time.
struct second {
    const struct text_segment *segment;
    uint32_t word, sentence, first; // first: word that the open sentence begins with
    struct sentence_word last;
    char surface[FORM], folded[FORM];
};

static void check_word(struct second *second, const char *base, const struct words_span *span)
{
    const struct text_word *word = &second->segment->words[second->word];
    tc_str raw = {span->start, (size_t)(span->end - span->start)};
    bool initials = (span->flags & WORDS_INITIALS) != 0;
    tc_str surface = {second->surface,
                      fold_surface(raw, initials, second->surface, sizeof second->surface)};
    if (surface.len == 0)
        return; // fillers only
    tc_str folded = {second->folded,
                     fold_case(surface, FOLD_PLAIN, second->folded, sizeof second->folded)};
    assert_true(second->word < second->segment->word_count);
    assert_int_equal(word->start, span->start - base);
    assert_int_equal(word->end, span->end - base);
    assert_int_equal(word->sentence, second->sentence);
    assert_true(tc_str_eq(surface, (tc_str){word->surface, word->surface_len}));
    assert_true(tc_str_eq(folded, (tc_str){word->folded, word->folded_len}));
    second->last = (struct sentence_word){surface, folded, initials};
    uint32_t position = word->position;
    while (second->word < second->segment->word_count &&
           second->segment->words[second->word].position == position)
        second->word++; // its parts stand at the same place
}

static void check_paragraph(struct second *second, tc_str field,
                            const struct text_paragraph *paragraph)
{
    const char *before = field.ptr + paragraph->start, *end = field.ptr + paragraph->end;
    struct words words;
    struct words_span span;
    second->first = second->word;
    second->last = (struct sentence_word){0};
    words_init(&words, (tc_str){before, (size_t)(end - before)}, TEXT_WORDS_TOCSIN, false);
    while (words_next(&words, &span)) {
        if (second->word > second->first && sentence_end(&second->last, before, span.start, end)) {
            second->sentence++;
            second->first = second->word;
        }
        before = span.end;
        if (span.flags & WORDS_ADDRESS)
            second->last = (struct sentence_word){0};
        else
            check_word(second, field.ptr, &span);
    }
    second->sentence += second->word > second->first;
    assert_int_equal(second->word, paragraph->first + paragraph->count);
}

static void check_reading(const struct reading *reading)
{
    for (uint32_t i = 0; i < reading->text->segment_count; i++) {
        struct second second = {.segment = &reading->text->segments[i]};
        for (uint32_t p = 0; p < second.segment->paragraph_count; p++) {
            const struct text_paragraph *paragraph = &second.segment->paragraphs[p];
            check_paragraph(&second,
                            paragraph->field == TC_FIELD_TITLE ? reading->article.title
                                                               : reading->article.body,
                            paragraph);
        }
        assert_int_equal(second.sentence, second.segment->sentence_count);
    }
}

static void random_texts_are_read_as_the_scanner_reads_them(void **state)
{
    (void)state;
    char bytes[LONGEST + 32];
    uint32_t seed = SEED;
    print_message("seed %u\n", seed);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t len = mix_text(&seed, round % 4, mix_next(&seed) % LONGEST, bytes);
        char *text = malloc(len + 1); // exact, for the sanitizer
        memcpy(text, bytes, len);
        struct reading *reading = reading_of((tc_str){text, len / 4}, (tc_str){text, len},
                                             round & 1, "", TEXT_WORDS_TOCSIN);
        check_reading(reading);
        reading_done(reading);
        free(text);
    }
}

// A sentence ends where the paragraph's text is decided by a word before the gap; real text has
// the mixes that nobody thinks of.
static void articles_are_read_as_the_scanner_reads_them(void **state)
{
    (void)state;
    static const char *const files[] = {"clusters/vietnamese-clusters.jsonl.gz",
                                        "clusters/crosslang-clusters.jsonl.gz",
                                        "reuters/train.jsonl.gz"};
    enum { LINES = 300, BYTES = 1 << 18 };
    char *line = malloc(BYTES);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/corpus/%s", TEST_SHARED, files[i]);
        gzFile file = gzopen(path, "rb");
        if (!file) {
            print_message("skipped: no shared corpus\n");
            free(line);
            skip();
        }
        // The lines as they are: JSON has all the signs that text has.
        for (size_t n = 0; n < LINES && gzgets(file, line, BYTES); n++) {
            struct reading *reading =
                reading_of((tc_str){0}, tc_str_of(line), false, "", TEXT_WORDS_TOCSIN);
            check_reading(reading);
            reading_done(reading);
        }
        gzclose(file);
    }
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_texts_are_read_as_the_scanner_reads_them),
        cmocka_unit_test(articles_are_read_as_the_scanner_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
