#include <string.h>

#include "check.h"
#include "config/finding.h"
#include "config/notice.h"
#include "config/value.h"

static bool set(const char *name, const char *text, struct config *config, struct error *err)
{
    auto_arena struct arena *arena = arena_new();

    config->arena = arena;
    return value_set(option_named(name), text, "ORIGIN", config, err);
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
        struct config config = { .wants_events = false };
        struct error err;

        assert_true(set("events", truths[i], &config, &err));
        assert_true(config.wants_events);
        assert_true(set("events", lies[i], &config, &err));
        assert_false(config.wants_events);
        assert_true(set("strict", truths[i], &config, &err));
        assert_int_equal(config.strict, (1u << FINDINGS) - 1);
        assert_true(set("strict", lies[i], &config, &err));
        assert_int_equal(config.strict, 0);
    }
}

static void a_switch_may_be_a_list(void **state)
{
    struct config config = { .strict = 0 };
    struct error err;

    (void)state;
    assert_true(set("strict", "edited, out-of-order", &config, &err));
    assert_int_equal(config.strict, 1u << FINDING_EDITED | 1u << FINDING_OUT_OF_ORDER);
    assert_true(set("strict", "missing", &config, &err));
    assert_int_equal(config.strict, 1u << FINDING_MISSING);
    assert_false(set("strict", "missing,true", &config, &err));
    assert_int_equal(config.strict, 1u << FINDING_MISSING);
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
    struct config config = { .arena = arena };
    struct error err;
    char text[] = "a folder";

    (void)state;
    assert_true(value_set(option_named("migrations"), text, "ORIGIN", &config, &err));
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
        { "lock-timeout", "25h", "is not in the allowed range", "from 0" },
        { "lock-timeout", "99999999999999999999s", "ORIGIN: ", "" },
        { "connect-timeout", "0", "is not in the allowed range", "from 100 ms" },
        { "connect-timeout", "99ms", "is not in the allowed range", "from 100 ms" },
        { "events", "maybe", "ORIGIN: \"maybe\" is not true or false", "true or false" },
        { "events", "", "is not true or false", "true or false" },
        { "strict", "maybe", "ORIGIN: \"maybe\" is not one of", "edited, missing, out-of-order" },
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

static void choices_are_a_bit_for_each(void **state)
{
    static const struct {
        const char *text;
        unsigned bits;
    } cases[] = {
        { "started", 1u << NOTICE_STARTED },
        { "started,failed", 1u << NOTICE_STARTED | 1u << NOTICE_FAILED },
        { "failed,started", 1u << NOTICE_STARTED | 1u << NOTICE_FAILED },
        { " blocked ,\tsucceeded ", 1u << NOTICE_BLOCKED | 1u << NOTICE_SUCCEEDED },
        { "failed,failed", 1u << NOTICE_FAILED },
        { "started,blocked,succeeded,failed", (1u << NOTICES) - 1 },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct config config = { .webhook_on = ~0u };
        struct error err;

        assert_true(set("webhook-on", cases[i].text, &config, &err));
        assert_int_equal(config.webhook_on, cases[i].bits);
    }
}

static void one_wrong_choice_spoils_them_all(void **state)
{
    static const char *const texts[] = { "",
                                         " ",
                                         ",",
                                         "started,",
                                         ",started",
                                         "started,,failed",
                                         "start",
                                         "Started",
                                         "started failed",
                                         "started;failed",
                                         "started, ",
                                         "failed,all" };

    (void)state;
    for (size_t i = 0; i < array_length(texts); i++) {
        struct config config = { .webhook_on = 77 };
        auto_text struct text message = text_init(128);
        struct error err;

        text_add_format(&message, "ORIGIN: \"%s\" is not one of the allowed values", texts[i]);
        assert_false(set("webhook-on", texts[i], &config, &err));
        assert_int_equal(err.class, ERROR_USAGE);
        assert_string_equal(err.message, message.at);
        assert_string_equal(err.hint, "Use one of: started, blocked, succeeded, failed.");
        assert_int_equal(config.webhook_on, 77);
    }
}

static void an_address_is_an_http_url(void **state)
{
    static const char *const texts[] = { "https://host", "http://host:9091/", "https://[::1]:8200/a/b?c=d#e",
                                         "https://me:pw@host/x" };

    (void)state;
    for (size_t i = 0; i < array_length(texts); i++) {
        auto_arena struct arena *arena = arena_new();
        struct config config = { .arena = arena };
        struct error err;

        assert_true(value_set(option_named("pushgateway"), texts[i], "ORIGIN", &config, &err));
        assert_string_equal(config.pushgateway, texts[i]);
    }
}

static void an_address_that_is_none_is_not_quoted(void **state)
{
    static const char *const texts[] = { "",
                                         "s3cret",
                                         "hooks.example/s3cret",
                                         "//host/s3cret",
                                         "ftp://host/s3cret",
                                         "file:///s3cret",
                                         "https:/host/s3cret",
                                         "https//host/s3cret",
                                         "https://",
                                         "http:///s3cret",
                                         "https://?s3cret",
                                         "https://#s3cret",
                                         " https://host/s3cret",
                                         "https://host/s3cret ",
                                         "https://host/s3c ret",
                                         "https://host/s3cret\n",
                                         "https://host/\ts3cret",
                                         "xhttps://host/s3cret",
                                         "https://me:s3cret@",
                                         "https://@/s3cret",
                                         "https://:443/s3cret",
                                         "https://host/s3cret\v",
                                         "https://host/s3cret\x01" };

    (void)state;
    for (size_t i = 0; i < array_length(texts); i++) {
        struct config config = { .webhook = "before" };
        struct error err;

        if (set("webhook", texts[i], &config, &err))
            fail_msg("%s", texts[i]);
        assert_int_equal(err.class, ERROR_USAGE);
        assert_string_equal(err.message, "ORIGIN is not an https:// or http:// URL");
        assert_string_equal(err.hint, "Write https://HOST/PATH.");
        assert_string_equal(config.webhook, "before");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_needs_its_unit),
        cmocka_unit_test(truth_has_four_spellings_and_any_case),
        cmocka_unit_test(a_switch_may_be_a_list),
        cmocka_unit_test(a_choice_is_its_place_in_the_list),
        cmocka_unit_test(text_is_copied),
        cmocka_unit_test(what_is_wrong_is_named_with_its_origin_and_what_would_be_right),
        cmocka_unit_test(choices_are_a_bit_for_each),
        cmocka_unit_test(one_wrong_choice_spoils_them_all),
        cmocka_unit_test(an_address_is_an_http_url),
        cmocka_unit_test(an_address_that_is_none_is_not_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
