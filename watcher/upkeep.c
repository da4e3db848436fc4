#include "watcher/upkeep.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "watcher/follow.h"

struct upkeep {
    const struct settings *settings;
    struct force *force;
    struct frequencies *frequencies;
    struct helper *helper;
    struct follow *follow; // NULL: files are read again on SIGHUP only
    bool merging;          // the helper reads what is counted
    uint64_t texts;        // whose frequencies the base in force was compiled with; 0: guessed
    int64_t merge_ns;      // when merging may begin (mono)
    int64_t merged_ns;     // when the last merge was done
    int64_t merge_cpu_ns;  // what it took of a core
    size_t remembered;     // files of the watches in force
    int64_t remember_ns;   // when the others are written down (mono)
    bool counted_is_kept;  // the file of frequencies is up to date enough
};

// ---- reading -------------------------------------------------------------------------------

static void print_mistakes(struct tc_diags *diags)
{
    struct tc_buf text = {0};
    tc_diags_sort(diags);
    tc_diags_print(diags, isatty(STDERR_FILENO), &text);
    fwrite(tc_buf_view(&text).ptr, 1, text.len, stderr);
    tc_buf_done(&text);
}

int upkeep_read(const struct settings *settings, const struct watchset *before, tc_str kept,
                const struct counts *counts, struct watchset **out)
{
    const struct text_settings text = {TEXT_WORDS_TOCSIN};
    struct tc_diags *diags = tc_diags_new();
    struct tc_err err;
    int code = watchset_load(settings->watches, settings->watch_count, &text, before, kept, counts,
                             diags, out, &err);
    size_t errors = tc_diags_errors(diags);
    print_mistakes(diags);
    tc_diags_free(diags);
    if (code != TC_OK && (!errors || before))
        tc_log_err(TC_ERROR, "watches.refused", &err);
    return code;
}

static void tell_stale(const struct watchset_file *file)
{
    char path[TC_LOG_TEXT_BYTES], why[TC_LOG_TEXT_BYTES], since[TC_TIME_BYTES] = "none";
    if (file->since_wall_ns)
        tc_time_text(file->since_wall_ns, since);
    tc_log(TC_ERROR, "watches.stale", "file=%s running=%s reason=%s", tc_log_text(file->path, path),
           since, tc_log_text(tc_str_of(file->why), why));
}

static void tell_loaded(const struct watchset *watches, int64_t took_ns)
{
    const struct layers *layers = watchset_layers(watches);
    size_t stale = watchset_stale(watches);
    for (size_t i = 0; i < watchset_count(watches); i++) {
        struct watchset_file file = watchset_file(watches, i);
        if (file.stale)
            tell_stale(&file);
    }
    tc_log(stale ? TC_ERROR : TC_INFO, "watches.loaded",
           "watches=%zu files=%zu stale=%zu on_top=%zu took_ms=%lld", watchset_watches(watches),
           watchset_count(watches), stale, layers ? layers_top(layers) : 0,
           (long long)(took_ns / TC_MS));
}

// ---- following files -----------------------------------------------------------------------

struct following {
    struct follow *follow;
    bool told; // one complaint is enough
};

static void told_once(struct following *following, int code, const struct tc_err *err)
{
    if (code != TC_OK && !following->told)
        tc_log_err(TC_ERROR, "watches.not_followed", err);
    following->told = following->told || code != TC_OK;
}

static void follow_path(void *context, const char *path)
{
    struct following *following = context;
    struct tc_err err;
    told_once(following, follow_file(following->follow, path, &err), &err);
}

// Folders and files may be new after every reload.
static void follow_all(const struct upkeep *upkeep)
{
    struct following following = {upkeep->follow, false};
    struct tc_err err;
    if (!upkeep->follow)
        return;
    for (size_t i = 0; i < upkeep->settings->watch_count; i++)
        told_once(&following, follow_glob(upkeep->follow, upkeep->settings->watches[i].ptr, &err),
                  &err);
    watchset_each_path(force_watches(upkeep->force), follow_path, &following);
}

// ---- reload --------------------------------------------------------------------------------

static void rest(struct upkeep *upkeep)
{
    int64_t now = tc_mono_ns();
    int64_t share = upkeep->merged_ns + UPKEEP_MERGE_SHARE * upkeep->merge_cpu_ns;
    upkeep->merge_ns = now + UPKEEP_MERGE_MS * TC_MS;
    if (upkeep->merge_ns < share)
        upkeep->merge_ns = share;
    upkeep->remember_ns = now + UPKEEP_REMEMBER_MS * TC_MS;
}

