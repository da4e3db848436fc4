// tocsin diff - what a change of watches gains and loses on a corpus.
//
// Every article is matched against both files. A hit is the same when watch, article and segment are;
// what only one side has is shown under its watch with an excerpt, in the order of the new file, removed
// watches behind them.
#include "client/cli/cli.h"
#include "client/cli/corpus.h"
#include "common/json.h"
#include "common/mem.h"
#include "watcher/match/scan.h"

#include <stdlib.h>

enum { NO_WATCH = UINT32_MAX };

enum { KEY_CORPUS = 0x200, KEY_LIMIT };

struct options {
    const char *old, *new, *corpus;
    uint64_t limit; // hits shown of a watch and side
    bool json;
};

struct side { // one of the two files
    struct matcher *matcher;
    struct scan *scan;
    uint32_t *row_of; // by watch
};

struct row { // one watch, in either file or both
    tc_str name;
    uint32_t old, new; // its numbers, NO_WATCH where it is not
    uint64_t gained, lost, kept;
    struct tc_buf lines;
};

struct diff {
    const struct options *options;
    struct side old, new;
    struct row *rows;
    size_t row_count;
    bool colour;
};

// ---- watches of both sides -----------------------------------------------------------------

struct named {
    tc_str name;
    uint32_t number;
};

