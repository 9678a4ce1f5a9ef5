#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/prisma_checksum.h"

static const char *sum_of(const char *bytes, size_t length)
{
    static char hex[SHA256_HEX_SIZE];

    prisma_checksum_of((struct slice) { .at = bytes, .length = length }, hex);
    return hex;
}

static bool is_sum_of(const char *stored, const char *script)
{
    return prisma_checksum_matches(stored, slice_of(script));
}

/* As old versions stored it: each byte's hexadecimal digits without a zero in front. */
static const char *old_sum_of(const char *script)
{
    static char old[SHA256_HEX_SIZE];
    char hex[SHA256_HEX_SIZE];
    size_t length = 0;

    prisma_checksum_of(slice_of(script), hex);
    for (size_t i = 0; i < SHA256_HEX_SIZE - 1; i += 2) {
        if (hex[i] != '0')
            old[length++] = hex[i];
        old[length++] = hex[i + 1];
    }
    old[length] = '\0';
    return old;
}

static void of_valid_text_it_is_the_sum_of_the_bytes(void **state)
{
    (void)state;
    assert_string_equal(sum_of("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(sum_of("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(sum_of("\xEF\xBB\xBF"
                               "a\r\n",
                               6),
                        "ea3948106c12d96eaf84d4bb8be214b194c3442acb99a3005251960b0ec2ba63");
}

static void each_broken_sequence_counts_as_a_replacement_character(void **state)
{
    static const struct {
        const char *bytes;
        const char *decoded;
    } cases[] = {
        { "SELECT 'caf\xE9';", "SELECT 'caf\uFFFD';" },
        { "\xFF", "\uFFFD" },
        { "\x80\xBF", "\uFFFD\uFFFD" },
        { "\xC0\xAF", "\uFFFD\uFFFD" },                               /* overlong */
        { "\xE0\x80\xAF", "\uFFFD\uFFFD\uFFFD" },                     /* overlong */
        { "\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD" },                     /* surrogate */
        { "\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD" },           /* above U+10FFFF */
        { "\xF8\x88\x80\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD" }, /* no such lead byte */
        { "\xE2\x82", "\uFFFD" }, /* cut at the end: one start of a character */
        { "\xE2\x82x", "\uFFFDx" },
        { "\xF0\x9F\x98", "\uFFFD" },
        { "\xF0\x9F\x98\n\xF0\x9F", "\uFFFD\n\uFFFD" },
        { "\xC3\xC3\xA9", "\uFFFDé" },
        { "é\xE2\x82\xAC\xE2\x82", "é€\uFFFD" },
    };

    (void)state;
    /* What Prisma stored for the first of them. */
    assert_string_equal(sum_of("SELECT 'caf\xE9';\n", 15),
                        "4743b769fb770bd67cfb440b447d63e92d8519396f211a716d25f094efea2aa8");
    for (size_t i = 0; i < array_length(cases); i++) {
        char wanted[SHA256_HEX_SIZE];

        prisma_checksum_of(slice_of(cases[i].decoded), wanted);
        assert_string_equal(sum_of(cases[i].bytes, strlen(cases[i].bytes)), wanted);
    }
}

static void line_endings_do_not_make_an_edit(void **state)
{
    char unix_sum[SHA256_HEX_SIZE];
    char windows_sum[SHA256_HEX_SIZE];

    (void)state;
    prisma_checksum_of(slice_of("a;\nb;\n"), unix_sum);
    prisma_checksum_of(slice_of("a;\r\nb;\r\n"), windows_sum);
    assert_true(is_sum_of(unix_sum, "a;\nb;\n"));
    assert_true(is_sum_of(unix_sum, "a;\r\nb;\r\n"));
    assert_true(is_sum_of(windows_sum, "a;\nb;\n"));
    assert_true(is_sum_of(windows_sum, "a;\r\nb;\r\n"));
    assert_true(is_sum_of(unix_sum, "a;\r\nb;\n"));
    assert_false(is_sum_of(unix_sum, "a;\rb;\r"));
    assert_false(is_sum_of(unix_sum, "a;\nb;"));
    assert_false(is_sum_of(unix_sum, "A;\nb;\n"));
}

static void every_line_feed_gains_a_return_even_after_one(void **state)
{
    char mixed[SHA256_HEX_SIZE];
    char doubled[SHA256_HEX_SIZE];

    (void)state;
    prisma_checksum_of(slice_of("a;\r\nb;\n"), mixed);
    prisma_checksum_of(slice_of("a;\r\r\nb;\r\n"), doubled);
    assert_true(is_sum_of(doubled, "a;\r\nb;\n"));
    assert_false(is_sum_of(mixed, "a;\nb;\n"));
    assert_false(is_sum_of(mixed, "a;\r\nb;\r\n"));
}

static void a_sum_without_zero_padding_is_understood(void **state)
{
    static const char *const scripts[] = { "", "CREATE TABLE a (id int);\n", "x\ny\n", "1" };

    (void)state;
    for (size_t i = 0; i < array_length(scripts); i++) {
        const char *old = old_sum_of(scripts[i]);

        assert_true(is_sum_of(old, scripts[i]));
        assert_false(is_sum_of(old, "something else"));
    }
    assert_true(strlen(old_sum_of("SELECT 1;\n")) < SHA256_HEX_SIZE - 1);
    assert_true(is_sum_of(old_sum_of("SELECT 1;\n"), "SELECT 1;\r\n"));
    assert_true(strlen(old_sum_of("SELECT 1;\r\n")) < SHA256_HEX_SIZE - 1);
    assert_true(is_sum_of(old_sum_of("SELECT 1;\r\n"), "SELECT 1;\n"));
}

static void what_is_no_sum_belongs_to_no_script(void **state)
{
    static const char *const stored[] = {
        "",
        "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
        " ",
    };

    (void)state;
    for (size_t i = 0; i < array_length(stored); i++)
        assert_false(is_sum_of(stored[i], ""));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_valid_text_it_is_the_sum_of_the_bytes),
        cmocka_unit_test(each_broken_sequence_counts_as_a_replacement_character),
        cmocka_unit_test(line_endings_do_not_make_an_edit),
        cmocka_unit_test(every_line_feed_gains_a_return_even_after_one),
        cmocka_unit_test(a_sum_without_zero_padding_is_understood),
        cmocka_unit_test(what_is_no_sum_belongs_to_no_script),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
