#include "watcher/helper.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "common/mem.h"
#include "common/queue.h"

enum { NICE = 10 };

struct helper {
    int progress_fd;
    struct tc_queue *given, *done; // of struct helper_task
    bool busy;
};

struct helper *helper_new(int progress_fd)
{
    struct helper *helper = tc_new(sizeof *helper);
    helper->progress_fd = progress_fd;
    helper->given = tc_queue_new(1);
    helper->done = tc_queue_new(1);
    return helper;
}

void helper_free(struct helper *helper)
{
    if (!helper)
        return;
    tc_queue_free(helper->given);
    tc_queue_free(helper->done);
    free(helper);
}

void helper_run(struct helper *helper)
{
    struct helper_task *task = NULL;
    (void)setpriority(PRIO_PROCESS, 0,
                      NICE); // of this thread alone, as Linux has it: articles go first
    while ((task = tc_queue_pop(helper->given, -1))) {
        task->work(task);
        tc_queue_push(helper->done, task); // never waits: one task is on the way at a time
        (void)!eventfd_write(helper->progress_fd, 1);
    }
}

void helper_end(struct helper *helper)
{
    tc_queue_close(helper->given);
}

void helper_give(struct helper *helper, struct helper_task *task)
{
    helper->busy = true;
    tc_queue_push(helper->given, task);
}

bool helper_busy(const struct helper *helper)
{
    return helper->busy;
}

void helper_finish(struct helper *helper, void *context)
{
    struct helper_task *task = tc_queue_pop(helper->done, 0);
    if (!task)
        return;
    helper->busy = false;
    task->done(task, context);
}
