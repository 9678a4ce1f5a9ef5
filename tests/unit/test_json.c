#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "check.h"

static void text_is_escaped_and_bad_bytes_are_replaced(void **state)
{
    static const struct {
        const char *text; /* NULL = null */
        const char *json;
    } cases[] = {
        { "plain", "[\"plain\"]" },
        { "", "[\"\"]" },
        { NULL, "[null]" },
        { "say \"a\\b\"", "[\"say \\\"a\\\\b\\\"\"]" },
        { "one\ntwo\ttab\r", "[\"one\\ntwo\\ttab\\r\"]" },
        { "\x01\x1b[31m", "[\"\\u0001\\u001B[31m\"]" },
        { "ü € 😀", "[\"ü € 😀\"]" },
        { "caf\xe9!", "[\"caf\uFFFD!\"]" },
        { "\xff\xfe", "[\"\uFFFD\uFFFD\"]" },
        { "ü\xc3", "[\"ü\uFFFD\"]" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text out = text_init(256);
        struct json *array = json_new_array();

        json_append_text(array, cases[i].text);
        json_write(array, false, &out);
        assert_string_equal(out.at, cases[i].json);
    }
}

static void an_object_keeps_the_order_of_its_keys(void **state)
{
    auto_text struct text out = text_init(256);
    struct json *object = json_new_object();

    (void)state;
    json_set_text(object, "z", "last first");
    json_set_number(object, "number", INT64_MIN);
    json_set_bool(object, "yes", true);
    json_set_bool(object, "no", false);
    json_set_text(object, "a", NULL);
    json_write(object, false, &out);
    assert_string_equal(out.at,
                        "{\"z\":\"last first\",\"number\":-9223372036854775808,\"yes\":true,\"no\":false,"
                        "\"a\":null}");
}

static void a_key_set_twice_holds_the_later_value(void **state)
{
    auto_text struct text out = text_init(256);
    struct json *object = json_new_object();

    (void)state;
    json_set_number(object, "a", 1);
    json_set_number(object, "a", 2);
    json_write(object, false, &out);
    assert_string_equal(out.at, "{\"a\":2}");
}

static void values_nest_and_can_be_indented(void **state)
{
    auto_text struct text out = text_init(256);
    struct json *object = json_new_object();
    struct json *list = json_new_array();
    struct json *inner = json_new_object();

    (void)state;
    json_set_number(inner, "n", 1);
    json_append(list, inner);
    json_append(list, json_new_array());
    json_set(object, "list", list);
    json_write(object, true, &out);
    assert_string_equal(out.at,
                        "{\n"
                        "  \"list\": [\n"
                        "    {\n"
                        "      \"n\": 1\n"
                        "    },\n"
                        "    []\n"
                        "  ]\n"
                        "}");
}

static void what_is_written_is_added_to_what_is_there(void **state)
{
    auto_text struct text out = text_init(256);

    (void)state;
    text_add_string(&out, "data: ");
    json_write(json_new_object(), false, &out);
    assert_string_equal(out.at, "data: {}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped_and_bad_bytes_are_replaced),
        cmocka_unit_test(an_object_keeps_the_order_of_its_keys),
        cmocka_unit_test(a_key_set_twice_holds_the_later_value),
        cmocka_unit_test(values_nest_and_can_be_indented),
        cmocka_unit_test(what_is_written_is_added_to_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
