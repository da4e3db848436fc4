// tocsin publish - articles to a watcher, many on the way, and a line for each in the order they came.
//
// While the input keeps somebody waiting (a pipe with nothing in it) everything that is on the way is
// answered first: who hands in one article by hand sees at once what became of it.
#include "client/cli/online.h"
#include "client/cli/show.h"
#include "common/clock.h"
#include "common/json.h"
#include "watcher/source/lines.h"

#include <inttypes.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_TO = 0x200, KEY_JSON = 'j', KEY_QUIET = 'q' };

struct publish {
    struct online online;
    bool json, quiet, failed;
    char **files;
    int file_count;
    uint64_t accepted, duplicate, rejected, hits, on_the_way;
    struct tc_buf article, line;
};

static const char doc[] =
    "Hands ARTICLEs to a watcher and says what became of each: files (.txt, .json, .jsonl, also "
    ".gz) "
    "or standard input.\v"
    "tocsin publish page.txt\n"
    "zcat news.jsonl.gz | tocsin publish\n\n"
    "Exit status: 0 all were accepted (or had been before), 1 one was rejected, 2 no watcher "
    "answers, or a file cannot be read.";

static const struct argp_option options[] = {
    {"to", KEY_TO, "ENDPOINT", 0, "the same as --intake", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object a line", 0},
    {"quiet", KEY_QUIET, NULL, 0, "only articles that were rejected", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct publish *publish = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &publish->online; break;
    case KEY_TO: publish->online.options.intake = arg; break;
    case KEY_JSON: publish->json = true; break;
    case KEY_QUIET: publish->quiet = true; break;
    case ARGP_KEY_ARGS:
        publish->files = state->argv + state->next;
        publish->file_count = state->argc - state->next;
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void put(struct tc_json *json, const char *key, tc_str value)
{
    if (value.len > 0)
        tc_json_put_str(json, key, value);
}

static void put_time(struct tc_json *json, const char *key, int64_t wall_ns)
{
    char text[TC_TIME_BYTES];
    if (wall_ns == 0)
        return;
    tc_time_text(wall_ns, text);
    tc_json_put_str(json, key, tc_str_of(text));
}

static void put_tags(struct tc_json *json, const struct article *article)
{
    if (article->tag_count == 0)
        return;
    tc_json_key(json, "tags");
    tc_json_open(json, '[');
    for (size_t i = 0; i < article->tag_count; i++)
        tc_json_str(json, article->tags[i]);
    tc_json_close(json, ']');
}

// The article as docs/articles.md writes it, without its text, which travels beside it.
static void write_article(const struct article *article, struct tc_buf *out)
{
    static const char *const status[] = {[ARTICLE_USABLE] = "usable",
                                         [ARTICLE_WITHHELD] = "withheld",
                                         [ARTICLE_CANCELED] = "canceled"};
    tc_buf_clear(out);
    struct tc_json json = tc_json_on(out);
    tc_json_open(&json, '{');
    put(&json, "id", article->id);
    put(&json, "source", article->source);
    tc_json_put_u64(&json, "version", article->version);
    put(&json, "url", article->url);
    put(&json, "title", article->title);
    put(&json, "language", article->lang);
    put(&json, "author", article->author);
    put(&json, "section", article->section);
    put(&json, "country", article->country);
    put_time(&json, "date_published", article->published_wall_ns);
    put_time(&json, "date_modified", article->modified_wall_ns);
    put_time(&json, "embargoed_until", article->embargo_wall_ns);
    put_tags(&json, article);
    put(&json, "status", tc_str_of(status[article->status]));
    if (article->page)
        tc_json_put_bool(&json, "page", true);
    tc_json_close(&json, '}');
}

static const char *word_for(enum tocsin_outcome outcome)
{
    return outcome == TOCSIN_ACCEPTED    ? "accepted"
           : outcome == TOCSIN_DUPLICATE ? "duplicate"
                                         : "rejected";
}

static void count(struct publish *publish, const struct tocsin_receipt *receipt)
{
    publish->accepted += receipt->outcome == TOCSIN_ACCEPTED;
    publish->duplicate += receipt->outcome == TOCSIN_DUPLICATE;
    publish->rejected += receipt->outcome == TOCSIN_REJECTED;
    publish->hits += receipt->hits;
}

static void line_for_programs(struct tc_buf *line, tc_str id, const struct tocsin_receipt *receipt)
{
    struct tc_json json = tc_json_on(line);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "article", id);
    tc_json_put_str(&json, "outcome", tc_str_of(word_for(receipt->outcome)));
    if (receipt->outcome == TOCSIN_ACCEPTED)
        tc_json_put_u64(&json, "hits", receipt->hits);
    if (receipt->reason[0])
        tc_json_put_str(&json, "reason", tc_str_of(receipt->reason));
    tc_json_close(&json, '}');
}

static void line_for_people(struct tc_buf *line, const char *id,
                            const struct tocsin_receipt *receipt)
{
    tc_buf_addf(line, "%-9s  ", word_for(receipt->outcome));
    show_plain(id, line);
    if (receipt->outcome == TOCSIN_ACCEPTED)
        tc_buf_addf(line, "  %" PRIu64 " %s", receipt->hits, receipt->hits == 1 ? "hit" : "hits");
    if (receipt->reason[0]) {
        tc_buf_puts(line, "  ");
        show_plain(receipt->reason, line);
    }
}

// One line for an article: what became of it.
static void report(struct publish *publish, tc_str id, const struct tocsin_receipt *receipt)
{
    count(publish, receipt);
    if (publish->quiet && receipt->outcome != TOCSIN_REJECTED) {
        cli_progress("%" PRIu64 " accepted, %" PRIu64 " hits", publish->accepted, publish->hits);
        return;
    }
    tc_buf_clear(&publish->line);
    if (publish->json)
        line_for_programs(&publish->line, id, receipt);
    else
        line_for_people(&publish->line, id.ptr, receipt);
    cli_progress(NULL);
    printf("%s\n", publish->line.ptr);
    fflush(stdout);
}

// Reports the oldest article on the way. TOCSIN_OK also when it was rejected.
static int collect(struct publish *publish)
{
    struct tocsin_receipt receipt;
    int code = tocsin_collect(publish->online.tocsin, &receipt);
    if (code != TOCSIN_OK)
        return code;
    publish->on_the_way--;
    report(publish, tc_str_of(receipt.id), &receipt);
    return TOCSIN_OK;
}

static int collect_all(struct publish *publish)
{
    int code = TOCSIN_OK;
    while (code == TOCSIN_OK && publish->on_the_way)
        code = collect(publish);
    return code;
}

// Sends one article, behind those on the way.
static int send_article(struct publish *publish, const struct article *article)
{
    struct tocsin *tocsin = publish->online.tocsin;
    tc_str body = article->body.ptr ? article->body : TC_STR("");
    int code = TOCSIN_OK;
    write_article(article, &publish->article);
    while (code == TOCSIN_OK) {
        code =
            tocsin_submit(tocsin, publish->article.ptr, publish->article.len, body.ptr, body.len);
        if (code != TOCSIN_EBUSY)
            break;
        code = collect(publish);
    }
    publish->on_the_way += code == TOCSIN_OK;
    if (code != TOCSIN_EFULL)
        return code;
    // No later attempt can help it. What went before is told first.
    char reason[TC_ERR_TEXT_BYTES];
    snprintf(reason, sizeof reason, "%s", tocsin_error(tocsin));
    code = collect_all(publish);
    if (code == TOCSIN_OK)
        report(publish, article->id, &(struct tocsin_receipt){TOCSIN_REJECTED, 0, "", reason});
    return code;
}

// Something in the file that is no article. False when the file cannot be read on.
static bool unreadable(struct publish *publish, const struct tc_err *err)
{
    cli_fail(err);
    if (err->code != TC_EPARSE && err->code != TC_EFULL) {
        publish->failed = true;
        return false;
    }
    publish->rejected++;
    return true;
}

// True when reading on may take as long as somebody else likes.
static bool may_wait(const char *path)
{
    struct stat file;
    bool standard_input = strcmp(path, "-") == 0;
    int code = standard_input ? fstat(STDIN_FILENO, &file) : stat(path, &file);
    if (code != 0 || S_ISREG(file.st_mode))
        return false;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return !standard_input || poll(&input, 1, 0) == 0;
}

// No watcher answers, or it says what it should not: the rest would fare no better.
static bool give_up(struct publish *publish)
{
    publish->failed = true;
    cli_progress(NULL);
    online_fail(&publish->online);
    if (publish->on_the_way > 1)
        cli_say("%" PRIu64
                " articles were sent and not answered: hand them in again, it does no harm",
                publish->on_the_way);
    return false;
}

// Sends what a file holds. False when that is the end of all.
static bool send_file(struct publish *publish, const char *path)
{
    struct tc_err err = {0};
    struct lines *lines = NULL;
    struct article *article = NULL;
    int code = lines_open(path, TC_STR(""), ARTICLE_BYTES, &lines, &err), sent = TOCSIN_OK;
    bool go_on = code == TC_OK || unreadable(publish, &err);
    while (go_on && sent == TOCSIN_OK && (code = lines_next(lines, &article, &err)) != TC_ENOENT) {
        if (code != TC_OK) {
            sent = collect_all(publish); // what came before it is told before it
            go_on = unreadable(publish, &err);
            continue;
        }
        sent = send_article(publish, article);
        article_free(article);
        if (sent == TOCSIN_OK && may_wait(path))
            sent = collect_all(publish);
    }
    lines_close(lines);
    return sent == TOCSIN_OK || give_up(publish);
}

static int run(struct publish *publish)
{
    static char standard_input[] = "-";
    static char *only[] = {standard_input};
    if (publish->file_count == 0) {
        publish->files = only;
        publish->file_count = 1;
    }
    bool go_on = true;
    for (int i = 0; i < publish->file_count && go_on; i++)
        go_on = send_file(publish, publish->files[i]);
    if (go_on && collect_all(publish) != TOCSIN_OK)
        give_up(publish);
    return publish->failed ? CLI_CANNOT : publish->rejected ? CLI_FINDINGS : CLI_OK;
}

// The sum, for people who handed in several.
static void sum_up(const struct publish *publish)
{
    cli_progress(NULL);
    if (publish->json || publish->accepted + publish->duplicate < 2)
        return;
    cli_say("%" PRIu64 " accepted with %" PRIu64 " hits, %" PRIu64 " had before, %" PRIu64
            " rejected",
            publish->accepted, publish->hits, publish->duplicate, publish->rejected);
}

int cli_publish(int argc, char **argv)
{
    static const struct argp_child children[] = {{&online_argp, 0, NULL, 90}, {0}};
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .args_doc = "[ARTICLE...]",
                                     .doc = doc,
                                     .children = children};
    struct publish publish = {0};
    cli_parse(&argp, argc, argv, &publish);
    int status = online_open(&publish.online) ? run(&publish) : CLI_CANNOT;
    sum_up(&publish);
    online_close(&publish.online);
    tc_buf_done(&publish.article);
    tc_buf_done(&publish.line);
    return status;
}
