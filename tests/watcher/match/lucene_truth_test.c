// What Lucene itself answered, against dialect lucene with the words of Lucene's StandardAnalyzer.
//
// tests/data/query-semantics.tsv has 1,452 answers of Apache Lucene 8.8.1: a query, one article, yes, no
// or error. Every row agrees: with these words there is nothing that tocsin decides otherwise. The second
// test runs the queries of the shared corpus on its 9,603 articles and wants exactly the articles
// that Lucene found.
#include "common/json.h"
#include "common/mem.h"
#include "watcher/match/lucene/lucene.h"
#include "watcher/match/scan.h"
#include "watcher/source/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIELDS_MOST = 12, ROWS = 1452, CORPUS_QUERIES = 230 };

static const struct text_settings settings = {.words = TEXT_WORDS_STANDARD};

// ---- tables --------------------------------------------------------------------------------

struct table {
    struct tc_buf text;
    tc_str rest;
};

static bool open_table(struct table *table, const char *path)
{
    char part[65536];
    size_t len;
    FILE *file = fopen(path, "r");
    *table = (struct table){0};
    if (!file)
        return false;
    while ((len = fread(part, 1, sizeof part, file)) > 0)
        tc_buf_add(&table->text, part, len);
    fclose(file);
    table->rest = tc_buf_view(&table->text);
    tc_str header;
    return tc_str_next(&table->rest, '\n', &header);
}

// The next row's fields; false at the end.
static bool next_row(struct table *table, tc_str *fields)
{
    tc_str line;
    if (!tc_str_next(&table->rest, '\n', &line) || !line.len)
        return false;
    for (size_t i = 0; i < FIELDS_MOST; i++) {
        fields[i] = (tc_str){NULL, 0};
        tc_str_next(&line, '\t', &fields[i]);
    }
    return true;
}

// ---- queries -------------------------------------------------------------------------------

struct set { // each query once, as a watch
    struct tc_arena *arena;
    struct watch *watches;
    bool *wrong; // it cannot be read; it then matches nothing
    size_t count, room, wrong_room;
    struct matcher *matcher;
    struct scan *scan;
};

static void add_query(struct set *set, tc_str name, tc_str options, tc_str query)
{
    struct tc_diags *diags = tc_diags_new();
    struct query_text_place where = {TC_STR("query"), query};
    struct query_place place = {query_wrong_in_text, diags, &where};
    struct lucene_options read;
    tc_str unknown;
    if (set->count && tc_str_eq(set->watches[set->count - 1].name, name)) {
        tc_diags_free(diags);
        return;
    }
    assert_true(lucene_options_read(options, &read, &unknown));
    struct query_node *node = lucene_read(query, &settings, &read, set->arena, &place, NULL);
    assert_int_equal(node == NULL, tc_diags_errors(diags) > 0);
    set->wrong = tc_room(set->wrong, set->count, &set->wrong_room, sizeof *set->wrong);
    set->watches = tc_room(set->watches, set->count, &set->room, sizeof *set->watches);
    set->wrong[set->count] = !node;
    set->watches[set->count++] = (struct watch){
        .name = name,
        .severity = TC_STR("info"),
        .query = node ? node : query_node_new(set->arena, QUERY_NEVER, 0),
    };
    tc_diags_free(diags);
}

static void open_set(struct set *set)
{
    *set = (struct set){.arena = tc_arena_new(), .scan = scan_new()};
}

static void compile_set(struct set *set)
{
    struct tc_err err = {0};
    assert_int_equal(matcher_new(set->watches, set->count, NULL, NULL, &set->matcher, &err), TC_OK);
}

static void close_set(struct set *set)
{
    matcher_drop(set->matcher);
    scan_free(set->scan);
    tc_arena_free(set->arena);
    free(set->watches);
    free(set->wrong);
}

// ---- one article a row ---------------------------------------------------------------------

enum { ID, CATEGORY, OPTIONS, QUERY, TITLE, BODY, LANG, PUBLISHED, SOURCE, AUTHOR, EXPECTED };

static struct article *article_of(const tc_str *row)
{
    static const char *const keys[] = {[TITLE] = "title",
                                       [BODY] = "text",
                                       [LANG] = "lang",
                                       [SOURCE] = "source",
                                       [AUTHOR] = "author"};
    struct tc_buf text = {0};
    struct tc_json json = tc_json_on(&text);
    struct article *article = NULL;
    struct tc_err err = {0};
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "id", TC_STR("row"));
    // An article without any text never gets this far: a full stop is none either.
    for (size_t i = TITLE; i <= AUTHOR; i++) {
        if (keys[i] && (row[i].len || i == BODY))
            tc_json_put_str(&json, keys[i], row[i].len ? row[i] : TC_STR("."));
    }
    if (row[PUBLISHED].len == 8) {
        char day[32];
        const char *digits = row[PUBLISHED].ptr;
        snprintf(day, sizeof day, "%.4s-%.2s-%.2sT12:00:00Z", digits, digits + 4, digits + 6);
        tc_json_put_str(&json, "published", tc_str_of(day));
    }
    tc_json_close(&json, '}');
    if (article_from_json(tc_buf_view(&text), TC_STR(""), ARTICLE_BYTES, &article, &err) != TC_OK)
        fail_msg("%s: %s", text.ptr, err.text);
    tc_buf_done(&text);
    return article;
}

