#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "check.h"
#include "dialect/prisma_order.h"

enum { NAMES_MOST = 16 };

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

/* Every pair of a list that stands in order compares so, both ways round. */
static void assert_ordered(const char *const *names)
{
    for (size_t i = 0; i < NAMES_MOST && names[i] != NULL; i++) {
        for (size_t j = 0; j < NAMES_MOST && names[j] != NULL; j++) {
            int wanted = (i > j) - (i < j);

            struct order_key one = prisma_order_key_of(names[i]);
            struct order_key other = prisma_order_key_of(names[j]);

            if (sign(prisma_order_compare(names[i], names[j])) != wanted ||
                sign(prisma_order_compare_keys(&one, &other)) != wanted)
                fail_msg("\"%s\" against \"%s\" should be %d", names[i], names[j], wanted);
        }
    }
}

static void assert_lists_ordered(const char *const lists[][NAMES_MOST], size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_ordered(lists[i]);
}

static void names_sort_as_prisma_lists_them(void **state)
{
    static const char *const lists[][NAMES_MOST] = {
        { "1_init", "10_c", "2_b" },
        { "20230101_a", "202301010_a" },
        { "20240101000000_a", "20240101000000_A", "20240101000000_b", "20240101000000_B" },
        { "0_init", "0-x", "00_x" },
        { "a b", "a_b", "a-b", "a.b", "ab", "aB" },
        { "ä", "e", "é", "f", "Z" },
        { "0_x", "0-x", "1_init", "10_c", "2_b", "3_a", "3_B", "a b", "back\\slash", "dq\"x", "é1", "q'uote",
          "ü" },
    };

    (void)state;
    assert_lists_ordered(lists, array_length(lists));
}

static void blanks_and_signs_come_before_digits_and_digits_before_letters(void **state)
{
    static const char *const lists[][NAMES_MOST] = {
        { " ", "_", "-", ",", ";", ":", "!", "?", ".", "'", "\"", "(", ")", "[", "]", "{" },
        { "}", "@", "*", "/", "\\", "&", "#", "%", "`", "^", "+", "<", "=", ">", "|", "~" },
        { "~", "$", "0", "9", "a", "A", "b", "z", "Z" },
        { "!", "¡", "?", "¿", ".", "·", "'", "\"", "«", "»", "(", "}", "§", "¶", "@", "%" },
        { "`", "´", "^", "¯", "¨", "¸", "°", "©", "®", "+", "±", "÷", "×", "<", "¬", "¦" },
        { "~", "¤", "¢", "$", "£", "¥", "0", "1", "¹", "½", "¼", "2", "²", "³", "¾", "4" },
    };

    (void)state;
    assert_lists_ordered(lists, array_length(lists));
}

static void letters_decide_before_accents_and_accents_before_case(void **state)
{
    static const char *const lists[][NAMES_MOST] = {
        { "role", "Role", "rôle", "Rôle", "roles", "rôles" },
        { "a", "A", "ª", "á", "à", "ă", "â", "å", "ä", "ã", "ą", "ā", "b" },
        { "ad", "ae", "æ", "Æ", "af" },
        { "ss", "sS", "ß", "st" },
        { "d", "đ", "Đ", "ð", "e" },
        { "i", "I", "i\u0307", "İ", "iz", "ı", "j" },
        { "ij", "ĳ", "Ij", "IJ", "Ĳ", "ik" },
        { "l", "L", "ł", "Ł", "ŀ", "la" },
        { "n", "ñ", "nz", "ŋ", "Ŋ", "o", "º", "ø", "oe", "œ", "of" },
        { "q", "ĸ", "r" },
        { "s", "S", "š", "ſ", "t", "tz", "ŧ", "u", "z", "ž", "þ", "Þ", "ŉ", "µ" },
    };

    (void)state;
    assert_lists_ordered(lists, array_length(lists));
}

static void an_accent_may_be_a_character_of_its_own(void **state)
{
    static const char *const lists[][NAMES_MOST] = {
        { "cafe", "cafe\u0301", "café", "cafe\u0300", "cafè", "cafez" },
        { "ae\u0301", "áe", "az" },
        { "lla", "l·la", "ŀla", "llb" },
        { "n\u0303", "ñ", "N\u0303", "Ñ", "o" },
    };

    (void)state;
    assert_lists_ordered(lists, array_length(lists));
}

static void controls_and_soft_hyphens_weigh_nothing(void **state)
{
    static const char *const lists[][NAMES_MOST] = {
        { "a", "a\x01", "a\x7F", "a\xC2\x80", "a\u00AD", "ab",
          "a\x01"
          "c" },
    };

    (void)state;
    assert_lists_ordered(lists, array_length(lists));
}

static void what_weighs_the_same_is_ordered_by_bytes(void **state)
{
    (void)state;
    assert_int_equal(prisma_order_compare("same", "same"), 0);
    assert_int_equal(prisma_order_compare("", ""), 0);
    assert_true(prisma_order_compare("e\u0301", "é") < 0);
    assert_true(prisma_order_compare("", "\x01") < 0);
}

static void a_letter_outside_the_tables_comes_last_and_is_uncertain(void **state)
{
    static const char *const uncertain[] = { "日本",          "a–b",     "€",      "ẞ",
                                             "e\u0301\u0323", "é\u0323", "\u0301", "\xFF" };
    static const char *const certain[] = { "", "20240101_init", "größe", "e\u0301", "Þ·½", "a b\tc" };
    static const char *const lists[][NAMES_MOST] = { { "z", "þ", "ж", "日本", "日本a", "日本語" } };

    (void)state;
    assert_lists_ordered(lists, array_length(lists));
    for (size_t i = 0; i < array_length(uncertain); i++)
        assert_false(prisma_order_is_certain(uncertain[i]));
    for (size_t i = 0; i < array_length(certain); i++)
        assert_true(prisma_order_is_certain(certain[i]));
}

static void bytes_that_are_no_text_still_have_one_order(void **state)
{
    static const char *const names[] = { "a\xFF", "a\xC3", "a", "a\xE2\x82", "b\xFF", "\xFF" };

    (void)state;
    for (size_t i = 0; i < array_length(names); i++) {
        for (size_t j = 0; j < array_length(names); j++) {
            int there = sign(prisma_order_compare(names[i], names[j]));

            assert_int_equal(there, -sign(prisma_order_compare(names[j], names[i])));
            assert_int_equal(there == 0, i == j);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_sort_as_prisma_lists_them),
        cmocka_unit_test(blanks_and_signs_come_before_digits_and_digits_before_letters),
        cmocka_unit_test(letters_decide_before_accents_and_accents_before_case),
        cmocka_unit_test(an_accent_may_be_a_character_of_its_own),
        cmocka_unit_test(controls_and_soft_hyphens_weigh_nothing),
        cmocka_unit_test(what_weighs_the_same_is_ordered_by_bytes),
        cmocka_unit_test(a_letter_outside_the_tables_comes_last_and_is_uncertain),
        cmocka_unit_test(bytes_that_are_no_text_still_have_one_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