static int by_name(const void *a, const void *b)
{
    return tc_str_cmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static struct named *sorted_names(const struct matcher *matcher)
{
    size_t count = matcher_count(matcher);
    struct named *names = tc_new((count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = (struct named){matcher_watch(matcher, i)->name, (uint32_t)i};
    qsort(names, count, sizeof *names, by_name);
    return names;
}

// The new file's watches, then those that only the old one has.
static void join_watches(struct diff *diff)
{
    size_t olds = matcher_count(diff->old.matcher), news = matcher_count(diff->new.matcher);
    struct named *names = sorted_names(diff->new.matcher);
    diff->rows = tc_new((olds + news + 1) * sizeof *diff->rows);
    diff->old.row_of = tc_new((olds + 1) * sizeof(uint32_t));
    diff->new.row_of = tc_new((news + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < news; i++) {
        diff->new.row_of[i] = i;
        diff->rows[i] =
            (struct row){matcher_watch(diff->new.matcher, i)->name, NO_WATCH, i, 0, 0, 0, {0}};
    }
    diff->row_count = news;
    for (uint32_t i = 0; i < olds; i++) {
        struct named wanted = {matcher_watch(diff->old.matcher, i)->name, 0};
        const struct named *same = bsearch(&wanted, names, news, sizeof *names, by_name);
        size_t row = same ? same->number : diff->row_count++;
        if (!same)
            diff->rows[row] = (struct row){wanted.name, i, NO_WATCH, 0, 0, 0, {0}};
        diff->rows[row].old = i;
        diff->old.row_of[i] = (uint32_t)row;
    }
    free(names);
}

// ---- hits ----------------------------------------------------------------------------------

struct found { // a hit of one side, by row instead of by watch
    uint32_t segment, row;
    const struct scan_hit *hit;
};

static int by_segment_and_row(const void *a, const void *b)
{
    const struct found *left = a, *right = b;
    if (left->segment != right->segment)
        return left->segment < right->segment ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

static struct found *find(struct side *side, const struct text *text, size_t *count)
{
    const struct scan_hit *hits;
    *count = scan_run(side->scan, side->matcher, text, &hits);
    struct found *found = tc_new((*count + 1) * sizeof *found);
    for (size_t i = 0; i < *count; i++)
        found[i] = (struct found){hits[i].segment, side->row_of[hits[i].watch], &hits[i]};
    qsort(found, *count, sizeof *found, by_segment_and_row);
    return found;
}

static void put_json(const struct row *row, const struct tc_hit *hit, const struct text *text,
                     bool gained, struct tc_buf *out)
{
    struct tc_json json = tc_json_on(out);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "kind", gained ? TC_STR("gained") : TC_STR("lost"));
    tc_json_put_str(&json, "watch", row->name);
    tc_json_put_str(&json, "article", text->article->id);
    tc_json_put_u64(&json, "segment", hit->segment);
    tc_json_put_str(&json, "excerpt", hit->excerpt);
    tc_json_close(&json, '}');
    tc_buf_byte(out, '\n');
}

// The excerpt on one line.
static void put_excerpt(tc_str excerpt, struct tc_buf *out)
{
    for (size_t i = 0; i < excerpt.len; i++)
        tc_buf_byte(out, (unsigned char)excerpt.ptr[i] < ' ' ? ' ' : excerpt.ptr[i]);
}

static void note(struct diff *diff, struct side *side, const struct text *text,
                 const struct found *found, bool gained)
{
    struct row *row = &diff->rows[found->row];
    uint64_t number = gained ? ++row->gained : ++row->lost;
    struct tc_hit hit;
    if (number > diff->options->limit)
        return;
    scan_hit_fill(side->scan, side->matcher, text, found->hit, &hit);
    if (diff->options->json) {
        put_json(row, &hit, text, gained, &row->lines);
        return;
    }
    const char *colour = gained ? CLI_GREEN : CLI_RED;
    tc_buf_addf(&row->lines, "  %s%s%s %.*s segment %u: ", diff->colour ? colour : "",
                gained ? "+" : "-", diff->colour ? CLI_PLAIN : "", TC_ARG(text->article->id),
                (unsigned)hit.segment);
    put_excerpt(hit.excerpt, &row->lines);
    tc_buf_byte(&row->lines, '\n');
}

static void compare(void *context, const struct text *text, uint64_t number)
{
    struct diff *diff = context;
    size_t olds, news, i = 0, k = 0;
    struct found *old = find(&diff->old, text, &olds), *new = find(&diff->new, text, &news);
    (void)number;
    while (i < olds || k < news) {
        int order = i == olds ? 1 : k == news ? -1 : by_segment_and_row(&old[i], &new[k]);
        if (order == 0)
            diff->rows[old[i].row].kept++;
        else if (order < 0)
            note(diff, &diff->old, text, &old[i], false);
        else
            note(diff, &diff->new, text, &new[k], true);
        i += order <= 0;
        k += order >= 0;
    }
    free(old);
    free(new);
}

// ---- results -------------------------------------------------------------------------------

static const char *change_of(const struct row *row)
{
    return row->old == NO_WATCH ? "added" : row->new == NO_WATCH ? "removed" : NULL;
}

static bool differs(const struct row *row)
{
    return row->gained > 0 || row->lost > 0 || change_of(row);
}

static void print_row(const struct diff *diff, const struct row *row)
{
    const char *change = change_of(row);
    printf("%s%.*s%s: %s%s%llu gained, %llu lost, %llu kept\n", diff->colour ? CLI_BOLD : "",
           TC_ARG(row->name), diff->colour ? CLI_PLAIN : "", change ? change : "",
           change ? ", " : "", (unsigned long long)row->gained, (unsigned long long)row->lost,
           (unsigned long long)row->kept);
}

static void print_row_json(const struct row *row)
{
    struct tc_buf text = {0};
    struct tc_json json = tc_json_on(&text);
    const char *change = change_of(row);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "kind", TC_STR("watch"));
    tc_json_put_str(&json, "watch", row->name);
    tc_json_put_str(&json, "change", tc_str_of(change ? change : "hits"));
    tc_json_put_u64(&json, "gained", row->gained);
    tc_json_put_u64(&json, "lost", row->lost);
    tc_json_put_u64(&json, "kept", row->kept);
    tc_json_close(&json, '}');
    printf("%.*s\n", TC_ARG(tc_buf_view(&text)));
    tc_buf_done(&text);
}

struct sums {
    uint64_t gained, lost, kept, articles;
    size_t differing, added, removed, changed; // changed: another definition, whatever it hits
};

static void print_summary(const struct diff *diff, const struct sums *sums)
{
    printf("%llu articles: %llu hits gained, %llu lost, %llu kept; of %zu watches %zu differ, %zu "
           "added, %zu removed, %zu written differently\n",
           (unsigned long long)sums->articles, (unsigned long long)sums->gained,
           (unsigned long long)sums->lost, (unsigned long long)sums->kept, diff->row_count,
           sums->differing, sums->added, sums->removed, sums->changed);
}

static void print_summary_json(const struct sums *sums)
{
    struct tc_buf text = {0};
    struct tc_json json = tc_json_on(&text);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "kind", TC_STR("summary"));
    tc_json_put_u64(&json, "articles", sums->articles);
    tc_json_put_u64(&json, "gained", sums->gained);
    tc_json_put_u64(&json, "lost", sums->lost);
    tc_json_put_u64(&json, "kept", sums->kept);
    tc_json_put_u64(&json, "watches_differing", sums->differing);
    tc_json_put_u64(&json, "watches_added", sums->added);
    tc_json_put_u64(&json, "watches_removed", sums->removed);
    tc_json_put_u64(&json, "watches_changed", sums->changed);
    tc_json_close(&json, '}');
    printf("%.*s\n", TC_ARG(tc_buf_view(&text)));
    tc_buf_done(&text);
}

static void add_up(const struct diff *diff, const struct row *row, struct sums *sums)
{
    sums->gained += row->gained;
    sums->lost += row->lost;
    sums->kept += row->kept;
    sums->differing += differs(row);
    sums->added += row->old == NO_WATCH;
    sums->removed += row->new == NO_WATCH;
    if (!change_of(row))
        sums->changed += !tc_id_eq(matcher_watch(diff->old.matcher, row->old)->hash,
                                   matcher_watch(diff->new.matcher, row->new)->hash);
}

static int report(struct diff *diff, uint64_t articles)
{
    struct sums sums = {.articles = articles};
    for (size_t i = 0; i < diff->row_count; i++) {
        struct row *row = &diff->rows[i];
        add_up(diff, row, &sums);
        if (!differs(row))
            continue;
        if (!diff->options->json)
            print_row(diff, row);
        fwrite(row->lines.ptr ? row->lines.ptr : "", 1, row->lines.len, stdout);
        if (diff->options->json)
            print_row_json(row);
    }
    if (diff->options->json)
        print_summary_json(&sums);
    else
        print_summary(diff, &sums);
    return sums.differing ? CLI_FINDINGS : CLI_OK;
}

// ---- running -------------------------------------------------------------------------------

static int open_side(const char *path, struct side *side)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    static const struct rules_dialect dialect = {.lucene = false}; // unless a watch says another
    struct offline_files files = {0};
    offline_add(&files, path);
    int code = offline_watches(&files, NULL, &settings, &dialect, &side->matcher);
    side->scan = scan_new();
    free(files.at);
    return code;
}

static void close_side(struct side *side)
{
    matcher_drop(side->matcher);
    scan_free(side->scan);
    free(side->row_of);
}

static int run(const struct options *options)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    struct diff diff = {.options = options, .colour = !options->json && cli_colour(stdout)};
    struct corpus corpus = {0};
    struct tc_err err = {0};
    int status = CLI_CANNOT;
    bool fine = open_side(options->old, &diff.old) == TC_OK;
    fine = open_side(options->new, &diff.new) == TC_OK && fine;
    if (!fine)
        goto out;
    if (corpus_open(options->corpus, &corpus, &err) != TC_OK) {
        status = cli_fail(&err);
        goto out;
    }
    join_watches(&diff);
    uint64_t articles = corpus_each(&corpus, &settings, compare, &diff);
    if (articles > 0)
        status = report(&diff, articles);
    else
        cli_say("corpus %s holds no article that can be read", options->corpus);

out:
    for (size_t i = 0; i < diff.row_count; i++)
        tc_buf_done(&diff.rows[i].lines);
    free(diff.rows);
    corpus_close(&corpus);
    close_side(&diff.old);
    close_side(&diff.new);
    return status;
}

