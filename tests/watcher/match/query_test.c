#include "watcher/match/query.h"

#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};

struct reading { // of one query string
    struct tc_arena *arena;
    struct tc_diags *diags;
    struct query_node *root;
    struct tc_buf printed;
};

static struct reading read_query(tc_str text)
{
    static const struct query_list ai = {.name = {"ai_experts", 10}};
    static const struct query_list usa = {.name = {"usa", 3}};
    static const struct query_list *const all[] = {&ai, &usa};
    static const struct query_lists lists = {all, 2};
    struct reading reading = {.arena = tc_arena_new(), .diags = tc_diags_new()};
    struct query_text_place where = {TC_STR("query"), text};
    struct query_place place = {query_wrong_in_text, reading.diags, &where};
    reading.root = query_read(text, &settings, &lists, reading.arena, &place);
    if (reading.root)
        query_print(reading.root, &reading.printed);
    tc_diags_sort(reading.diags);
    return reading;
}

static void done(struct reading *reading)
{
    tc_buf_done(&reading->printed);
    tc_diags_free(reading->diags);
    tc_arena_free(reading->arena);
}

// ---- what is read --------------------------------------------------------------------------

static const struct {
    const char *query, *canonical;
} readable[] = {
    {"DeepSeek", "DeepSeek"},
    {"=US OR =\"Business Objects\"", "=US OR =\"Business Objects\""},
    {"\"Liang  Wenfeng\"", "\"Liang  Wenfeng\""},
    {"\"DeepSeek\"", "DeepSeek"},
    {"\"and\" OR \"AND\"", "\"and\" OR \"AND\""},
    {"„KI-Koryphäen“ OR “trade war”", "KI-Koryphäen OR \"trade war\""},
    {"=\"KI-Koryphäen\" OR =US-Reisen", "=\"KI-Koryphäen\" OR =US-Reisen"},
    {"\"export chip\"~4", "\"export chip\"~4"},
    {"semiconductor* OR *verbot* OR wom?n", "semiconductor* OR *verbot* OR wom?n"},
    {"Hormus~1 OR Semiconductor~2", "Hormus~1 OR Semiconductor~2"},
    {"ab AND bc NOT cd", "ab AND bc AND NOT cd"},
    {"title:/gpt-?[0-9o]+/i OR (/a\\/bcd/ NEAR/2 \"ef gh\")^3",
     "title:/gpt-?[0-9o]+/i OR (/a\\/bcd/ NEAR/2 \"ef gh\")^3"},
    {"ab AND NOT bc", "ab AND NOT bc"},
    {"ab -bc -\"cd ef\"", "ab AND NOT bc AND NOT \"cd ef\""},
    {"NOT ab AND bc", "NOT ab AND bc"},
    {"ab AND (bc AND cd)", "ab AND (bc AND cd)"},
    {"((ab)) OR (bc)", "ab OR bc"},
    {"ab NEAR/5 bc", "ab NEAR/5 bc"},
    {"ab NEAR/5 bc NEAR/5 cd", "ab NEAR/5 bc NEAR/5 cd"},
    {"ab NEAR/5 (bc NEAR/5 cd)", "ab NEAR/5 (bc NEAR/5 cd)"},
    {"(ab NEAR/5 bc) ONEAR/2 cd", "(ab NEAR/5 bc) ONEAR/2 cd"},
    {"ab NOTNEAR/3 (bc OR cd)", "ab NOTNEAR/3 (bc OR cd)"},
    {"ab NEAR/3 bc AND cd", "ab NEAR/3 bc AND cd"},
    {"(White NEAR/0 House) EXCEPT \"White House Farm\"",
     "(White NEAR/0 House) EXCEPT \"White House Farm\""},
    {"ab SENTENCE bc SENTENCE cd", "SENTENCE(ab AND bc AND cd)"},
    {"ab PARAGRAPH bc", "PARAGRAPH(ab AND bc)"},
    {"SENTENCE(ab AND NOT bc)", "SENTENCE(ab AND NOT bc)"},
    {"ATLEAST/3(ab OR bc)", "ATLEAST/3(ab OR bc)"},
    {"ANY/2(ab, bc AND cd, cd OR de)", "ANY/2(ab, bc AND cd, cd OR de)"},
    {"FIRST/50(ab)", "FIRST/50(ab)"},
    {"title:(ab AND bc) AND lead:cd AND body:\"de ef\"",
     "title:(ab AND bc) AND lead:cd AND body:\"de ef\""},
    {"TITLE(ab OR bc) AND LEAD(cd)", "title:(ab OR bc) AND lead:cd"},
    {"PAGE(ab AND bc)", "PAGE(ab AND bc)"},
    {"ab AND source:wsj.com AND url:wsj.com/world/china",
     "ab AND source:wsj.com AND url:\"wsj.com/world/china\""},
    {"author:\"Yoko Kubota\"", "author:\"Yoko Kubota\""},
    {"(lang:de OR lang:fr) AND ab", "(lang:de OR lang:fr) AND ab"},
    {"lang:(de OR fr) AND ab", "(lang:de OR lang:fr) AND ab"},
    {"@usa AND @ai_experts", "@usa AND @ai_experts"},
    {"advice::(ab AND bc)", "advice::(ab AND bc)"},
    {"iPhone^9 OR title:ab^3", "iPhone^9 OR title:ab^3"},
    {"(ab AND bc)^2 OR cd", "(ab AND bc)^2 OR cd"},
    {"\\@usa OR \\=ab", "\\@usa OR \\=ab"},
    {"U.S. OR S&P OR C++ OR C# OR .NET OR $1bn OR 5% OR #tag OR 6,022",
     "U.S. OR S&P OR C++ OR C# OR .NET OR $1bn OR 5% OR #tag OR 6,022"},
    {"ab # the rest is a comment\nAND bc # and this", "ab AND bc"},
    {"# a comment\nab", "ab"},
    {"人工智能 AND \"trí tuệ nhân tạo\"", "人工智能 AND \"trí tuệ nhân tạo\""},
    {"FIRST AND TITLE AND ANY", "\"FIRST\" AND \"TITLE\" AND \"ANY\""},
    {"China's OR l'IA OR l’IA", "China's OR l'IA OR l’IA"},
};

