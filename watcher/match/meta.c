#include "watcher/match/eval.h"

// Metadata is compared as people write it: case and punctuation do not count in names (they are
// split into words as texts are), hosts match with their parents (`wsj.com` holds for
// www.wsj.com), addresses match by any part. What an article does not say is not so.

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool same(tc_str a, tc_str b) // but for the case of ASCII letters
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

static bool contains(tc_str text, tc_str piece)
{
    for (size_t i = 0; piece.len && i + piece.len <= text.len; i++) {
        if (same(tc_str_cut(text, i, i + piece.len), piece))
            return true;
    }
    return false;
}

// Whether `host` is `domain` or lies below it.
static bool within_domain(tc_str host, tc_str domain)
{
    if (!domain.len || host.len < domain.len)
        return false;
    size_t above = host.len - domain.len;
    return same(tc_str_cut(host, above, host.len), domain) &&
           (above == 0 || host.ptr[above - 1] == '.');
}

static tc_str host_of(tc_str url)
{
    for (size_t i = 0; i + 3 <= url.len; i++) {
        if (memcmp(url.ptr + i, "://", 3) != 0)
            continue;
        size_t from = i + 3, to = from;
        while (to < url.len && !strchr("/?#:", url.ptr[to]))
            to++;
        return tc_str_cut(url, from, to);
    }
    return (tc_str){NULL, 0};
}

static bool source_is(const struct article *article, tc_str value)
{
    return within_domain(article->source, value) || within_domain(host_of(article->url), value);
}

static bool url_has(const struct text *text, tc_str value)
{
    if (contains(text->article->url, value))
        return true;
    for (uint32_t i = 0; i < text->url_count; i++) {
        if (contains(text->urls[i], value))
            return true;
    }
    return false;
}

// The whole range: the language of most of the segment. A part: the language of its paragraphs.
static bool lang_is(const struct eval *eval, tc_str value, struct range range)
{
    const struct text_segment *segment = eval->view->segment;
    tc_str primary = value;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '-' || value.ptr[i] == '_')
            primary = tc_str_cut(value, 0, i < primary.len ? i : primary.len);
    }
    if (!primary.len)
        return false;
    if (range.from == 0 && range.to == segment->word_count)
        return same(tc_str_of(segment->lang), primary);
    if (range.from >= range.to)
        return false;
    uint32_t last = segment->words[range.to - 1].paragraph;
    for (uint32_t i = segment->words[range.from].paragraph; i <= last; i++) {
        if (same(tc_str_of(segment->paragraphs[i].lang), primary))
            return true;
    }
    return false;
}

// ---- names ---------------------------------------------------------------------------------

static struct eval_value words_of(const struct article *article, tc_str text)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    struct eval_value value = {0};
    if (text.len)
        value.count = text_query_words(text, &settings, article->arena, &value.words, NULL);
    return value;
}

static void read_said(struct eval_said *said, const struct article *article)
{
    if (said->ready)
        return;
    said->author = words_of(article, article->author);
    said->section = words_of(article, article->section);
    said->country = words_of(article, article->country);
    said->tag_count =
        article->tag_count < ARTICLE_TAGS_MOST ? article->tag_count : ARTICLE_TAGS_MOST;
    for (size_t i = 0; i < said->tag_count; i++)
        said->tags[i] = words_of(article, article->tags[i]);
    said->ready = true;
}

static bool words_at(const struct eval *eval, const struct plan_meta *meta,
                     const struct eval_value *said, size_t at)
{
    for (uint32_t i = 0; i < meta->count; i++) {
        tc_str wanted = eval->plan->meta_words[meta->first + i];
        tc_str found = said->words[at + i].folded;
        if (!tc_str_eq(wanted, found) && !text_wild_match(wanted, found))
            return false;
    }
    return true;
}

static bool is_value(const struct eval *eval, const struct plan_meta *meta,
                     const struct eval_value *said)
{
    return meta->count && meta->count == said->count && words_at(eval, meta, said, 0);
}

static bool has_phrase(const struct eval *eval, const struct plan_meta *meta,
                       const struct eval_value *said)
{
    for (size_t at = 0; meta->count && at + meta->count <= said->count; at++) {
        if (words_at(eval, meta, said, at))
            return true;
    }
    return false;
}

bool eval_meta(struct eval *eval, const struct plan_meta *meta, struct range range)
{
    const struct text *text = eval->view->text;
    struct eval_said *said = &eval->said;
    read_said(said, text->article);
    switch (meta->meta) {
    case QUERY_META_SOURCE: return source_is(text->article, meta->value);
    case QUERY_META_LANG: return lang_is(eval, meta->value, range);
    case QUERY_META_URL: return url_has(text, meta->value);
    case QUERY_META_AUTHOR: return has_phrase(eval, meta, &said->author);
    case QUERY_META_SECTION: return is_value(eval, meta, &said->section);
    case QUERY_META_COUNTRY: return is_value(eval, meta, &said->country);
    case QUERY_META_TAG:
        for (size_t i = 0; i < said->tag_count; i++) {
            if (is_value(eval, meta, &said->tags[i]))
                return true;
        }
        return false;
    }
    return false;
}
