#include "watcher/scanner.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/event.h"
#include "common/utf8.h"
#include "tests/watcher/scratch.h"
#include "watcher/watchset.h"

static const struct text_settings text = {TEXT_WORDS_TOCSIN};

struct stage {
    struct scratch scratch;
    struct watchset *set;
    struct scanner *scanner;
    struct tc_arena *arena;
    int audited, differed;
};

static void audited(void *context, const struct article *article)
{
    (void)article;
    ((struct stage *)context)->audited++;
}

static void differed(void *context, const struct article *article, enum audit_fault fault,
                     const struct watch *watch)
{
    (void)article, (void)fault, (void)watch;
    ((struct stage *)context)->differed++;
}

static int make(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    scratch_make(&stage->scratch);
    stage->scanner = scanner_new(&(struct scanner_settings){
        .text = text, .audit = 1, .audited = audited, .differed = differed, .context = stage});
    stage->arena = tc_arena_new();
    *state = stage;
    return 0;
}

static int clean(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(stage->differed, 0);
    scanner_free(stage->scanner);
    watchset_free(stage->set);
    tc_arena_free(stage->arena);
    scratch_remove(&stage->scratch);
    free(stage);
    return 0;
}

// `count` watches for the word "storm".
static void load(struct stage *stage, size_t count)
{
    struct tc_diags *diags = tc_diags_new();
    struct tc_buf lines = {0};
    struct tc_err err;
    for (size_t i = 0; i < count; i++)
        tc_buf_addf(&lines, "{\"namespace\":\"demo\",\"name\":\"w%zu\",\"match\":\"storm\"}\n", i);
    tc_str path = tc_str_of(scratch_text(&stage->scratch, "w.jsonl", lines.ptr));
    if (watchset_load(&path, 1, &text, NULL, TC_STR(""), NULL, diags, &stage->set, &err) != TC_OK)
        fail_msg("%s", err.text);
    tc_buf_done(&lines);
    tc_diags_free(diags);
}

static struct job *scan(struct stage *stage, struct article *article)
{
    struct job *job = job_new(article);
    struct layers *layers = stage->set ? watchset_layers(stage->set) : NULL;
    job->layers = layers ? layers_hold(layers) : NULL;
    scanner_run(stage->scanner, job);
    return job;
}

static struct article *article_of(const char *json, tc_str body)
{
    struct article *article = NULL;
    struct tc_err err;
    if (article_from_parts(tc_str_of(json), body, TC_STR("s"), ARTICLE_BYTES, &article, &err) !=
        TC_OK)
        fail_msg("%s", err.text);
    article->seen_wall_ns = 1;
    return article;
}

static void end(struct job *job)
{
    article_free(job->article);
    job_free(job);
}

// Every frame belongs to the record, is not too large, and holds whole hits. Gives their number.
static size_t check_frames(struct stage *stage, const struct job *job)
{
    struct tc_event_article *article = NULL;
    size_t total = 0;
    assert_int_equal(tc_event_article_open(tc_buf_view(&job->record), &article, NULL), TC_OK);
    tc_event_article_free(article);
    assert_true(job->record.len <= SCANNER_RECORD_BYTES);
    for (size_t i = 0; i < job->frame_count; i++) {
        struct tc_hits hits;
        tc_str bytes;
        assert_true(job->frames[i].len < SCANNER_FRAME_BYTES + 64 * 1024);
        assert_int_equal(
            tc_hits_open(tc_buf_view(&job->frames[i]), tc_buf_view(&job->record), &hits, NULL),
            TC_OK);
        while (tc_hits_next(&hits, &bytes, NULL) == TC_OK) {
            struct tc_hit hit;
            assert_int_equal(tc_hit_decode(bytes, stage->arena, &hit, NULL), TC_OK);
            assert_int_equal(tc_utf8_valid(hit.excerpt), hit.excerpt.len);
            total++;
        }
    }
    return total;
}

static void without_watches_nothing_hits(void **state)
{
    struct job *job = scan(*state, article_of("{\"id\":\"a\"}", TC_STR("A storm.")));
    assert_int_equal(job->hits, 0);
    assert_int_equal(job->frame_count, 0);
    assert_false(job->rejected);
    end(job);
}

