#include <string.h>

#include "base/error.h"
#include "check.h"

static void a_new_error_forgets_the_old_one(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_CLEAN, "one");
    error_hint(&err, "Type this.");
    error_context(&err, "doing that");
    assert_false(error_set(&err, ERROR_USAGE, "two %d", 2));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_string_equal(err.message, "two 2");
    assert_string_equal(err.hint, "");
    assert_int_equal(err.contexts, 0);
}

static void a_message_may_quote_the_old_one(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_CLEAN, "division by zero");
    error_message(&err, "migration \"%s\" failed: %s", "1_a", err.message);
    assert_string_equal(err.message, "migration \"1_a\" failed: division by zero");
}

static void long_texts_end_in_an_ellipsis_between_characters(void **state)
{
    char text[4000];
    struct error err;

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i + 1 < sizeof text - 1; i += 2)
        memcpy(text + i, "ü", 2);
    error_set(&err, ERROR_CLEAN, "%s", text);
    assert_true(strlen(err.message) < sizeof err.message);
    assert_string_equal(err.message + strlen(err.message) - 3, "…");
    assert_int_equal((unsigned char)err.message[strlen(err.message) - 4] & 0xC0, 0x80);
}

static void contexts_beyond_the_most_are_dropped_from_the_outside(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_CLEAN, "it");
    for (int i = 0; i < ERROR_CONTEXTS + 3; i++)
        error_context(&err, "level %d", i);
    assert_int_equal(err.contexts, ERROR_CONTEXTS);
    assert_string_equal(err.context[0], "level 0");
    assert_string_equal(err.context[ERROR_CONTEXTS - 1], "level 3");
}

static void the_caret_stands_under_the_character_in_its_line(void **state)
{
    static const char text[] = "SELECT 1;\r\n\tSELECT 'ü', 1/0;\r\nSELECT 2;\n";
    struct error err;

    (void)state;
    error_set(&err, ERROR_CLEAN, "it");
    error_point(&err, "a.sql", text, strlen(text), (size_t)(strstr(text, "1/0") - text));
    assert_int_equal(err.place.line, 2);
    assert_int_equal(err.place.column, 14);
    assert_string_equal(err.place.source, " SELECT 'ü', 1/0;");
    assert_int_equal(err.place.source_caret, 14);
}

static void a_place_in_a_very_long_line_is_shown_in_a_window(void **state)
{
    char text[5000];
    struct error err;

    (void)state;
    memset(text, 'a', sizeof text);
    text[4000] = '!';
    error_set(&err, ERROR_CLEAN, "it");
    error_point(&err, "a.sql", text, sizeof text, 4000);
    assert_int_equal(err.place.line, 1);
    assert_int_equal(err.place.column, 4001);
    assert_int_equal(err.place.source[err.place.source_caret - 1], '!');
}

static void a_place_past_the_end_is_the_end(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_CLEAN, "it");
    error_point(&err, "a.sql", "a\nbc", 4, 99);
    assert_int_equal(err.place.line, 2);
    assert_int_equal(err.place.column, 3);
}

static void a_place_at_the_start_of_a_line_belongs_to_it(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_CLEAN, "it");
    error_point(&err, "a.sql", "a\nb\n\nc", 6, 5);
    assert_int_equal(err.place.line, 4);
    assert_int_equal(err.place.column, 1);
    assert_string_equal(err.place.source, "c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_error_forgets_the_old_one),
        cmocka_unit_test(a_message_may_quote_the_old_one),
        cmocka_unit_test(long_texts_end_in_an_ellipsis_between_characters),
        cmocka_unit_test(contexts_beyond_the_most_are_dropped_from_the_outside),
        cmocka_unit_test(the_caret_stands_under_the_character_in_its_line),
        cmocka_unit_test(a_place_in_a_very_long_line_is_shown_in_a_window),
        cmocka_unit_test(a_place_past_the_end_is_the_end),
        cmocka_unit_test(a_place_at_the_start_of_a_line_belongs_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
