#include "watcher/source/article.h"

#include <jansson.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/utf8.h"

// Each fact has its JSON Feed name first, then the plain ones. The first that is there counts;
// null is as good as absent.
static const char *const text_keys[] = {"content_text", "text", "body", NULL};
static const char *const html_keys[] = {"content_html", "html", NULL};
static const char *const lang_keys[] = {"language", "lang", NULL};
static const char *const published_keys[] = {"date_published", "published", NULL};
static const char *const modified_keys[] = {"date_modified", "modified", NULL};
static const char *const author_keys[] = {"authors", "author", NULL};

#define ONE_KEY(name) ((const char *const[]){(name), NULL})

static struct article *article_empty(tc_str source_name)
{
    struct tc_arena *arena = tc_arena_new();
    struct article *article = tc_arena_take(arena, sizeof *article);
    article->arena = arena;
    article->version = 1;
    article->source = tc_arena_str(arena, source_name);
    return article;
}

void article_free(struct article *article)
{
    if (article)
        tc_arena_free(article->arena); // the article lies in it
}

// The member under the first of `keys` that is there, and its name.
static const json_t *find(const json_t *object, const char *const *keys, const char **name)
{
    for (; *keys; keys++) {
        const json_t *value = json_object_get(object, *keys);
        if (value && !json_is_null(value)) {
            *name = *keys;
            return value;
        }
    }
    return NULL;
}

static int too_long(const char *name, size_t most, struct tc_err *err)
{
    return tc_fail(err, TC_EFULL, "\"%s\" is longer than %zu bytes", name, most);
}

// A text member of at most `most` bytes; *out stays as it is when there is none.
static int take_text(const json_t *object, const char *const *keys, size_t most,
                     struct tc_arena *arena, tc_str *out, struct tc_err *err)
{
    const char *name = NULL;
    const json_t *value = find(object, keys, &name);
    if (!value)
        return TC_OK;
    if (!json_is_string(value))
        return tc_fail(err, TC_EPARSE, "\"%s\" is no text", name);
    tc_str text = {json_string_value(value), json_string_length(value)};
    if (text.len > most)
        return too_long(name, most, err);
    *out = tc_arena_str(arena, text);
    return TC_OK;
}

// A date that cannot be read counts as not stated: news with an odd date is still news. Where a
// wrong reading would let something out too early, `strict` refuses it.
static int take_time(const json_t *object, const char *const *keys, bool strict, int64_t *out,
                     struct tc_err *err)
{
    const char *name = NULL;
    const json_t *value = find(object, keys, &name);
    if (!value)
        return TC_OK;
    if (!json_is_string(value))
        return tc_fail(err, TC_EPARSE, "\"%s\" is no text", name);
    tc_str text = {json_string_value(value), json_string_length(value)};
    int64_t wall_ns = 0;
    if (tc_time_read(text, &wall_ns))
        *out = wall_ns;
    else if (strict)
        return tc_fail(err, TC_EPARSE, "\"%s\" is no time like 2025-03-01T05:01:00Z", name);
    return TC_OK;
}