static void every_form_is_read_and_printed_in_its_canonical_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
        struct reading reading = read_query(tc_str_of(readable[i].query));
        if (!reading.root)
            fail_msg("not read: %s: %.*s", readable[i].query,
                     TC_ARG(tc_diags_at(reading.diags, 0)->message));
        assert_string_equal(reading.printed.ptr, readable[i].canonical);
        done(&reading);
    }
}

static void the_canonical_form_is_read_back_as_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
        struct reading reading = read_query(tc_str_of(readable[i].canonical));
        assert_non_null(reading.root);
        assert_string_equal(reading.printed.ptr, readable[i].canonical);
        done(&reading);
    }
}

// ---- what is refused -----------------------------------------------------------------------

#define MIXED "AND/NOT and OR are mixed without parentheses"
#define SIDE "two terms side by side, no operator between them"
#define OPERAND "proximity needs terms, phrases, lists or OR groups on both sides, not "
#define PURE "this query can match without any positive term"
#define EDITS "a word may differ in one letter (~1) or two (~2)"
#define FOREIGN " is an operator of another product"

static const struct {
    const char *query, *code;
    int column;
    const char *message;
} refused[] = {
    {"ab $ bc", "E0101", 4, "unexpected character \"$\""},
    {"ab - bc", "E0101", 4, "unexpected character \"-\""},
    {"AC/DC", "E0101", 3, "unexpected character \"/\""},
    {"ab AND \"bc", "E0101", 8, "this quote is never closed"},
    {"ab, bc", "E0101", 3, "unexpected \",\""},
    {"ab\xff", "E0101", 3, "bytes that are not UTF-8"},
    {"ab\001", "E0101", 3, "unexpected control character U+0001"},
    {"Ab::bc", "E0101", 1,
     "a clause name is made of a-z, 0-9, \"-\" and \"_\", and begins with a letter"},
    {"@ AND ab", "E0101", 1, "\"@\" needs the name of a list behind it"},
    {"Hormus~", "E0101", 7, "\"~\" needs a number behind it"},
    {"ab AND (bc OR cd", "E0102", 8, "\"(\" is never closed"},
    {"ab AND bc)", "E0103", 10, "\")\" without \"(\""},
    {"", "E0104", 1, "the query is empty"},
    {"ab AND", "E0104", 4, "a term is expected after \"AND\""},
    {"AND ab", "E0104", 1, "a term is expected here, not \"AND\""},
    {"ab OR OR bc", "E0104", 7, "a term is expected here, not \"OR\""},
    {"()", "E0104", 1, "a term is expected after \"(\""},
    {"ab AND \"\"", "E0104", 8, "there is no word in it"},
    {"lang:", "E0104", 6, "a value is expected after lang:"},
    {"ab AND lang:german", "E0117", 13, "\"german\" is no language"},
    {"Huawei executive AND Canada", "E0105", 1, SIDE},
    {"ab (bc OR cd)", "E0105", 1, SIDE},
    {"DeepSeek and ban*", "E0106", 10, "operators are upper case"},
    {"ab or bc", "E0106", 4, "operators are upper case"},
    {"ab && bc", "E0106", 4, "\"&&\" is not an operator here"},
    {"ab || bc", "E0106", 4, "\"||\" is not an operator here"},
    {"ab AND !bc", "E0106", 8, "\"!\" is not an operator here"},
    {"+ab AND bc", "E0106", 1, "\"+\" is not an operator here"},
    {"ab W/5 bc", "E0106", 4, "\"W/5\"" FOREIGN},
    {"ab PRE/5 bc", "E0106", 4, "\"PRE/5\"" FOREIGN},
    {"ab adj5 bc", "E0106", 4, "\"adj5\"" FOREIGN},
    {"ab near5 bc", "E0106", 4, "\"near5\"" FOREIGN},
    {"ab near/5 bc", "E0106", 4, "\"near/5\"" FOREIGN},
    {"ab W/s bc", "E0106", 4, "\"W/s\"" FOREIGN},
    {"ATLEAST3(ab)", "E0106", 1, "\"ATLEAST3\"" FOREIGN},
    {"ab NEAR bc", "E0106", 4, "NEAR needs its number: NEAR/4"},
    {"ab NEAR/x bc", "E0106", 4, "NEAR needs its number: NEAR/4"},
    {"ab NEAR/-1 bc", "E0106", 4, "NEAR needs its number: NEAR/4"},
    {"ab SENTENCE/2 bc", "E0106", 4, "SENTENCE has no number"},
    {"ab | bc", "E0106", 4, "\"|\" is not an operator here"},
    {"sentence(ab AND bc)", "E0106", 1, "operators are upper case"},
    {"atleast/3(ab)", "E0106", 1, "operators are upper case"},
    {"@ai_experts AND travel OR visa", "E0107", 24, MIXED},
    {"ab OR bc AND cd", "E0107", 10, MIXED},
    {"ab OR bc NOT cd", "E0107", 10, MIXED},
    {"ab NEAR/3 bc ONEAR/3 cd", "E0108", 14, "different proximity operators in one chain"},
    {"ab NEAR/3 bc NEAR/4 cd", "E0108", 14, "different proximity operators in one chain"},
    {"=(ab OR bc)", "E0109", 1,
     "\"=\" stands directly before a word or a phrase, not before a group"},
    {"=@usa", "E0109", 1, "\"=\" stands directly before a word or a phrase, not before a list"},
    {"ab AND a*", "E0110", 8, "a wildcard needs at least 2 letters beside it"},
    {"\"AI *\"", "E0110", 5, "a wildcard needs at least 2 letters beside it"},
    {"@ai_expert AND travel", "E0111", 1, "unknown list \"@ai_expert\""},
    {"ab AND @us*", "E0111", 8,
     "a list is named whole, with a-z, 0-9, \"-\" and \"_\", never by a wildcard"},
    {"ab NOT NEAR/3 bc", "E0104", 8, "a term is expected here, not \"NEAR/3\""},
    {"titel:ab", "E0112", 1, "unknown field \"titel\""},
    {"https://wsj.com", "E0112", 1, "unknown field \"https\""},
    {"(DeepSeek AND ban*) NEAR/5 Paris", "E0113", 21, OPERAND "AND"},
    {"ab ONEAR/5 title:bc", "E0113", 4, OPERAND "title:"},
    {"ab NEAR/5 (bc OR SENTENCE(cd))", "E0113", 4, OPERAND "SENTENCE"},
    {"(ab AND bc) EXCEPT cd", "E0113", 13,
     "EXCEPT needs terms, phrases, lists or OR groups on its left side, not AND"},
    {"DeepSeek OR NOT Google", "E0114", 1, PURE},
    {"NOT ab", "E0114", 1, PURE},
    {"NOT ab AND NOT bc", "E0114", 1, PURE},
    {"ab AND (bc OR NOT cd)", "E0114", 8, PURE},
    {"lang:de AND source:wsj.com", "E0114", 1, PURE},
    {"ANY/1(ab, NOT bc)", "E0114", 1, PURE},
    {"ab AND /gpt-?[0-9]+(/i", "E0117", 20, "\"(\" is never closed"},
    {"/Ünï(?=x)/", "E0117", 5,
     "looking ahead or behind is not supported: an expression takes linear time"},
    {"/gpt/g", "E0101", 6, "only i may stand directly behind an expression"},
    {"abc~1", "E0117", 1, "~1 needs a word of at least 4 letters"},
    {"Hormus~2", "E0117", 1, "~2 needs a word of at least 8 letters"},
    {"Hormus~3", "E0117", 1, EDITS},
    {"=Hormus~1", "E0117", 1, "~1 needs one plain word before it, without wildcards and ="},
    {"ab NEAR/1001 bc", "E0117", 4, "distances go up to 1000"},
    {"\"ab bc\"~1001", "E0117", 1, "distances go up to 1000"},
    {"ATLEAST/0(ab)", "E0117", 1, "this number is from 1 to 1000"},
    {"ANY/2(31,42)", "E0117", 1, "ANY/2 has only 1 argument"},
    {"ab^x", "E0117", 3, "\"^\" needs a whole number behind it, at most 1000"},
};

