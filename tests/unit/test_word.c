#include "check.h"
#include "fleet/word.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct slice text;

static bool takes(struct word *out, const char *from)
{
    text = slice_of(from);
    return word_take(&text, out);
}

static void what_is_added_is_taken_in_the_same_order(void **state)
{
    auto_text struct text all = text_init(8000);
    struct word word = { .key = KEY };

    (void)state;
    for (int kind = 0; kind < WORD_KINDS; kind++) {
        word.kind = (enum word_kind)kind;
        word_add(&word, &all);
    }
    text = text_slice(&all);
    for (int kind = 0; kind < WORD_KINDS; kind++) {
        struct word got;

        assert_true(word_take(&text, &got));
        assert_int_equal(got.kind, kind);
        assert_string_equal(got.key, KEY);
    }
    assert_false(word_take(&text, &word));
}

static void so_many_fit_into_a_notification(void **state)
{
    auto_text struct text all = text_init(7999);

    (void)state;
    for (int i = 0; i < WORDS_IN_TEXT; i++)
        word_add(&(const struct word) { WORD_DONE, KEY }, &all);
    assert_false(all.has_overflowed);
}

static void what_is_none_of_ours_is_left(void **state)
{
    const char *const others[] = {
        "",
        "d",
        "hello",
        ("d" KEY) + 1,
        "?" KEY,
        "dX123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "d0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
    };
    struct word word;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(takes(&word, others[i]));
    assert_true(takes(&word, "d" KEY "rest"));
    assert_int_equal(word.kind, WORD_DONE);
    assert_false(word_take(&text, &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_taken_in_the_same_order),
        cmocka_unit_test(so_many_fit_into_a_notification),
        cmocka_unit_test(what_is_none_of_ours_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
