#include "client/cli/survey.h"

#include "client/cli/census.h"
#include "client/cli/cli.h"
#include "client/cli/corpus.h"
#include "common/json.h"
#include "common/mem.h"
#include "watcher/match/cost.h"
#include "watcher/rules/rules.h"

#include <stdlib.h>

enum { SHOWN = 20 }; // watches of a report, and those that somebody must see

struct price { // of one watch
    const struct watch *watch;
    const char *file;
    int line;
    bool has_key;
    double tries, hits; // per 1,000 articles
};

struct survey {
    const char *path; // of the corpus
    struct rules *rules;
    struct matcher *matcher;
    struct scan *scan;
    struct cost *cost;
    struct census *census;
    const struct rules_census *ready;
    uint64_t *hits; // by watch
    uint64_t articles, hit_count;
};

// ---- measuring -----------------------------------------------------------------------------

static void measure(void *context, const struct text *text, uint64_t number)
{
    struct survey *survey = context;
    const struct scan_hit *hits;
    size_t count = scan_run(survey->scan, survey->matcher, text, &hits);
    (void)number;
    for (size_t i = 0; i < count; i++)
        survey->hits[hits[i].watch]++;
    survey->hit_count += count;
    cost_add(survey->cost, survey->scan, text);
    census_add(survey->census, text);
}

static int read_corpus(struct survey *survey, const struct text_settings *settings,
                       struct tc_err *err)
{
    struct corpus corpus = {0};
    int code = corpus_open(survey->path, &corpus, err);
    if (code != TC_OK)
        return code;
    survey->scan = scan_new();
    survey->cost = cost_new(survey->matcher);
    survey->census = census_new();
    survey->hits = tc_new((matcher_count(survey->matcher) + 1) * sizeof *survey->hits);
    survey->articles = corpus_each(&corpus, settings, measure, survey);
    survey->ready = census_ready(survey->census);
    if (survey->articles == 0)
        code = tc_fail(err, TC_ENOENT, "corpus %s holds no article that can be read", survey->path);
    corpus_close(&corpus);
    return code;
}

int survey_new(char *const *files, size_t count, const char *corpus, struct survey **out,
               struct tc_err *err)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    struct survey *survey = tc_new(sizeof *survey);
    survey->path = corpus;
    survey->rules = rules_new(&settings);
    for (size_t i = 0; i < count; i++) {
        struct tc_diags *unsaid = tc_diags_new();
        rules_add_file(survey->rules, files[i], unsaid);
        tc_diags_free(unsaid);
    }
    int code = rules_matcher(survey->rules, &survey->matcher, err);
    if (code == TC_OK)
        code = read_corpus(survey, &settings, err);
    if (code == TC_OK)
        *out = survey;
    else
        survey_free(survey);
    return code;
}

void survey_free(struct survey *survey)
{
    if (!survey)
        return;
    cost_free(survey->cost);
    scan_free(survey->scan);
    matcher_drop(survey->matcher);
    census_free(survey->census);
    rules_drop(survey->rules);
    free(survey->hits);
    free(survey);
}

const struct rules_census *survey_census(const struct survey *survey)
{
    return survey->ready;
}

// ---- the report ----------------------------------------------------------------------------

static int dearest_first(const void *a, const void *b)
{
    const struct price *left = a, *right = b;
    if (left->tries != right->tries)
        return left->tries < right->tries ? 1 : -1;
    return tc_str_cmp(left->watch->name, right->watch->name);
}

// The matcher has the rules' watches in their order, less those that do not run.
static struct price *all_prices(const struct survey *survey)
{
    size_t count = matcher_count(survey->matcher), rule = 0;
    struct price *prices = tc_new((count + 1) * sizeof *prices);
    for (size_t i = 0; i < count; i++, rule++) {
        const struct watch *watch = matcher_watch(survey->matcher, i);
        while (!tc_str_eq(rules_watch(survey->rules, rule)->name, watch->name))
            rule++;
        double thousands = (double)survey->articles / 1000;
        prices[i] = (struct price){.watch = watch,
                                   .file = rules_file_of(survey->rules, rule),
                                   .line = rules_line_of(survey->rules, rule),
                                   .has_key = cost_has_key(survey->cost, i),
                                   .tries = (double)cost_tries(survey->cost, i) / thousands,
                                   .hits = (double)survey->hits[i] / thousands};
    }
    qsort(prices, count, sizeof *prices, dearest_first);
    return prices;
}

