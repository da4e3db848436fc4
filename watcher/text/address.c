#include "watcher/text/address.h"

#include <strings.h>

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_lower_host(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
}

static bool begins(const char *p, const char *end, const char *word)
{
    size_t len = strlen(word);
    return (size_t)(end - p) > len && strncasecmp(p, word, len) == 0;
}

// Where a link ends: at white space, quotes, brackets of markup or anything beyond ASCII; the
// punctuation of the sentence around it is not its own.
static size_t link_length(const char *start, const char *end)
{
    const char *p = start;
    int open = 0;
    if (end - start > ADDRESS_BYTES_MOST)
        end = start + ADDRESS_BYTES_MOST;
    for (; p<end && * p> ' ' && *p != '\x7f' && !strchr("<>\"`{}|\\^", *p); p++) {
        open += *p == '(';
        if (*p == ')' && open-- == 0)
            break;
    }
    while (p > start && strchr(".,;:!?'", p[-1]))
        p--;
    return (size_t)(p - start);
}

static bool is_of_run(char c)
{
    return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '+' || c == '%';
}

// Length of letters, digits and inner signs of a mail name or a host.
static size_t run_length(const char *p, const char *end)
{
    const char *q = p;
    if (end - p > ADDRESS_LOOK)
        end = p + ADDRESS_LOOK;
    while (q < end && is_of_run(*q))
        q++;
    return (size_t)(q - p);
}

// A host needs a dot and ends in at least two letters.
static size_t host_length(const char *p, const char *end)
{
    size_t len = run_length(p, end);
    while (len && !is_alnum(p[len - 1]))
        len--;
    size_t letters = 0;
    while (letters < len && (p[len - 1 - letters] | 0x20) >= 'a' &&
           (p[len - 1 - letters] | 0x20) <= 'z')
        letters++;
    bool dotted = letters >= 2 && letters + 1 < len && p[len - 1 - letters] == '.';
    return dotted && is_alnum(*p) ? len : 0;
}

static size_t mail_length(const char *p, const char *end)
{
    size_t name = run_length(p, end);
    if (name == 0 || p + name == end || p[name] != '@')
        return 0;
    size_t host = host_length(p + name + 1, end);
    return host ? name + 1 + host : 0;
}

// "wsj.com/world/china": all of the host in lower case, and something behind the slash.
static size_t bare_link_length(const char *p, const char *end)
{
    size_t host = host_length(p, end);
    if (host == 0 || (size_t)(end - p) < host + 2 || p[host] != '/' || !is_alnum(p[host + 1]))
        return 0;
    for (size_t i = 0; i < host; i++)
        if (!is_lower_host(p[i]))
            return 0;
    return link_length(p, end);
}

// "https://", "ftp://": a few letters, then the sign.
static bool has_scheme(const char *p, const char *end)
{
    const char *q = p;
    while (q < end && q - p < 12 && is_alnum(*q))
        q++;
    return end - q > 3 && memcmp(q, "://", 3) == 0 && (unsigned char)q[3] > ' ';
}

// Most words before a sign are none: every address but one with www. has one of three signs
// behind its first run.
static bool may_be_address(const char *p, const char *end)
{
    const char *sign = p + run_length(p, end);
    if ((*p | 0x20) == 'w')
        return true;
    return sign < end && (*sign == '@' || *sign == '/' || *sign == ':');
}

size_t address_length(const char *p, const char *end)
{
    if (!may_be_address(p, end))
        return 0;
    if (has_scheme(p, end) || begins(p, end, "www.") || begins(p, end, "mailto:")) {
        size_t len = link_length(p, end);
        return len > 4 ? len : 0;
    }
    size_t len = mail_length(p, end);
    return len ? len : bare_link_length(p, end);
}
