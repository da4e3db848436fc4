// reader - paragraph after paragraph becomes words and sentences, in flat arrays.
//
// The array of words is sized by a count made beforehand that can only be too high (marks.words), so
// nothing moves while it grows and no word costs an allocation. Sentences double when their guess
// was too low.
//
//   cost     linear in the bytes
//   threads  one: belongs to the article's arena
#ifndef READER_H
#define READER_H

#include "watcher/text/forms.h"
#include "watcher/text/lang.h"
#include "watcher/text/marks.h"

// Words that are added without a look at the room; the scanner, which looks, takes over before.
enum { READER_SLACK = MARKS_WINDOW / 2 };

struct reader {
    struct article *article;
    struct marks title, body;
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

void reader_add_url(struct reader *reader, tc_str url);

// Adds bytes from..to of a field as a paragraph. False, and nothing added, when it has no words.
bool reader_add_paragraph(struct reader *reader, enum tc_field field, uint32_t from, uint32_t to);

#endif
