#include "client/cli/post.h"

#include "client/cli/small_file.h"
#include "client/cli/template.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>

enum { FILE_BYTES_MOST = 64 * 1024, ANSWER_BYTES = 160, RETRY_MOST_S = 3600 };

struct post {
    CURL *curl;
    struct curl_slist *headers;
    struct tc_buf url, text, body; // text: the template
    bool shaped;                   // by a template
    bool typed;                    // the header file names a content type
    char answer[ANSWER_BYTES + 1]; // the beginning of what came back
    size_t answered;
};

// --- opening ---

// The URL itself, or the first line of the file that stands behind '@'.
static int read_url(struct post *post, const char *given, struct tc_err *err)
{
    if (given[0] != '@') {
        tc_buf_puts(&post->url, given);
        return TC_OK;
    }
    int code = small_file_read(given + 1, FILE_BYTES_MOST, &post->url, err);
    if (code != TC_OK)
        return code;
    post->url.len = strcspn(post->url.ptr ? post->url.ptr : "", "\r\n");
    if (!post->url.len)
        return tc_fail_at(err, TC_EPARSE, given + 1, 1, 1, "the first line should be a URL");
    post->url.ptr[post->url.len] = '\0';
    return TC_OK;
}

// What curl would only refuse at the first alert is refused now. The URL is not repeated: it may be secret.
static int check_url(const struct post *post, struct tc_err *err)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *password = NULL;
    int code = TC_OK;
    if (!url || post->url.failed)
        code = tc_fail(err, TC_ENOMEM, "no memory for a URL");
    else if (curl_url_set(url, CURLUPART_URL, post->url.ptr, 0) != CURLUE_OK ||
             curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
             (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        code = tc_fail(err, TC_EINVAL,
                       "--post wants a URL that begins with http:// or https://, or @FILE");
    else if (curl_url_get(url, CURLUPART_PASSWORD, &password, 0) == CURLUE_OK)
        code =
            tc_fail(err, TC_EINVAL,
                    "a password in a URL would be seen: write it as a header into --header-file");
    curl_free(scheme);
    curl_free(password);
    curl_url_cleanup(url);
    return code;
}

static int add_header(struct post *post, const char *line, struct tc_err *err)
{
    struct curl_slist *longer = curl_slist_append(post->headers, line);
    if (!longer)
        return tc_fail(err, TC_ENOMEM, "no memory for a header");
    post->headers = longer;
    return TC_OK;
}

static bool is_header(tc_str line)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if (c < 0x20 || c == 0x7f || (line.ptr + i < colon && c == ' '))
            return false;
    }
    return colon && colon > line.ptr;
}

static int read_headers(struct post *post, const char *path, struct tc_err *err)
{
    struct tc_buf text = {0};
    tc_str line = {0};
    int number = 0;
    int code = small_file_read(path, FILE_BYTES_MOST, &text, err);
    tc_str rest = tc_buf_view(&text);
    while (code == TC_OK && tc_str_next(&rest, '\n', &line)) {
        char copy[8192];
        number++;
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (!line.len || line.ptr[0] == '#')
            continue;
        if (!is_header(line) || line.len >= sizeof copy) {
            code =
                tc_fail_at(err, TC_EPARSE, path, number, 1, "this is no header: write Name: value");
            break;
        }
        snprintf(copy, sizeof copy, "%.*s", TC_ARG(line));
        post->typed |= strncasecmp(copy, "content-type:", strlen("content-type:")) == 0;
        code = add_header(post, copy, err);
    }
    tc_buf_done(&text);
    return code;
}

static size_t keep_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct post *post = context;
    size_t all = size * count;
    for (size_t i = 0; i < all && post->answered < ANSWER_BYTES; i++) {
        unsigned char c = (unsigned char)bytes[i];
        post->answer[post->answered++] = c < 0x20 || c >= 0x7f ? ' ' : (char)c;
    }
    post->answer[post->answered] = '\0';
    return all;
}