static void every_mistake_is_told_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct reading reading = read_query(tc_str_of(refused[i].query));
        const struct tc_diag *diag = NULL;
        for (size_t k = 0; k < tc_diags_count(reading.diags) && !diag; k++) {
            if (tc_diags_at(reading.diags, k)->severity == TC_DIAG_ERROR)
                diag = tc_diags_at(reading.diags, k);
        }
        if (reading.root || !diag)
            fail_msg("accepted: %s", refused[i].query);
        assert_string_equal(diag->code, refused[i].code);
        assert_string_equal(diag->message.ptr, refused[i].message);
        if (diag->column != refused[i].column)
            fail_msg("%s: column %d, not %d", refused[i].query, diag->column, refused[i].column);
        done(&reading);
    }
}

static void assert_report(const char *query, const char *expected)
{
    struct reading reading = read_query(tc_str_of(query));
    struct tc_buf out = {0};
    tc_diags_print(reading.diags, false, &out);
    assert_string_equal(out.ptr, expected);
    tc_buf_done(&out);
    done(&reading);
}

static void the_help_says_what_to_write(void **state)
{
    (void)state;
    assert_report("Huawei executive AND Canada",
                  "query:1:1: error[E0105]: two terms side by side, no operator between them\n"
                  "     1 | Huawei executive AND Canada\n"
                  "       | ^~~~~~~~~~~~~~~~\n"
                  "  help: write one of\n"
                  "          \"Huawei executive\"   (phrase)\n"
                  "          Huawei AND executive\n"
                  "          Huawei OR executive\n");
    assert_report("ab adj5 bc",
                  "query:1:4: error[E0106]: \"adj5\" is an operator of another product\n"
                  "     1 | ab adj5 bc\n"
                  "       |    ^~~~\n"
                  "  help: write ONEAR/4\n");
    assert_report("@ai_expert AND travel", "query:1:1: error[E0111]: unknown list \"@ai_expert\"\n"
                                           "     1 | @ai_expert AND travel\n"
                                           "       | ^~~~~~~~~~\n"
                                           "  help: did you mean @ai_experts?\n");
}

