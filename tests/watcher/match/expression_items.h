// expression_items - regular expressions that are plain enough to be matched by trying everything.
//
// Item after item: any of some letters, so many times. The second item is a word, its letters in their
// order. random_test.c compares what the matcher makes of them.
#ifndef EXPRESSION_ITEMS_H
#define EXPRESSION_ITEMS_H

#include "common/buf.h"
#include "tests/watcher/match/chance.h"

enum { ITEMS = 4 };

struct item { // of an expression: any of these letters, least .. most times
    const char *letters;
    int least, most;
};

struct expression_items {
    struct item at[ITEMS];
    bool any_case;
};

// A word, and something before and behind it.
static void items_any(struct expression_items *items, const char *word)
{
    static const struct item around[] = {
        {"aeiou", 0, 2}, {" ", 0, 1},  {"klmnop", 1, 3},           {"a", 0, 9},
        {"KLM", 0, 1},   {". ", 1, 2}, {"abcdefghijklmnop", 2, 5}, {" kalomi.", 0, 40},
    };
    items->any_case = below(2);
    for (int i = 0; i < ITEMS; i++)
        items->at[i] = around[below(sizeof around / sizeof *around)];
    items->at[1] = (struct item){word, 1, 1};
}

static void items_print(const struct expression_items *items, struct tc_buf *out)
{
    tc_buf_puts(out, "/");
    for (int i = 0; i < ITEMS; i++) {
        const struct item *item = &items->at[i];
        if (i == 1)
            tc_buf_puts(out, item->letters);
        else
            tc_buf_addf(out, "[%s]{%d,%d}", item->letters, item->least, item->most);
    }
    tc_buf_puts(out, items->any_case ? "/i" : "/");
}

static char in_case(const struct expression_items *items, char letter)
{
    return items->any_case && letter >= 'A' && letter <= 'Z' ? (char)(letter + 'a' - 'A') : letter;
}

static bool is_one_of(const struct expression_items *items, const struct item *item, char letter)
{
    for (const char *p = item->letters; letter && *p; p++) {
        if (in_case(items, *p) == in_case(items, letter))
            return true;
    }
    return false;
}

// The farthest end of items i.. from letter `at` to letter `to` at most; -1 when there is none.
static int items_farthest(const struct expression_items *items, int i, const char *letters, int at,
                          int to)
{
    const struct item *item = &items->at[i];
    int best = -1, count = 0;
    if (i == ITEMS)
        return at;
    if (i == 1) {
        for (const char *p = item->letters; *p; p++, at++) {
            if (at >= to || in_case(items, *p) != in_case(items, letters[at]))
                return -1;
        }
        return items_farthest(items, i + 1, letters, at, to);
    }
    for (;; at++, count++) {
        int end = count >= item->least ? items_farthest(items, i + 1, letters, at, to) : -1;
        best = end > best ? end : best;
        if (count == item->most || at >= to || !is_one_of(items, item, letters[at]))
            return best;
    }
}

// The next match in letters *at .. end-1 that is not inside the one before, which ended at *reach; each as long as
// it can be. Moves both on; false when there is none.
static bool items_next(const struct expression_items *items, const char *letters, int *at, int end,
                       int *reach)
{
    for (; *at < end; ++*at) {
        int behind = items_farthest(items, 0, letters, *at, end);
        if (behind <= *reach)
            continue;
        *reach = behind;
        return true;
    }
    return false;
}

#endif
