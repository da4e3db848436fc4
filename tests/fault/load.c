#include "tests/fault/load.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool load_wrong(struct load *load, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(load->why, sizeof load->why, format, arguments);
    va_end(arguments);
    return false;
}

struct chance load_chance(const struct load *load, unsigned t)
{
    return chance_of(load->seed * 1000003 + t);
}

size_t load_text(const struct load *load, unsigned t, unsigned i, char *out)
{
    struct chance chance = chance_of(load->seed * 7919 + t * 64 + i);
    size_t size = (size_t)(20 + chance_below(&chance, chance_one_in(&chance, 4) ? 1500 : 200));
    size_t len = (size_t)snprintf(out, LOAD_TEXT_BYTES, "{\"text\":\"%u-%u ", t, i);
    while (len < size)
        out[len++] = (char)('a' + chance_below(&chance, 26));
    memcpy(out + len, "\"}", 3);
    return len + 2;
}

struct load load_begin(const struct load_kind *kind, uint64_t seed)
{
    struct load load = {.kind = kind, .seed = seed};
    kind->begin(&load);
    return load;
}

void load_end(struct load *load)
{
    load->kind->close(load);
    load->kind->end(load);
}

int load_open(struct load *load, const char *folder, struct tc_err *err)
{
    snprintf(load->folder, sizeof load->folder, "%s", folder);
    return load->kind->open(load, err);
}

int load_step(struct load *load, struct tc_err *err)
{
    if (load->promised + 1 >= LOAD_STEPS_MOST)
        abort();
    load->begun = load->promised + 1;
    int code = load->kind->step(load, load->begun, err);
    if (code == TC_OK)
        load->promised = load->begun;
    return code;
}

// SQLite's own check, on a connection of its own.
static bool is_sound(struct load *load)
{
    char path[LOAD_FOLDER_BYTES + 32];
    sqlite3 *db = NULL;
    sqlite3_stmt *check = NULL;
    bool sound = false;
    snprintf(path, sizeof path, "%s/%s", load->folder, load->kind->file);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL) == SQLITE_OK &&
        sqlite3_step(check) == SQLITE_ROW) {
        const char *words = (const char *)sqlite3_column_text(check, 0);
        sound = words && strcmp(words, "ok") == 0;
        if (!sound)
            load_wrong(load, "integrity_check: %s", words ? words : "");
    } else {
        load_wrong(load, "integrity_check cannot run: %s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(check);
    sqlite3_close(db);
    return sound;
}

static bool takes_more(struct load *load, unsigned steps)
{
    struct tc_err err;
    for (unsigned t = steps + 1; t <= steps + 2; t++) {
        if (load->kind->step(load, t, &err) != TC_OK)
            return load_wrong(load, "transaction %u behind the cut: %s", t, err.text);
    }
    return load->kind->holds(load, steps + 2);
}

static enum load_verdict judge_open(struct load *load, bool go_on)
{
    bool more = load->begun > load->promised && load->kind->holds(load, load->begun);
    unsigned steps = more ? load->begun : load->promised;
    char why[LOAD_WHY_BYTES];
    if (more || load->kind->holds(load, load->promised))
        return !go_on || takes_more(load, steps) ? LOAD_WHOLE : LOAD_CORRUPT;
    memcpy(why, load->why, sizeof why);
    while (steps-- > 0) {
        if (load->kind->holds(load, steps)) {
            load_wrong(load, "%u transactions were promised, %u are there (%.300s)", load->promised,
                       steps, why);
            return LOAD_SHORT;
        }
    }
    memcpy(load->why, why, sizeof why);
    return LOAD_CORRUPT;
}

enum load_verdict load_judge(struct load *load, const char *folder, bool go_on)
{
    struct load other = *load;
    struct tc_err err;
    other.db = NULL;
    other.judged = true;
    enum load_verdict verdict = LOAD_CORRUPT;
    if (load_open(&other, folder, &err) == TC_OK)
        verdict = judge_open(&other, go_on);
    else
        load_wrong(&other, "cannot be opened: %s", err.text);
    load->kind->close(&other);
    if (verdict != LOAD_CORRUPT && !is_sound(&other))
        verdict = LOAD_CORRUPT;
    memcpy(load->why, other.why, sizeof load->why);
    return verdict;
}
