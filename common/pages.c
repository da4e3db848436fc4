#include "common/pages.h"

#include "common/clock.h"
#include "common/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

struct tc_pages {
    struct tc_pages_loop loop;
    void *context; // of the process
    struct tc_health *health;
    struct tc_http *http;
    int stop_fd;
};

int tc_pages_open(const struct tc_http_settings *settings, const struct tc_health_process *process,
                  const struct tc_pages_loop *loop, struct tc_pages **out, struct tc_err *err)
{
    struct tc_pages *pages = tc_new(sizeof *pages);
    pages->loop = *loop;
    pages->context = process->context;
    pages->health = tc_health_new(process);
    pages->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int code = pages->stop_fd < 0
                   ? tc_fail(err, TC_EFULL, "no descriptors are left for http")
                   : tc_http_open(settings, tc_health_call, pages->health, &pages->http, err);
    if (code != TC_OK) {
        tc_pages_close(pages);
        return code;
    }
    *out = pages;
    return TC_OK;
}

void tc_pages_close(struct tc_pages *pages)
{
    if (!pages)
        return;
    tc_http_close(pages->http);
    tc_health_free(pages->health);
    if (pages->stop_fd >= 0)
        close(pages->stop_fd);
    free(pages);
}

tc_str tc_pages_listens(const struct tc_pages *pages)
{
    return tc_http_listens(pages->http);
}

static long wait_ms(const struct tc_pages *pages)
{
    int64_t now = tc_mono_ns();
    int http = tc_http_wait_ms(pages->http, now), health = tc_health_wait_ms(pages->health, now);
    return http < 0 || (health >= 0 && health < http) ? health : http;
}

void tc_pages_run(struct tc_pages *pages)
{
    zmq_pollitem_t items[] = {
        {pages->loop.socket, pages->loop.fd, ZMQ_POLLIN, 0},
        {NULL, tc_http_fd(pages->http), ZMQ_POLLIN, 0},
        {NULL, pages->stop_fd, ZMQ_POLLIN, 0},
    };
    do {
        if (zmq_poll(items, sizeof items / sizeof *items, wait_ms(pages)) < 0 && errno != EINTR)
            return;
        pages->loop.hear(pages->context, pages->health);
        tc_health_turn(pages->health, tc_mono_ns());
        tc_http_turn(pages->http, tc_mono_ns());
    } while (!items[2].revents);
}

void tc_pages_stop(struct tc_pages *pages)
{
    (void)!eventfd_write(pages->stop_fd, 1);
}
