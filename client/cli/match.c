// tocsin match - articles against watches, or against one query like grep.
#include "client/cli/cli.h"
#include "client/cli/match_run.h"
#include "common/clock.h"
#include "common/json.h"

#include <stdlib.h>

enum {
    KEY_WATCHES = 'w',
    KEY_QUERY = 'q',
    KEY_COUNT = 'c',
    KEY_THREADS = 't',
    KEY_JSON = 'j',
    KEY_STATS = 0x200,
    KEY_AUDIT,
    KEY_WORDS,
    KEY_DIALECT,
    KEY_LUCENE_OPTIONS
};

struct match {
    struct offline_files watches, articles;
    const char *query;
    struct rules_dialect dialect;
    struct match_run run;
    bool stats;
};

static const char doc[] =
    "Prints the hits of articles, one JSON object a line, in the order of input: article, segment, "
    "watch. Articles are .jsonl, .json or text files, also .gz; none or \"-\" reads standard "
    "input.\v"
    "tocsin match -w watches.yaml news.jsonl.gz\n"
    "tocsin match -q 'port NEAR/5 strike' page.txt && echo found\n\n"
    "Exit status: 0 something matched, 1 nothing did, 2 an input could not be read or a watch is "
    "wrong.";

static const struct argp_option options[] = {
    {"watches", KEY_WATCHES, "FILE", 0, "watch file, .yaml or .jsonl; may be repeated", 0},
    {"query", KEY_QUERY, "QUERY", 0, "one query instead; its hits are those of watch \"query\"", 0},
    {"count", KEY_COUNT, NULL, 0, "one line a hit: WATCH<TAB>ARTICLE<TAB>SEGMENT", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object a hit (the default)", 0},
    {"threads", KEY_THREADS, "N", 0, "match on N threads; the output stays the same", 0},
    {"stats", KEY_STATS, NULL, 0, "at the end, one JSON line of figures on standard error", 0},
    {"audit", KEY_AUDIT, "N", 0, "check one article in N against every watch, without the index",
     0},
    {"words", KEY_WORDS, "KIND", 0,
     "how words are cut: tocsin (default), standard (UAX #29 as Lucene has it), ascii", 0},
    {"dialect", KEY_DIALECT, "NAME", 0,
     "how queries are read that do not say: tocsin (default) or lucene (classic query syntax)", 0},
    {"lucene-options", KEY_LUCENE_OPTIONS, "LIST", 0,
     "of dialect lucene: op=AND, leadingwild, autophrase, with commas between", 0},
    {0},
};

static unsigned number(const char *option, const char *arg, uint64_t most, struct argp_state *state)
{
    uint64_t value = 0;
    if (!tc_str_u64(tc_str_of(arg), &value) || value < 1 || value > most)
        argp_error(state, "--%s is a number from 1 to %llu, not '%s'", option,
                   (unsigned long long)most, arg);
    return (unsigned)value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct match *match = state->input;
    switch (key) {
    case KEY_WATCHES: offline_add(&match->watches, arg); break;
    case KEY_QUERY: match->query = arg; break;
    case KEY_COUNT: match->run.count_only = true; break;
    case KEY_JSON: match->run.count_only = false; break;
    case KEY_THREADS: match->run.threads = number("threads", arg, RUN_THREADS_MOST, state); break;
    case KEY_STATS: match->stats = true; break;
    case KEY_AUDIT: match->run.audit = number("audit", arg, UINT32_MAX, state); break;
    case KEY_DIALECT: offline_dialect(arg, &match->dialect, state); break;
    case KEY_LUCENE_OPTIONS: offline_lucene_options(arg, &match->dialect, state); break;
    case KEY_WORDS: match->run.settings.words = offline_words(arg, state); break;
    case ARGP_KEY_ARG: offline_add(&match->articles, arg); break;
    case ARGP_KEY_END:
        if (!match->query == !match->watches.count)
            argp_error(state, "give watches with -w FILE, or one query with -q QUERY");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void put_real(struct tc_json *json, const char *key, double value)
{
    tc_json_key(json, key);
    tc_json_real(json, value);
}

static void put_stats(const struct match *match, const struct match_totals *totals, double load_s)
{
    size_t watches = matcher_count(match->run.matcher);
    double wall_s = totals->wall_s > 0 ? totals->wall_s : 1e-9;
    struct tc_buf line = {0};
    struct tc_json json = tc_json_on(&line);
    tc_json_open(&json, '{');
    tc_json_put_u64(&json, "watches", watches);
    put_real(&json, "load_s", load_s);
    put_real(&json, "bytes_per_watch",
             watches ? (double)matcher_bytes(match->run.matcher) / (double)watches : 0);
    tc_json_put_u64(&json, "articles", totals->articles);
    tc_json_put_u64(&json, "bytes", totals->bytes);
    put_real(&json, "parse_cpu_s", totals->parse_cpu_s);
    put_real(&json, "text_cpu_s", totals->text_cpu_s);
    put_real(&json, "match_cpu_s", totals->match_cpu_s);
    put_real(&json, "wall_s", totals->wall_s);
    put_real(&json, "articles_per_s", (double)totals->articles / wall_s);
    put_real(&json, "mb_per_s", (double)totals->bytes / 1e6 / wall_s);
    tc_json_put_u64(&json, "candidates", totals->candidates);
    tc_json_put_u64(&json, "hits", totals->hits);
    tc_json_put_u64(&json, "threads", match->run.threads);
    if (match->run.audit) {
        tc_json_put_u64(&json, "audited", totals->audited);
        tc_json_put_u64(&json, "audit_misses", totals->audit_misses);
    }
    tc_json_close(&json, '}');
    fprintf(stderr, "%.*s\n", TC_ARG(tc_buf_view(&line)));
    tc_buf_done(&line);
}

static int run(struct match *match)
{
    struct match_totals totals = {0};
    struct offline_articles articles;
    struct matcher *matcher = NULL;
    struct tc_err err = {0};
    int64_t begun = tc_mono_ns();
    if (offline_watches(&match->watches, match->query, &match->run.settings, &match->dialect,
                        &matcher) != TC_OK)
        return CLI_CANNOT;
    double load_s = (double)(tc_mono_ns() - begun) / 1e9;
    match->run.matcher = matcher;
    offline_articles_begin(&articles, &match->articles);
    int code = match_run(&match->run, &articles, &totals, &err);
    offline_articles_end(&articles);
    if (code == TC_OK && match->stats)
        put_stats(match, &totals, load_s);
    matcher_drop(matcher);
    if (code != TC_OK)
        return cli_fail(&err);
    if (totals.unreadable || totals.audit_misses)
        return CLI_CANNOT;
    return totals.hits ? CLI_OK : CLI_FINDINGS;
}

int cli_match(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "[ARTICLE...]", doc, NULL, NULL, NULL};
    struct match match = {.run = {.threads = 1, .out = stdout}};
    cli_parse(&argp, argc, argv, &match);
    int status = run(&match);
    free(match.watches.at);
    free(match.articles.at);
    return cli_finish(status);
}