static void all_mistakes_of_a_query_are_told(void **state)
{
    (void)state;
    struct reading reading = read_query(TC_STR("@who and bc OR (cd AND titel:x*\nAND $"));
    static const char *const codes[] = {"E0111", "E0106", "E0107", "E0102",
                                        "E0112", "E0110", "E0101"};
    assert_int_equal(tc_diags_count(reading.diags), 7);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(tc_diags_at(reading.diags, i)->code, codes[i]);
    assert_int_equal(tc_diags_at(reading.diags, 6)->line, 2);
    done(&reading);
}

// What cannot be read is one mistake; nothing is told of what stands around it.
static void a_mistake_is_told_once(void **state)
{
    (void)state;
    static const char *const queries[] = {"ab NEAR/x bc",
                                          "ab NEAR/-1 bc",
                                          "ab SENTENCE/2 bc",
                                          "atleast/3(ab)",
                                          "/ab",
                                          "=",
                                          "https://x.com/y?z",
                                          "ab AND https://x.com/y -bc",
                                          "ab | bc"};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct reading reading = read_query(tc_str_of(queries[i]));
        if (reading.root || tc_diags_count(reading.diags) != 1)
            fail_msg("%s: %zu mistakes", queries[i], tc_diags_count(reading.diags));
        done(&reading);
    }
}

