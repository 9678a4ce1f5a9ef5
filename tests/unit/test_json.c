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

static void a_value_that_is_added_is_kept(void **state)
{
    auto_text struct text out = text_init(256);
    auto_json struct json *object = json_new_object();

    (void)state;
    json_set_number(object, "a", 1);
    json_add(object, &out);
    json_set_bool(object, "b", true);
    json_add(object, &out);
    assert_string_equal(out.at, "{\"a\":1}{\"a\":1,\"b\":true}");
}

static void what_is_read_is_written_as_it_was(void **state)
{
    static const char *const documents[] = {
        "{}",
        "[]",
        "{\"z\":1,\"a\":[true,false,null,-5,\"x\"],\"o\":{\"\":{}}}",
        "{\"big\":9223372036854775807,\"small\":-9223372036854775808}",
        "[\"ü €\\n\\u0001\\\"\\\\\"]",
        "[1.5,-0.25]",
    };

    (void)state;
    for (size_t i = 0; i < array_length(documents); i++) {
        auto_text struct text out = text_init(256);
        struct json *value = json_read(slice_of(documents[i]));

        assert_non_null(value);
        json_write(value, false, &out);
        assert_string_equal(out.at, documents[i]);
    }
}

static void what_is_no_document_is_not_read(void **state)
{
    static const char *const others[] = {
        "",
        " ",
        "null",
        "1",
        "\"text\"",
        "{",
        "{}}",
        "{} []",
        "{\"a\":}",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\":01}",
        "{\"a\":NaN}",
        "{\"a\":1e999}",
        "{\"a\":9223372036854775808}",
        "[\"caf\xe9\"]",
        "[\"\\ud800\"]",
        "[\"\\u0000\"]",
        "\xEF\xBB\xBF{}",
        "<html>",
    };

    (void)state;
    for (size_t i = 0; i < array_length(others); i++) {
        if (json_read(slice_of(others[i])) != NULL)
            fail_msg("%s", others[i]);
    }
    assert_null(json_read((struct slice) { "{\"a\":\0}", 7 }));
    assert_null(json_read((struct slice) { NULL, 0 }));
}

static void nothing_behind_the_slice_is_read(void **state)
{
    auto_json struct json *object = json_read((struct slice) { "{\"a\":1}garbage", 7 });

    (void)state;
    assert_int_equal(json_get_number(object, "a", 0), 1);
}

static void brackets_without_end_are_no_document(void **state)
{
    auto_text struct text deep = text_init(256 * 1024);

    (void)state;
    while (!deep.has_overflowed)
        text_add(&deep, "[", 1);
    assert_null(json_read(text_slice(&deep)));
}

static void of_a_key_that_comes_twice_the_last_counts(void **state)
{
    auto_json struct json *object = json_read(slice_of("{\"a\":1,\"a\":{},\"a\":\"last\"}"));

    (void)state;
    assert_string_equal(json_get_text(object, "a"), "last");
    assert_null(json_get_object(object, "a"));
}

/* One member of each kind. */
static const char KINDS[] =
    "{\"object\":{\"inner\":\"x\"},\"array\":[1],\"text\":\"words\",\"empty\":\"\",\"number\":-7,\"real\":7.0,"
    "\"true\":true,\"null\":null}";

static void a_member_is_had_by_its_key_and_kind(void **state)
{
    auto_json struct json *object = json_read(slice_of(KINDS));

    (void)state;
    assert_string_equal(json_get_text(json_get_object(object, "object"), "inner"), "x");
    assert_string_equal(json_get_text(object, "text"), "words");
    assert_string_equal(json_get_text(object, "empty"), "");
    assert_int_equal(json_get_number(object, "number", 0), -7);
}

static void a_member_of_another_kind_is_none(void **state)
{
    static const char *const keys[] = { "object", "array", "text", "empty", "number",
                                        "real",   "true",  "null", "none",  "" };
    auto_json struct json *object = json_read(slice_of(KINDS));

    (void)state;
    for (size_t i = 0; i < array_length(keys); i++) {
        assert_int_equal(json_get_object(object, keys[i]) != NULL, i == 0);
        assert_int_equal(json_get_text(object, keys[i]) != NULL, i == 2 || i == 3);
        assert_int_equal(json_get_number(object, keys[i], 99), i == 4 ? -7 : 99);
    }
}

static void what_is_no_object_has_no_members(void **state)
{
    auto_json struct json *array = json_read(slice_of("[{\"a\":1}]"));
    const struct json *const nothing[] = { NULL, array };

    (void)state;
    for (size_t i = 0; i < array_length(nothing); i++) {
        assert_null(json_get_object(nothing[i], "a"));
        assert_null(json_get_text(nothing[i], "a"));
        assert_int_equal(json_get_number(nothing[i], "a", 5), 5);
    }
    json_free(NULL);
}

static void items_are_had_by_their_number(void **state)
{
    auto_json struct json *object = json_read(slice_of("{\"a\":[{\"b\":1},{\"b\":2}],\"c\":3}"));
    const struct json *array = json_get_array(object, "a");

    (void)state;
    assert_int_equal(json_get_number(json_item(array, 1), "b", 0), 2);
    assert_null(json_item(array, 2));
    assert_null(json_item(object, 0));
    assert_null(json_item(NULL, 0));
    assert_null(json_get_array(object, "c"));
}

static void a_member_can_be_changed_where_it_stands(void **state)
{
    auto_text struct text out = text_init(256);
    struct json *object = json_read(slice_of("{\"a\":{\"b\":1,\"c\":2},\"d\":3}"));

    (void)state;
    json_set_number(json_get_object(object, "a"), "b", 5);
    json_set_text(object, "d", "x");
    json_write(object, false, &out);
    assert_string_equal(out.at, "{\"a\":{\"b\":5,\"c\":2},\"d\":\"x\"}");
}

static void what_a_terminal_or_a_ci_acts_on_is_escaped(void **state)
{
    struct json *object = json_new_object();
    auto_text struct text out = text_init(200);

    (void)state;
    json_set_text(object, "a",
                  "\x7F \xC2\x9B"
                  "2J \xC2\xA0ü ##vso[x] \033");
    json_write(object, false, &out);
    assert_string_equal(out.at, "{\"a\":\"\\u007F \\u009B2J \xC2\xA0ü \\u0023#vso[x] \\u001B\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_terminal_or_a_ci_acts_on_is_escaped),
        cmocka_unit_test(text_is_escaped_and_bad_bytes_are_replaced),
        cmocka_unit_test(an_object_keeps_the_order_of_its_keys),
        cmocka_unit_test(a_key_set_twice_holds_the_later_value),
        cmocka_unit_test(values_nest_and_can_be_indented),
        cmocka_unit_test(what_is_written_is_added_to_what_is_there),
        cmocka_unit_test(a_value_that_is_added_is_kept),
        cmocka_unit_test(what_is_read_is_written_as_it_was),
        cmocka_unit_test(what_is_no_document_is_not_read),
        cmocka_unit_test(nothing_behind_the_slice_is_read),
        cmocka_unit_test(brackets_without_end_are_no_document),
        cmocka_unit_test(of_a_key_that_comes_twice_the_last_counts),
        cmocka_unit_test(a_member_is_had_by_its_key_and_kind),
        cmocka_unit_test(a_member_of_another_kind_is_none),
        cmocka_unit_test(what_is_no_object_has_no_members),
        cmocka_unit_test(items_are_had_by_their_number),
        cmocka_unit_test(a_member_can_be_changed_where_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