static void a_notice_travels_whatever_its_text_says(void **state)
{
    static const char *const texts[] = {"A calm day.", "A storm.", ""};
    struct stage *stage = *state;
    for (int watches = 0; watches < 2; watches++) {
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            struct job *job = job_new(article_of(
                "{\"id\":\"a\",\"version\":2,\"status\":\"canceled\"}", tc_str_of(texts[i])));
            struct layers *layers = stage->set ? watchset_layers(stage->set) : NULL;
            job->layers = layers ? layers_hold(layers) : NULL;
            job->notice = true;
            scanner_run(stage->scanner, job);
            assert_false(job->rejected);
            assert_int_equal(job->hits, watches && i == 1);
            assert_int_equal(job->frame_count, 1);
            assert_int_equal(check_frames(stage, job), job->hits);
            assert_int_equal(strstr(job->record.ptr, "\"kind\":\"notice\"") == NULL, job->hits);
            assert_non_null(strstr(job->record.ptr, "\"status\":\"canceled\""));
            end(job);
        }
        if (!watches)
            load(stage, 1);
    }
}

static void very_many_hits_take_several_frames(void **state)
{
    struct stage *stage = *state;
    load(stage, 5000);
    struct job *job = scan(stage, article_of("{\"id\":\"a\"}", TC_STR("A storm comes tonight, and "
                                                                      "it comes from the sea.")));
    assert_int_equal(job->hits, 5000);
    assert_true(job->frame_count > 1);
    assert_int_equal(check_frames(stage, job), 5000);
    end(job);
}

static void bytes_that_are_no_text_are_repaired_in_hits(void **state)
{
    struct stage *stage = *state;
    load(stage, 1);
    struct job *job = scan(stage, article_of("{\"id\":\"a\"}", TC_STR("A \xff storm \xc3( here.")));
    assert_int_equal(job->hits, 1);
    assert_int_equal(stage->audited, 1);
    assert_int_equal(check_frames(stage, job), 1);
    end(job);
}

static void a_page_of_very_many_segments_names_those_that_fit(void **state)
{
    struct stage *stage = *state;
    struct tc_buf page = {0};
    struct article *article = NULL;
    load(stage, 1);
    for (int i = 0; i < 500; i++)
        tc_buf_addf(
            &page,
            "A long heading about the storm number %d\n\nThe storm came to town number %d in "
            "the night and stayed there for a week, people say.\n\n\n\n",
            i, i);
    assert_int_equal(article_from_text(TC_STR("page.txt"), tc_buf_view(&page), TC_STR("s"),
                                       ARTICLE_BYTES, &article, NULL),
                     TC_OK);
    article->seen_wall_ns = 1;
    struct job *job = scan(stage, article);
    assert_true(job->hits > 100);
    assert_int_equal(check_frames(stage, job), job->hits);
    end(job);
    tc_buf_done(&page);
}

static void a_record_that_is_too_large_rejects_the_article(void **state)
{
    struct stage *stage = *state;
    static char json[64 * 1024];
    load(stage, 1);
    size_t used = (size_t)snprintf(json, sizeof json, "{\"id\":\"a\",\"title\":\"");
    for (size_t i = 0; i < 4000; i++) // control characters are six bytes in JSON
        used += (size_t)snprintf(json + used, sizeof json - used, "\\u0001");
    snprintf(json + used, sizeof json - used, "\"}");
    struct job *job = scan(stage, article_of(json, TC_STR("A storm.")));
    assert_true(job->rejected);
    assert_string_equal(job->reason, "what is known about the article takes more than 16 KiB");
    assert_int_equal(job->hits, 0);
    end(job);
}

#define SCANNER_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCANNER_TEST(without_watches_nothing_hits),
        SCANNER_TEST(a_notice_travels_whatever_its_text_says),
        SCANNER_TEST(very_many_hits_take_several_frames),
        SCANNER_TEST(bytes_that_are_no_text_are_repaired_in_hits),
        SCANNER_TEST(a_page_of_very_many_segments_names_those_that_fit),
        SCANNER_TEST(a_record_that_is_too_large_rejects_the_article),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
