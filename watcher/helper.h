// helper - a thread for what takes long and nobody waits for: compiling everything anew, copying files to disk.
//
// One task after the other, at a low priority. A task is the caller's struct, whose first member is a
// struct helper_task; the caller leaves it alone until it is done.
//
//   threads  helper_run: the helper's own, which pipeline.c starts; everything else: the main thread
#ifndef HELPER_H
#define HELPER_H

#include <stdbool.h>

struct helper_task {
    void (*work)(struct helper_task *task);                // in the helper's thread
    void (*done)(struct helper_task *task, void *context); // in the main thread; ends the task
};

struct helper;

struct helper *helper_new(int progress_fd); // an eventfd, borrowed: written when a task is done
void helper_free(struct helper *helper);    // NULL is fine; nothing may be on the way

void helper_run(struct helper *helper); // until helper_end(), and what was given before it
void helper_end(struct helper *helper);

void helper_give(struct helper *helper, struct helper_task *task);
bool helper_busy(const struct helper *helper);            // whether a task is on the way
void helper_finish(struct helper *helper, void *context); // calls `done` of the task, when it is

#endif
