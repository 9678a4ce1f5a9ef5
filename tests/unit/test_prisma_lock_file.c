#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/prisma_lock_file.h"
#include "scratch.h"

static const char FILE_NAME[] = "migration_lock.toml";

static void the_first_line_with_the_provider_decides(void **state)
{
    static const char *const good[] = {
        "provider = \"postgresql\"\n",
        "provider = \"postgresql\"",
        "provider = postgresql\n",
        "provider = \"\"postgresql\"\"\n",
        "provider = provider = \"postgresql\"\n",
        "# do not edit\r\nprovider = \"postgresql\"\r\n",
        "\n\n# provider = \"mysql\"\nprovider = \"postgresql\"\n",
        "provider = \"postgresql\"\nprovider = \"mysql\"\n",
    };

    (void)state;
    for (size_t i = 0; i < array_length(good); i++) {
        struct error err = { .class = ERROR_NONE };

        if (!prisma_lock_file_parse(FILE_NAME, slice_of(good[i]), &err))
            fail_msg("refused: %s", good[i]);
    }
}

static void anything_else_is_refused_at_its_line(void **state)
{
    static const struct {
        const char *text;
        size_t line;
    } bad[] = {
        { "provider = \"mysql\"\n", 1 },
        { "provider = \"cockroachdb\"\n", 1 },
        { "provider = \"postgres\"\n", 1 },
        { "# one\n\nprovider = \"sqlite\"\n", 3 },
        { "provider=\"postgresql\"\n", 1 },
        { "provider  = \"postgresql\"\n", 1 },
        { "provider =  \"postgresql\"\n", 1 },
        { " provider = \"postgresql\"\n", 1 },
        { "provider = \"postgresql\" \n", 1 },
        { "provider = \"postgresql\" # why\n", 1 },
        { "provider = 'postgresql'\n", 1 },
        { "\"provider\" = \"postgresql\"\n", 1 },
        { "\xEF\xBB\xBFprovider = \"postgresql\"\n", 1 },
        { "provider_x = 1\nprovider = \"postgresql\"\n", 1 },
        { "provider = \"postgresql\"\r", 1 },
        { "provider", 1 },
        { "", 1 },
    };

    (void)state;
    for (size_t i = 0; i < array_length(bad); i++) {
        struct error err = { .class = ERROR_NONE };

        if (prisma_lock_file_parse(FILE_NAME, slice_of(bad[i].text), &err))
            fail_msg("accepted: %s", bad[i].text);
        assert_int_equal(err.class, ERROR_REFUSED);
        assert_string_equal(err.code, "P3019");
        assert_string_equal(err.place.file, FILE_NAME);
        assert_int_equal(err.place.line, bad[i].line);
        assert_true(err.hint[0] != '\0');
    }
}

static void the_message_names_the_provider(void **state)
{
    struct error err;

    (void)state;
    assert_false(prisma_lock_file_parse(FILE_NAME, slice_of("provider = \"mysql\"\n"), &err));
    assert_string_equal(err.message, "the migrations are written for \"mysql\", not for \"postgresql\"");
    assert_false(prisma_lock_file_parse(FILE_NAME, slice_of("x = 1\n"), &err));
    assert_non_null(strstr(err.message, "could not find the migrations' provider in migration_lock.toml"));
}

static void a_folder_without_the_file_is_not_checked(void **state)
{
    struct error err;

    (void)state;
    scratch_make_directory("none");
    assert_true(prisma_lock_file_check("none", &err));
}

static void a_file_that_cannot_be_read_is_not_checked(void **state)
{
    struct error err;

    (void)state;
    scratch_make_directory("odd");
    scratch_make_directory("odd/migration_lock.toml");
    assert_true(prisma_lock_file_check("odd", &err));
}

static void the_file_of_the_folder_is_checked(void **state)
{
    struct error err;

    (void)state;
    scratch_make_directory("right");
    scratch_write("right/migration_lock.toml", "provider = \"postgresql\"\n", 24);
    assert_true(prisma_lock_file_check("right", &err));
    scratch_make_directory("wrong");
    scratch_write("wrong/migration_lock.toml", "provider = \"mysql\"\n", 19);
    assert_false(prisma_lock_file_check("wrong", &err));
    assert_string_equal(err.place.file, "wrong/migration_lock.toml");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_with_the_provider_decides),
        cmocka_unit_test(anything_else_is_refused_at_its_line),
        cmocka_unit_test(the_message_names_the_provider),
        cmocka_unit_test(a_folder_without_the_file_is_not_checked),
        cmocka_unit_test(a_file_that_cannot_be_read_is_not_checked),
        cmocka_unit_test(the_file_of_the_folder_is_checked),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
