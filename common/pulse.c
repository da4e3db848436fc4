#include "common/pulse.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int tc_pulse_open(struct tc_pulse *out, struct tc_err *err)
{
    struct tc_pulse pulse = {eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
                             eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    if (pulse.asks < 0 || pulse.beats < 0) {
        int reason = errno;
        tc_pulse_close(&pulse);
        return tc_fail(err, TC_EFULL, "no descriptors are left: %s", strerror(reason));
    }
    *out = pulse;
    return TC_OK;
}

void tc_pulse_close(struct tc_pulse *pulse)
{
    if (pulse->asks >= 0)
        close(pulse->asks);
    if (pulse->beats >= 0)
        close(pulse->beats);
    *pulse = TC_PULSE_NONE;
}

void tc_pulse_ask(const struct tc_pulse *pulse)
{
    (void)!eventfd_write(pulse->asks, 1);
}

void tc_pulse_beat(const struct tc_pulse *pulse)
{
    eventfd_t count = 0;
    if (pulse->asks >= 0 && eventfd_read(pulse->asks, &count) == 0)
        (void)!eventfd_write(pulse->beats, 1);
}

bool tc_pulse_heard(const struct tc_pulse *pulse)
{
    eventfd_t count = 0;
    return eventfd_read(pulse->beats, &count) == 0;
}