// ---- arguments -----------------------------------------------------------------------------

static const char doc[] =
    "Matches a corpus against two watch files and shows the hits that only one of them has: gained "
    "(+) and lost (-) per watch, each with an excerpt. A hit is the same when watch, article and "
    "segment are.\v"
    "tocsin diff watches.yaml changed.yaml --corpus last-week.jsonl.gz\n\n"
    "Exit status: 0 the same hits of the same watches, 1 differences, 2 a file cannot be read or a "
    "watch is wrong.";

static const struct argp_option known[] = {
    {"corpus", KEY_CORPUS, "PATH", 0, "A file of articles, or a folder of them (required)", 0},
    {"limit", KEY_LIMIT, "N", 0, "Show at most N gained and N lost hits of a watch", 0},
    {"json", 'j', NULL, 0, "One JSON object a hit, a watch that differs, and a summary", 0},
    {0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_CORPUS: options->corpus = value; break;
    case KEY_LIMIT:
        if (!tc_str_u64(tc_str_of(value), &options->limit))
            argp_error(state, "'%s' is no number", value);
        break;
    case 'j': options->json = true; break;
    case ARGP_KEY_ARG:
        if (options->new)
            argp_error(state, "two watch files are compared, not more");
        *(options->old ? &options->new : &options->old) = value;
        break;
    case ARGP_KEY_END:
        if (!options->new)
            argp_error(state, "which two watch files?");
        if (!options->corpus)
            argp_error(state, "which articles? --corpus FILE or FOLDER");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

int cli_diff(int argc, char **argv)
{
    static const struct argp argp = {known, parse, "OLD NEW", doc, NULL, NULL, NULL};
    struct options options = {.limit = UINT64_MAX};
    cli_parse(&argp, argc, argv, &options);
    return cli_finish(run(&options));
}