static void a_wildcard_beside_chinese_is_told_to_go(void **state)
{
    (void)state;
    assert_report("中国*",
                  "query:1:3: error[E0110]: a wildcard needs at least 2 letters beside it\n"
                  "     1 | 中国*\n"
                  "       |     ^\n"
                  "  help: without spaces between words 中国 is found inside every run: "
                  "leave it out\n");
}

// ---- advice --------------------------------------------------------------------------------

static const struct {
    const char *query, *code;
    int column;
} advised[] = {
    {"AI", "W0201", 1},
    {"chip OR trade OR chip", "W0203", 18},
    {"chip OR chi*", "W0203", 1},
    {"@usa OR @usa", "W0203", 9},
    {"(chip AND trade) OR chip", "W0203", 1},
    {"chip OR \"chip war\"", "W0203", 9},
    {"chip OR =Chip", "W0203", 9},
    {"SENTENCE(chip* NEAR/3 war) OR war", "W0203", 1},
    {"ab NEAR/31 bc", "W0205", 4},
    {"人工 NEAR/5 ab", "W0207", 4},
    {"apple NOT \"apple pie\"", "W0210", 7},
    {"\"foo+bar\"", "W0211", 5},
};

static void doubtful_queries_are_read_with_advice(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof advised / sizeof *advised; i++) {
        struct reading reading = read_query(tc_str_of(advised[i].query));
        assert_non_null(reading.root);
        if (tc_diags_count(reading.diags) != 1)
            fail_msg("%s: %zu findings", advised[i].query, tc_diags_count(reading.diags));
        const struct tc_diag *diag = tc_diags_at(reading.diags, 0);
        assert_int_equal(diag->severity, TC_DIAG_WARNING);
        assert_string_equal(diag->code, advised[i].code);
        assert_int_equal(diag->column, advised[i].column);
        done(&reading);
    }
}

static void plain_queries_are_read_without_advice(void **state)
{
    static const char *const queries[] = {"=AI AND travel",
                                          "UNESCO",
                                          "S&P",
                                          "\"AI experts\"",
                                          "apple EXCEPT \"apple pie\"",
                                          "ab NEAR/30 bc",
                                          "chip OR chips OR \"chap ships\"",
                                          "@usa OR @ai_experts"};
    (void)state;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct reading reading = read_query(tc_str_of(queries[i]));
        if (!reading.root || tc_diags_count(reading.diags) > 0)
            fail_msg("%s: %.*s", queries[i], TC_ARG(tc_diags_at(reading.diags, 0)->message));
        done(&reading);
    }
}