static bool is_over(const struct price *price, const struct survey_options *options)
{
    return options->budget > 0 && price->tries > options->budget;
}

static void put_real(struct tc_json *json, const char *key, double value)
{
    tc_json_key(json, key);
    tc_json_real(json, value);
}

static void print_json(const struct price *price, const struct survey_options *options)
{
    struct tc_buf text = {0};
    struct tc_json json = tc_json_on(&text);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "kind", TC_STR("cost"));
    tc_json_put_str(&json, "watch", price->watch->name);
    tc_json_put_str(&json, "file", tc_str_of(price->file));
    tc_json_put_u64(&json, "line", (uint64_t)price->line);
    put_real(&json, "candidates_per_article", price->tries / 1000);
    put_real(&json, "candidates_per_1000_articles", price->tries);
    put_real(&json, "hits_per_1000_articles", price->hits);
    tc_json_key(&json, "selective");
    tc_json_bool(&json, price->has_key);
    tc_json_key(&json, "over_budget");
    tc_json_bool(&json, is_over(price, options));
    tc_json_close(&json, '}');
    printf("%.*s\n", TC_ARG(tc_buf_view(&text)));
    tc_buf_done(&text);
}

static void print_price(const struct price *price, const struct survey_options *options)
{
    bool over = is_over(price, options);
    printf("  %10.1f  %10.1f  %s%.*s%s%s%s\n", price->tries, price->hits,
           over && options->colour ? CLI_RED : "", TC_ARG(price->watch->name),
           over && options->colour ? CLI_PLAIN : "",
           price->has_key ? "" : ": no selective key, tried on every segment",
           over ? ": over the budget" : "");
}

static void print_over(const struct price *price, const struct survey_options *options)
{
    printf("%s:%d: %sover budget%s: %.*s: %.1f candidates per 1,000 articles, %.1f are allowed\n",
           price->file, price->line, options->colour ? CLI_RED : "",
           options->colour ? CLI_PLAIN : "", TC_ARG(price->watch->name), price->tries,
           options->budget);
}

static void print_table(const struct survey *survey, const struct price *prices, size_t count,
                        const struct survey_options *options)
{
    size_t left_out = 0;
    struct tc_buf line = {0};
    tc_buf_addf(&line, "%s: ", survey->path);
    census_put_number(survey->articles, &line);
    tc_buf_puts(&line, " articles, ");
    census_put_number(census_words(survey->census), &line);
    tc_buf_puts(&line, " words, ");
    census_put_number(survey->hit_count, &line);
    printf("%.*s hits\n\n  candidates        hits  per 1,000 articles, dearest watch first\n",
           TC_ARG(tc_buf_view(&line)));
    for (size_t i = 0; i < count; i++) {
        if (i < SHOWN || !prices[i].has_key || is_over(&prices[i], options))
            print_price(&prices[i], options);
        else
            left_out++;
    }
    if (left_out > 0)
        printf("  and %zu cheaper %s\n", left_out, left_out == 1 ? "watch" : "watches");
    tc_buf_done(&line);
}

size_t survey_report(const struct survey *survey, const struct survey_options *options)
{
    size_t count = matcher_count(survey->matcher), over = 0;
    struct price *prices = all_prices(survey);
    if (!options->json)
        print_table(survey, prices, count, options);
    for (size_t i = 0; i < count; i++) {
        over += is_over(&prices[i], options);
        if (options->json)
            print_json(&prices[i], options);
        else if (is_over(&prices[i], options))
            print_over(&prices[i], options);
    }
    free(prices);
    return over;
}
