#include "watcher/text/clean.h"

#include "watcher/text/fold.h"
#include "watcher/text/unicode.h"
#include "watcher/text/utf8.h"
#include "watcher/text/words.h"

enum { FOLDED_BYTES = FOLD_ROOM(CLEAN_BYTES), BYLINE_WORDS = 8, NAVIGATION_WORDS = 12 };

// Phrases, folded, with a bar between them.

// A line that is one of these, signs around it aside.
static const char whole[] =
    "advertisement|comments|related|related articles|related stories|related news|more news|"
    "top stories|top news|latest news|breaking news|trending|home|menu|search|share|login|log in|"
    "sign in|newsletter|subscribe|date|author|"
    "anzeige|werbung|kommentare|teilen|anmelden|abonnieren|relevante themen|mehr zum thema|autor|"
    "publicité|commentaires|partager|publicidad|comentarios|compartir|"
    "quảng cáo|bình luận|chia sẻ|tin liên quan|"
    "реклама|по теме|广告|评论|相关阅读|相关新闻|広告|関連記事";

// A short line that begins with one of these.
static const char beginnings[] =
    "skip to|jump to|back to top|most visited|most read|most popular|more from|read more|"
    "read also|also read|see also|leave a comment|no comments|add a comment|write a comment|"
    "share this|share on|follow us|subscribe to|sign up|all rights reserved|copyright ©|cookie "
    "policy|"
    "we use cookies|accept all|try our|explore what|top economy|click here|print this|"
    "listen to this|"
    "zum hauptinhalt|zur navigation|zum inhalt|meistgelesen|lesen sie auch|lesen sie mehr|"
    "mehr lesen|jetzt abonnieren|alle rechte vorbehalten|wir verwenden cookies|nach oben|"
    "aller au contenu|les plus lus|lire aussi|à lire aussi|lire la suite|abonnez-vous|"
    "ir al contenido|saltar al|lo más leído|leer más|lea también|te puede interesar|suscríbete|"
    "vai al contenuto|leggi anche|leia também|"
    "xem thêm|đọc thêm|đăng ký|читайте также|читать далее";

// Who wrote it, or who took the picture.
static const char credits[] =
    "/ |author:|write to |written by|reporting by|editing by|photo:|photo by|image:|credit:|"
    "(photo|autor:|foto:|bild:|(foto|(bild|auteur:|автор:|"
    "tác giả:|ảnh:|图片:|作者:|记者:|文/";
// A name follows these.
static const char before_name[] = "by |von |par |por |di |door |av ";
// Small words inside names and lists of them.
static const char in_names[] = "and|und|et|y|e|of|for|in|at|the|de|du|da|di|la|le|van|der|von|và";

// Words that stand beside the numbers of a date or a time.
static const char date_words[] =
    "updated|published|posted|date|on|at|of|the|am|pm|a|p|m|et|est|edt|gmt|utc|pst|cet|ago|min|"
    "mins|minute|minutes|hour|hours|day|days|week|weeks|read|st|nd|rd|th|"
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|"
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri|sat|sun|"
    "uhr|vor|stunde|stunden|minuten|tag|tagen|stand|aktualisiert|veröffentlicht|"
    "januar|februar|märz|mai|juni|juli|oktober|dezember|"
    "montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|"
    "publié|le|à|mis|jour|il|y|heures|"
    "janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|"
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|de|"
    "cập|nhật|ngày|tháng|năm|giờ|sáng|chiều|trước|thứ|"
    "年|月|日|时|分|前|小|发|布|间|更|新";

static bool is_in(tc_str phrases, tc_str word)
{
    tc_str phrase;
    while (tc_str_next(&phrases, '|', &phrase))
        if (tc_str_eq(phrase, word))
            return true;
    return false;
}

static bool begins_with(tc_str phrases, tc_str line)
{
    tc_str phrase;
    while (tc_str_next(&phrases, '|', &phrase))
        if (tc_str_starts(line, phrase))
            return true;
    return false;
}

// What a line is made of.
struct contents {
    size_t words, numbers, dates;
    bool comments;            // "5 Kommentare"
    const char *first, *last; // where the first word begins, the last ends
};

static struct contents look(tc_str folded)
{
    struct contents seen = {0};
    struct words words;
    struct words_span span;
    words_init(&words, folded, TEXT_WORDS_TOCSIN, false);
    while (words_next(&words, &span)) {
        tc_str word = {span.start, (size_t)(span.end - span.start)};
        bool number = *span.start >= '0' && *span.start <= '9';
        if (seen.numbers == 1 && seen.words == 1)
            seen.comments =
                tc_str_starts(word, TC_STR("comment")) || tc_str_starts(word, TC_STR("kommentar"));
        seen.words++;
        seen.numbers += number;
        seen.dates += !number && is_in(tc_str_of(date_words), word);
        seen.first = seen.first ? seen.first : span.start;
        seen.last = span.end;
    }
    return seen;
}

// All words but the first are capitalised, as names are.
static bool holds_names(tc_str line)
{
    struct words words;
    struct words_span span;
    bool named = false;
    words_init(&words, line, TEXT_WORDS_TOCSIN, false);
    if (!words_next(&words, &span))
        return false;
    while (words_next(&words, &span)) {
        uint32_t cp;
        tc_str word = {span.start, (size_t)(span.end - span.start)};
        utf8_next(span.start, span.end, &cp);
        bool capital = (unicode_cell_of(cp) & UNICODE_UPPER) != 0;
        if (!capital && !is_in(tc_str_of(in_names), word))
            return false;
        named = named || capital;
    }
    return named;
}

// "By Staff, Agencies": names behind the first word, and no full stop at the end.
static bool is_byline(tc_str line, tc_str folded, const struct contents *seen)
{
    if (begins_with(tc_str_of(credits), folded))
        return true;
    if (seen->words == 1)
        return tc_str_eq(folded, TC_STR("by"));
    return seen->words <= BYLINE_WORDS && begins_with(tc_str_of(before_name), folded) &&
           line.ptr[line.len - 1] != '.' && holds_names(line);
}

enum clean_kind clean_line(tc_str line)
{
    char surface[FOLDED_BYTES], folded_bytes[FOLDED_BYTES];
    if (line.len > CLEAN_BYTES || line.len == 0)
        return CLEAN_TEXT;
    tc_str plain = {surface, fold_surface(line, false, surface, sizeof surface)};
    tc_str folded = {folded_bytes, fold_case(plain, FOLD_PLAIN, folded_bytes, sizeof folded_bytes)};
    struct contents seen = look(folded);
    if (seen.words == 0)
        return CLEAN_NAVIGATION;
    tc_str core = {seen.first, (size_t)(seen.last - seen.first)};
    if (seen.numbers > 0 && seen.numbers + seen.dates == seen.words)
        return CLEAN_DATE;
    if (is_in(tc_str_of(whole), core) || seen.comments)
        return CLEAN_NAVIGATION;
    if (seen.words <= NAVIGATION_WORDS && begins_with(tc_str_of(beginnings), core))
        return CLEAN_NAVIGATION;
    return is_byline(line, folded, &seen) ? CLEAN_BYLINE : CLEAN_TEXT;
}
