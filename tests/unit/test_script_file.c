#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "history/script_file.h"
#include "scratch.h"

static const struct migration MIGRATION = { .name = "1_a", .script_path = "migration.sql" };

static bool is_text(const char *bytes, size_t length, struct error *err)
{
    return script_check_text(&DIALECT_PRISMA, "m/1_a/migration.sql",
                             (struct slice) { .at = bytes, .length = length }, err);
}

static void a_script_is_read_byte_for_byte(void **state)
{
    static const char bytes[] = "\xEF\xBB\xBFSELECT 1;\r\n\0\xFF";
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct error err;

    (void)state;
    scratch_write("migration.sql", bytes, sizeof bytes - 1);
    assert_true(migration_read(&DIALECT_PRISMA, &MIGRATION, &script, &err));
    assert_int_equal(script.length, sizeof bytes - 1);
    assert_memory_equal(script.at, bytes, sizeof bytes - 1);
}

static void a_script_may_be_a_link_or_empty(void **state)
{
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct error err;

    (void)state;
    scratch_write("shared.sql", "", 0);
    assert_int_equal(symlink("shared.sql", "migration.sql"), 0);
    assert_true(migration_read(&DIALECT_PRISMA, &MIGRATION, &script, &err));
    assert_int_equal(script.length, 0);
}

static void assert_not_found(void)
{
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct error err;

    assert_false(migration_read(&DIALECT_PRISMA, &MIGRATION, &script, &err));
    assert_int_equal(err.class, ERROR_REFUSED);
    assert_string_equal(err.code, "P3015");
    assert_non_null(strstr(err.message, "\"migration.sql\""));
    assert_true(err.hint[0] != '\0');
}

static void a_script_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    assert_not_found();
    assert_int_equal(symlink("nowhere", "migration.sql"), 0);
    assert_not_found();
    assert_int_equal(unlink("migration.sql"), 0);
    scratch_make_directory("migration.sql");
    assert_not_found();
}

/* The file is sparse: it is refused by its size, and not read. */
static void a_script_larger_than_a_message_is_refused(void **state)
{
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct error err;

    (void)state;
    scratch_write("migration.sql", "", 0);
    assert_int_equal(truncate("migration.sql", (off_t)SCRIPT_BYTES_MOST + 1), 0);
    assert_false(migration_read(&DIALECT_PRISMA, &MIGRATION, &script, &err));
    assert_int_equal(err.class, ERROR_REFUSED);
    assert_string_equal(err.code, "");
    assert_non_null(strstr(err.message, "larger than"));
    assert_non_null(strstr(err.hint, "split"));
}

static void text_that_can_be_sent_passes(void **state)
{
    static const char *const good[] = { "", "SELECT 1;\n", "\xEF\xBB\xBFSELECT 'größe 日本 😀';\r\n" };
    struct error err;

    (void)state;
    for (size_t i = 0; i < array_length(good); i++)
        assert_true(is_text(good[i], strlen(good[i]), &err));
}

static void what_is_no_text_is_refused_at_its_place(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        size_t line;
        size_t column;
    } cases[] = {
        { "SELECT 'caf\xE9';", 14, 1, 12 },
        { "SELECT 1;\n\n  'é\xE2\x82'", 18, 3, 5 },
        { "\xC0\xAF", 2, 1, 1 },
        { "a\nb\0c", 5, 2, 2 },
        { "S\0E\0", 4, 1, 2 },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct error err;

        assert_false(is_text(cases[i].bytes, cases[i].length, &err));
        assert_int_equal(err.class, ERROR_CLEAN);
        assert_string_equal(err.place.file, "m/1_a/migration.sql");
        assert_int_equal(err.place.line, cases[i].line);
        assert_int_equal(err.place.column, cases[i].column);
        assert_non_null(strstr(err.hint, "UTF-8"));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_script_is_read_byte_for_byte, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_script_may_be_a_link_or_empty, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_script_that_cannot_be_read_is_named, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_script_larger_than_a_message_is_refused, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test(text_that_can_be_sent_passes),
        cmocka_unit_test(what_is_no_text_is_refused_at_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
