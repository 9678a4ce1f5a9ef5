#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "dialect/prisma_lock_file.h"

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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_with_the_provider_decides),
        cmocka_unit_test(anything_else_is_refused_at_its_line),
        cmocka_unit_test(the_message_names_the_provider),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
