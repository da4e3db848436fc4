// tocsin check - reads watch files, says what is wrong with them, runs the tests inside.
//
// Needs no network and no database, but for --history, which asks the broker. Findings go to standard output, in the form that editors jump
// to; `--json` prints one object a finding, a test and a file.
#include <stdlib.h>

#include "client/cli/cli.h"
#include "client/cli/silent.h"
#include "client/cli/survey.h"
#include "common/buf.h"
#include "common/diag.h"
#include "common/json.h"
#include "watcher/rules/rules.h"

enum { KEY_CORPUS = 0x200, KEY_BUDGET, KEY_HISTORY };

#define SILENT_PERIOD "90d" // W0208: no match for that long

struct options {
    bool strict, json, quiet;
    const char *corpus;    // NULL: none
    double budget;         // candidates per 1,000 articles; 0: none
    struct silent *silent; // --history: its online part is open; NULL: not asked for
    char **files;
    size_t count;
};

struct counts { // of one file
    size_t errors, warnings, watches;
    size_t passed, failed, skipped, not_run;
};

struct check {
    const struct options *options;
    struct counts counts;
    bool colour;
};

// ---- findings ------------------------------------------------------------------------------

static void put(const struct tc_buf *text)
{
    fwrite(text->ptr, 1, text->len, stdout);
}

static void print_json(const struct tc_diag *diag)
{
    struct tc_buf text = {0};
    struct tc_json json = tc_json_on(&text);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "kind",
                    diag->severity == TC_DIAG_ERROR ? TC_STR("error") : TC_STR("warning"));
    tc_json_put_str(&json, "code", tc_str_of(diag->code));
    tc_json_put_str(&json, "file", diag->file);
    tc_json_put_u64(&json, "line", (uint64_t)diag->line);
    tc_json_put_u64(&json, "column", (uint64_t)diag->column);
    tc_json_put_u64(&json, "width", (uint64_t)diag->width);
    tc_json_put_str(&json, "message", diag->message);
    if (diag->help.len > 0)
        tc_json_put_str(&json, "help", diag->help);
    tc_json_close(&json, '}');
    tc_buf_byte(&text, '\n');
    put(&text);
    tc_buf_done(&text);
}

static void print_findings(const struct check *check, struct tc_diags *diags)
{
    struct tc_buf text = {0};
    tc_diags_sort(diags);
    if (check->options->json) {
        for (size_t i = 0; i < tc_diags_count(diags); i++)
            print_json(tc_diags_at(diags, i));
    } else if (tc_diags_count(diags) > 0) {
        tc_diags_print(diags, check->colour, &text);
        tc_buf_byte(&text, '\n');
        put(&text);
    }
    tc_buf_done(&text);
}

// ---- tests ---------------------------------------------------------------------------------

static const char *const outcome_names[] = {
    [RULES_PASS] = "passed",
    [RULES_FAIL] = "failed",
    [RULES_SKIPPED] = "skipped",
    [RULES_NOT_RUN] = "not run",
};

static void print_result_json(const struct rules_result *result)
{
    struct tc_buf text = {0};
    struct tc_json json = tc_json_on(&text);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "kind", TC_STR("test"));
    tc_json_put_str(&json, "outcome", tc_str_of(outcome_names[result->outcome]));
    tc_json_put_str(&json, "file", tc_str_of(result->file));
    tc_json_put_u64(&json, "line", (uint64_t)result->line);
    tc_json_put_str(&json, "watch", result->watch);
    tc_json_put_str(&json, "name", result->name);
    if (result->detail.len > 0)
        tc_json_put_str(&json, "detail", result->detail);
    tc_json_close(&json, '}');
    tc_buf_byte(&text, '\n');
    put(&text);
    tc_buf_done(&text);
}

