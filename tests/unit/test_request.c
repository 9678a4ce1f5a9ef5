#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "http/request.h"

static void an_origin_is_scheme_host_and_port(void **state)
{
    static const struct {
        const char *url;
        const char *origin;
    } cases[] = {
        { "https://hooks.example/services/T0/B0/s3cret", "https://hooks.example" },
        { "http://10.0.0.1:9091/metrics/job/tidelock", "http://10.0.0.1:9091" },
        { "https://[fd00::1]:8200/v1/secret", "https://[fd00::1]:8200" },
        { "https://hooks.example", "https://hooks.example" },
        { "https://hooks.example/", "https://hooks.example" },
        { "https://", "https://" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text out = text_init(256);

        http_origin(cases[i].url, &out);
        assert_string_equal(out.at, cases[i].origin);
    }
}

static void a_query_or_a_fragment_without_a_path_is_no_part_of_it(void **state)
{
    static const char *const urls[] = { "https://hooks.example?token=s3cret", "https://hooks.example#s3cret",
                                        "https://hooks.example?to=http://other/s3cret",
                                        "https://hooks.example/?at=a@b", "https://hooks.example?at=a@b" };

    (void)state;
    for (size_t i = 0; i < array_length(urls); i++) {
        auto_text struct text out = text_init(256);

        http_origin(urls[i], &out);
        assert_string_equal(out.at, "https://hooks.example");
    }
}

static void a_user_and_a_password_never_show(void **state)
{
    static const char *const urls[] = {
        "https://me:s3cret@host:8443/x",  "https://s3cret@host:8443", "https://me:s3cret@host:8443?x=y@z",
        "https://me:s3@cret@host:8443#@", "https://@host:8443/",      "https://me:s3cret:@host:8443/a@b"
    };

    (void)state;
    for (size_t i = 0; i < array_length(urls); i++) {
        auto_text struct text out = text_init(256);

        http_origin(urls[i], &out);
        assert_string_equal(out.at, "https://host:8443");
    }
}

static void what_is_no_url_is_not_quoted(void **state)
{
    static const char *const texts[] = { "",
                                         "s3cret",
                                         "me:s3cret@host/path",
                                         "https:/s3cret",
                                         "//s3cret/x",
                                         "me:s3cret@host/x?u=https://other",
                                         "?s3cret=://x" };

    (void)state;
    for (size_t i = 0; i < array_length(texts); i++) {
        auto_text struct text out = text_init(256);

        http_origin(texts[i], &out);
        assert_string_equal(out.at, "an invalid URL");
    }
}

static void an_origin_is_added_to_what_is_there(void **state)
{
    auto_text struct text out = text_init(256);

    (void)state;
    text_add_string(&out, "asking ");
    http_origin("https://host/x", &out);
    assert_string_equal(out.at, "asking https://host");
}

/* RFC 3986, 2.3. */
static void the_unreserved_stay_as_they_are(void **state)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    auto_text struct text out = text_init(256);

    (void)state;
    http_add_escaped(slice_of(plain), &out);
    assert_string_equal(out.at, plain);
}

static void every_other_byte_is_escaped(void **state)
{
    size_t plain = 0;

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        const char bytes[] = { (char)byte };
        char escaped[4];
        auto_text struct text out = text_init(16);

        (void)snprintf(escaped, sizeof escaped, "%%%02X", (unsigned)byte);
        http_add_escaped((struct slice) { bytes, 1 }, &out);
        if (out.length == 1)
            plain++;
        else
            assert_string_equal(out.at, escaped);
    }
    assert_int_equal(plain, 66);
}

static void escaping_is_byte_by_byte(void **state)
{
    auto_text struct text out = text_init(256);

    (void)state;
    http_add_escaped(slice_of("a b/ü&=%20"), &out);
    assert_string_equal(out.at, "a%20b%2F%C3%BC%26%3D%2520");
}

static void nothing_is_escaped_to_nothing(void **state)
{
    auto_text struct text out = text_init(256);

    (void)state;
    http_add_escaped(slice_of(NULL), &out);
    http_add_escaped(slice_of(""), &out);
    assert_string_equal(out.at, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(a_query_or_a_fragment_without_a_path_is_no_part_of_it),
        cmocka_unit_test(a_user_and_a_password_never_show),
        cmocka_unit_test(what_is_no_url_is_not_quoted),
        cmocka_unit_test(an_origin_is_added_to_what_is_there),
        cmocka_unit_test(the_unreserved_stay_as_they_are),
        cmocka_unit_test(every_other_byte_is_escaped),
        cmocka_unit_test(escaping_is_byte_by_byte),
        cmocka_unit_test(nothing_is_escaped_to_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
