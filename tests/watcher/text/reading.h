// What the tests of this room share: an article made of a string, and its words as one line.
#ifndef READING_H
#define READING_H

#include "watcher/text/text.h"

#include <stdio.h>
#include <stdlib.h>

struct reading {
    struct article article;
    const struct text *text;
};

// Reads `body` as a page or an article; reading_done() ends it.
static inline struct reading *reading_of(tc_str title, tc_str body, bool page, const char *lang,
                                         enum text_words mode)
{
    struct reading *reading = calloc(1, sizeof *reading);
    const struct text_settings settings = {.words = mode};
    struct tc_err err;
    reading->article = (struct article){.arena = tc_arena_new(),
                                        .title = title,
                                        .body = body,
                                        .page = page,
                                        .lang = tc_str_of(lang)};
    if (text_read(&reading->article, &settings, &reading->text, &err) != TC_OK)
        abort();
    return reading;
}

static inline void reading_done(struct reading *reading)
{
    tc_arena_free(reading->article.arena);
    free(reading);
}

// The words of all segments, one blank between places, / between words at one place, | between
// sentences, || between paragraphs. `surface`: that form, otherwise the folded one.
static inline const char *reading_line(const struct reading *reading, bool surface, char *out,
                                       size_t room)
{
    size_t used = 0;
    const struct text_word *before = NULL;
    out[0] = '\0';
    for (uint32_t s = 0; s < reading->text->segment_count; s++)
        for (uint32_t i = 0; i < reading->text->segments[s].word_count; i++) {
            const struct text_word *word = &reading->text->segments[s].words[i];
            const char *gap = !before                                ? ""
                              : word->paragraph != before->paragraph ? " || "
                              : word->sentence != before->sentence   ? " | "
                              : word->position == before->position   ? "/"
                                                                     : " ";
            int len = surface ? word->surface_len : word->folded_len;
            used += (size_t)snprintf(out + used, room - used, "%s%.*s", gap, len,
                                     surface ? word->surface : word->folded);
            before = word;
        }
    return out;
}

// A file of the shared folder, NULL when it is absent. free() ends it.
static inline char *reading_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *bytes = malloc((size_t)1 << 23);
    *len = fread(bytes, 1, (size_t)1 << 23, file);
    fclose(file);
    return bytes;
}

#endif
