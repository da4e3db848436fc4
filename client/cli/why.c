// tocsin why - one watch on one article, clause by clause, with the nearest miss in plain words.
#include "client/cli/cli.h"
#include "client/cli/offline.h"
#include "client/cli/show.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/match/scan.h"

#include <stdlib.h>

enum {
    KEY_WATCHES = 'w',
    KEY_QUERY = 'q',
    KEY_JSON = 'j',
    KEY_ID = 'i',
    KEY_WORDS = 0x200,
    KEY_DIALECT,
    KEY_LUCENE_OPTIONS,
    QUERY_SHOWN = 60, // characters of a clause on its line
};

struct why {
    struct offline_files watches, articles;
    const char *query, *id;
    struct text_settings settings;
    struct rules_dialect dialect;
    bool json, colour;
    struct matcher *matcher;
    uint32_t number; // of the watch
    struct scan *scan;
    struct watch page_watch; // the same watch, asking for the whole page; NULL for a score
    struct matcher *page_matcher;
    struct scan *page_scan;
    uint64_t explained, matched;
};

static const char doc[] =
    "Shows why a WATCH matches an ARTICLE or why it does not: each clause of its query, whether it "
    "holds and where, and how near it came. The whole path of a watch is NAMESPACE/NAME; the name "
    "alone will do when it is the only one.\v"
    "tocsin why travel-advice page.txt -w watches/china.yaml\n"
    "tocsin why -q 'port NEAR/5 strike' page.txt\n\n"
    "Exit status: 0 the watch matches, 1 it does not, 2 an input could not be read.";

