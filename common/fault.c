#include "common/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *armed;          // the point that kills, NULL almost always
static size_t armed_len;           // its length, without ":7"
static atomic_long passes_to_live; // how often it is survived

void tc_fault_init(void)
{
    const char *wanted = getenv("TOCSIN_FAULT");
    if (!wanted || !*wanted)
        return;
    const char *colon = strchr(wanted, ':');
    long count = colon ? strtol(colon + 1, NULL, 10) : 1;
    armed_len = colon ? (size_t)(colon - wanted) : strlen(wanted);
    atomic_store(&passes_to_live, count - 1);
    armed = wanted;
}

bool tc_fault_strikes(const char *point)
{
    if (!armed || strlen(point) != armed_len || memcmp(point, armed, armed_len) != 0)
        return false;
    return atomic_fetch_sub(&passes_to_live, 1) <= 0;
}

void tc_fault(const char *point)
{
    if (tc_fault_strikes(point))
        kill(getpid(), SIGKILL);
}