static bool hits(struct set *set, const struct text *text, size_t watch)
{
    const struct scan_hit *found;
    size_t count = scan_run(set->scan, set->matcher, text, &found);
    for (size_t i = 0; i < count; i++) {
        if (found[i].watch == watch)
            return true;
    }
    return false;
}

static const char *answer(struct set *set, const tc_str *row, size_t watch)
{
    struct article *article = article_of(row);
    const struct text *text;
    struct tc_err err;
    assert_int_equal(text_read(article, &settings, &text, &err), TC_OK);
    bool yes = hits(set, text, watch);
    article_free(article);
    return set->wrong[watch] ? "error" : yes ? "yes" : "no";
}

static void every_row_answers_as_lucene_does(void **state)
{
    (void)state;
    struct table table;
    struct set set;
    tc_str row[FIELDS_MOST];
    size_t rows = 0, differ = 0, watch = 0;
    open_set(&set);
    assert_true(open_table(&table, TEST_DATA "/query-semantics.tsv"));
    tc_str rest = table.rest;
    while (next_row(&table, row))
        add_query(&set, row[ID], row[OPTIONS], row[QUERY]);
    compile_set(&set);
    for (table.rest = rest; next_row(&table, row); rows++) {
        while (!tc_str_eq(set.watches[watch].name, row[ID]))
            watch++;
        const char *got = answer(&set, row, watch);
        if (tc_str_eq(tc_str_of(got), row[EXPECTED]))
            continue;
        differ++;
        print_error("%.*s %.*s: %.*s on \"%.*s\": %s, not %.*s\n", TC_ARG(row[ID]),
                    TC_ARG(row[OPTIONS]), TC_ARG(row[QUERY]), TC_ARG(row[BODY]), got,
                    TC_ARG(row[EXPECTED]));
    }
    tc_buf_done(&table.text);
    close_set(&set);
    assert_int_equal(rows, ROWS);
    assert_int_equal(differ, 0);
}

// ---- queries on the corpus -----------------------------------------------------------------

struct found { // ids of the articles that a query found, each with a blank behind it
    struct tc_buf ids;
    uint32_t count;
};

static void run_articles(struct set *set, const char *path, struct found *found)
{
    struct lines *lines = NULL;
    struct article *article;
    struct tc_err err = {0};
    assert_int_equal(lines_open(path, TC_STR("reuters"), ARTICLE_BYTES, &lines, &err), TC_OK);
    while (lines_next(lines, &article, &err) == TC_OK) {
        const struct text *text;
        const struct scan_hit *hit;
        article->source = TC_STR("reuters");
        assert_int_equal(text_read(article, &settings, &text, &err), TC_OK);
        size_t count = scan_run(set->scan, set->matcher, text, &hit);
        for (size_t i = 0; i < count; i++) {
            tc_buf_addf(&found[hit[i].watch].ids, "%.*s ", TC_ARG(article->id));
            found[hit[i].watch].count++;
        }
        article_free(article);
    }
    lines_close(lines);
}

static int by_text(const void *a, const void *b)
{
    return tc_str_cmp(*(const tc_str *)a, *(const tc_str *)b);
}

// The ids of a list in order of their bytes, so that two lists can be compared.
static tc_str sorted(struct tc_arena *arena, tc_str ids, size_t *count)
{
    struct tc_buf joined = {0};
    tc_str *list = tc_arena_take(arena, (ids.len + 1) * sizeof *list), rest = ids, one;
    *count = 0;
    while (tc_str_next(&rest, ' ', &one)) {
        if (one.len)
            list[(*count)++] = one;
    }
    qsort(list, *count, sizeof *list, by_text);
    for (size_t i = 0; i < *count; i++)
        tc_buf_addf(&joined, "%.*s ", TC_ARG(list[i]));
    tc_str kept = tc_arena_str(arena, tc_buf_view(&joined));
    tc_buf_done(&joined);
    return kept;
}

static void every_query_finds_the_articles_that_lucene_finds(void **state)
{
    (void)state;
    static const char articles[] = TEST_SHARED "/corpus/reuters/train.jsonl.gz";
    struct table table;
    struct set set;
    tc_str row[FIELDS_MOST];
    size_t differ = 0, query = 0;
    if (access(articles, R_OK) != 0 ||
        !open_table(&table, TEST_SHARED "/corpus/queries/reuters-queries.tsv")) {
        print_message("the shared corpus is not there\n");
        skip();
    }
    open_set(&set);
    tc_str rest = table.rest;
    while (next_row(&table, row))
        add_query(&set, row[0], row[2], row[3]);
    compile_set(&set);
    struct found *found = tc_new(set.count * sizeof *found);
    run_articles(&set, articles, found);
    for (table.rest = rest; next_row(&table, row); query++) {
        size_t wanted_count, got_count;
        tc_str got = sorted(set.arena, tc_buf_view(&found[query].ids), &got_count);
        tc_str wanted = sorted(set.arena, row[5], &wanted_count);
        if (tc_str_eq(got, wanted) && !set.wrong[query])
            continue;
        differ++;
        print_error("%.*s %.*s: %zu articles, not %zu\n", TC_ARG(row[0]), TC_ARG(row[3]), got_count,
                    wanted_count);
    }
    for (size_t i = 0; i < set.count; i++)
        tc_buf_done(&found[i].ids);
    free(found);
    tc_buf_done(&table.text);
    close_set(&set);
    assert_int_equal(query, CORPUS_QUERIES);
    assert_int_equal(differ, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_answers_as_lucene_does),
        cmocka_unit_test(every_query_finds_the_articles_that_lucene_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
