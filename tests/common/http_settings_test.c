#include "common/http_settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void an_address_has_a_port_and_is_no_name(void **state)
{
    static const struct {
        const char *text;
        int family; // 0: refused
        unsigned port;
        bool loopback;
    } cases[] = {
        {"127.0.0.1:5580", AF_INET, 5580, true},
        {"127.8.9.1:0", AF_INET, 0, true},
        {"localhost:5580", AF_INET, 5580, true},
        {"*:5580", AF_INET, 5580, false},
        {"10.0.0.1:65535", AF_INET, 65535, false},
        {"[::1]:80", AF_INET6, 80, true},
        {"[::]:80", AF_INET6, 80, false},
        {"", 0, 0, false},
        {":", 0, 0, false},
        {":5580", 0, 0, false},
        {"5580", 0, 0, false},
        {"127.0.0.1", 0, 0, false},
        {"127.0.0.1:", 0, 0, false},
        {"127.0.0.1:65536", 0, 0, false},
        {"127.0.0.1:http", 0, 0, false},
        {"127.0.0.1:1:1", 0, 0, false},
        {"127.1:80", 0, 0, false},
        {"::1:80", 0, 0, false},
        {"[::1:80", 0, 0, false},
        {"[::1]80", 0, 0, false},
        {"[127.0.0.1]:80", 0, 0, false},
        {"broker.example:80", 0, 0, false},
        {"http://127.0.0.1:80", 0, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage address = {0};
        socklen_t len = 0;
        bool good = tc_http_address(tc_str_of(cases[i].text), &address, &len);
        if (good != (cases[i].family != 0))
            fail_msg("\"%s\" was %s", cases[i].text, good ? "taken" : "refused");
        if (!good)
            continue;
        assert_int_equal(address.ss_family, cases[i].family);
        assert_int_equal(tc_http_is_loopback(&address), cases[i].loopback);
        // The port lies at the same place in both families.
        assert_int_equal(ntohs(((struct sockaddr_in *)&address)->sin_port), cases[i].port);
    }
}

static void host_is_an_address_localhost_or_a_name_of_ours(void **state)
{
    static const struct {
        const char *host;
        bool ok;
    } cases[] = {
        {"127.0.0.1:5580", true},
        {"127.0.0.1", true},
        {"[::1]:5580", true},
        {"10.1.2.3", true},
        {"localhost:5580", true},
        {"LocalHost", true},
        {"broker:5580", true},
        {"BROKER", true},
        {"", false},
        {":5580", false},
        {"evil.example", false},
        {"evil.example:5580", false},
        {"broker.evil.example", false},
        {"brokers", false},
        {"127.0.0.1.evil.example", false},
        {"localhost.evil.example", false},
        {"127.0.0.1:5580@evil.example", false},
        {"127.0.0.1:", false},
        {"2130706433", false},
        {"[::1", false},
    };
    tc_str names[] = {TC_STR("broker")};
    const struct tc_http_settings settings = {.hosts = names, .host_count = 1};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (tc_http_host_ok(&settings, tc_str_of(cases[i].host)) != cases[i].ok)
            fail_msg("Host \"%s\"", cases[i].host);
    }
    assert_false(tc_http_host_ok(&settings, (tc_str){NULL, 0})); // none was sent
}

static void origin_is_none_or_ourselves(void **state)
{
    tc_str host = TC_STR("127.0.0.1:5580");
    (void)state;
    assert_true(tc_http_origin_ok((tc_str){NULL, 0}, host));
    assert_true(tc_http_origin_ok(TC_STR("http://127.0.0.1:5580"), host));
    assert_false(tc_http_origin_ok(TC_STR("http://127.0.0.1:5581"), host));
    assert_false(tc_http_origin_ok(TC_STR("https://127.0.0.1:5580"), host));
    assert_false(tc_http_origin_ok(TC_STR("http://evil.example"), host));
    assert_false(tc_http_origin_ok(TC_STR("null"), host));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_a_port_and_is_no_name),
        cmocka_unit_test(host_is_an_address_localhost_or_a_name_of_ours),
        cmocka_unit_test(origin_is_none_or_ourselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
