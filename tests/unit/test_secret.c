#include <string.h>

#include "base/log.h"
#include "base/redact.h"
#include "config/secret.h"
#include "scratch.h"

static bool read_bytes(const char *bytes, size_t length, struct text *secret, struct error *err)
{
    scratch_write("secret", bytes, length);
    return secret_read("DATABASE_URL_FILE", "secret", secret, err);
}

static void the_line_end_is_no_part_of_the_secret(void **state)
{
    static const struct {
        const char *bytes;
        const char *secret;
    } cases[] = {
        { "s3cret", "s3cret" },     { "s3cret\n", "s3cret" },   { "s3cret\r\n", "s3cret" },
        { "s3cret\n\n", "s3cret" }, { " s3cret ", " s3cret " }, { "two\nlines\n", "two\nlines" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text secret = text_init(SECRET_BYTES_MOST);
        struct error err;

        assert_true(read_bytes(cases[i].bytes, strlen(cases[i].bytes), &secret, &err));
        assert_string_equal(secret.at, cases[i].secret);
        assert_int_equal(secret.length, strlen(cases[i].secret));
        assert_true(secret.is_secret);
    }
}

static void an_empty_secret_is_a_mistake(void **state)
{
    static const char *const empty[] = { "", "\n", "\r\n\r\n" };

    (void)state;
    for (size_t i = 0; i < array_length(empty); i++) {
        auto_text struct text secret = text_init(SECRET_BYTES_MOST);
        struct error err;

        assert_false(read_bytes(empty[i], strlen(empty[i]), &secret, &err));
        assert_int_equal(err.class, ERROR_USAGE);
        assert_non_null(strstr(err.message, "\"secret\" is empty"));
        assert_non_null(strstr(err.hint, "DATABASE_URL_FILE"));
        assert_string_equal(err.context[0], "reading DATABASE_URL_FILE");
    }
}

static void what_cannot_be_read_is_named(void **state)
{
    auto_text struct text secret = text_init(SECRET_BYTES_MOST);
    auto_text struct text large = text_init(2 * SECRET_BYTES_MOST);
    struct error err;

    (void)state;
    assert_false(secret_read("DIRECT_URL_FILE", "nowhere", &secret, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.message, "nowhere"));
    assert_string_equal(err.context[0], "reading DIRECT_URL_FILE");
    scratch_make_directory("directory");
    assert_false(secret_read("DIRECT_URL_FILE", "directory", &secret, &err));
    while (large.length <= SECRET_BYTES_MOST)
        text_add(&large, "x", 1);
    assert_false(read_bytes(large.at, large.length, &secret, &err));
}

static void the_password_in_a_url_is_blanked_in_every_spelling(void **state)
{
    static const struct {
        const char *text;
        const char *redacted;
    } cases[] = {
        { "raw p%40sswort here", "raw *** here" },
        { "decoded p@sswort here", "decoded *** here" },
        { "all of postgres://u:p%40sswort@h/d here", "all of *** here" },
        { "user u at host h", "user u at host h" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_arena struct arena *arena = arena_new();
        char text[64];

        secret_register_url(arena, "postgres://u:p%40sswort@h/d");
        strcpy(text, cases[i].text);
        redact(text);
        assert_string_equal(text, cases[i].redacted);
        redact_clear();
    }
}

static void a_url_that_is_none_is_blanked_whole(void **state)
{
    auto_arena struct arena *arena = arena_new();
    char text[] = "got: hunter2-oops";

    (void)state;
    secret_register_url(arena, "hunter2-oops");
    redact(text);
    assert_string_equal(text, "got: ***");
    redact_clear();
}

static void parts_of_a_webhook_that_are_no_words_are_blanked(void **state)
{
    auto_arena struct arena *arena = arena_new();
    char text[] =
        "POST /services/T024BE7LD/hZrtYqLw9oek?wait=true of services: no T024BE7LD, hZrtYqLw9oek, a/b 17";

    (void)state;
    secret_register_web_address(arena,
                                "https://hooks.example.com/services/T024BE7LD/hZrtYqLw9oek?wait=true#x");
    secret_register_web_address(arena, "https://hooks.example.com/");
    redact(text);
    assert_string_equal(text, "POST ***?wait=true of services: no ***, ***, a/b 17");
    redact_clear();
}

static void the_password_of_a_proxy_is_blanked(void **state)
{
    auto_arena struct arena *arena = arena_new();
    char *environment[] = { "HTTPS_PROXY=http://me:h%40rbour7@proxy:1", "all_proxy=me:of@ten:9x@proxy",
                            "http_proxy=proxy:3128", NULL };
    char text[] = "h@rbour7, h%40rbour7, of@ten:9x, proxy:3128 and 'http://me:h%40rbour7@proxy:1'";

    (void)state;
    secret_register_proxies(arena, environment);
    redact(text);
    assert_string_equal(text, "***, ***, ***, proxy:3128 and '***'");
    redact_clear();
}

/* As basic authentication sends it: of "me:h@rbour7", and of "me:of@ten:9x". */
static void the_login_of_a_proxy_is_blanked_as_a_header_has_it(void **state)
{
    auto_arena struct arena *arena = arena_new();
    char *environment[] = { "HTTPS_PROXY=http://me:h%40rbour7@proxy:1", "all_proxy=me:of@ten:9x@proxy",
                            NULL };
    char text[] = "Proxy-Authorization: Basic bWU6aEByYm91cjc=, or Basic bWU6b2ZAdGVuOjl4";

    (void)state;
    secret_register_proxies(arena, environment);
    redact(text);
    assert_string_equal(text, "Proxy-Authorization: Basic ***=, or Basic ***");
    redact_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_webhook_that_are_no_words_are_blanked),
        cmocka_unit_test(the_password_of_a_proxy_is_blanked),
        cmocka_unit_test(the_login_of_a_proxy_is_blanked_as_a_header_has_it),
        cmocka_unit_test_setup_teardown(the_line_end_is_no_part_of_the_secret, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(an_empty_secret_is_a_mistake, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_named, scratch_enter, scratch_leave),
        cmocka_unit_test(the_password_in_a_url_is_blanked_in_every_spelling),
        cmocka_unit_test(a_url_that_is_none_is_blanked_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