static int take_id(const json_t *object, struct article *article, struct tc_err *err)
{
    const json_t *value = json_object_get(object, "id");
    if (json_is_integer(value))
        article->id =
            tc_arena_printf(article->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        article->id = tc_arena_printf(article->arena, "%.17g", json_real_value(value));
    else
        return take_text(object, ONE_KEY("id"), ARTICLE_ID_BYTES, article->arena, &article->id,
                         err);
    return TC_OK;
}

// The id that an article without one gets: its address, else a hash of what it says.
static int settle_id(struct article *article, struct tc_err *err)
{
    if (article->id.len)
        return TC_OK;
    if (article->url.len > ARTICLE_ID_BYTES)
        return tc_fail(err, TC_EFULL, "there is no \"id\", and \"url\" is longer than %d bytes",
                       ARTICLE_ID_BYTES);
    if (article->url.len) {
        article->id = article->url;
        return TC_OK;
    }
    char text[TC_ID_TEXT_BYTES];
    tc_id_text(tc_id_of((const tc_str[]){article->title, article->body}, 2), text);
    article->id = tc_arena_str(article->arena, tc_str_of(text));
    return TC_OK;
}

// A whole number from 1, also as a text of digits. What else publishers call a version ("1.2", a date
// with dashes) orders nothing for us: such an article is version 1, and when it comes again with other
// content the next one, as if nothing was said.
static int take_version(const json_t *object, struct article *article, struct tc_err *err)
{
    const json_t *value = json_object_get(object, "version");
    tc_str text = {json_string_value(value), json_string_length(value)};
    uint64_t number = (uint64_t)json_integer_value(value); // 0 for all but integers
    if (!value || json_is_null(value))
        return TC_OK;
    if (!json_is_string(value) && !json_is_number(value))
        return tc_fail(err, TC_EPARSE, "\"version\" is neither a number nor a text");
    if (json_is_string(value) && !tc_str_u64(text, &number))
        return TC_OK;
    if (number >= 1 && number <= ARTICLE_VERSION_MOST)
        article->version = number;
    return TC_OK;
}

static int take_status(const json_t *object, struct article *article, struct tc_err *err)
{
    static const char *const names[] = {"usable", "withheld", "canceled"};
    tc_str text = {"", 0};
    int code =
        take_text(object, ONE_KEY("status"), ARTICLE_VALUE_BYTES, article->arena, &text, err);
    if (code != TC_OK || text.len == 0)
        return code;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (tc_str_eq(text, tc_str_of(names[i]))) {
            article->status = (enum article_status)i;
            return TC_OK;
        }
    }
    return tc_fail(err, TC_EPARSE, "\"status\" is none of usable, withheld, canceled");
}

static int take_page(const json_t *object, struct article *article, struct tc_err *err)
{
    const json_t *value = json_object_get(object, "page");
    if (value && !json_is_null(value) && !json_is_boolean(value))
        return tc_fail(err, TC_EPARSE, "\"page\" is neither true nor false");
    article->page = json_is_true(value);
    return TC_OK;
}

static int take_tags(const json_t *object, struct article *article, struct tc_err *err)
{
    const json_t *list = json_object_get(object, "tags");
    if (!list || json_is_null(list))
        return TC_OK;
    if (!json_is_array(list))
        return tc_fail(err, TC_EPARSE, "\"tags\" is no list");
    size_t count = json_array_size(list);
    if (count > ARTICLE_TAGS_MOST)
        return tc_fail(err, TC_EFULL, "more than %d \"tags\"", ARTICLE_TAGS_MOST);
    tc_str *tags = tc_arena_take(article->arena, (count + 1) * sizeof *tags);
    for (size_t i = 0; i < count; i++) {
        const json_t *tag = json_array_get(list, i);
        if (!json_is_string(tag))
            return tc_fail(err, TC_EPARSE, "\"tags\" holds something that is no text");
        if (json_string_length(tag) > ARTICLE_VALUE_BYTES)
            return too_long("tags", ARTICLE_VALUE_BYTES, err);
        tags[i] =
            tc_arena_str(article->arena, (tc_str){json_string_value(tag), json_string_length(tag)});
    }
    article->tags = tags;
    article->tag_count = count;
    return TC_OK;
}

// The name of one author: a text, or an object with "name" as JSON Feed has it.
static int author_name(const json_t *value, tc_str *out, struct tc_err *err)
{
    if (json_is_object(value))
        value = json_object_get(value, "name");
    if (!value || json_is_null(value)) {
        *out = (tc_str){"", 0};
        return TC_OK;
    }
    if (!json_is_string(value))
        return tc_fail(err, TC_EPARSE, "the name of an author is no text");
    *out = (tc_str){json_string_value(value), json_string_length(value)};
    return TC_OK;
}

// Several authors become one line: "A, B".
static int take_authors(const json_t *object, struct article *article, struct tc_err *err)
{
    const char *name = NULL;
    const json_t *value = find(object, author_keys, &name);
    bool list = json_is_array(value);
    size_t count = list ? json_array_size(value) : value != NULL;
    struct tc_buf line = {0};
    int code = TC_OK;

    for (size_t i = 0; i < count && code == TC_OK; i++) {
        tc_str author = {"", 0};
        code = author_name(list ? json_array_get(value, i) : value, &author, err);
        if (code != TC_OK || author.len == 0)
            continue;
        if (line.len)
            tc_buf_puts(&line, ", ");
        tc_buf_str(&line, author);
        if (line.len > ARTICLE_VALUE_BYTES)
            code = too_long(name, ARTICLE_VALUE_BYTES, err);
    }
    if (code == TC_OK)
        article->author = tc_arena_str(article->arena, tc_buf_view(&line));
    tc_buf_done(&line);
    return code;
}