// ---- limits --------------------------------------------------------------------------------

static void assert_limit(struct tc_buf *text, const char *message)
{
    struct reading reading = read_query(tc_buf_view(text));
    assert_null(reading.root);
    assert_int_equal(tc_diags_count(reading.diags), 1);
    assert_string_equal(tc_diags_at(reading.diags, 0)->message.ptr, message);
    done(&reading);
    tc_buf_done(text);
}

static void each_limit_has_its_own_error(void **state)
{
    struct tc_buf deep = {0}, chain = {0}, large = {0};
    (void)state;
    for (int i = 0; i < 10000; i++)
        tc_buf_byte(&deep, '(');
    assert_limit(&deep, "a query is nested at most 64 deep");
    for (int i = 0; i < 1000; i++)
        tc_buf_puts(&chain, "ab NEAR/1 ");
    tc_buf_puts(&chain, "ab");
    assert_limit(&chain, "a chain has at most 63 operators");
    for (int i = 0; i < QUERY_BYTES; i++)
        tc_buf_puts(&large, "ab");
    assert_limit(&large, "a query has at most 65536 bytes");
}

// ---- entries -------------------------------------------------------------------------------

static void an_entry_is_one_word_or_phrase(void **state)
{
    static const struct {
        const char *entry, *canonical;
    } cases[] = {
        {"United States", "\"United States\""},
        {"=US", "=US"},
        {"=Nasdaq 100", "=\"Nasdaq 100\""},
        {"künstliche* Intelligenz", "\"künstliche* Intelligenz\""},
        {"S&P 500", "\"S&P 500\""},
        {"and", "\"and\""},
        {"say \"no\" now", "\"say \\\"no\\\" now\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tc_arena *arena = tc_arena_new();
        struct tc_diags *diags = tc_diags_new();
        struct query_text_place where = {TC_STR("entry"), tc_str_of(cases[i].entry)};
        struct query_place place = {query_wrong_in_text, diags, &where};
        struct query_node *node = query_entry(where.text, &settings, arena, &place);
        struct tc_buf out = {0};
        assert_non_null(node);
        query_print(node, &out);
        assert_string_equal(out.ptr, cases[i].canonical);
        tc_buf_done(&out);
        tc_diags_free(diags);
        tc_arena_free(arena);
    }
}

static void a_query_in_an_entry_is_refused(void **state)
{
    static const char *const entries[] = {"chips AND export", "a NEAR/5 b", "NOT this"};
    (void)state;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        struct tc_arena *arena = tc_arena_new();
        struct tc_diags *diags = tc_diags_new();
        struct query_text_place where = {TC_STR("entry"), tc_str_of(entries[i])};
        struct query_place place = {query_wrong_in_text, diags, &where};
        assert_null(query_entry(where.text, &settings, arena, &place));
        assert_string_equal(tc_diags_at(diags, 0)->code, "E0116");
        tc_diags_free(diags);
        tc_arena_free(arena);
    }
}

// ---- random trees --------------------------------------------------------------------------

struct dice {
    uint64_t state;
    struct tc_arena *arena;
};

static uint32_t roll(struct dice *dice, uint32_t sides)
{
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice->state >> 33) % sides;
}

static struct query_node *random_leaf(struct dice *dice)
{
    static const char *const entries[] = {"chip",     "=US",         "trade war",  "semicon*",
                                          "US-Reise", "=US-Reise x", "say \"no\"", "or",
                                          "FIRST",    "a\\*b",       "Mỹ",         "C++"};
    struct query_text_place where = {TC_STR("entry"), tc_str_of(entries[roll(dice, 12)])};
    struct tc_diags *diags = tc_diags_new();
    struct query_place place = {query_wrong_in_text, diags, &where};
    struct query_node *node = query_entry(where.text, &settings, dice->arena, &place);
    assert_non_null(node);
    if (!node->exact && roll(dice, 6) == 0)
        node->slop = (int)roll(dice, 9);
    tc_diags_free(diags);
    return node;
}

