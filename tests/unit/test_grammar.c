#include "base/memory.h"
#include "check.h"
#include "sql/grammar.h"

static void a_statement_is_read_as_what_it_changes(void **state)
{
    static const struct {
        const char *sql;
        enum action action;
        unsigned traits;
        const char *table;
        const char *other;
        const char *object;
    } rows[] = {
        { "ALTER TABLE s.\"T\" ADD COLUMN c int DEFAULT 5", ACTION_ADD_COLUMN, TRAIT_DEFAULT, "T", "", "c" },
        { "ALTER TABLE t ADD c uuid NOT NULL DEFAULT gen_random_uuid()", ACTION_ADD_COLUMN,
          TRAIT_DEFAULT | TRAIT_VOLATILE, "t", "", "c" },
        { "ALTER TABLE t ADD c timestamptz DEFAULT now()", ACTION_ADD_COLUMN, TRAIT_DEFAULT, "t", "", "c" },
        { "ALTER TABLE t ADD c int DEFAULT f(1)", ACTION_ADD_COLUMN, TRAIT_DEFAULT | TRAIT_OWN_FUNCTION, "t",
          "", "c" },
        { "ALTER TABLE t ADD c int NOT NULL", ACTION_ADD_COLUMN, TRAIT_NOT_NULL, "t", "", "c" },
        { "ALTER TABLE t ADD c int DEFAULT NULL", ACTION_ADD_COLUMN, 0, "t", "", "c" },
        { "ALTER TABLE t ADD c bigserial", ACTION_ADD_COLUMN, TRAIT_SERIAL, "t", "", "c" },
        { "ALTER TABLE t ADD c mood REFERENCES u", ACTION_ADD_COLUMN, TRAIT_OWN_TYPE | TRAIT_REFERENCES, "t",
          "u", "c" },
        { "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID", ACTION_ADD_CHECK, TRAIT_NOT_VALID, "t",
          "", "k" },
        { "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES u", ACTION_ADD_FOREIGN_KEY, 0, "t", "u",
          "k" },
        { "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", ACTION_CREATE_INDEX,
          TRAIT_CONCURRENTLY | TRAIT_UNIQUE, "t", "", "i" },
        { "REINDEX (CONCURRENTLY) TABLE t", ACTION_REINDEX, TRAIT_CONCURRENTLY, "t", "", "" },
        { "VACUUM (FULL) t", ACTION_VACUUM, TRAIT_FULL, "t", "", "" },
        { "UPDATE t SET a = 1", ACTION_UPDATE, TRAIT_NO_WHERE, "t", "", "" },
        { "INSERT INTO t VALUES (1)", ACTION_INSERT, 0, "t", "", "" },
        { "INSERT INTO t SELECT 1", ACTION_INSERT, TRAIT_FROM_QUERY, "t", "", "" },
        { "SELECT f()", ACTION_CODE, 0, "", "", "" },
        { "SELECT now()", ACTION_QUERY, 0, "", "", "" },
        { "DROP TRIGGER r ON s.t", ACTION_DROP_TRIGGER, 0, "t", "", "r" },
        { "ALTER TABLE t RENAME a TO b", ACTION_RENAME_COLUMN, 0, "t", "b", "a" },
        { "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)", ACTION_CREATE_PARTITION, 0, "p", "p1", "" },
        { "CREATE OPERATOR CLASS c FOR TYPE int USING btree AS STORAGE int", ACTION_UNKNOWN, 0, "", "", "" },
    };
    auto_changes struct changes changes = { .count = 0 };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        const struct change *change;

        if (!grammar_read(slice_of(rows[i].sql), &changes))
            fail_msg("not read: %s: %s", rows[i].sql, changes.problem);
        change = &changes.items[0];
        if (change->action != rows[i].action || change->traits != rows[i].traits)
            fail_msg("%s: action %d, traits %x", rows[i].sql, (int)change->action, change->traits);
        assert_string_equal(change->table.name, rows[i].table);
        assert_string_equal(change->other.name, rows[i].other);
        assert_string_equal(change->object, rows[i].object);
    }
}

static void an_update_names_what_it_assigns(void **state)
{
    auto_changes struct changes changes = { .count = 0 };

    (void)state;
    assert_true(grammar_read(slice_of("UPDATE t SET a = 1, (b, \"C\") = (2, 3) WHERE d"), &changes));
    assert_int_equal(changes.items[0].key.count, 3);
    assert_string_equal(changes.items[0].key.columns[2], "C");
    assert_true(grammar_read(slice_of("UPDATE t SET a = 1, b = 1, c = 1, d = 1, e = 1"), &changes));
    assert_int_equal(changes.items[0].key.count, 0);
}

