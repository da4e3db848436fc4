#include "watcher/job.h"

#include <stdlib.h>

#include "common/mem.h"

struct job *job_new(struct article *article)
{
    struct job *job = tc_new(sizeof *job);
    job->article = article;
    return job;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    for (size_t i = 0; i < job->frame_count; i++)
        tc_buf_done(&job->frames[i]);
    free(job->frames);
    tc_buf_done(&job->record);
    layers_drop(job->layers);
    free(job);
}
