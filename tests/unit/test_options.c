#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "config/options.h"
#include "config/value.h"

static size_t count_options(void)
{
    size_t count = 0;

    while (OPTIONS[count].name != NULL)
        count++;
    return count;
}

static void every_option_is_spelt_once_and_in_lower_case(void **state)
{
    (void)state;
    assert_true(count_options() <= OPTIONS_MOST);
    for (size_t i = 0; i < count_options(); i++) {
        assert_int_equal(strspn(OPTIONS[i].name, "abcdefghijklmnopqrstuvwxyz-"), strlen(OPTIONS[i].name));
        assert_true(strlen("TIDELOCK__FILE") + strlen(OPTIONS[i].name) < OPTION_NAME_MOST);
        assert_int_not_equal(strncmp(OPTIONS[i].name, "no-", 3), 0); /* "--no-x" denies x */
        assert_ptr_equal(option_named(OPTIONS[i].name), &OPTIONS[i]);
    }
    assert_null(option_named("nothing"));
    assert_null(option_named(""));
}

static void no_two_options_share_a_field_or_a_variable(void **state)
{
    (void)state;
    for (size_t i = 0; i < count_options(); i++) {
        for (size_t j = i + 1; j < count_options(); j++) {
            char one[OPTION_NAME_MOST];
            char other[OPTION_NAME_MOST];

            assert_int_not_equal(OPTIONS[i].field, OPTIONS[j].field);
            option_variable(&OPTIONS[i], one);
            option_variable(&OPTIONS[j], other);
            assert_string_not_equal(one, other);
            option_key(&OPTIONS[i], one);
            option_key(&OPTIONS[j], other);
            assert_string_not_equal(one, other);
        }
    }
}

static void the_three_spellings_are_derived(void **state)
{
    char name[OPTION_NAME_MOST];

    (void)state;
    option_variable(option_named("lock-timeout"), name);
    assert_string_equal(name, "TIDELOCK_LOCK_TIMEOUT");
    option_key(option_named("lock-timeout"), name);
    assert_string_equal(name, "lock_timeout");
}

static bool has_choices(const struct option *option)
{
    return option->type == OPTION_CHOICE || option->type == OPTION_CHOICES || option->type == OPTION_SWITCHES;
}

static void every_row_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < count_options(); i++) {
        const struct option *option = &OPTIONS[i];

        assert_true(option->commands != 0 && (option->commands & ~(unsigned)FOR_ALL) == 0);
        assert_true(option->help != NULL && option->help[0] != '\0');
        assert_int_equal(option->value == NULL, option->type == OPTION_FLAG);
        assert_int_equal(option->choices != NULL, has_choices(option));
        assert_int_equal(option->choice_count > 0, has_choices(option));
        assert_int_equal(option->most > option->least,
                         option->type == OPTION_DURATION || option->type == OPTION_NUMBER);
        if ((option->traits & OPTION_URL) != 0)
            assert_true((option->traits & OPTION_SECRET) != 0);
    }
}

static void a_bit_can_stand_for_each_of_several_choices(void **state)
{
    (void)state;
    for (size_t i = 0; i < count_options(); i++) {
        if (OPTIONS[i].type == OPTION_CHOICES)
            assert_true(OPTIONS[i].choice_count <= CHAR_BIT * sizeof(unsigned));
    }
}

static void no_choice_holds_what_separates_choices(void **state)
{
    (void)state;
    for (size_t i = 0; i < count_options(); i++) {
        for (size_t j = 0; j < OPTIONS[i].choice_count; j++) {
            assert_non_null(OPTIONS[i].choices[j]);
            assert_null(strpbrk(OPTIONS[i].choices[j], ", \t"));
        }
    }
}

static void every_default_is_a_value_of_its_option(void **state)
{
    auto_arena struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < count_options(); i++) {
        struct config config = { .arena = arena };
        struct error err;

        if (OPTIONS[i].standard != NULL)
            assert_true(value_set(&OPTIONS[i], OPTIONS[i].standard, "default", &config, &err));
    }
}

static void the_rows_of_a_group_stand_together(void **state)
{
    (void)state;
    for (size_t i = 1; i < count_options(); i++)
        assert_true(OPTIONS[i].group >= OPTIONS[i - 1].group);
    assert_int_equal(OPTIONS[count_options() - 1].group, OPTION_GROUPS - 1);
}

static void help_is_a_clause_and_more_is_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < count_options(); i++) {
        const struct option *option = &OPTIONS[i];

        if (strlen(option->help) > 72 || option->help[strlen(option->help) - 1] == '.')
            fail_msg("--%s: %s", option->name, option->help);
        if (option->more != NULL && option->more[strlen(option->more) - 1] != '.')
            fail_msg("--%s: %s", option->name, option->more);
    }
}

static const char *said(void (*add)(const struct option *option, struct text *out), const char *name,
                        struct text *out)
{
    text_reset(out);
    add(option_named(name), out);
    return out->at;
}

static void what_there_is_to_say_of_an_option(void **state)
{
    auto_text struct text out = text_init(4096);

    (void)state;
    assert_string_equal(said(option_add_usage, "lock-timeout", &out), "--lock-timeout TIME");
    assert_string_equal(said(option_add_usage, "strict", &out), "--strict[=FINDINGS]");
    assert_string_equal(said(option_add_variables, "lock-timeout", &out), "TIDELOCK_LOCK_TIMEOUT");
    assert_string_equal(said(option_add_variables, "direct-url", &out),
                        "DIRECT_URL, DIRECT_URL_FILE, TIDELOCK_DIRECT_URL, TIDELOCK_DIRECT_URL_FILE");
    assert_string_equal(said(option_add_variables, "json", &out), "");
    assert_string_equal(said(option_add_key, "lock-timeout", &out), "lock_timeout");
    assert_string_equal(said(option_add_key, "config", &out), "");
    assert_string_equal(said(option_add_standard, "retry-for", &out), "10m");
    assert_string_equal(said(option_add_standard, "lease", &out), "");
    assert_string_equal(said(option_add_range, "connect-timeout", &out), "100ms to 24h");
    assert_string_equal(said(option_add_range, "lease-duration", &out), "3s to 1h");
    assert_string_equal(said(option_add_range, "lock-timeout", &out), "0 to 24h");
    assert_string_equal(said(option_add_range, "connections", &out), "1 to 2");
    assert_string_equal(said(option_add_range, "log-format", &out), "");
    assert_string_equal(said(option_add_text, "retry-for", &out),
                        "Keep trying for TIME to get a table lock that others hold. What runs "
                        "CONCURRENTLY may wait for others that long in all. 0 tries once.");
    text_reset(&out);
    option_add_choices(option_named("log-format"), "|", &out);
    assert_string_equal(out.at, "text|logfmt|json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_spelt_once_and_in_lower_case),
        cmocka_unit_test(no_two_options_share_a_field_or_a_variable),
        cmocka_unit_test(the_three_spellings_are_derived),
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(a_bit_can_stand_for_each_of_several_choices),
        cmocka_unit_test(no_choice_holds_what_separates_choices),
        cmocka_unit_test(every_default_is_a_value_of_its_option),
        cmocka_unit_test(the_rows_of_a_group_stand_together),
        cmocka_unit_test(help_is_a_clause_and_more_is_sentences),
        cmocka_unit_test(what_there_is_to_say_of_an_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
