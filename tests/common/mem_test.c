#include "common/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Pages are given back before the array is: those at its ends are shared with others.
static void a_large_array_is_freed_without_touching_its_neighbours(void **state)
{
    enum { ARRAYS = 9, BYTES = (5 << 20) + 123 };
    unsigned char *arrays[ARRAYS];
    (void)state;
    free(tc_grow(NULL, 2 * BYTES, 1)); // glibc lays arrays of less side by side from then on
    for (int i = 0; i < ARRAYS; i++) {
        arrays[i] = tc_grow(NULL, BYTES, 1);
        memset(arrays[i], 'a' + i, BYTES);
    }
    for (int i = 0; i < ARRAYS; i += 2)
        tc_free(arrays[i]);
    for (int i = 1; i < ARRAYS; i += 2) {
        for (size_t at = 0; at < BYTES; at += 61)
            assert_int_equal(arrays[i][at], 'a' + i);
        assert_int_equal(arrays[i][BYTES - 1], 'a' + i);
        tc_free(arrays[i]);
    }
    tc_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_array_is_freed_without_touching_its_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