static const struct argp_option options[] = {
    {"watches", KEY_WATCHES, "FILE", 0, "watch file, .yaml or .jsonl; may be repeated", 0},
    {"query", KEY_QUERY, "QUERY", 0, "a query instead of WATCH", 0},
    {"id", KEY_ID, "ID", 0, "only the article of this id, of a file with many", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object a segment", 0},
    {"words", KEY_WORDS, "KIND", 0, "how words are cut: tocsin, standard, ascii", 0},
    {"dialect", KEY_DIALECT, "NAME", 0,
     "how queries are read that do not say: tocsin (default) or lucene (classic query syntax)", 0},
    {"lucene-options", KEY_LUCENE_OPTIONS, "LIST", 0,
     "of dialect lucene: op=AND, leadingwild, autophrase, with commas between", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct why *why = state->input;
    switch (key) {
    case KEY_WATCHES: offline_add(&why->watches, arg); break;
    case KEY_QUERY: why->query = arg; break;
    case KEY_ID: why->id = arg; break;
    case KEY_JSON: why->json = true; break;
    case KEY_DIALECT: offline_dialect(arg, &why->dialect, state); break;
    case KEY_LUCENE_OPTIONS: offline_lucene_options(arg, &why->dialect, state); break;
    case KEY_WORDS: why->settings.words = offline_words(arg, state); break;
    case ARGP_KEY_ARG: offline_add(&why->articles, arg); break;
    case ARGP_KEY_END:
        if (!why->query == !why->watches.count)
            argp_error(state, "give watches with -w FILE, or one query with -q QUERY");
        if (!why->query && !why->articles.count)
            argp_error(state, "which watch?");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// ---- which watch ---------------------------------------------------------------------------

static bool is_called(tc_str name, tc_str wanted)
{
    return tc_str_eq(name, wanted) ||
           (name.len > wanted.len && name.ptr[name.len - wanted.len - 1] == '/' &&
            tc_str_ends(name, wanted));
}

static int unknown_watch(const struct why *why, const char *wanted)
{
    size_t count = matcher_count(why->matcher);
    struct tc_arena *arena = tc_arena_new();
    const char **names = tc_new((count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = tc_arena_str(arena, matcher_watch(why->matcher, i)->name).ptr;
    const char *near = tc_nearest(tc_str_of(wanted), names, count);
    if (near)
        cli_say("there is no watch '%s'; did you mean '%s'?", wanted, near);
    else
        cli_say("there is no watch '%s' in these files (paused and retired ones do not match)",
                wanted);
    free(names);
    tc_arena_free(arena);
    return CLI_CANNOT;
}

static int find_watch(struct why *why, const char *wanted)
{
    size_t found = 0;
    for (size_t i = 0; i < matcher_count(why->matcher); i++) {
        tc_str name = matcher_watch(why->matcher, i)->name;
        if (!is_called(name, tc_str_of(wanted)))
            continue;
        why->number = (uint32_t)i;
        found++;
        if (tc_str_eq(name, tc_str_of(wanted)))
            return CLI_OK;
    }
    if (found > 1) {
        cli_say("%zu watches are called '%s'; write NAMESPACE/NAME", found, wanted);
        return CLI_CANNOT;
    }
    return found ? CLI_OK : unknown_watch(why, wanted);
}

// ---- one clause ----------------------------------------------------------------------------

struct page { // what scan_explain tells is written to
    const struct why *why;
    struct tc_buf text;
    struct tc_json json;
    size_t absent;  // entries of a list that do not hold and are not shown
    int list_depth; // where they stand
    bool skipping;  // below one of them
};

// What a long clause is called whose parts stand on the lines below it.
static void put_label(const struct query_node *node, struct tc_buf *out)
{
    static const char *const labels[] = {
        [QUERY_AND] = "all of",
        [QUERY_OR] = "one of",
        [QUERY_NOT] = "not",
        [QUERY_NEAR] = "NEAR/",
        [QUERY_ONEAR] = "ONEAR/",
        [QUERY_NOTNEAR] = "NOTNEAR/",
        [QUERY_EXCEPT] = "EXCEPT",
        [QUERY_SENTENCE] = "in one SENTENCE",
        [QUERY_PARAGRAPH] = "in one PARAGRAPH",
        [QUERY_ATLEAST] = "ATLEAST/",
        [QUERY_ANY] = "ANY/",
        [QUERY_FIRST] = "FIRST/",
        [QUERY_TITLE] = "in the title",
        [QUERY_LEAD] = "in the lead",
        [QUERY_BODY] = "in the body",
        [QUERY_PAGE] = "on the whole PAGE",
        [QUERY_LUCENE] = "dialect lucene, on all segments as one",
        [QUERY_NEVER] = NULL,
    };
    const char *label = labels[node->op];
    if (node->op == QUERY_NAMED)
        tc_buf_addf(out, "%.*s::", TC_ARG(node->text));
    else if (label)
        tc_buf_puts(out, label);
    if (label && label[strlen(label) - 1] == '/')
        tc_buf_addf(out, "%u", (unsigned)node->number);
}

// The clause as text; a long one by its label, or cut to fit a line when it has none.
static tc_str clause_of(const struct scan_why *told, struct tc_buf *out)
{
    tc_buf_clear(out);
    if (!told->node)
        return (tc_str){NULL, 0};
    if (told->entry && told->entry->lang.len)
        tc_buf_addf(out, "%.*s: ", TC_ARG(told->entry->lang));
    query_print(told->node, out);
    if (tc_utf8_count(tc_buf_view(out)) <= QUERY_SHOWN)
        return tc_buf_view(out);
    if (told->node->child_count) {
        tc_buf_clear(out);
        put_label(told->node, out);
        return tc_buf_view(out);
    }
    size_t at = 0;
    for (int i = 0; i < QUERY_SHOWN - 1; i++)
        tc_utf8_next(tc_buf_view(out), &at);
    out->len = at;
    tc_buf_puts(out, "\xe2\x80\xa6");
    return tc_buf_view(out);
}

static void put_place(const struct scan_why *told, struct tc_buf *out)
{
    if (!told->first)
        return;
    struct tc_buf words = {0};
    tc_buf_str(&words, told->first->words);
    if (told->count > 1)
        tc_buf_addf(out, "  %u times, first", (unsigned)told->count);
    tc_buf_puts(out, "  \"");
    show_plain(words.ptr ? words.ptr : "", out);
    tc_buf_addf(out, "\" in the %s at byte %u", tc_field_name(told->first->field),
                (unsigned)told->first->start);
    tc_buf_done(&words);
}

static void flush_absent(struct page *page)
{
    if (page->absent)
        tc_buf_addf(&page->text, "%*s%s%zu %s of the list not there%s\n", 2 * page->list_depth + 2,
                    "", page->why->colour ? CLI_DIM : "", page->absent,
                    page->absent == 1 ? "entry" : "entries", page->why->colour ? CLI_PLAIN : "");
    page->absent = 0;
}

// Entries that do not hold are counted, not shown: lists may have thousands. So is all below them.
static bool is_left_out(struct page *page, const struct scan_why *told)
{
    if (page->skipping && told->depth > page->list_depth)
        return true;
    page->skipping = false;
    bool absent = told->entry && !told->holds && !told->note;
    bool same_list = told->entry && told->depth == page->list_depth;
    if (page->absent && (told->depth < page->list_depth || (absent && !same_list) ||
                         (told->depth == page->list_depth && !told->entry)))
        flush_absent(page);
    if (!absent)
        return false;
    page->list_depth = told->depth;
    page->skipping = true;
    page->absent++;
    return true;
}

static void tell_line(void *context, const struct scan_why *told)
{
    struct page *page = context;
    struct tc_buf clause = {0};
    bool colour = page->why->colour;
    if (is_left_out(page, told))
        return;
    tc_buf_addf(&page->text, "%*s%s%s%s ", 2 * told->depth + 2, "",
                !colour       ? ""
                : told->holds ? CLI_GREEN
                              : CLI_RED,
                told->holds ? "\xe2\x9c\x93 yes" : "\xe2\x9c\x97 no ", colour ? CLI_PLAIN : "");
    tc_str text = clause_of(told, &clause);
    tc_buf_addf(&page->text, "%.*s", TC_ARG(text));
    put_place(told, &page->text);
    if (told->note) { // it may quote the article
        tc_buf_addf(&page->text, "%s%s", told->node ? "  " : "", colour ? CLI_YELLOW : "");
        show_plain(told->note, &page->text);
        tc_buf_puts(&page->text, colour ? CLI_PLAIN : "");
    }
    tc_buf_byte(&page->text, '\n');
    tc_buf_done(&clause);
}

static void tell_json(void *context, const struct scan_why *told)
{
    struct page *page = context;
    struct tc_json *json = &page->json;
    struct tc_buf clause = {0};
    tc_json_open(json, '{');
    tc_json_put_u64(json, "depth", (uint64_t)told->depth);
    if (told->node) {
        query_print(told->node, &clause);
        tc_json_put_str(json, "clause", tc_buf_view(&clause));
    }
    if (told->entry && told->entry->lang.len)
        tc_json_put_str(json, "lang", told->entry->lang);
    tc_json_put_bool(json, "holds", told->holds);
    tc_json_put_u64(json, "count", told->count);
    if (told->first) {
        tc_json_put_str(json, "field", tc_str_of(tc_field_name(told->first->field)));
        tc_json_put_u64(json, "start", told->first->start);
        tc_json_put_u64(json, "end", told->first->end);
        tc_json_put_str(json, "words", told->first->words);
    }
    if (told->note)
        tc_json_put_str(json, "note", tc_str_of(told->note));
    tc_json_close(json, '}');
    tc_buf_done(&clause);
}

// ---- the whole page ------------------------------------------------------------------------

// What is cut is not dropped in silence: when no segment matches, the undivided page is tried.
static int page_begin(struct why *why, struct tc_arena *arena)
{
    struct tc_err err = {0};
    why->page_watch = *matcher_watch(why->matcher, why->number);
    if (!why->page_watch.query)
        return CLI_OK;
    struct query_node *page = query_node_new(arena, QUERY_PAGE, 1);
    page->children[0] = query_node_new(arena, QUERY_WORDS, 0);
    *page->children[0] = *why->page_watch.query;
    why->page_watch.query = page;
    if (matcher_new(&why->page_watch, 1, NULL, NULL, &why->page_matcher, &err) != TC_OK)
        return cli_fail(&err);
    why->page_scan = scan_new();
    return CLI_OK;
}

static void page_end(struct why *why)
{
    scan_free(why->page_scan);
    matcher_drop(why->page_matcher);
}

static bool page_matches(struct why *why, const struct text *text)
{
    const struct scan_hit *hits;
    return why->page_matcher && text->segment_count > 1 &&
           scan_run(why->page_scan, why->page_matcher, text, &hits) > 0;
}

static void tell_of_page(const struct why *why, const struct text *text)
{
    printf("\n%s%.*s would match the whole page %.*s%s: what it asks for stands in different "
           "segments; PAGE(...) joins them\n",
           why->colour ? CLI_YELLOW : "", TC_ARG(why->page_watch.name), TC_ARG(text->article->id),
           why->colour ? CLI_PLAIN : "");
}

// ---- one segment ---------------------------------------------------------------------------

static void put_title(tc_str title, struct tc_buf *out)
{
    struct tc_buf plain = {0};
    tc_buf_str(&plain, title);
    show_plain(plain.ptr ? plain.ptr : "", out);
    tc_buf_done(&plain);
}

static void put_head(const struct why *why, const struct text *text,
                     const struct text_segment *segment, bool hit, struct tc_buf *out)
{
    const char *mark = !why->colour ? "" : hit ? CLI_BOLD CLI_GREEN : CLI_BOLD CLI_RED;
    tc_buf_addf(out, "%s%.*s %s %.*s", mark, TC_ARG(matcher_watch(why->matcher, why->number)->name),
                hit ? "matches" : "does not match", TC_ARG(text->article->id));
    if (text->segment_count > 1)
        tc_buf_addf(out, ", segment %u", (unsigned)segment->number);
    tc_buf_puts(out, why->colour ? CLI_PLAIN "\n" : "\n");
    if (segment->title.len) {
        tc_buf_puts(out, "  ");
        put_title(segment->title, out);
        tc_buf_byte(out, '\n');
    }
}

static void explain_json(struct why *why, const struct text *text, uint32_t number, bool hit)
{
    struct page page = {.why = why};
    page.json = tc_json_on(&page.text);
    tc_json_open(&page.json, '{');
    tc_json_put_str(&page.json, "watch", matcher_watch(why->matcher, why->number)->name);
    tc_json_put_str(&page.json, "article", text->article->id);
    tc_json_put_u64(&page.json, "segment", text->segments[number].number);
    tc_json_put_str(&page.json, "title", text->segments[number].title);
    tc_json_put_bool(&page.json, "hit", hit);
    if (text->segment_count > 1)
        tc_json_put_bool(&page.json, "page_hit", page_matches(why, text));
    tc_json_key(&page.json, "clauses");
    tc_json_open(&page.json, '[');
    scan_explain(why->scan, why->matcher, text, number, why->number, tell_json, &page);
    tc_json_close(&page.json, ']');
    tc_json_close(&page.json, '}');
    printf("%.*s\n", TC_ARG(tc_buf_view(&page.text)));
    tc_buf_done(&page.text);
}

static void explain_lines(struct why *why, const struct text *text, uint32_t number, bool hit)
{
    struct page page = {.why = why};
    if (why->explained > 1)
        tc_buf_byte(&page.text, '\n');
    put_head(why, text, &text->segments[number], hit, &page.text);
    scan_explain(why->scan, why->matcher, text, number, why->number, tell_line, &page);
    flush_absent(&page);
    printf("%.*s", TC_ARG(tc_buf_view(&page.text)));
    tc_buf_done(&page.text);
}

// ---- one article ---------------------------------------------------------------------------

static bool is_hit(struct why *why, const struct text *text, uint32_t segment)
{
    const struct scan_hit *hits;
    size_t count = scan_run(why->scan, why->matcher, text, &hits);
    for (size_t i = 0; i < count; i++) {
        if (hits[i].watch == why->number && hits[i].segment == segment)
            return true;
    }
    return false;
}

static void explain_article(struct why *why, const struct text *text)
{
    uint64_t matched = why->matched;
    for (uint32_t i = 0; i < text->segment_count; i++) {
        bool hit = is_hit(why, text, i);
        why->explained++;
        why->matched += hit;
        if (why->json)
            explain_json(why, text, i, hit);
        else
            explain_lines(why, text, i, hit);
    }
    if (!why->json && why->matched == matched && page_matches(why, text))
        tell_of_page(why, text);
}

// ---- the command ---------------------------------------------------------------------------

static int explain_all(struct why *why, const struct offline_files *files)
{
    struct offline_articles articles;
    struct article *article;
    bool unreadable = false;
    offline_articles_begin(&articles, files);
    while ((article = offline_article(&articles)) != NULL) {
        const struct text *text = NULL;
        struct tc_err err = {0};
        bool wanted = !why->id || tc_str_eq(article->id, tc_str_of(why->id));
        if (wanted && text_read(article, &why->settings, &text, &err) != TC_OK)
            unreadable = cli_fail(&err) != CLI_OK;
        else if (wanted)
            explain_article(why, text);
        article_free(article);
    }
    offline_articles_end(&articles);
    if (articles.unreadable || unreadable)
        return CLI_CANNOT;
    if (!why->explained && why->id) {
        cli_say("there is no article '%s'", why->id);
        return CLI_CANNOT;
    }
    return why->matched ? CLI_OK : CLI_FINDINGS;
}

static int run(struct why *why)
{
    struct offline_files files = why->articles;
    int status = CLI_OK;
    why->colour = !why->json && cli_colour(stdout);
    if (offline_watches(&why->watches, why->query, &why->settings, &why->dialect, &why->matcher) !=
        TC_OK)
        return CLI_CANNOT;
    if (!why->query) { // the first name on the line is the watch
        status = find_watch(why, files.at[0]);
        files.at++, files.count--;
    }
    struct tc_arena *arena = tc_arena_new();
    why->scan = scan_new();
    if (status == CLI_OK)
        status = page_begin(why, arena);
    if (status == CLI_OK)
        status = explain_all(why, &files);
    page_end(why);
    scan_free(why->scan);
    tc_arena_free(arena);
    matcher_drop(why->matcher);
    return status;
}

int cli_why(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "[WATCH] ARTICLE...", doc, NULL, NULL, NULL};
    struct why why = {0};
    cli_parse(&argp, argc, argv, &why);
    int status = run(&why);
    free(why.watches.at);
    free(why.articles.at);
    return cli_finish(status);
}
