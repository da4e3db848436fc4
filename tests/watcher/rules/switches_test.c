// The key `text:` of a watch, through the files it stands in.
#include "watcher/match/scan.h"
#include "watcher/rules/rules.h"
#include "watcher/text/stem.h"

#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};

static struct rules *read_rules(const char *text, int expected)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/switches_test-%d.yaml", (int)getpid());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    struct rules *rules = rules_new(&settings);
    struct tc_diags *diags = tc_diags_new();
    int code = rules_add_file(rules, path, diags);
    if (code != expected) {
        struct tc_buf said = {0};
        tc_diags_print(diags, false, &said);
        print_error("%s\n%s\n", text, said.ptr ? said.ptr : "");
        tc_buf_done(&said);
    }
    assert_int_equal(code, expected);
    tc_diags_free(diags);
    unlink(path);
    return rules;
}

static void print_failure(void *context, const struct rules_result *result)
{
    (void)context;
    if (result->outcome == RULES_FAIL)
        print_error("%.*s\n", TC_ARG(result->detail));
}

#define MARKS "{marks: fold}"
#define DE "{stem: [de]}"
#define EN "{stem: [en]}"
#define EN_DE "{stem: [en, de]}"
#define EXPAND "{german_umlauts: expand}"

static const struct {
    const char *switches, *match, *text, *lang;
    bool hit;
} rows[] = {
    // marks: the example of Vietnamese, with folding on and off
    {"{}", "tránh", "sự cạnh tranh", "", false},
    {"{marks: keep}", "tránh", "sự cạnh tranh", "", false},
    {MARKS, "tránh", "sự cạnh tranh", "", true},
    {MARKS, "tranh", "cần tránh", "", true},
    {MARKS, "=tránh", "sự cạnh tranh", "", false},
    {MARKS, "=tránh", "cần tránh", "", true},
    {MARKS, "dang", "đang", "", true},
    {MARKS, "Đảng", "dang", "", true},
    {"{}", "dang", "đang", "", false},
    {MARKS, "façade", "the FACADE", "en", true},
    {MARKS, "łódź", "lodz", "", true},
    {MARKS, "façade", "fassade", "", false},
    {MARKS, "が", "か", "", false},
    {MARKS, "中国", "在中国", "", true},
    {MARKS, "tránh*", "tranhs", "", true},
    {MARKS, "tranh*", "tránhs", "", true},
    {MARKS, "tranh*", "trinh", "", false},
    {MARKS, "\"trí tuệ\"", "tri tue nhan tao", "", true},
    {MARKS, "\"trí tuệ\"", "tri va tue", "", false},
    {MARKS, "trí NEAR/2 tuệ", "tri va tue", "", true},
    {MARKS, "trí AND NOT tuệ", "tri va tue", "", false},
    {MARKS, "@places", "a cote", "", true},
    {"{}", "@places", "a cote", "", false},
    // stems
    {"{}", "Reise", "Reisen", "de", false},
    {DE, "Reise", "Reisen", "de", true},
    {DE, "reisen", "eine Reise", "", true},
    {DE, "Reise", "Reisen", "en", false},
    {DE, "Reise", "Reise", "en", true},
    {DE, "=Reise", "Reisen", "de", false},
    {DE, "Reise", "Reis", "de", true},
    {DE, "Reise", "Riese", "de", false},
    {DE, "Haus", "Häuser", "de", true},
    {DE, "\"lange Reise\"", "langen Reisen", "de", true},
    {DE, "\"lange Reise\"", "langen schönen Reisen", "de", false},
    {DE, "\"lange Reise\"~1", "Reisen und langen", "de", true},
    {DE, "lange NEAR/2 Reise", "langen schönen Reisen", "de", true},
    {DE, "@places", "Städten", "de", true},
    {DE, "reise*", "reisende", "de", true},
    {DE, "reise*", "reis", "de", false},
    {EN, "travel", "he travelled", "en", true},
    {EN, "travelling", "travels", "en", true},
    {EN, "travel", "trave", "en", false},
    {EN_DE, "travels OR Reise", "travelling", "en", true},
    {EN_DE, "travels OR Reise", "Reisen", "de", true},
    {EN_DE, "travels AND Reise", "travelling, Reisen", "", true},
    {EN_DE, "travels AND Reise", "travelling, Reisen", "en", false},
    {EN_DE, "ATLEAST/2(travel)", "travels", "", false},
    {EN_DE, "ATLEAST/2(travel)", "travels and travelling", "", true},
    // umlauts
    {"{}", "Straße", "Strasse", "", true},
    {"{}", "Müller", "Mueller", "", false},
    {EXPAND, "Müller", "Mueller", "", true},
    {EXPAND, "Mueller", "Müller", "", true},
    {EXPAND, "Müller", "Muller", "", false},
    {EXPAND, "=Müller", "Mueller", "", false},
    {EXPAND, "Müll*", "Muellers", "", true},
    {EXPAND, "M?ller", "Müller", "", true},
    {EXPAND, "\"Frau Müller\"", "Frau Mueller", "", true},
    {EXPAND, "@places", "Staedte", "", true},
    // together
    {"{german_umlauts: expand, marks: fold}", "Müller", "Muller", "", true},
    {"{german_umlauts: expand, marks: fold}", "Müller", "Mueller", "", true},
    {"{german_umlauts: expand, stem: [de]}", "Haus", "Häuser", "de", true},
    {"{german_umlauts: expand, stem: [de]}", "Müller", "Muellers", "de", true},
};

