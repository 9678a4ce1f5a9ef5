#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "check.h"

static void a_buffer_keeps_what_fits_and_remembers_the_rest(void **state)
{
    auto_text struct text text = text_init(5);

    (void)state;
    text_add_string(&text, "abc");
    text_add_string(&text, "def");
    assert_string_equal(text.at, "abc");
    assert_true(text.has_overflowed);
    text_add_string(&text, "de");
    assert_string_equal(text.at, "abcde");
}

static void a_buffer_grows_to_its_bound(void **state)
{
    auto_text struct text text = text_init(100000);

    (void)state;
    for (int i = 0; i < 100000; i++)
        text_add(&text, "x", 1);
    assert_false(text.has_overflowed);
    assert_int_equal(text.length, 100000);
    text_add_format(&text, "%d", 1);
    assert_true(text.has_overflowed);
}

static void trimming_leaves_the_inside_alone(void **state)
{
    (void)state;
    assert_true(slice_equals(slice_trim(slice_of(" \t a b\r\n\v\f")), "a b"));
    assert_true(slice_equals(slice_trim(slice_of("  ")), ""));
    assert_true(slice_equals(slice_trim(slice_of(NULL)), ""));
}

static void utf8_is_judged_as_the_standard_does(void **state)
{
    static const struct {
        const char *text;
        bool is_valid;
        size_t bad;
    } cases[] = {
        { "plain", true, 0 },
        { "ü € 😀", true, 0 },
        { "a\xff", false, 1 },
        { "\xc0\xaf", false, 0 },
        { "x\xe0\x80\xaf", false, 1 },
        { "\xed\xa0\x80", false, 0 },
        { "\xf4\x90\x80\x80", false, 0 },
        { "ab\xe2\x82", false, 2 },
        { "\x80", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t bad = 0;

        assert_int_equal(utf8_is_valid(cases[i].text, strlen(cases[i].text), &bad), cases[i].is_valid);
        assert_int_equal(bad, cases[i].bad);
    }
}

static void characters_are_counted_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(utf8_count("aü€😀", strlen("aü€😀")), 4);
    assert_int_equal(utf8_offset("aü€😀", strlen("aü€😀"), 3), 6);
    assert_int_equal(utf8_offset("ab", 2, 9), 2);
    assert_int_equal(utf8_count("\xff\xff", 2), 2);
}

static void what_is_cut_ends_in_an_ellipsis(void **state)
{
    char target[8];

    (void)state;
    text_copy_cut(target, sizeof target, "short");
    assert_string_equal(target, "short");
    text_copy_cut(target, sizeof target, "too long for it");
    assert_string_equal(target, "too …");
    text_copy_cut(target, sizeof target, "€€€€");
    assert_string_equal(target, "€…");
}

static void what_others_wrote_cannot_steer_a_terminal_or_pass_for_a_line_of_ours(void **state)
{
    auto_text struct text text = text_init(200);

    (void)state;
    text_add_shown(&text, "\033[2Ja\tb\xC2\x9Bü\r\ntidelock: done", 4);
    assert_string_equal(text.at, "?[2Ja b?ü?\n    tidelock: done");
}

static void invalid_utf8_is_shown_as_such(void **state)
{
    auto_text struct text text = text_init(200);

    (void)state;
    text_add_shown(&text,
                   "a\x9B"
                   "2Jb\xFFü\xE2\x82",
                   0);
    assert_string_equal(text.at,
                        "a\xEF\xBF\xBD"
                        "2Jb\xEF\xBF\xBD"
                        "ü\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void one_line_stays_one_line(void **state)
{
    auto_text struct text text = text_init(200);

    (void)state;
    text_add_shown_line(&text, "a\r\nb\tc");
    assert_string_equal(text.at, "a??b c");
}

static void nothing_of_others_is_a_command_to_a_ci(void **state)
{
    static const struct {
        const char *before;
        const char *text;
        const char *shown;
    } cases[] = {
        { "", "::error::x", ": :error::x" },
        { "", "  ::error::x", "  : :error::x" },
        { "", "\xC2\xA0::error::x", "\xC2\xA0: :error::x" },
        { "tidelock: ", "::error::x", "::error::x" },
        { "tidelock: ", "a\n::error::x", "a\n  : :error::x" },
        { "tidelock: ", "1::int\n2::int", "1::int\n  2::int" },
        { "", "a ##[error]x", "a # #[error]x" },
        { "", "##vso[task.x]", "# #vso[task.x]" },
        { "", "###[x] ## [y] ##", "## #[x] ## [y] ##" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto_text struct text text = text_init(200);
        auto_text struct text wanted = text_init(200);

        text_add_string(&text, cases[i].before);
        text_add_shown(&text, cases[i].text, 2);
        text_add_format(&wanted, "%s%s", cases[i].before, cases[i].shown);
        assert_string_equal(text.at, wanted.at);
    }
}

static void add_cut(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_add_format_cut_list(text, format, arguments);
    va_end(arguments);
}

static void what_exceeds_a_bound_is_cut_where_that_is_wanted(void **state)
{
    auto_text struct text text = text_init(10);

    (void)state;
    add_cut(&text, "%s", "123456789");
    assert_string_equal(text.at, "123456789");
    text_reset(&text);
    add_cut(&text, "%s", "1234567890");
    assert_string_equal(text.at, "1234567890");
    text_reset(&text);
    add_cut(&text, "a %s", "€€€€");
    assert_string_equal(text.at, "a €…");
    assert_int_equal(text.length, strlen(text.at));
    assert_false(text.has_overflowed);
    add_cut(&text, "%s", "more than fits");
    assert_int_equal(text.length, strlen(text.at));
}

static void distance_counts_edits_and_swaps(void **state)
{
    (void)state;
    assert_int_equal(names_distance("deploy", "deploy"), 0);
    assert_int_equal(names_distance("depoly", "deploy"), 1);
    assert_int_equal(names_distance("deply", "deploy"), 1);
    assert_int_equal(names_distance("", "abc"), 3);
    assert_int_equal(names_distance("ca", "abc"), 3);
}

static void the_nearest_name_is_found_and_a_far_one_is_not(void **state)
{
    static const char *const names[] = { "lock-timeout", "leader-timeout", "strict" };

    (void)state;
    assert_string_equal(names_nearest(names, 3, "lock-timeuot"), "lock-timeout");
    assert_string_equal(names_nearest(names, 3, "srtict"), "strict");
    assert_null(names_nearest(names, 3, "password"));
    assert_int_equal(names_find(names, 3, slice_of("strict")), 2);
    assert_int_equal(names_find(names, 3, slice_of("stric")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_keeps_what_fits_and_remembers_the_rest),
        cmocka_unit_test(a_buffer_grows_to_its_bound),
        cmocka_unit_test(trimming_leaves_the_inside_alone),
        cmocka_unit_test(utf8_is_judged_as_the_standard_does),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(what_is_cut_ends_in_an_ellipsis),
        cmocka_unit_test(what_others_wrote_cannot_steer_a_terminal_or_pass_for_a_line_of_ours),
        cmocka_unit_test(invalid_utf8_is_shown_as_such),
        cmocka_unit_test(one_line_stays_one_line),
        cmocka_unit_test(nothing_of_others_is_a_command_to_a_ci),
        cmocka_unit_test(what_exceeds_a_bound_is_cut_where_that_is_wanted),
        cmocka_unit_test(distance_counts_edits_and_swaps),
        cmocka_unit_test(the_nearest_name_is_found_and_a_far_one_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