static void each_part_of_an_alter_table_is_a_change_with_its_own_definition(void **state)
{
    static const char sql[] =
        "ALTER TABLE t ADD a numeric(8, 2), ADD CONSTRAINT k CHECK (f(a, 1)), DROP b, "
        "ALTER c TYPE int[] USING ARRAY[a, 1], DROP d";
    auto_changes struct changes changes = { .count = 0 };

    (void)state;
    assert_true(grammar_read(slice_of(sql), &changes));
    assert_int_equal(changes.count, 5);
    assert_memory_equal(sql + changes.items[3].start, "int[] USING ARRAY[a, 1], DROP", 29);
    assert_int_equal(changes.items[3].end - changes.items[3].start, 23);
    assert_memory_equal(sql + changes.items[0].start, "a numeric(8, 2), ADD", 20);
    assert_int_equal(changes.items[0].end - changes.items[0].start, 15);
    assert_memory_equal(sql + changes.items[1].start, "CONSTRAINT k CHECK (f(a, 1)), DROP", 34);
    assert_int_equal(changes.items[1].end - changes.items[1].start, 28);
    assert_int_equal(changes.items[2].end, 0);
}

static void what_the_grammar_does_not_know_is_said(void **state)
{
    static const char *const rows[] = {
        "ALTER TABLE t ADD c int GENERATED ALWAYS AS (a) VIRTUAL",
        "nonsense",
        "SELECT 1; SELECT 2",
        "",
    };
    auto_changes struct changes changes = { .count = 0 };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        assert_false(grammar_read(slice_of(rows[i]), &changes));
        assert_int_equal(changes.count, 0);
    }
    assert_true(grammar_read(slice_of("SELECT 1"), &changes));
    assert_string_equal(changes.problem, "");
}

static void an_expression_that_is_too_deep_may_do_anything(void **state)
{
    enum { TERMS = 500000 };
    auto_text struct text sql = text_init(4 * TERMS);
    auto_changes struct changes changes = { .count = 0 };

    (void)state;
    text_add_string(&sql, "SELECT 1");
    for (int i = 0; i < TERMS; i++)
        text_add_string(&sql, "+1");
    assert_true(grammar_read(text_slice(&sql), &changes));
    assert_int_equal(changes.items[0].action, ACTION_CODE);
}

static void the_columns_of_a_key_are_read_where_there_is_nothing_but_columns(void **state)
{
    static const struct {
        const char *sql;
        size_t count;
        const char *last;
        size_t other_count;
    } rows[] = {
        { "CREATE UNIQUE INDEX ON t (a, \"B\")", 2, "B", 0 },
        { "CREATE INDEX ON t (a)", 0, "", 0 },
        { "CREATE UNIQUE INDEX ON t (lower(a))", 0, "", 0 },
        { "CREATE UNIQUE INDEX ON t (a text_pattern_ops)", 0, "", 0 },
        { "CREATE UNIQUE INDEX ON t (a COLLATE \"C\")", 0, "", 0 },
        { "CREATE UNIQUE INDEX ON t (a) WHERE b", 0, "", 0 },
        { "CREATE UNIQUE INDEX ON t (a) NULLS NOT DISTINCT", 0, "", 0 },
        { "CREATE UNIQUE INDEX ON t (a, b, c, d, e)", 0, "", 0 },
        { "ALTER TABLE t ADD UNIQUE (a, b, c, d)", 4, "d", 0 },
        { "ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (a)", 0, "", 0 },
        { "ALTER TABLE t ADD PRIMARY KEY USING INDEX i", 0, "", 0 },
        { "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u", 1, "a", 0 },
        { "ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES u (x, y)", 2, "b", 2 },
        { "ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES u (x, y) MATCH FULL", 0, "", 0 },
    };
    auto_changes struct changes changes = { .count = 0 };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        const struct change *change;

        assert_true(grammar_read(slice_of(rows[i].sql), &changes));
        change = &changes.items[0];
        if (change->key.count != rows[i].count || change->other_key.count != rows[i].other_count)
            fail_msg("%s: %zu and %zu columns", rows[i].sql, change->key.count, change->other_key.count);
        if (change->key.count > 0)
            assert_string_equal(change->key.columns[change->key.count - 1], rows[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_is_read_as_what_it_changes),
        cmocka_unit_test(the_columns_of_a_key_are_read_where_there_is_nothing_but_columns),
        cmocka_unit_test(an_update_names_what_it_assigns),
        cmocka_unit_test(each_part_of_an_alter_table_is_a_change_with_its_own_definition),
        cmocka_unit_test(what_the_grammar_does_not_know_is_said),
        cmocka_unit_test(an_expression_that_is_too_deep_may_do_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