// With where: {lang: tr} a capital I of the query is dotless, and one of the text is both.
static void a_watch_for_turkish_texts_folds_as_turkish_does(void **state)
{
    static const struct {
        const char *where, *match, *text, *lang;
        bool hit;
    } cases[] = {
        {"tr", "DİYARBAKIR", "Diyarbakır yolu", "tr", true},
        {"tr", "Diyarbakır", "DİYARBAKIR YOLU", "tr", true},
        {"tr", "IŞIK", "ışık", "tr", true},
        {"tr", "ışık", "IŞIK", "tr", true},
        {"tr", "IŞIK", "işik", "tr", false},
        {"tr", "DIŞ", "diş", "tr", false},
        {"tr", "\"DIŞ politika\"", "dış politika", "tr", true},
        {"tr", "DIŞ*", "dışarı", "tr", true},
        {"tr", "@places", "ısparta", "tr", true},
        {"tr", "IBM", "IBM", "tr", true},
        {"tr", "=IŞIK", "ışık", "tr", false},
        {"[tr, en]", "DIŞ", "diş", "tr", true},
        {"en", "DIŞ", "dış", "en", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "tocsin: 1\nnamespace: ns\nlists: {places: [ISPARTA]}\nwatches:\n"
                 "  - name: w\n    match: '%s'\n    where: {lang: %s}\n"
                 "    tests: [{text: '%s', lang: %s, expect: %s}]\n",
                 cases[i].match, cases[i].where, cases[i].text, cases[i].lang,
                 cases[i].hit ? "hit" : "none");
        struct rules *rules = read_rules(text, TC_OK);
        if (rules_test(rules, NULL, print_failure, NULL))
            fail_msg("%s", text);
        rules_drop(rules);
    }
}

static void each_switch_makes_words_equal_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1000], lang[40] = "";
        if (*rows[i].lang)
            snprintf(lang, sizeof lang, "lang: %s, ", rows[i].lang);
        snprintf(text, sizeof text,
                 "tocsin: 1\nnamespace: ns\nlists: {places: [Städte, Côté]}\nwatches:\n"
                 "  - name: w\n    match: '%s'\n    text: %s\n"
                 "    tests: [{text: '%s', %sexpect: %s}]\n",
                 rows[i].match, rows[i].switches, rows[i].text, lang, rows[i].hit ? "hit" : "none");
        struct rules *rules = read_rules(text, TC_OK);
        size_t failed = rules_test(rules, NULL, print_failure, NULL);
        if (failed)
            print_error("%s", text);
        assert_int_equal(failed, 0);
        rules_drop(rules);
    }
}

static void a_list_follows_the_switches_of_each_watch_that_names_it(void **state)
{
    (void)state;
    struct rules *rules = read_rules(
        "tocsin: 1\nnamespace: ns\nlists: {a: [tránh, '@b'], b: [Reise]}\n"
        "defaults: {text: {stem: [de]}}\nwatches:\n"
        "  - {name: stems, match: '@a', tests: [{text: reisen, expect: hit}, {text: tranh, expect: "
        "none}]}\n"
        "  - {name: marks, match: '@a', text: {marks: fold, stem: []}, tests: [{text: tranh, "
        "expect: hit}, {text: reisen, expect: none}]}\n"
        "  - {name: both, match: '@a', text: {marks: fold}, tests: [{text: tranh, expect: hit}, "
        "{text: reisen, expect: hit}]}\n",
        TC_OK);
    assert_int_equal(rules_test(rules, NULL, print_failure, NULL), 0);
    rules_drop(rules);
}

static void switches_belong_to_the_definition(void **state)
{
    (void)state;
    struct rules *rules =
        read_rules("tocsin: 1\nnamespace: ns\nwatches:\n"
                   "  - {name: w, match: reisen, text: {marks: fold, stem: [en, de]}}\n",
                   TC_OK);
    const struct watch *watch = rules_watch(rules, 0);
    assert_non_null(strstr(watch->definition.ptr, "\"query\":\"reisen\""));
    assert_non_null(
        strstr(watch->definition.ptr, "\"text\":{\"marks\":\"fold\",\"stem\":[\"de\",\"en\"]}"));
    struct tc_buf shown = {0};
    query_print(watch->query->list->entries[1].node, &shown);
    tc_buf_byte(&shown, '\0');
    assert_string_equal(shown.ptr, "reisen (stem reis, marks folded)");
    tc_buf_done(&shown);
    rules_drop(rules);
}

