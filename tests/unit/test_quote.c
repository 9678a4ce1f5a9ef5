#include "base/memory.h"
#include "check.h"
#include "sql/quote.h"
#include "sql/scan.h"

enum { TEXT_MOST = 1000 };

static void names_are_always_quoted(void **state)
{
    static const char *const rows[][2] = {
        { "users", "\"users\"" }, { "Users", "\"Users\"" },       { "a\"b\"", "\"a\"\"b\"\"\"" },
        { "\"", "\"\"\"\"" },     { "größe;--", "\"größe;--\"" }, { "a\\b", "\"a\\b\"" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_text struct text text = text_init(TEXT_MOST);

        quote_identifier(rows[i][0], &text);
        assert_string_equal(text.at, rows[i][1]);
    }
}

static void values_are_strings_in_every_setting(void **state)
{
    static const char *const rows[][2] = {
        { "", "''" },       { "it's", "'it''s'" },    { "'", "''''" },
        { "a;b", "'a;b'" }, { "a\\b", " E'a\\\\b'" }, { "\\'", " E'\\\\'''" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_text struct text text = text_init(TEXT_MOST);

        quote_literal(rows[i][0], &text);
        assert_string_equal(text.at, rows[i][1]);
        for (int standard = 0; standard <= 1; standard++) {
            struct scanner scanner = scanner_of(slice_of(text.at), standard == 1);

            assert_int_equal(scan_token(&scanner).kind, TOKEN_STRING);
            assert_int_equal(scan_token(&scanner).kind, TOKEN_END);
        }
    }
}

static void text_is_added_behind_what_is_there(void **state)
{
    auto_text struct text text = text_init(TEXT_MOST);

    (void)state;
    text_add_string(&text, "SET x TO");
    quote_literal("\\", &text);
    text_add_string(&text, ", ");
    quote_identifier("y", &text);
    assert_string_equal(text.at, "SET x TO E'\\\\', \"y\"");
}

static void elements_of_an_array_are_quoted(void **state)
{
    auto_text struct text text = text_init(TEXT_MOST);

    (void)state;
    quote_element("a,b {}", &text);
    text_add_string(&text, ",");
    quote_element("it's \"\\", &text);
    quote_element("", &text);
    assert_string_equal(text.at, "\"a,b {}\",\"it's \\\"\\\\\"\"\"");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_always_quoted),
        cmocka_unit_test(values_are_strings_in_every_setting),
        cmocka_unit_test(text_is_added_behind_what_is_there),
        cmocka_unit_test(elements_of_an_array_are_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