static void print_result(const struct check *check, const struct rules_result *result)
{
    const char *colour = result->outcome == RULES_FAIL ? CLI_RED : CLI_YELLOW;
    printf("%s:%d: %s%s%s: %.*s: %.*s\n", result->file, result->line, check->colour ? colour : "",
           result->outcome == RULES_FAIL ? "test failed" : outcome_names[result->outcome],
           check->colour ? CLI_PLAIN : "", TC_ARG(result->watch), TC_ARG(result->name));
    if (result->detail.len > 0)
        printf("  %.*s\n", TC_ARG(result->detail));
}

static void tell(void *context, const struct rules_result *result)
{
    struct check *check = context;
    check->counts.passed += result->outcome == RULES_PASS;
    check->counts.failed += result->outcome == RULES_FAIL;
    check->counts.skipped += result->outcome == RULES_SKIPPED;
    check->counts.not_run += result->outcome == RULES_NOT_RUN;
    if (check->options->json)
        print_result_json(result);
    else if (result->outcome != RULES_PASS)
        print_result(check, result);
}

// ---- files ---------------------------------------------------------------------------------

static void add_count(struct tc_buf *line, size_t count, const char *one, const char *many)
{
    if (count > 0)
        tc_buf_addf(line, ", %zu %s", count, count == 1 ? one : many);
}

// config/watches/china.yaml: 3 watches, 12 tests passed, 1 skipped
static void print_summary(const struct check *check, const char *file)
{
    const struct counts *counts = &check->counts;
    struct tc_buf line = {0};
    tc_buf_addf(&line, "%s: %zu %s", file, counts->watches,
                counts->watches == 1 ? "watch" : "watches");
    add_count(&line, counts->errors, "error", "errors");
    add_count(&line, counts->warnings, "warning", "warnings");
    add_count(&line, counts->passed, "test passed", "tests passed");
    add_count(&line, counts->failed, "failed", "failed");
    add_count(&line, counts->skipped, "skipped", "skipped");
    add_count(&line, counts->not_run, "not run", "not run");
    tc_buf_byte(&line, '\n');
    put(&line);
    tc_buf_done(&line);
}

static void print_summary_json(const struct check *check, const char *file)
{
    const struct counts *counts = &check->counts;
    struct tc_buf text = {0};
    struct tc_json json = tc_json_on(&text);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "kind", TC_STR("file"));
    tc_json_put_str(&json, "file", tc_str_of(file));
    tc_json_put_u64(&json, "watches", counts->watches);
    tc_json_put_u64(&json, "errors", counts->errors);
    tc_json_put_u64(&json, "warnings", counts->warnings);
    tc_json_put_u64(&json, "passed", counts->passed);
    tc_json_put_u64(&json, "failed", counts->failed);
    tc_json_put_u64(&json, "skipped", counts->skipped);
    tc_json_put_u64(&json, "not_run", counts->not_run);
    tc_json_close(&json, '}');
    tc_buf_byte(&text, '\n');
    put(&text);
    tc_buf_done(&text);
}

// Reads one file into the set that all files share, since names are unique among them.
static int check_file(const struct options *options, struct rules *rules, const char *file)
{
    struct check check = {.options = options, .colour = cli_colour(stdout)};
    struct tc_diags *diags = tc_diags_new();
    size_t before = rules_count(rules);
    int code = rules_add_file(rules, file, diags), asked = CLI_OK;

    if (options->silent && code == TC_OK)
        asked = silent_report(options->silent, rules, before, diags);
    print_findings(&check, diags);
    check.counts.errors = tc_diags_errors(diags);
    check.counts.warnings = tc_diags_warnings(diags);
    check.counts.watches = rules_count(rules) - before;
    if (code == TC_OK)
        rules_test(rules, file, tell, &check);
    if (options->json)
        print_summary_json(&check, file);
    else if (!options->quiet || check.counts.errors || check.counts.failed)
        print_summary(&check, file);
    tc_diags_free(diags);
    if (code == TC_EIO || asked != CLI_OK)
        return CLI_CANNOT;
    bool findings = check.counts.errors > 0 || check.counts.failed > 0 ||
                    (options->strict && check.counts.warnings > 0);
    return findings ? CLI_FINDINGS : CLI_OK;
}