static void what_has_no_stems_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"{stem: [vi]}", "{stem: [en, pl]}", "{stem: en}",
                                        "{marks: drop}", "{german_umlauts: fold}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "tocsin: 1\nnamespace: ns\nwatches:\n  - {name: w, match: a1, text: %s}\n",
                 texts[i]);
        rules_drop(read_rules(text, TC_EPARSE));
    }
    rules_drop(read_rules("tocsin: 1\nnamespace: ns\nwatches:\n"
                          "  - {name: w, match: a1, dialect: lucene, text: {marks: fold}}\n",
                          TC_EPARSE));
}

static void the_canonical_form_keeps_the_switches(void **state)
{
    (void)state;
    static const char text[] = "tocsin: 1\nnamespace: ns\n\nlists:\n  a: [Reise, tránh]\n\n"
                               "watches:\n  - name: w\n    match:\n      any: [reisen, '@a']\n"
                               "    text: {stem: [en, de], marks: fold}\n";
    tc_str whole = tc_str_of(text);
    struct tc_diags *diags = tc_diags_new();
    struct tc_buf out = {0};
    struct tc_err err = {0};
    assert_int_equal(rules_format("w.yaml", &whole, RULES_FORM_TREE, &settings, &out, diags, &err),
                     TC_OK);
    tc_buf_byte(&out, '\0');
    assert_non_null(strstr(out.ptr, "text: {marks: fold, stem: [en, de]}"));
    assert_non_null(strstr(out.ptr, "reisen"));
    tc_buf_done(&out);
    tc_diags_free(diags);
}

// ---- against the lists of the algorithms' authors ------------------------------------------

static const struct {
    const char *file, *code;
    double least; // of the pairs agree; the lists are newer than the library
} stems[] = {
    {"english", "en", 0.98}, {"french", "fr", 0.9},     {"german", "de", 0.9},
    {"italian", "it", 0.9},  {"portuguese", "pt", 0.9}, {"russian", "ru", 0.9},
    {"spanish", "es", 0.9},  {"swedish", "sv", 0.9},    {"turkish", "tr", 0.9},
};

static void stems_agree_with_the_published_lists(void **state)
{
    (void)state;
    struct stemmers *stemmers = stemmers_new();
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++) {
        char path[400], line[400];
        int language = stem_language(tc_str_of(stems[i].code));
        size_t pairs = 0, same = 0;
        snprintf(path, sizeof path, "%s/corpus/stems/%s.tsv.gz", TEST_SHARED, stems[i].file);
        gzFile file = gzopen(path, "r");
        if (!file) {
            stemmers_free(stemmers);
            print_message("skipped: no %s\n", path);
            skip();
        }
        while (gzgets(file, line, sizeof line)) {
            char *tab = strchr(line, '\t');
            assert_non_null(tab);
            tc_str word = {line, (size_t)(tab - line)};
            tab[strcspn(tab, "\r\n")] = '\0';
            same += tc_str_eq(stem_of(stemmers, language, word), tc_str_of(tab + 1));
            pairs++;
        }
        gzclose(file);
        print_message("%s: %zu of %zu stems agree\n", stems[i].file, same, pairs);
        assert_true((double)same >= stems[i].least * (double)pairs);
    }
    stemmers_free(stemmers);
}

static void every_language_has_its_algorithm(void **state)
{
    (void)state;
    struct stemmers *stemmers = stemmers_new();
    const char *codes = stem_codes();
    for (int i = 0; i * 4 < (int)strlen(codes); i++) {
        assert_int_equal(stem_language((tc_str){codes + i * 4, 2}), i);
        assert_memory_equal(stem_code(i), codes + i * 4, 2);
        assert_true(stem_of(stemmers, i, TC_STR("x")).len == 1);
    }
    stemmers_free(stemmers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_switch_makes_words_equal_and_no_more),
        cmocka_unit_test(a_watch_for_turkish_texts_folds_as_turkish_does),
        cmocka_unit_test(a_list_follows_the_switches_of_each_watch_that_names_it),
        cmocka_unit_test(switches_belong_to_the_definition),
        cmocka_unit_test(what_has_no_stems_is_refused),
        cmocka_unit_test(the_canonical_form_keeps_the_switches),
        cmocka_unit_test(stems_agree_with_the_published_lists),
        cmocka_unit_test(every_language_has_its_algorithm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
