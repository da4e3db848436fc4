#include "watcher/text/stem.h"

#include "common/mem.h"

#include <libstemmer.h>
#include <stdlib.h>

// Those of libstemmer 2.2, without its two older ones for English.
static const char *const codes[] = {"ar", "ca", "da", "de", "el", "en", "es", "eu", "fi", "fr",
                                    "ga", "hi", "hu", "hy", "id", "it", "lt", "ne", "nl", "no",
                                    "pt", "ro", "ru", "sr", "sv", "ta", "tr", "yi"};
enum { CODES = sizeof codes / sizeof *codes };
_Static_assert((int)CODES <= (int)STEM_LANGUAGES_MOST, "a bit for each language");

struct stemmers {
    struct sb_stemmer *of[CODES]; // NULL until it is asked for
};

int stem_language(tc_str code)
{
    for (int i = 0; i < CODES; i++) {
        if (tc_str_eq(code, tc_str_of(codes[i])))
            return i;
    }
    return -1;
}

const char *stem_code(int language)
{
    return codes[language];
}

const char *stem_codes(void)
{
    return "ar, ca, da, de, el, en, es, eu, fi, fr, ga, hi, hu, hy, id, it, lt, ne, nl, no, pt, "
           "ro, ru, sr, sv, ta, tr, yi";
}

struct stemmers *stemmers_new(void)
{
    return tc_new(sizeof(struct stemmers));
}

void stemmers_free(struct stemmers *stemmers)
{
    if (!stemmers)
        return;
    for (int i = 0; i < CODES; i++)
        sb_stemmer_delete(stemmers->of[i]);
    free(stemmers);
}

tc_str stem_of(struct stemmers *stemmers, int language, tc_str folded)
{
    struct sb_stemmer **stemmer = &stemmers->of[language];
    if (!*stemmer)
        *stemmer = sb_stemmer_new(codes[language], NULL);
    const sb_symbol *stem =
        *stemmer ? sb_stemmer_stem(*stemmer, (const sb_symbol *)folded.ptr, (int)folded.len) : NULL;
    return stem ? (tc_str){(const char *)stem, (size_t)sb_stemmer_length(*stemmer)} : folded;
}
