#include "broker/age.h"

#include "common/clock.h"

#include <stdio.h>
#include <time.h>

enum { UUID_BYTES = 36 };

void age_read_again(struct age_reading *reading)
{
    struct timespec since = {0};
    clock_gettime(CLOCK_BOOTTIME, &since);
    reading->wall_ns = tc_wall_ns();
    reading->boot_ns = (int64_t)since.tv_sec * TC_SECOND + since.tv_nsec;
}

void age_read(struct age_reading *out)
{
    char uuid[UUID_BYTES + 2] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file && fgets(uuid, sizeof uuid, file))
        out->boot = tc_id_of_bytes(tc_str_cut(tc_str_of(uuid), 0, UUID_BYTES));
    else
        out->boot = tc_id_random();
    if (file)
        fclose(file);
    age_read_again(out);
}

void age_begin(struct age *age, const struct age_reading *now)
{
    *age = (struct age){now->wall_ns, *now};
}

void age_go(struct age *age, const struct age_reading *now, int64_t off_most_ns)
{
    int64_t passed = now->boot_ns - age->last.boot_ns;
    if (!tc_id_eq(now->boot, age->last.boot)) {
        int64_t least = now->boot_ns, most = least + off_most_ns;
        passed = now->wall_ns - age->last.wall_ns;
        passed = passed < least ? least : passed > most ? most : passed;
    }
    if (passed > 0)
        age->clock_ns += passed;
    age->last = *now;
}

int64_t age_ahead_ns(const struct age *age)
{
    return age->last.wall_ns - age->clock_ns;
}
