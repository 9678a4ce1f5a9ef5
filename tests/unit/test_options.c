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
    return option->type == OPTION_CHOICE || option->type == OPTION_CHOICES;
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

static void help_fits_eighty_columns(void **state)
{
    static const unsigned commands[] = { FOR_DEPLOY,   FOR_RUN,     FOR_STATUS, FOR_RESOLVE,
                                         FOR_BASELINE, FOR_INSTALL, FOR_VERSION };

    (void)state;
    for (size_t i = 0; i < array_length(commands); i++) {
        auto_text struct text help = text_init(64 * 1024);

        options_help(commands[i], &help);
        assert_true(help.length > 0 && help.at[help.length - 1] == '\n');
        for (const char *line = help.at; *line != '\0'; line += strcspn(line, "\n") + 1) {
            size_t length = strcspn(line, "\n");

            if (length > 80)
                fail_msg("%zu columns: %.*s", length, (int)length, line);
            assert_true(length > 0 && line[length - 1] != ' ');
        }
    }
}

static void help_tells_a_command_s_own_options_only(void **state)
{
    auto_text struct text help = text_init(64 * 1024);

    (void)state;
    options_help(FOR_STATUS, &help);
    assert_non_null(strstr(help.at, "  --json\n"));
    assert_non_null(strstr(help.at, "  --database-url URL\n"));
    assert_non_null(strstr(help.at, "DATABASE_URL_FILE"));
    assert_non_null(strstr(help.at, "(default 1m)"));
    assert_null(strstr(help.at, "--strict"));
    assert_null(strstr(help.at, "--applied"));
    assert_null(strstr(help.at, "TIDELOCK_JSON"));
}

static void the_reference_has_one_row_for_each_option(void **state)
{
    auto_text struct text reference = text_init(64 * 1024);
    size_t lines = 0;

    (void)state;
    options_reference(&reference);
    for (const char *line = reference.at; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t bars = 0;

        for (const char *at = line; *at != '\n'; at++)
            bars += *at == '|';
        assert_int_equal(bars, 7);
        lines++;
    }
    assert_int_equal(lines, count_options() + 2);
    assert_non_null(strstr(
        reference.at, "| `--lock-timeout TIME` | TIDELOCK_LOCK_TIMEOUT | lock_timeout | 0 | deploy, run |"));
    assert_non_null(strstr(reference.at, "| `--json` |  |  |  | status, budget, version |"));
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
        cmocka_unit_test(help_fits_eighty_columns),
        cmocka_unit_test(help_tells_a_command_s_own_options_only),
        cmocka_unit_test(the_reference_has_one_row_for_each_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
