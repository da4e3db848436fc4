#include "watcher/frequencies.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

#define COMMON_SHARE 0.01f // words in fewer texts say nothing about a change
#define DRIFT_SHARE 0.25f  // of the sum of all shares

static const char first_line[] = "tocsin frequencies 1\n";

// ---- sampling ------------------------------------------------------------------------------

struct sampler {
    struct tc_queue *out;
    struct counts *counts; // being counted
    uint64_t texts;        // seen
    uint32_t wanted;       // that are handed over next
};

struct sampler *sampler_new(struct tc_queue *out)
{
    struct sampler *sampler = tc_new(sizeof *sampler);
    sampler->out = out;
    sampler->counts = counts_new();
    sampler->wanted = SAMPLER_FIRST;
    return sampler;
}

void sampler_free(struct sampler *sampler)
{
    if (!sampler)
        return;
    counts_free(sampler->counts);
    free(sampler);
}

void sampler_note(struct sampler *sampler, const struct text *text)
{
    uint64_t number = sampler->texts++;
    if (number >= SAMPLER_ALL && number % SAMPLER_ONE_IN)
        return;
    counts_add(sampler->counts, text);
    if (sampler->counts->texts < sampler->wanted)
        return;
    // When nobody takes them these are lost: the next ones say as much.
    if (!tc_queue_try_push(sampler->out, sampler->counts))
        counts_free(sampler->counts);
    sampler->counts = counts_new();
    sampler->wanted = sampler->wanted < SAMPLER_MOST ? 2 * sampler->wanted : SAMPLER_MOST;
}

// ---- adding up -----------------------------------------------------------------------------

struct common { // a word that was in many texts when the watches were compiled
    char *word;
    size_t len;
    float share;
};

struct frequencies {
    struct counts total;
    uint64_t texts; // counted in all, those that are forgotten too
    uint64_t used;  // of those, when the watches were compiled; 0: never
    struct common *common;
    size_t common_count, common_room;
};

struct frequencies *frequencies_new(void)
{
    struct frequencies *frequencies = tc_new(sizeof *frequencies);
    counts_init(&frequencies->total);
    return frequencies;
}

static void forget_common(struct frequencies *frequencies)
{
    for (size_t i = 0; i < frequencies->common_count; i++)
        free(frequencies->common[i].word);
    frequencies->common_count = 0;
}

void frequencies_free(struct frequencies *frequencies)
{
    if (!frequencies)
        return;
    forget_common(frequencies);
    free(frequencies->common);
    counts_done(&frequencies->total);
    free(frequencies);
}

void frequencies_add(struct frequencies *frequencies, struct counts *counts)
{
    frequencies->texts += counts->texts;
    counts_merge(&frequencies->total, counts);
    if (frequencies->total.texts > FREQUENCIES_FORGET)
        counts_halve(&frequencies->total);
    counts_free(counts);
}

const struct counts *frequencies_counts(const struct frequencies *frequencies)
{
    return frequencies->texts < FREQUENCIES_FIRST ? NULL : &frequencies->total;
}

uint64_t frequencies_texts(const struct frequencies *frequencies)
{
    return frequencies->texts;
}

// How far the shares of words that were common have moved, against their sum.
static bool has_drifted(const struct frequencies *frequencies)
{
    float moved = 0, sum = 0;
    for (size_t i = 0; i < frequencies->common_count; i++) {
        const struct common *common = &frequencies->common[i];
        float now = counts_share(&frequencies->total, (tc_str){common->word, common->len});
        moved += now > common->share ? now - common->share : common->share - now;
        sum += common->share;
    }
    return moved > DRIFT_SHARE * sum;
}

bool frequencies_worth(const struct frequencies *frequencies)
{
    if (frequencies->texts < FREQUENCIES_FIRST)
        return false;
    if (!frequencies->used)
        return true;
    if (frequencies->used < FREQUENCIES_SURE)
        return frequencies->texts >= 4 * frequencies->used;
    return frequencies->texts > frequencies->used + SAMPLER_MOST && has_drifted(frequencies);
}

void frequencies_used(struct frequencies *frequencies)
{
    const struct counts *total = &frequencies->total;
    forget_common(frequencies);
    frequencies->used = frequencies->texts;
    for (uint32_t i = 0; i < total->count; i++) {
        float share = (float)total->counted[i].texts / (float)(total->texts + 1);
        if (share < COMMON_SHARE)
            continue;
        tc_str word = counts_word(total, i);
        frequencies->common = tc_room(frequencies->common, frequencies->common_count,
                                      &frequencies->common_room, sizeof *frequencies->common);
        frequencies->common[frequencies->common_count++] =
            (struct common){tc_dup(word.ptr, word.len), word.len, share};
    }
}

// ---- the file ------------------------------------------------------------------------------

static bool write_all(const struct counts *counts, FILE *file)
{
    fputs(first_line, file);
    fprintf(file, "%" PRIu32 "\n", counts->texts);
    for (uint32_t i = 0; i < counts->count; i++) {
        tc_str word = counts_word(counts, i);
        if (counts->counted[i].texts > 1 && !memchr(word.ptr, '\n', word.len))
            fprintf(file, "%" PRIu32 " %.*s\n", counts->counted[i].texts, TC_ARG(word));
    }
    return !ferror(file);
}

int frequencies_save(const struct frequencies *frequencies, const char *file, struct tc_err *err)
{
    char fresh[4096];
    snprintf(fresh, sizeof fresh, "%s.new", file);
    FILE *out = fopen(fresh, "w");
    bool written = out && write_all(&frequencies->total, out);
    if (out && fclose(out) != 0)
        written = false;
    if (written && rename(fresh, file) == 0)
        return TC_OK;
    int code = tc_fail(err, TC_EIO, "%s: %s", file, strerror(errno));
    remove(fresh);
    return code;
}

static bool read_number(char *line, char end, uint32_t *number, char **rest)
{
    errno = 0;
    unsigned long value = strtoul(line, rest, 10);
    *number = (uint32_t)value;
    return *rest > line && **rest == end && !errno && value <= UINT32_MAX;
}

static bool read_all(struct counts *counts, FILE *file)
{
    char *line = NULL, *rest = NULL;
    size_t room = 0;
    ssize_t len;
    bool fine = getline(&line, &room, file) > 0 && strcmp(line, first_line) == 0 &&
                getline(&line, &room, file) > 0 && read_number(line, '\n', &counts->texts, &rest);
    while (fine && (len = getline(&line, &room, file)) > 0) {
        uint32_t texts = 0;
        fine = read_number(line, ' ', &texts, &rest) && line[len - 1] == '\n' &&
               texts <= counts->texts;
        if (fine)
            counts_put(counts, (tc_str){rest + 1, (size_t)(line + len - 1 - (rest + 1))}, texts);
    }
    free(line);
    return fine && !ferror(file);
}

int frequencies_load(struct frequencies *frequencies, const char *file, struct tc_err *err)
{
    FILE *in = fopen(file, "r");
    if (!in)
        return tc_fail(err, errno == ENOENT ? TC_ENOENT : TC_EIO, "%s: %s", file, strerror(errno));
    struct counts counts;
    counts_init(&counts);
    bool fine = read_all(&counts, in);
    fclose(in);
    if (!fine) {
        counts_done(&counts);
        return tc_fail(err, TC_EPARSE, "%s is no file of word frequencies", file);
    }
    counts_done(&frequencies->total);
    frequencies->total = counts;
    frequencies->texts = counts.texts;
    return TC_OK;
}