// Takes what is read anew. `quiet`: nobody asked, so nothing is said when nothing is new.
static void take(struct upkeep *upkeep, bool quiet)
{
    int64_t begun = tc_mono_ns();
    struct watchset *watches = NULL;
    const struct watchset *before = force_watches(upkeep->force);
    const struct counts *counts = frequencies_counts(upkeep->frequencies);
    if (upkeep_read(upkeep->settings, before, upkeep->settings->kept, counts, &watches) != TC_OK)
        return;
    bool whole = watchset_layers(watches) &&
                 (!watchset_layers(before) ||
                  layers_base(watchset_layers(watches)) != layers_base(watchset_layers(before)));
    bool changed = watchset_changed(watches);
    force_swap(upkeep->force, watches);
    if (whole) { // it was compiled as one, with what is counted
        upkeep->texts = counts ? frequencies_texts(upkeep->frequencies) : 0;
        force_set_texts(upkeep->force, upkeep->texts);
    }
    if (changed || !quiet)
        tell_loaded(watches, tc_mono_ns() - begun); // from now on they are in force
    upkeep->remembered = 0;
    rest(upkeep);
    follow_all(upkeep);
}

void upkeep_reload(struct upkeep *upkeep)
{
    if (upkeep->follow) {
        follow_take(upkeep->follow, tc_mono_ns()); // what was heard so far is read now
        follow_seen(upkeep->follow);
    }
    take(upkeep, false);
}

static void reload_if_changed(struct upkeep *upkeep)
{
    int64_t now = tc_mono_ns();
    if (!upkeep->follow)
        return;
    follow_take(upkeep->follow, now);
    if (follow_due_ns(upkeep->follow) > now)
        return;
    follow_seen(upkeep->follow);
    take(upkeep, true);
}

// ---- counting and merging ------------------------------------------------------------------

static void save_frequencies(struct upkeep *upkeep)
{
    struct tc_err err;
    upkeep->counted_is_kept = true;
    if (frequencies_save(upkeep->frequencies, upkeep->settings->frequencies.ptr, &err) != TC_OK)
        tc_log_err(TC_WARN, "frequencies.not_remembered", &err);
}

// While something is compiled with the counts they are left as they are.
static void add_counted(struct upkeep *upkeep)
{
    struct tc_queue *counted = force_counted(upkeep->force);
    struct counts *counts = NULL;
    if (upkeep->merging)
        return;
    tc_queue_calm(counted);
    while ((counts = tc_queue_pop(counted, 0))) {
        frequencies_add(upkeep->frequencies, counts);
        upkeep->counted_is_kept = false;
    }
}

struct merge { // what the helper compiles
    struct helper_task task;
    struct watch_list *list;
    struct matcher *before;      // the base until now
    const struct counts *counts; // NULL: guessed
    uint64_t texts;
    struct matcher *matcher; // NULL: `err` says why not
    struct tc_err err;
    int64_t took_ns, cpu_ns;
};

static void compile(struct helper_task *task)
{
    struct merge *merge = (struct merge *)task;
    int64_t begun = tc_mono_ns(), begun_cpu = tc_thread_cpu_ns();
    if (watch_list_compile(merge->list, merge->counts, merge->before, &merge->matcher,
                           &merge->err) != TC_OK)
        merge->matcher = NULL;
    merge->took_ns = tc_mono_ns() - begun;
    merge->cpu_ns = tc_thread_cpu_ns() - begun_cpu;
}

// Lays the watches of now, which may be others than those that were compiled, over the new base.
static int lay_over(struct upkeep *upkeep, struct merge *merge)
{
    struct layers *before = watchset_layers(force_watches(upkeep->force)), *layers = NULL;
    if (!merge->matcher)
        return merge->err.code;
    if (!before)
        return TC_OK; // none is left
    int code = layers_new(merge->matcher, layers_list(before),
                          frequencies_counts(upkeep->frequencies), &layers, &merge->err);
    if (code == TC_OK) {
        upkeep->texts = merge->texts;
        force_relay(upkeep->force, layers, upkeep->texts);
    }
    return code;
}

static void tell_merged(const struct upkeep *upkeep, const struct merge *merge)
{
    tc_log(TC_INFO, "watches.merged", "watches=%zu frequencies=%s articles=%llu took_ms=%lld",
           watchset_watches(force_watches(upkeep->force)), upkeep->texts ? "counted" : "guessed",
           (unsigned long long)upkeep->texts, (long long)(merge->took_ns / TC_MS));
}

static void end_merge(struct helper_task *task, void *context)
{
    struct merge *merge = (struct merge *)task;
    struct upkeep *upkeep = context;
    int code = lay_over(upkeep, merge);
    matcher_drop(merge->matcher);
    matcher_drop(merge->before);
    watch_list_drop(merge->list);
    upkeep->merging = false;
    upkeep->merged_ns = tc_mono_ns();
    upkeep->merge_cpu_ns = merge->cpu_ns;
    rest(upkeep);
    if (code == TC_OK && merge->texts) {
        frequencies_used(upkeep->frequencies);
        save_frequencies(upkeep);
    }
    if (code == TC_OK)
        tell_merged(upkeep, merge);
    else
        tc_log_err(TC_ERROR, "watches.not_merged", &merge->err);
    free(merge);
}

static bool wants_merge(const struct upkeep *upkeep)
{
    const struct layers *layers = watchset_layers(force_watches(upkeep->force));
    return layers &&
           (layers_top(layers) || layers_gone(layers) || frequencies_worth(upkeep->frequencies));
}

