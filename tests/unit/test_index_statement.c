#include "base/memory.h"
#include "check.h"
#include "sql/index_statement.h"

static void names_are_read_as_the_catalogs_hold_them(void **state)
{
    static const struct {
        const char *sql;
        struct index_statement expected;
    } rows[] = {
        { "CREATE INDEX i ON t (a)", { .name = "i", .table = "t" } },
        { "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"Ab\"\"c\" ON ONLY Public.\"T x\" USING btree (a)",
          { .is_unique = true,
            .is_concurrent = true,
            .has_guard = true,
            .name = "Ab\"c",
            .table_schema = "public",
            .table = "T x" } },
        { "create /* x */ index concurrently on MyTable (a)", { .is_concurrent = true, .table = "mytable" } },
        { "CREATE INDEX if ON t (a)", { .name = "if", .table = "t" } },
        { "CREATE INDEX i ON d . s . t (a)", { .name = "i", .table_schema = "s", .table = "t" } },
        { "CREATE INDEX GRÖSSE ON t (a)", { .name = "grÖsse", .table = "t" } },
        { "DROP INDEX CONCURRENTLY S.\"I\"",
          { .is_drop = true, .is_concurrent = true, .schema = "s", .name = "I" } },
        { "DROP INDEX IF EXISTS i CASCADE", { .is_drop = true, .has_guard = true, .name = "i" } },
        { "DROP INDEX if", { .is_drop = true, .name = "if" } },
        { "DROP INDEX i;", { .is_drop = true, .name = "i" } },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        const struct index_statement *expected = &rows[i].expected;
        struct index_statement found;

        if (!index_statement_parse(slice_of(rows[i].sql), &found))
            fail_msg("not read: %s", rows[i].sql);
        assert_int_equal(found.is_drop, expected->is_drop);
        assert_int_equal(found.is_concurrent, expected->is_concurrent);
        assert_int_equal(found.is_unique, expected->is_unique);
        assert_int_equal(found.has_guard, expected->has_guard);
        assert_string_equal(found.schema, expected->schema);
        assert_string_equal(found.name, expected->name);
        assert_string_equal(found.table_schema, expected->table_schema);
        assert_string_equal(found.table, expected->table);
    }
}

static void what_it_cannot_read_it_leaves_alone(void **state)
{
    static const char *const rows[] = {
        "",
        "CREATE TABLE t ()",
        "CREATE INDEX",
        "CREATE INDEX i",
        "CREATE INDEX i ON",
        "CREATE INDEX i ON (a)",
        "CREATE INDEX U&\"i\" ON t (a)",
        "CREATE INDEX \"\" ON t (a)",
        "CREATE INDEX i ON a.b.c.d (a)",
        "CREATE INDEX i ON \"t",
        "DROP TABLE t",
        "DROP INDEX CONCURRENTLY a, b",
        "DROP INDEX",
        "REINDEX INDEX CONCURRENTLY i",
        "\"create\" INDEX i ON t (a)",
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        struct index_statement index = { .name = "untouched" };

        if (index_statement_parse(slice_of(rows[i]), &index))
            fail_msg("read: %s", rows[i]);
        assert_string_equal(index.name, "untouched");
    }
}

/* 62 times a, then what would be bytes 63 and 64 and more. */
#define SIXTY_TWO "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void long_names_are_cut_as_the_server_cuts_them(void **state)
{
    static const char *const rows[][2] = {
        { "DROP INDEX " SIXTY_TWO "b", SIXTY_TWO "b" },
        { "DROP INDEX " SIXTY_TWO "bcd", SIXTY_TWO "b" },
        { "DROP INDEX " SIXTY_TWO "ä", SIXTY_TWO },
        { "DROP INDEX " SIXTY_TWO "€", SIXTY_TWO },
        { "DROP INDEX \"" SIXTY_TWO "\"\"x\"", SIXTY_TWO "\"" },
        { "DROP INDEX \"" SIXTY_TWO "bä\"", SIXTY_TWO "b" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        struct index_statement index;

        assert_true(index_statement_parse(slice_of(rows[i][0]), &index));
        assert_string_equal(index.name, rows[i][1]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_as_the_catalogs_hold_them),
        cmocka_unit_test(what_it_cannot_read_it_leaves_alone),
        cmocka_unit_test(long_names_are_cut_as_the_server_cuts_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
