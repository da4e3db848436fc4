// memo_test - what is remembered of a word is what the lexicon and the patterns say, whatever was asked
// before.

#include "tests/watcher/match/try.h"
#include "watcher/match/memo.h"
#include "watcher/match/terms.h"

enum { WORDS = 3 * MEMO_SLOTS, ROOM = 40 };

// Word number n. Every fifth is long, every seventh ends as the pattern asks.
static tc_str word(uint32_t number, char *room)
{
    int len = snprintf(room, ROOM, "%s%x%s", number % 5 ? "w" : "muchlongerthanashortword", number,
                       number % 7 ? "" : "ism");
    return (tc_str){room, (size_t)len};
}

struct rig {
    struct terms terms;
    struct memo memo;
};

static int make(void **state)
{
    struct rig *rig = *state = tc_new(sizeof *rig);
    struct query_word pattern = {.folded = TC_STR("*ism"), .surface = TC_STR("*ism"), .wild = true};
    char room[ROOM];
    terms_init(&rig->terms, 5, NULL);
    terms_of(&rig->terms, &pattern, false);
    for (uint32_t i = 0; i < WORDS; i += 3) {
        tc_str text = word(i, room);
        struct query_word asked = {.folded = text, .surface = text};
        terms_of(&rig->terms, &asked, false);
    }
    free(terms_seal(&rig->terms));
    memo_init(&rig->memo);
    memo_use(&rig->memo, &rig->terms.folded, &rig->terms.words, rig->terms.folded_patterns,
             rig->terms.count);
    return 0;
}

static int clean(void **state)
{
    struct rig *rig = *state;
    memo_done(&rig->memo);
    terms_done(&rig->terms);
    free(rig);
    return 0;
}

static struct memo_word asked_for(const struct rig *rig, tc_str text)
{
    struct lexicon_key key = lexicon_pack(text.ptr, text.len);
    return (struct memo_word){text, key, lexicon_hash(key, rig->terms.folded.seed)};
}

static void check(struct rig *rig, uint32_t number)
{
    char room[ROOM];
    const uint32_t *patterns;
    size_t count;
    struct memo_word asked = asked_for(rig, word(number, room));
    uint32_t known = lexicon_find(&rig->terms.folded, &rig->terms.words, asked.key, asked.hash);
    assert_int_equal(known != TERM_NONE, number % 3 == 0);
    assert_int_equal(memo_ask(&rig->memo, &asked, &patterns, &count), known);
    assert_int_equal(count, number % 7 == 0);
}

// Asks for the first words, and for all of them once more.
static void check_twice(struct rig *rig, uint32_t words)
{
    for (uint32_t i = 0; i < 2 * words; i++)
        check(rig, i % words);
}

static void an_answer_is_the_same_the_first_time_and_later(void **state)
{
    check_twice(*state, 400);
}

// More words than there are slots: each is pushed out by others and asked anew.
static void words_that_share_a_slot_keep_their_own_answers(void **state)
{
    check_twice(*state, WORDS);
}

// Asks for a word, and gives what was asked.
static struct memo_word ask(struct rig *rig, uint32_t number, char *room)
{
    const uint32_t *patterns;
    size_t count;
    struct memo_word asked = asked_for(rig, word(number, room));
    memo_ask(&rig->memo, &asked, &patterns, &count);
    return asked;
}

static void a_slot_is_known_by_the_whole_word(void **state)
{
    struct rig *rig = *state;
    char room[ROOM];
    struct memo_word first = ask(rig, 3, room);
    const struct memo_slot *slot = memo_slot(&rig->memo, first.hash);
    assert_true(memo_is(slot, first.key));
    assert_int_equal(slot->answer, MEMO_NOTHING);
    struct lexicon_key other = first.key;
    other.high ^= 1;
    assert_false(memo_is(slot, other));
}

static void long_words_have_no_slot(void **state)
{
    struct rig *rig = *state;
    char room[ROOM];
    struct memo_word asked = ask(rig, 5, room);
    assert_false(memo_is(memo_slot(&rig->memo, asked.hash), asked.key));
}

static void packing_with_room_behind_gives_the_same_key(void **state)
{
    (void)state;
    char room[64] = "abcdefghijklmnopqrstuvwxyz and more that does not belong to it";
    for (size_t len = 1; len <= LEXICON_SHORT + 4; len++) {
        struct lexicon_key a = lexicon_pack(room, len), b = lexicon_pack_roomy(room, len);
        assert_true(a.low == b.low && a.high == b.high);
    }
}

#define MEMO_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEMO_TEST(an_answer_is_the_same_the_first_time_and_later),
        MEMO_TEST(words_that_share_a_slot_keep_their_own_answers),
        MEMO_TEST(a_slot_is_known_by_the_whole_word),
        MEMO_TEST(long_words_have_no_slot),
        cmocka_unit_test(packing_with_room_behind_gives_the_same_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