static int set_up(struct post *post, const struct post_order *order, struct tc_err *err)
{
    int timeout_ms = order->timeout_ms ? order->timeout_ms : POST_TIMEOUT_MS;
    int connect_ms = timeout_ms < POST_CONNECT_MS ? timeout_ms : POST_CONNECT_MS;
    int code = post->typed
                   ? TC_OK
                   : add_header(post,
                                post->shaped ? "Content-Type: application/json"
                                             : "Content-Type: application/cloudevents+json; "
                                               "charset=UTF-8",
                                err);
    if (code == TC_OK)
        code = add_header(post, "Expect:", err); // no pause before a body
    if (code != TC_OK)
        return code;
    CURL *curl = post->curl;
    CURLcode set = curl_easy_setopt(curl, CURLOPT_URL, post->url.ptr);
    set = set ? set : curl_easy_setopt(curl, CURLOPT_HTTPHEADER, post->headers);
    set = set ? set : curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    set = set ? set : curl_easy_setopt(curl, CURLOPT_USERAGENT, "tocsin/" TOCSIN_VERSION);
    set = set ? set : curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    set = set ? set : curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    set = set ? set : curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_answer);
    set = set ? set : curl_easy_setopt(curl, CURLOPT_WRITEDATA, post);
    return set == CURLE_OK ? TC_OK
                           : tc_fail(err, TC_EINVAL, "libcurl: %s", curl_easy_strerror(set));
}

int post_open(const struct post_order *order, struct post **out, struct tc_err *err)
{
    struct post *post = calloc(1, sizeof *post);
    if (!post || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(post);
        return tc_fail(err, TC_ENOMEM, "libcurl cannot be set up");
    }
    post->curl = curl_easy_init();
    int code = post->curl ? TC_OK : tc_fail(err, TC_ENOMEM, "libcurl cannot be set up");
    if (code == TC_OK)
        code = read_url(post, order->url, err);
    if (code == TC_OK)
        code = check_url(post, err);
    if (code == TC_OK && order->header_file)
        code = read_headers(post, order->header_file, err);
    if (code == TC_OK && order->template_file) {
        post->shaped = true;
        code = template_read(order->template_file, &post->text, err);
    }
    if (code == TC_OK)
        code = set_up(post, order, err);
    if (code == TC_OK) {
        *out = post;
        post = NULL; // the caller's now
    }
    post_close(post);
    return code;
}

void post_close(struct post *post)
{
    if (!post)
        return;
    curl_easy_cleanup(post->curl);
    curl_slist_free_all(post->headers);
    tc_buf_done(&post->url);
    tc_buf_done(&post->text);
    tc_buf_done(&post->body);
    free(post);
    curl_global_cleanup();
}

// --- one alert ---

static void judge(struct post *post, long status, struct handover *out)
{
    curl_off_t wait_s = 0;
    bool later = status == 408 || status == 425 || status == 429 || status >= 500;
    if (status >= 200 && status < 300) {
        out->outcome = HANDOVER_TAKEN;
        return;
    }
    out->outcome = later ? HANDOVER_LATER : HANDOVER_NEVER;
    curl_easy_getinfo(post->curl, CURLINFO_RETRY_AFTER, &wait_s);
    if (later && wait_s > 0)
        out->wait_ms = (wait_s < RETRY_MOST_S ? wait_s : RETRY_MOST_S) * 1000;
    snprintf(out->why, sizeof out->why, "the server answered %ld%s%s", status,
             post->answered ? ": " : "", post->answer);
}

void post_run(struct post *post, const struct tocsin_event *alert, struct handover *out)
{
    long status = 0;
    const char *body = alert->json;
    size_t len = alert->json_bytes;
    *out = (struct handover){.outcome = HANDOVER_LATER};
    post->answered = 0;
    post->answer[0] = '\0';
    if (post->shaped) {
        tc_buf_clear(&post->body);
        template_fill(tc_buf_view(&post->text), alert, &post->body);
        body = post->body.ptr ? post->body.ptr : "";
        len = post->body.len;
    }
    CURLcode code = post->body.failed ? CURLE_OUT_OF_MEMORY : CURLE_OK;
    code = code ? code : curl_easy_setopt(post->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    code = code ? code : curl_easy_setopt(post->curl, CURLOPT_POSTFIELDS, body);
    code = code ? code : curl_easy_perform(post->curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(post->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK)
        judge(post, status, out);
    else
        snprintf(out->why, sizeof out->why, "%s", curl_easy_strerror(code));
}