static void begin_merge(struct upkeep *upkeep)
{
    if (helper_busy(upkeep->helper) || !wants_merge(upkeep) || tc_mono_ns() < upkeep->merge_ns)
        return;
    struct layers *layers = watchset_layers(force_watches(upkeep->force));
    struct merge *merge = tc_new(sizeof *merge);
    merge->task = (struct helper_task){compile, end_merge};
    merge->list = watch_list_hold(layers_list(layers));
    merge->before = matcher_hold(layers_base(layers));
    merge->counts = frequencies_counts(upkeep->frequencies);
    merge->texts = merge->counts ? frequencies_texts(upkeep->frequencies) : 0;
    upkeep->merging = true;
    helper_give(upkeep->helper, &merge->task);
}

// ---- remembering ---------------------------------------------------------------------------

struct note { // a file that the helper writes down
    struct helper_task task;
    struct watchset_memo *memo;
    int code;
    struct tc_err err;
};

static void write_note(struct helper_task *task)
{
    struct note *note = (struct note *)task;
    note->code = watchset_memo_write(note->memo, &note->err);
}

static void end_note(struct helper_task *task, void *context)
{
    struct note *note = (struct note *)task;
    (void)context;
    if (note->code != TC_OK)
        tc_log_err(TC_WARN, "watches.not_remembered", &note->err);
    watchset_memo_free(note->memo);
    free(note);
}

static bool all_remembered(const struct upkeep *upkeep)
{
    return upkeep->remembered >= watchset_count(force_watches(upkeep->force));
}

static void remember(struct upkeep *upkeep)
{
    const struct watchset *watches = force_watches(upkeep->force);
    while (!helper_busy(upkeep->helper) && !all_remembered(upkeep) &&
           tc_mono_ns() >= upkeep->remember_ns) {
        struct watchset_memo *memo =
            watchset_memo_new(watches, upkeep->remembered++, upkeep->settings->kept);
        if (!memo)
            continue;
        struct note *note = tc_new(sizeof *note);
        note->task = (struct helper_task){write_note, end_note};
        note->memo = memo;
        helper_give(upkeep->helper, &note->task);
    }
}

bool upkeep_settled(const struct upkeep *upkeep)
{
    return all_remembered(upkeep) && !helper_busy(upkeep->helper);
}

// ---- the whole -----------------------------------------------------------------------------

struct upkeep *upkeep_new(const struct settings *settings, struct force *force,
                          struct helper *helper, struct frequencies *frequencies)
{
    struct upkeep *upkeep = tc_new(sizeof *upkeep);
    struct tc_err err;
    upkeep->settings = settings;
    upkeep->force = force;
    upkeep->helper = helper;
    upkeep->frequencies = frequencies;
    upkeep->counted_is_kept = true;
    if (frequencies_counts(frequencies)) {
        upkeep->texts = frequencies_texts(frequencies);
        frequencies_used(frequencies);
    }
    if (settings->watch_files && follow_open(&upkeep->follow, &err) != TC_OK)
        tc_log_err(TC_ERROR, "watches.not_followed", &err);
    tell_loaded(force_watches(force), 0);
    follow_all(upkeep);
    return upkeep;
}

void upkeep_free(struct upkeep *upkeep)
{
    if (!upkeep)
        return;
    helper_finish(upkeep->helper, upkeep); // its thread has ended
    add_counted(upkeep);
    if (!upkeep->counted_is_kept)
        save_frequencies(upkeep);
    follow_close(upkeep->follow);
    free(upkeep);
}

void upkeep_fds(const struct upkeep *upkeep, int fds[UPKEEP_FDS])
{
    fds[0] = upkeep->follow ? follow_fd(upkeep->follow) : -1;
    // What is counted waits while something is compiled.
    fds[1] = upkeep->merging ? -1 : tc_queue_fd(force_counted(upkeep->force));
}

static int until(int64_t when_ns, int64_t now, int wait)
{
    if (when_ns == INT64_MAX)
        return wait;
    int ms = when_ns > now ? (int)((when_ns - now + TC_MS - 1) / TC_MS) : 0;
    return wait < 0 || ms < wait ? ms : wait;
}

static int wait_ms(const struct upkeep *upkeep, bool untidy)
{
    bool busy = helper_busy(upkeep->helper);
    int64_t now = tc_mono_ns();
    int wait = untidy ? UPKEEP_TIDY_MS : -1;
    if (upkeep->follow)
        wait = until(follow_due_ns(upkeep->follow), now, wait);
    if (!busy && wants_merge(upkeep))
        wait = until(upkeep->merge_ns, now, wait);
    if (!busy && !all_remembered(upkeep))
        wait = until(upkeep->remember_ns, now, wait);
    return wait;
}

int upkeep_turn(struct upkeep *upkeep)
{
    reload_if_changed(upkeep);
    helper_finish(upkeep->helper, upkeep);
    add_counted(upkeep);
    begin_merge(upkeep);
    remember(upkeep);
    return wait_ms(upkeep, force_tidy(upkeep->force));
}
