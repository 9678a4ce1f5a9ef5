#include <string.h>

#include "check.h"
#include "config/value.h"

static bool set(const char *name, const char *text, struct config *config, struct error *err)
{
    auto_arena struct arena *arena = arena_new();

    return value_set(arena, option_named(name), text, "ORIGIN", config, err);
}

static void a_duration_needs_its_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = { { "0", 0 }, { "250ms", 250 }, { "5s", 5000 }, { "10m", 600000 }, { "1h30m", 5400000 } };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct config config = { .lock_timeout_ms = -1 };
        struct error err;

        assert_true(set("lock-timeout", cases[i].text, &config, &err));
        assert_int_equal(config.lock_timeout_ms, cases[i].ms);
    }
}

static void truth_has_four_spellings_and_any_case(void **state)
{
    static const char *const truths[] = { "true", "1", "yes", "on", "TRUE", "Yes" };
    static const char *const lies[] = { "false", "0", "no", "off", "FALSE", "Off" };

    (void)state;
    for (size_t i = 0; i < array_length(truths); i++) {
        struct config config = { .is_strict = false };
        struct error err;

        assert_true(set("strict", truths[i], &config, &err));
        assert_true(config.is_strict);
        assert_true(set("strict", lies[i], &config, &err));
        assert_false(config.is_strict);
    }
}

static void a_choice_is_its_place_in_the_list(void **state)
{
    struct config config = { .log_format = -1 };
    struct error err;

    (void)state;
    assert_true(set("log-format", "json", &config, &err));
    assert_int_equal(config.log_format, LOG_JSON);
    assert_true(set("log-level", "debug", &config, &err));
    assert_int_equal(config.log_level, LOG_DEBUG);
}

static void text_is_copied(void **state)
{
    auto_arena struct arena *arena = arena_new();
    struct config config = { .migrations = NULL };
    struct error err;
    char text[] = "a folder";

    (void)state;
    assert_true(value_set(arena, option_named("migrations"), text, "ORIGIN", &config, &err));
    text[0] = 'X';
    assert_string_equal(config.migrations, "a folder");
}

static void what_is_wrong_is_named_with_its_origin_and_what_would_be_right(void **state)
{
    static const struct {
        const char *option;
        const char *text;
        const char *message;
        const char *hint;
    } cases[] = {
        { "lock-timeout", "5", "ORIGIN: \"5\" is not a duration", "5s" },
        { "lock-timeout", "", "ORIGIN: \"\" is not a duration", "unit" },
        { "lock-timeout", "-1s", "is not a duration", "unit" },
        { "lock-timeout", "5 parsecs", "is not a duration", "unit" },
        { "lock-timeout", "25h", "is not within bounds", "From 0" },
        { "lock-timeout", "99999999999999999999s", "ORIGIN: ", "" },
        { "connect-timeout", "0", "is not within bounds", "From 100 ms" },
        { "connect-timeout", "99ms", "is not within bounds", "From 100 ms" },
        { "strict", "maybe", "ORIGIN: \"maybe\" is not true or false", "true or false" },
        { "strict", "", "is not true or false", "true or false" },
        { "log-format", "xml", "ORIGIN: \"xml\" is not one of", "text, logfmt, json" },
        { "log-level", "", "is not one of", "error, warn" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct config config = {
            .lock_timeout_ms = 7, .connect_timeout_ms = 7, .log_format = 7, .log_level = 7
        };
        struct error err;

        assert_false(set(cases[i].option, cases[i].text, &config, &err));
        assert_int_equal(err.class, ERROR_USAGE);
        assert_non_null(strstr(err.message, cases[i].message));
        if (strstr(err.hint, cases[i].hint) == NULL)
            fail_msg("%s: %s", cases[i].text, err.hint);
        assert_true(err.hint[0] != '\0');
        assert_int_equal(config.lock_timeout_ms, 7);
        assert_int_equal(config.connect_timeout_ms, 7);
        assert_int_equal(config.log_format, 7);
        assert_int_equal(config.log_level, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_needs_its_unit),
        cmocka_unit_test(truth_has_four_spellings_and_any_case),
        cmocka_unit_test(a_choice_is_its_place_in_the_list),
        cmocka_unit_test(text_is_copied),
        cmocka_unit_test(what_is_wrong_is_named_with_its_origin_and_what_would_be_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
