// tocsin import - queries of another language rewritten as tocsin's.
//
// A query that cannot be said in tocsin's own language stays as it is, in a watch with its dialect;
// comments say why, and where a rewritten one is not quite the same.
#include "client/cli/cli.h"
#include "client/cli/offline.h"
#include "common/buf.h"

#include <stdlib.h>

enum { KEY_QUERY = 'q', KEY_DIALECT = 0x200, KEY_OPTIONS };

struct import {
    const char *query, *file, *dialect;
    struct rules_dialect read;
    struct tc_arena *arena;
    struct tc_buf out;
    size_t kept, wrong; // queries that stay in their dialect, that cannot be read
};

static const char doc[] =
    "Rewrites a query, or a file with one query a line, in tocsin's own language. A file becomes a "
    "watch file. Comments say where the old reading cannot be kept.\v"
    "tocsin import --dialect lucene -q '+merger -\"talks fail\"~3'\n"
    "tocsin import --dialect lucene old-queries.txt > watches/imported.yaml\n\n"
    "Exit status: 0 all were rewritten, 1 some stay in their dialect or cannot be read, 2 it could "
    "not run.";

static const struct argp_option options[] = {
    {"dialect", KEY_DIALECT, "NAME", 0, "what the queries are written in: lucene", 0},
    {"lucene-options", KEY_OPTIONS, "LIST", 0,
     "of dialect lucene: op=AND, leadingwild, autophrase, with commas between", 0},
    {"query", KEY_QUERY, "QUERY", 0, "one query instead of a file", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct import *import = state->input;
    switch (key) {
    case KEY_DIALECT: import->dialect = arg; break;
    case KEY_OPTIONS: offline_lucene_options(arg, &import->read, state); break;
    case KEY_QUERY: import->query = arg; break;
    case ARGP_KEY_ARG:
        if (import->file)
            argp_error(state, "one file at a time");
        import->file = arg;
        break;
    case ARGP_KEY_END:
        if (!import->dialect || strcmp(import->dialect, "lucene") != 0)
            argp_error(state, "say what the queries are written in: --dialect lucene");
        if (!import->query == !import->file)
            argp_error(state, "give one FILE (- is standard input), or one query with -q QUERY");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// ---- one query -----------------------------------------------------------------------------

struct rewritten {
    bool readable, fine;
    struct tc_buf query, notes; // a line each
};

static void rewrite(struct import *import, tc_str text, tc_str name, struct rewritten *out)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    struct tc_diags *diags = tc_diags_new();
    struct query_text_place where = {name, text};
    struct query_place place = {query_wrong_in_text, diags, &where};
    struct lucene_forgotten forgotten = {0};
    struct query_node *root =
        lucene_read(text, &settings, &import->read.options, import->arena, &place, &forgotten);
    out->readable = root != NULL;
    if (root)
        out->fine = lucene_rewrite(root, &settings, &out->query, &out->notes);
    else
        offline_findings(diags);
    if (out->fine && forgotten.boosts)
        tc_buf_puts(&out->notes, "boosts (^2) only rank, and are dropped\n");
    if (out->fine && forgotten.optional)
        tc_buf_puts(&out->notes, "what stands beside required terms without + or AND only ranks, "
                                 "and is dropped\n");
    import->kept += root && !out->fine;
    import->wrong += !root;
    tc_diags_free(diags);
}

static void done(struct rewritten *rewritten)
{
    tc_buf_done(&rewritten->query);
    tc_buf_done(&rewritten->notes);
}

// Lines of text with something before each.
static void put_lines(struct import *import, const char *before, tc_str lines)
{
    tc_str line;
    while (tc_str_next(&lines, '\n', &line)) {
        if (line.len)
            tc_buf_addf(&import->out, "%s%.*s\n", before, TC_ARG(line));
    }
}

static void one_query(struct import *import)
{
    struct rewritten rewritten = {.readable = false};
    rewrite(import, tc_str_of(import->query), TC_STR("query"), &rewritten);
    put_lines(import, "# ", tc_buf_view(&rewritten.notes));
    if (rewritten.fine)
        tc_buf_addf(&import->out, "%.*s\n", TC_ARG(tc_buf_view(&rewritten.query)));
    else if (rewritten.readable)
        tc_buf_puts(&import->out, "# keep it as it is, in a watch with dialect: lucene\n");
    done(&rewritten);
}

// ---- a file --------------------------------------------------------------------------------

// One line of the file as a watch; its number is its name.
static void put_watch(struct import *import, tc_str text, size_t number)
{
    struct rewritten rewritten = {.readable = false};
    tc_str name = tc_arena_printf(import->arena, "%s, line %zu", import->file, number);
    rewrite(import, text, name, &rewritten);
    if (!rewritten.readable) {
        tc_buf_addf(&import->out, "  # line %zu cannot be read: %.*s\n", number, TC_ARG(text));
        done(&rewritten);
        return;
    }
    if (rewritten.fine)
        tc_buf_addf(&import->out, "  # was: %.*s\n", TC_ARG(text));
    put_lines(import, "  # ", tc_buf_view(&rewritten.notes));
    tc_buf_addf(&import->out, "  - name: line-%zu\n", number);
    if (!rewritten.fine)
        tc_buf_puts(&import->out, "    dialect: lucene\n");
    tc_buf_puts(&import->out, "    match: |\n");
    tc_buf_addf(&import->out, "      %.*s\n",
                TC_ARG(rewritten.fine ? tc_buf_view(&rewritten.query) : text));
    done(&rewritten);
}

// A watch file does not say the options of its dialect; whoever runs it must.
static void put_head(struct import *import)
{
    const char *given = lucene_options_text(&import->read.options);
    if (*given)
        tc_buf_addf(&import->out, "# watches of dialect lucene here want --lucene-options=%s\n",
                    given);
    tc_buf_puts(&import->out, "tocsin: 1\nnamespace: imported\nwatches:\n");
}

static int whole_file(struct import *import)
{
    struct tc_buf text = {0};
    char part[1 << 14];
    size_t len, number = 0;
    bool input = !strcmp(import->file, "-");
    FILE *file = input ? stdin : fopen(import->file, "r");
    tc_str rest, line;
    if (!file) {
        cli_say("cannot read %s: %m", import->file);
        return CLI_CANNOT;
    }
    while ((len = fread(part, 1, sizeof part, file)) > 0)
        tc_buf_add(&text, part, len);
    bool failed = ferror(file);
    if (!input)
        fclose(file);
    put_head(import);
    rest = tc_buf_view(&text);
    while (tc_str_next(&rest, '\n', &line)) {
        number++;
        line = tc_str_trim(line);
        if (line.len)
            put_watch(import, line, number);
    }
    tc_buf_done(&text);
    if (failed)
        cli_say("%s cannot be read to its end", import->file);
    return failed ? CLI_CANNOT : CLI_OK;
}

int cli_import(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "[FILE]", doc, NULL, NULL, NULL};
    struct import import = {.arena = tc_arena_new()};
    int status = CLI_OK;
    cli_parse(&argp, argc, argv, &import);
    if (import.query)
        one_query(&import);
    else
        status = whole_file(&import);
    fwrite(import.out.ptr ? import.out.ptr : "", 1, import.out.len, stdout);
    if (status == CLI_OK && (import.kept || import.wrong))
        status = CLI_FINDINGS;
    tc_buf_done(&import.out);
    tc_arena_free(import.arena);
    return cli_finish(status);
}