static int check_files(const struct options *options, const struct survey *survey)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    struct rules *rules = rules_new(&settings);
    int worst = CLI_OK;
    if (survey)
        rules_set_census(rules, survey_census(survey));
    for (size_t i = 0; i < options->count; i++) {
        int status = check_file(options, rules, options->files[i]);
        worst = status > worst ? status : worst;
    }
    rules_drop(rules);
    return worst;
}

// The files once more, with the figures of a corpus.
static int check_on_corpus(const struct options *options)
{
    struct survey_options shown = {.json = options->json,
                                   .colour = !options->json && cli_colour(stdout),
                                   .budget = options->budget};
    struct survey *survey = NULL;
    struct tc_err err = {0};
    if (survey_new(options->files, options->count, options->corpus, &survey, &err) != TC_OK)
        return cli_fail(&err);
    int status = check_files(options, survey);
    if (survey_report(survey, &shown) > 0 && status == CLI_OK)
        status = CLI_FINDINGS;
    survey_free(survey);
    return status;
}

// ---- arguments -----------------------------------------------------------------------------

struct arguments {
    struct options options;
    struct silent silent;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    struct options *options = &arguments->options;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &arguments->silent.online; break;
    case KEY_HISTORY:
        options->silent = &arguments->silent;
        options->silent->since_ns = online_moment(value ? value : SILENT_PERIOD, state);
        options->silent->period = value ? value : "90 days";
        break;
    case 's': options->strict = true; break;
    case 'j': options->json = true; break;
    case 'q': options->quiet = true; break;
    case KEY_CORPUS: options->corpus = value; break;
    case KEY_BUDGET:
        options->budget = strtod(value, &end);
        if (*end || !(options->budget > 0))
            argp_error(state, "'%s' is no number above 0", value);
        break;
    case ARGP_KEY_ARGS:
        options->files = state->argv + state->next;
        options->count = (size_t)(state->argc - state->next);
        break;
    case ARGP_KEY_NO_ARGS: argp_error(state, "which watch file?"); break;
    case ARGP_KEY_END:
        if (options->budget > 0 && !options->corpus)
            argp_error(state, "--budget is measured on articles: --corpus FILE or FOLDER");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int run(struct options *options)
{
    if (options->silent && !online_open(&options->silent->online))
        return CLI_CANNOT;
    int status = options->corpus ? check_on_corpus(options) : check_files(options, NULL);
    if (options->silent)
        online_close(&options->silent->online);
    return status;
}

int cli_check(int argc, char **argv)
{
    static const struct argp_option known[] = {
        {"strict", 's', NULL, 0, "Warnings count as findings", 0},
        {"json", 'j', NULL, 0, "One JSON object a finding, a test and a file", 0},
        {"quiet", 'q', NULL, 0, "Say nothing of files that are fine", 0},
        {"corpus", KEY_CORPUS, "PATH", 0,
         "Measure words and watches on a file or a folder of articles", 0},
        {"budget", KEY_BUDGET, "N", 0,
         "With --corpus: a watch may be tried N times per 1,000 articles", 0},
        {"history", KEY_HISTORY, "DURATION", OPTION_ARG_OPTIONAL,
         "Ask the broker which watches had no alert for so long (90d)", 0},
        {0},
    };
    static const struct argp_child children[] = {{&online_argp, 0, NULL, 90}, {0}};
    static const struct argp argp = {
        .options = known,
        .parser = parse,
        .args_doc = "FILE...",
        .children = children,
        .doc =
            "Read watch files, say what is wrong with them, and run the tests inside.\v"
            "With --corpus, warnings come with figures (how often the other case occurs, what a "
            "wildcard stands for, which word alone is everywhere), and every watch with its cost: "
            "how often it has to be tried, and how often it hits.\n\n"
            "Exit status: 0 fine (warnings allowed), 1 errors, failed tests or watches above the "
            "budget, 2 a file cannot be read or no broker answers.",
    };
    struct arguments arguments = {0};
    cli_parse(&argp, argc, argv, &arguments);
    return cli_finish(run(&arguments.options));
}