// Who and where: the short facts that are plain texts.
static int take_values(const json_t *object, struct article *article, struct tc_err *err)
{
    struct {
        const char *const *keys;
        tc_str *out;
    } values[] = {
        {ONE_KEY("source"), &article->source},
        {ONE_KEY("url"), &article->url},
        {lang_keys, &article->lang},
        {ONE_KEY("section"), &article->section},
        {ONE_KEY("country"), &article->country},
    };
    int code = TC_OK;
    for (size_t i = 0; i < sizeof values / sizeof *values && code == TC_OK; i++)
        code = take_text(object, values[i].keys, ARTICLE_VALUE_BYTES, article->arena, values[i].out,
                         err);
    return code;
}

static int take_times(const json_t *object, struct article *article, struct tc_err *err)
{
    int code = take_time(object, published_keys, false, &article->published_wall_ns, err);
    if (code == TC_OK)
        code = take_time(object, modified_keys, false, &article->modified_wall_ns, err);
    if (code == TC_OK)
        code = take_time(object, ONE_KEY("embargoed_until"), true, &article->embargo_wall_ns, err);
    return code;
}

static int take_facts(const json_t *object, struct article *article, struct tc_err *err)
{
    int code = take_id(object, article, err);
    if (code == TC_OK)
        code = take_values(object, article, err);
    if (code == TC_OK)
        code = take_text(object, ONE_KEY("title"), ARTICLE_TITLE_BYTES, article->arena,
                         &article->title, err);
    if (code == TC_OK)
        code = take_version(object, article, err);
    if (code == TC_OK)
        code = take_status(object, article, err);
    if (code == TC_OK)
        code = take_page(object, article, err);
    if (code == TC_OK)
        code = take_tags(object, article, err);
    if (code == TC_OK)
        code = take_authors(object, article, err);
    if (code == TC_OK)
        code = take_times(object, article, err);
    return code;
}

static int take_body(const json_t *object, size_t limit, struct article *article,
                     struct tc_err *err)
{
    const char *name = NULL;
    if (!find(object, text_keys, &name) && find(object, html_keys, &name))
        return tc_fail(err, TC_EPARSE, "HTML pages are read by a later version");
    return take_text(object, text_keys, limit, article->arena, &article->body, err);
}

// Everything that the article says, in a fixed order; source and id are the mark's key and stay out.
static struct tc_id content_of(const struct article *article)
{
    enum { FACTS = 9 };
    tc_str parts[FACTS + ARTICLE_TAGS_MOST];
    char numbers[160];
    int len = snprintf(numbers, sizeof numbers, "%llu %d %d %lld %lld %lld",
                       (unsigned long long)article->version, article->page, (int)article->status,
                       (long long)article->published_wall_ns, (long long)article->modified_wall_ns,
                       (long long)article->embargo_wall_ns);
    const tc_str facts[FACTS] = {
        article->title,   article->body,    article->url,           article->lang, article->author,
        article->section, article->country, {numbers, (size_t)len}, {"tags", 4},
    };
    memcpy(parts, facts, sizeof facts);
    for (size_t i = 0; i < article->tag_count; i++)
        parts[FACTS + i] = article->tags[i];
    return tc_id_of(parts, FACTS + article->tag_count);
}

// The rules that need the whole article.
static int finish(struct article *article, size_t limit, struct tc_err *err)
{
    if (article->title.len + article->body.len > limit)
        return tc_fail(err, TC_EFULL, "the article is larger than %zu bytes (max_article_bytes)",
                       limit);
    if (article->title.len + article->body.len == 0 && article->status == ARTICLE_USABLE)
        return tc_fail(err, TC_EPARSE,
                       "the article is empty: no content_text, text or body, and no title");
    int code = settle_id(article, err);
    if (code == TC_OK)
        article->content = content_of(article);
    return code;
}