static struct query_node *random_tree(struct dice *dice, int depth, bool operand)
{
    static const enum query_op ops[] = {QUERY_NEAR, QUERY_ONEAR, QUERY_NOTNEAR,  QUERY_EXCEPT,
                                        QUERY_OR,   QUERY_AND,   QUERY_SENTENCE, QUERY_ATLEAST,
                                        QUERY_ANY,  QUERY_TITLE, QUERY_NAMED,    QUERY_PAGE};
    if (depth == 0 || roll(dice, 4) == 0)
        return random_leaf(dice);
    enum query_op op = ops[roll(dice, operand ? 5 : 12)];
    bool chain = op == QUERY_OR || op == QUERY_AND || op == QUERY_ANY;
    size_t children = chain ? 2 + roll(dice, 3) : op <= QUERY_EXCEPT ? 2 : 1;
    struct query_node *node = query_node_new(dice->arena, op, children);
    for (size_t i = 0; i < children; i++) {
        node->children[i] =
            random_tree(dice, depth - 1, operand || (op >= QUERY_NEAR && op <= QUERY_EXCEPT));
        if (op != QUERY_AND || i == 0 || roll(dice, 3) > 0)
            continue;
        struct query_node *not_node = query_node_new(dice->arena, QUERY_NOT, 1);
        not_node->children[0] = node->children[i];
        node->children[i] = not_node;
    }
    if (op != QUERY_EXCEPT && op != QUERY_OR && op != QUERY_AND)
        node->number = 1 + roll(dice, 2);
    if (op == QUERY_NAMED)
        node->text = TC_STR("clause-1");
    if (roll(dice, 8) == 0)
        node->boost = 1 + roll(dice, 9);
    return node;
}

static void assert_same(const struct query_node *a, const struct query_node *b)
{
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->boost, b->boost);
    assert_int_equal(a->exact, b->exact);
    assert_int_equal(a->strict_joins, b->strict_joins);
    assert_int_equal(a->slop, b->slop);
    assert_int_equal(a->word_count, b->word_count);
    for (size_t i = 0; i < a->word_count; i++)
        assert_true(tc_str_eq(a->words[i].folded, b->words[i].folded));
    assert_int_equal(a->child_count, b->child_count);
    for (size_t i = 0; i < a->child_count; i++)
        assert_same(a->children[i], b->children[i]);
}

static void printing_and_reading_a_tree_gives_the_tree(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct dice dice = {seed, tc_arena_new()};
        struct query_node *tree = random_tree(&dice, 4, false);
        struct tc_buf text = {0};
        query_print(tree, &text);
        struct reading reading = read_query(tc_buf_view(&text));
        if (!reading.root)
            fail_msg("seed %llu: %s: %.*s", (unsigned long long)seed, text.ptr,
                     TC_ARG(tc_diags_at(reading.diags, 0)->message));
        assert_string_equal(reading.printed.ptr, text.ptr);
        assert_same(tree, reading.root);
        done(&reading);
        tc_buf_done(&text);
        tc_arena_free(dice.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read_and_printed_in_its_canonical_form),
        cmocka_unit_test(the_canonical_form_is_read_back_as_itself),
        cmocka_unit_test(every_mistake_is_told_at_its_place),
        cmocka_unit_test(the_help_says_what_to_write),
        cmocka_unit_test(all_mistakes_of_a_query_are_told),
        cmocka_unit_test(a_mistake_is_told_once),
        cmocka_unit_test(a_wildcard_beside_chinese_is_told_to_go),
        cmocka_unit_test(doubtful_queries_are_read_with_advice),
        cmocka_unit_test(plain_queries_are_read_without_advice),
        cmocka_unit_test(each_limit_has_its_own_error),
        cmocka_unit_test(an_entry_is_one_word_or_phrase),
        cmocka_unit_test(a_query_in_an_entry_is_refused),
        cmocka_unit_test(printing_and_reading_a_tree_gives_the_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
