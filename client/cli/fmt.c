// tocsin fmt - watch files in their canonical form.
#include "client/cli/cli.h"
#include "common/buf.h"
#include "watcher/rules/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
    enum rules_form form;
    bool check, write;
    char **files;
    size_t count;
};

static const char doc[] =
    "Prints watch files in their canonical form: keys in one order, queries as tocsin understands "
    "them, the same quotes and line breaks everywhere. Watches keep their hashes.\v"
    "Every comment is kept. One above a watch, a key or an item stays above it, one at the end of "
    "a "
    "line stays there, one inside a query string stays with the operand beside it. Where a query "
    "changes its form or its shape, the comments inside it move above its key. Not kept: blank "
    "lines inside a watch, the breaks and parentheses of a query that are not needed, the style of "
    "quotes, folded blocks (>).\n\n"
    "Exit status: 0 fine, 1 a file has errors or (--check) is not canonical, 2 a file cannot be "
    "read "
    "or written.";

static const struct argp_option known[] = {
    {"form", 'f', "FORM", 0, "Every query as text, or as tree; without it each keeps its form", 0},
    {"write", 'w', NULL, 0, "Change the files in place", 0},
    {"check", 'c', NULL, 0, "Print the names of files that are not canonical; status 1 then", 0},
    {0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'f':
        if (strcmp(value, "text") != 0 && strcmp(value, "tree") != 0)
            argp_error(state, "--form is text or tree, not '%s'", value);
        options->form = strcmp(value, "text") == 0 ? RULES_FORM_TEXT : RULES_FORM_TREE;
        break;
    case 'w': options->write = true; break;
    case 'c': options->check = true; break;
    case ARGP_KEY_ARGS:
        options->files = state->argv + state->next;
        options->count = (size_t)(state->argc - state->next);
        break;
    case ARGP_KEY_NO_ARGS: argp_error(state, "which watch file?"); break;
    case ARGP_KEY_END:
        if (options->write && options->check)
            argp_error(state, "--check changes nothing: leave out --write");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// ---- files ---------------------------------------------------------------------------------

static int read_file(const char *path, struct tc_buf *out, struct tc_err *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return tc_fail(err, TC_EIO, "cannot read %s: %s", path, strerror(errno));
    size_t got;
    do {
        char *room = tc_buf_reserve(out, BUFSIZ);
        got = fread(room, 1, BUFSIZ, file);
        out->len += got;
    } while (got > 0);
    fclose(file);
    return TC_OK;
}

// Writes beside the file and puts it in its place, so that nobody ever reads half of it.
static int replace(const char *path, tc_str text, struct tc_err *err)
{
    struct tc_buf name = {0};
    struct stat old;
    int code = TC_OK;
    char *real = realpath(path, NULL); // a link stays a link
    tc_buf_addf(&name, "%s.XXXXXX", real ? real : path);
    tc_buf_byte(&name, '\0');
    int fd = mkstemp(name.ptr);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool fine = file && stat(path, &old) == 0 && fchmod(fd, old.st_mode & 07777) == 0 &&
                fwrite(text.ptr, 1, text.len, file) == text.len && fflush(file) == 0 &&
                fsync(fd) == 0;
    if (!fine)
        code = tc_fail(err, TC_EIO, "cannot write %s: %s", path, strerror(errno));
    if (file)
        fclose(file);
    if (fine && rename(name.ptr, real ? real : path) != 0)
        code = tc_fail(err, TC_EIO, "cannot replace %s: %s", path, strerror(errno));
    if (code != TC_OK && fd >= 0)
        unlink(name.ptr);
    tc_buf_done(&name);
    free(real);
    return code;
}

static void print_errors(struct tc_diags *diags)
{
    struct tc_buf text = {0};
    tc_diags_sort(diags);
    for (size_t i = 0; i < tc_diags_count(diags); i++) {
        if (tc_diags_at(diags, i)->severity == TC_DIAG_ERROR)
            tc_diag_print(tc_diags_at(diags, i), cli_colour(stderr), &text);
    }
    fwrite(text.ptr ? text.ptr : "", 1, text.len, stderr);
    tc_buf_done(&text);
}

static int put(const struct options *options, const char *path, tc_str formed)
{
    struct tc_buf old = {0};
    struct tc_err err = {0};
    int status = CLI_OK;
    if (!options->check && !options->write) {
        fwrite(formed.ptr, 1, formed.len, stdout);
        return CLI_OK;
    }
    if (read_file(path, &old, &err) != TC_OK) {
        status = cli_fail(&err);
    } else if (!tc_str_eq(tc_buf_view(&old), formed)) {
        if (options->check) {
            puts(path);
            status = CLI_FINDINGS;
        } else if (replace(path, formed, &err) != TC_OK) {
            status = cli_fail(&err);
        }
    }
    tc_buf_done(&old);
    return status;
}

static int format(const struct options *options, const char *path)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    struct tc_diags *diags = tc_diags_new();
    struct tc_buf formed = {0};
    struct tc_err err = {0};
    int status = CLI_OK;
    if (tc_str_ends(tc_str_of(path), TC_STR(".jsonl"))) {
        cli_say("%s: a file with a watch a line has one form only", path);
        status = CLI_CANNOT;
        goto out;
    }
    int code = rules_format(path, NULL, options->form, &settings, &formed, diags, &err);
    print_errors(diags);
    if (code == TC_OK)
        status = put(options, path, tc_buf_view(&formed));
    else if (code == TC_EINVAL)
        status = cli_fail(&err);
    else
        status = code == TC_EIO ? CLI_CANNOT : CLI_FINDINGS;

out:
    tc_buf_done(&formed);
    tc_diags_free(diags);
    return status;
}

int cli_fmt(int argc, char **argv)
{
    static const struct argp argp = {known, parse, "FILE...", doc, NULL, NULL, NULL};
    struct options options = {.form = RULES_FORM_KEEP};
    int worst = CLI_OK;
    cli_parse(&argp, argc, argv, &options);
    for (size_t i = 0; i < options.count; i++) {
        int status = format(&options, options.files[i]);
        worst = status > worst ? status : worst;
    }
    return cli_finish(worst);
}