// The common way of both JSON readers; `body` is NULL when the text is in the object.
static int read_object(tc_str json, const tc_str *body, tc_str source_name, size_t limit,
                       struct article **out, struct tc_err *err)
{
    json_t *object = NULL;
    struct article *article = NULL;
    int code = tc_json_read(json, &object, err);
    if (code != TC_OK)
        return code;
    if (!json_is_object(object)) {
        code = tc_fail(err, TC_EPARSE, "not an article: JSON, but no object");
        goto out;
    }
    article = article_empty(source_name);
    code = take_facts(object, article, err);
    if (code == TC_OK && body && body->len <= limit)
        article->body = tc_arena_str(article->arena, *body);
    else if (code == TC_OK && body)
        code = tc_fail(err, TC_EFULL, "the article is larger than %zu bytes (max_article_bytes)",
                       limit);
    else if (code == TC_OK)
        code = take_body(object, limit, article, err);
    if (code == TC_OK)
        code = finish(article, limit, err);
    if (code != TC_OK)
        goto out;
    *out = article;
    article = NULL; // the caller's now

out:
    article_free(article);
    json_decref(object);
    return code;
}

int article_from_json(tc_str json, tc_str source_name, size_t limit, struct article **out,
                      struct tc_err *err)
{
    return read_object(json, NULL, source_name, limit, out, err);
}

int article_from_parts(tc_str json, tc_str body, tc_str source_name, size_t limit,
                       struct article **out, struct tc_err *err)
{
    return read_object(json, &body, source_name, limit, out, err);
}

static tc_str base_name(tc_str path)
{
    for (size_t i = path.len; i > 0; i--) {
        if (path.ptr[i - 1] == '/')
            return tc_str_cut(path, i, path.len);
    }
    return path;
}

int article_from_text(tc_str file_name, tc_str bytes, tc_str source_name, size_t limit,
                      struct article **out, struct tc_err *err)
{
    tc_str id = base_name(file_name); // bytes; an id travels in JSON, so it must be UTF-8
    if (tc_str_trim(bytes).len == 0)
        return tc_fail(err, TC_EPARSE, "the file is empty");
    if (id.len == 0 || id.len > ARTICLE_ID_BYTES || tc_utf8_valid(id) < id.len)
        return tc_fail(err, TC_EPARSE, "the name of the file cannot be an id: UTF-8, 1 to %d bytes",
                       ARTICLE_ID_BYTES);
    if (bytes.len > limit)
        return tc_fail(err, TC_EFULL, "the article is larger than %zu bytes (max_article_bytes)",
                       limit);
    struct article *article = article_empty(source_name);
    article->id = tc_arena_str(article->arena, id);
    article->body = tc_arena_str(article->arena, bytes);
    article->page = true;
    article->content = content_of(article);
    *out = article;
    return TC_OK;
}

static void put_known(struct tc_json *json, const char *key, tc_str value)
{
    if (value.len)
        tc_json_put_str(json, key, value);
}

static void put_time(struct tc_json *json, const char *key, int64_t wall_ns)
{
    if (!wall_ns)
        return;
    char text[TC_TIME_BYTES];
    tc_time_text(wall_ns, text);
    tc_json_put_str(json, key, tc_str_of(text));
}

// Tags may be many; the record has a bound of its own, so those beyond ARTICLE_RECORD_TAGS_BYTES
// stay behind (watches have seen them all).
static void put_tags(struct tc_json *json, const struct article *article)
{
    size_t room = ARTICLE_RECORD_TAGS_BYTES;
    if (!article->tag_count)
        return;
    tc_json_key(json, "tags");
    tc_json_open(json, '[');
    for (size_t i = 0; i < article->tag_count && article->tags[i].len <= room; i++) {
        tc_json_str(json, article->tags[i]);
        room -= article->tags[i].len;
    }
    tc_json_close(json, ']');
}

void article_record(const struct article *article, struct tc_json *json)
{
    static const char *const statuses[] = {"usable", "withheld", "canceled"};
    tc_json_open(json, '{');
    tc_json_put_str(json, "id", article->id);
    tc_json_put_str(json, "source", article->source);
    tc_json_put_u64(json, "version", article->version);
    tc_json_put_str(json, "status", tc_str_of(statuses[article->status]));
    put_known(json, "url", article->url);
    put_known(json, "title", article->title);
    put_known(json, "language", article->lang);
    put_time(json, "published", article->published_wall_ns);
    put_time(json, "modified", article->modified_wall_ns);
    put_time(json, "seen", article->seen_wall_ns);
    put_known(json, "author", article->author);
    put_tags(json, article);
    put_time(json, "embargoed_until", article->embargo_wall_ns);
}
