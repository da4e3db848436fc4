#include "watcher/text/lang.h"

#include "watcher/text/utf8.h"
#include "watcher/text/words.h"

enum {
    MAJORITY = 60,  // of 100 letters
    HAN_SURE = 12,  // fewer characters may be a Japanese heading without Kana
    KANA_LEAST = 5, // of 100 characters of Han and Kana: Japanese
    VI_LEAST = 4,   // of 100 Latin letters that only Vietnamese has
    VI_SURE = 9,    // running text has 15 to 25
    VI_COUNT = 5,
};

struct lang lang_stated(tc_str tag)
{
    struct lang lang = {0};
    size_t len = 0;
    while (len < tag.len && ((tag.ptr[len] | 0x20) >= 'a' && (tag.ptr[len] | 0x20) <= 'z'))
        len++;
    if (len < 2 || len >= sizeof lang.name)
        return lang;
    for (size_t i = 0; i < len; i++)
        lang.name[i] = (char)(tag.ptr[i] | 0x20);
    lang.sure = true;
    return lang;
}

static const struct {
    enum unicode_script script;
    const char *name;
} of_script[] = {
    {SCRIPT_HANGUL, "ko"}, {SCRIPT_THAI, "th"},     {SCRIPT_LAO, "lo"},
    {SCRIPT_KHMER, "km"},  {SCRIPT_MYANMAR, "my"},  {SCRIPT_GREEK, "el"},
    {SCRIPT_HEBREW, "he"}, {SCRIPT_GEORGIAN, "ka"}, {SCRIPT_ARMENIAN, "hy"},
};

// Letters of Vietnamese that its neighbours in Latin script lack, composed or not.
static bool is_vietnamese(uint32_t cp)
{
    return (cp >= 0x1EA0 && cp <= 0x1EF9) || cp == 0x1A0 || cp == 0x1A1 || cp == 0x1AF ||
           cp == 0x1B0 || cp == 0x111 || cp == 0x110 || cp == 0x31B || cp == 0x323 || cp == 0x309;
}

struct letters {
    size_t of[SCRIPTS], vietnamese, all;
};

static void count_letters(tc_str text, struct letters *out)
{
    const char *p = text.ptr, *end = p + (text.len < LANG_SAMPLE ? text.len : LANG_SAMPLE);
    while (p < end) {
        uint32_t cp;
        size_t len;
        enum unicode_class class = words_class_at(p, end, &len, &cp);
        p += len;
        if (is_vietnamese(cp))
            out->vietnamese++;
        if (class != CLASS_LETTER && class != CLASS_HEBREW && class != CLASS_SINGLE &&
            class != CLASS_KATAKANA && class != CLASS_COMPLEX)
            continue;
        out->of[unicode_script(unicode_cell_of(cp))]++;
        out->all++;
    }
}

static struct lang named(const char *name, bool sure)
{
    struct lang lang = {.sure = sure};
    memcpy(lang.name, name, strlen(name) + 1);
    return lang;
}

struct lang lang_of(tc_str paragraph)
{
    struct letters seen = {0};
    if (utf8_is_ascii(paragraph))
        return (struct lang){0};
    count_letters(paragraph, &seen);
    size_t han = seen.of[SCRIPT_HAN], kana = seen.of[SCRIPT_KANA], latin = seen.of[SCRIPT_LATIN];
    bool east = (han + kana) * 100 >= seen.all * MAJORITY;
    if (seen.all == 0)
        return (struct lang){0};
    if (kana * 100 > (han + kana) * KANA_LEAST && east)
        return named("ja", kana > 1);
    // An apostrophe of signs in Chinese text is no reason to doubt; few characters are.
    if (east)
        return named("zh", han >= HAN_SURE);
    for (size_t i = 0; i < sizeof of_script / sizeof *of_script; i++)
        if (seen.of[of_script[i].script] * 100 >= seen.all * MAJORITY)
            return named(of_script[i].name, of_script[i].script != SCRIPT_HEBREW);
    if (seen.vietnamese >= 2 && seen.vietnamese * 100 >= latin * VI_LEAST &&
        latin * 100 >= seen.all * MAJORITY)
        return named("vi", seen.vietnamese >= VI_COUNT && seen.vietnamese * 100 >= latin * VI_SURE);
    return (struct lang){0};
}
