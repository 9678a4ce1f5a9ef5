#include <string.h>

#include "base/log.h"
#include "check.h"
#include "report/termination_log.h"

static void compose(const struct error *err, struct text *out)
{
    struct progress progress = { .phase = err == NULL ? PROGRESS_COMPLETE : PROGRESS_FAILED,
                                 .exit_code = err == NULL ? 0 : 6,
                                 .applied = 2 };

    termination_log_compose(&progress, err, out);
}

static void success_is_short(void **state)
{
    auto_text struct text out = text_init(4 * TERMINATION_LOG_MOST);

    (void)state;
    compose(NULL, &out);
    assert_string_equal(out.at, "{\"result\":\"complete\",\"exit_code\":0,\"applied\":2}\n");
}

static void failure_says_what_where_and_what_next(void **state)
{
    auto_text struct text out = text_init(4 * TERMINATION_LOG_MOST);
    struct error err;

    (void)state;
    error_set(&err, ERROR_CLEAN, "migration \"1_a\" failed: division by zero");
    error_code(&err, "P3018");
    error_holds(&err, "Nothing of 1_a.");
    error_hint(&err, "Correct it.");
    err.place.line = 3;
    err.place.column = 1;
    strcpy(err.place.file, "a.sql");
    strcpy(err.sqlstate, "22012");
    compose(&err, &out);
    assert_string_equal(
        out.at,
        "{\"result\":\"failed\",\"exit_code\":6,\"applied\":2,\"code\":\"P3018\",\"sqlstate\":\"22012\","
        "\"message\":\"migration \\\"1_a\\\" failed: division by zero\",\"at\":\"a.sql:3:1\","
        "\"holds\":\"Nothing of 1_a.\",\"next\":\"Correct it.\"}\n");
}

static void it_never_exceeds_its_size(void **state)
{
    static const char *const fillings[] = { "x", "\"", "\x01", "\xC3\xA9", "\xF0\x9F\x8C\x8A" };

    (void)state;
    for (size_t i = 0; i < array_length(fillings); i++) {
        auto_text struct text out = text_init(4 * TERMINATION_LOG_MOST);
        auto_text struct text filling = text_init(1000);
        struct error err;

        while (!filling.has_overflowed)
            text_add_string(&filling, fillings[i]);
        error_set(&err, ERROR_PARTIAL, "%s", filling.at);
        error_holds(&err, "%s", filling.at);
        error_hint(&err, "%s", filling.at);
        compose(&err, &out);
        assert_true(out.length <= TERMINATION_LOG_MOST && out.length > TERMINATION_LOG_MOST / 3);
        assert_int_equal(out.at[out.length - 1], '\n');
        assert_int_equal(out.at[out.length - 2], '}');
        assert_true(utf8_is_valid(out.at, out.length, NULL));
    }
}

static void secrets_are_blanked_before_they_are_cut(void **state)
{
    auto_text struct text out = text_init(4 * TERMINATION_LOG_MOST);
    struct error err;

    (void)state;
    redact_register("s3cretpw", 8);
    error_set(&err, ERROR_USAGE, "password s3cretpw refused");
    compose(&err, &out);
    redact_clear();
    assert_null(strstr(out.at, "s3cret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(success_is_short),
        cmocka_unit_test(failure_says_what_where_and_what_next),
        cmocka_unit_test(it_never_exceeds_its_size),
        cmocka_unit_test(secrets_are_blanked_before_they_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
