#include "base/memory.h"
#include "check.h"
#include "sql/subject.h"

static void names_are_read_as_the_catalogs_hold_them(void **state)
{
    static const struct {
        const char *sql;
        struct subject expected;
    } rows[] = {
        { "REINDEX INDEX CONCURRENTLY S.\"I\"",
          { .kind = SUBJECT_INDEX, .is_concurrent = true, .schema = "s", .name = "I" } },
        { "reindex (verbose, concurrently) table t",
          { .kind = SUBJECT_TABLE, .is_concurrent = true, .name = "t" } },
        { "REINDEX (CONCURRENTLY off) SCHEMA s", { .kind = SUBJECT_SCHEMA, .name = "s" } },
        { "REINDEX DATABASE CONCURRENTLY", { .kind = SUBJECT_DATABASE, .is_concurrent = true } },
        { "REINDEX DATABASE d", { .kind = SUBJECT_DATABASE, .name = "d" } },
        { "CREATE DATABASE \"D x\" OWNER o", { .kind = SUBJECT_DATABASE, .is_create = true, .name = "D x" } },
        { "DROP DATABASE IF EXISTS d (FORCE)", { .kind = SUBJECT_DATABASE, .is_drop = true, .name = "d" } },
        { "CREATE TABLESPACE s LOCATION '/x'",
          { .kind = SUBJECT_TABLESPACE, .is_create = true, .name = "s" } },
        { "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
          { .kind = SUBJECT_SUBSCRIPTION, .is_create = true, .name = "s" } },
        { "ALTER TABLE IF EXISTS ONLY a.p * DETACH PARTITION b.c CONCURRENTLY",
          { .kind = SUBJECT_PARTITION, .schema = "b", .name = "c", .parent_schema = "a", .parent = "p" } },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        const struct subject *expected = &rows[i].expected;
        struct subject found;

        if (!subject_parse(slice_of(rows[i].sql), &found))
            fail_msg("not read: %s", rows[i].sql);
        assert_int_equal(found.kind, expected->kind);
        assert_int_equal(found.is_create, expected->is_create);
        assert_int_equal(found.is_drop, expected->is_drop);
        assert_int_equal(found.is_concurrent, expected->is_concurrent);
        assert_string_equal(found.schema, expected->schema);
        assert_string_equal(found.name, expected->name);
        assert_string_equal(found.parent_schema, expected->parent_schema);
        assert_string_equal(found.parent, expected->parent);
    }
}

static void what_it_cannot_read_it_leaves_alone(void **state)
{
    static const char *const rows[] = {
        "",
        "REINDEX",
        "REINDEX SYSTEM d",
        "REINDEX (verbose INDEX i",
        "REINDEX INDEX",
        "CREATE DATABASE",
        "CREATE DATABASE U&\"d\"",
        "CREATE TABLE t ()",
        "DROP INDEX i",
        "ALTER TABLE p DETACH",
        "ALTER TABLE p DETACH PARTITION",
        "ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1)",
        "VACUUM t",
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        struct subject subject = { .name = "untouched" };

        if (subject_parse(slice_of(rows[i]), &subject))
            fail_msg("read: %s", rows[i]);
        assert_string_equal(subject.name, "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_as_the_catalogs_hold_them),
        cmocka_unit_test(what_it_cannot_read_it_leaves_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
