#include "base/memory.h"
#include "check.h"
#include "sql/update_statement.h"

static void a_range_is_put_beside_its_own_condition(void **state)
{
    static const struct {
        const char *sql;
        const char *alias;
        const char *with_range;
    } rows[] = {
        { "UPDATE t SET a = 1", "t", "UPDATE t SET a = 1\nWHERE (R)" },
        { "UPDATE t SET a = 1 -- all", "t", "UPDATE t SET a = 1 -- all\nWHERE (R)" },
        { "update only S.\"T\" * set a = b where a or b", "T",
          "update only S.\"T\" * set a = b where ( a or b\n) AND (R)" },
        { "UPDATE t x SET a = (SELECT 1 WHERE true) FROM o WHERE x.id = o.id -- same", "x",
          "UPDATE t x SET a = (SELECT 1 WHERE true) FROM o WHERE ( x.id = o.id -- same\n) AND (R)" },
        { "UPDATE t AS \"X\" SET (a, b) = (1, 2), c = 'where'", "X",
          "UPDATE t AS \"X\" SET (a, b) = (1, 2), c = 'where'\nWHERE (R)" },
        { "UPDATE ONLY (S.t) AS set SET a = o.where FROM o", "set",
          "UPDATE ONLY (S.t) AS set SET a = o.where FROM o\nWHERE (R)" },
        { "UPDATE t SET a[1] = ARRAY[1, 2], b.c = x[y = 1] WHERE current > 1", "t",
          "UPDATE t SET a[1] = ARRAY[1, 2], b.c = x[y = 1] WHERE ( current > 1\n) AND (R)" },
        { "UPDATE t SET a = 1. WHERE b", "t", "UPDATE t SET a = 1. WHERE ( b\n) AND (R)" },
        { "UPDATE t SET a = 1.FROM o WHERE a IS DISTINCT FROM b.returning", "t",
          "UPDATE t SET a = 1.FROM o WHERE ( a IS DISTINCT FROM b.returning\n) AND (R)" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_text struct text out = text_init(1024);
        struct update_statement update;
        struct error err;

        if (!update_statement_parse(slice_of(rows[i].sql), true, &update, &err))
            fail_msg("not read: %s: %s", rows[i].sql, err.message);
        assert_string_equal(update.alias, rows[i].alias);
        update_statement_add(slice_of(rows[i].sql), &update, "(R)", &out);
        assert_string_equal(out.at, rows[i].with_range);
    }
}

static void what_it_sets_is_known(void **state)
{
    static const struct {
        const char *sql;
        const char *columns; /* in order, with a blank after each */
    } rows[] = {
        { "UPDATE t SET a = f(1, 2), (B, \"C\") = (x, y), d = e FROM o, p WHERE z IN (1, 2)", "a b C d " },
        { "UPDATE t SET a = b IS DISTINCT FROM 7, c = 1", "a c " },
        { "UPDATE t SET a = b IS NOT DISTINCT FROM (SELECT 1 FROM x), c = 1 FROM o, p", "a c " },
        { "UPDATE t SET a = ARRAY[1, 2], b[1, 2] = 3, c.d.e = 4, (f[1], g.h) = (1, 2)", "a b c f g " },
        { "UPDATE t SET a = (o).distinct FROM o, p", "a " },
        { "UPDATE t SET a = o.from, b = (o).where, c = 1 FROM o, p", "a b c " },
        { "UPDATE t SET a = EXTRACT(day FROM b), c = CASE WHEN d THEN 1 END", "a c " },
        { "UPDATE t SET a = DEFAULT, (b) = ROW (1), (c, d) = (SELECT 1, 2)", "a b c d " },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_text struct text columns = text_init(1024);
        struct update_statement update;
        struct error err;

        if (!update_statement_parse(slice_of(rows[i].sql), true, &update, &err))
            fail_msg("not read: %s: %s", rows[i].sql, err.message);
        for (size_t j = 0; j < update.column_count; j++)
            text_add_format(&columns, "%s ", update.columns[j]);
        assert_string_equal(columns.at, rows[i].columns);
    }
}

/* Only if the condition is false for a row as soon as that is done. */
static void what_can_be_repeated_is_known(void **state)
{
    static const struct {
        const char *sql;
        bool is_repeatable;
    } rows[] = {
        { "UPDATE t SET a = 1", false },
        { "UPDATE t SET a = 1 WHERE a IS NULL", true },
        { "UPDATE t x SET a = 1, b = 2 WHERE c > 1 AND x.b IS NULL -- yet", true },
        { "UPDATE t SET a = 1 WHERE \"a\" is null and (c or d)", true },
        { "UPDATE t SET a = 1 WHERE a IS NULL OR b", false },
        { "UPDATE t SET a = 1 WHERE b AND a IS NULL OR c", false },
        { "UPDATE t SET a = 1 WHERE b IS NULL", false },
        { "UPDATE t SET a = 1 WHERE o.a IS NULL", false },
        { "UPDATE t SET a = 1 WHERE NOT a IS NULL", false },
        { "UPDATE t SET a = 1 WHERE a IS NULL = b", false },
        { "UPDATE t SET a = 1 WHERE x BETWEEN 1 AND a IS NULL", false },
        { "UPDATE t SET a = a + 1 WHERE a < 5", false },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        struct update_statement update;
        struct error err;

        assert_true(update_statement_parse(slice_of(rows[i].sql), true, &update, &err));
        if (update_statement_is_repeatable(slice_of(rows[i].sql), true, &update) != rows[i].is_repeatable)
            fail_msg("wrong: %s", rows[i].sql);
    }
}

static void a_backslash_escapes_where_the_server_says_so(void **state)
{
    static const char SQL[] = "UPDATE t SET a = '\\', b = ' WHERE '";
    struct update_statement update;
    struct error err;

    (void)state;
    assert_true(update_statement_parse(slice_of(SQL), true, &update, &err));
    assert_int_equal(update.column_count, 2);
    assert_true(
        update_statement_parse(slice_of("UPDATE t SET a = '\\', b = 1 WHERE '"), false, &update, &err));
    assert_int_equal(update.column_count, 1);
}

static void what_can_not_be_done_in_parts_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "DELETE FROM t",
        "WITH x AS (SELECT 1) UPDATE t SET a = 1",
        "UPDATE t",
        "UPDATE t SET",
        "UPDATE U&\"t\" SET a = 1",
        "UPDATE t SET a = 1 RETURNING a",
        "UPDATE t SET a = 1 WHERE a = 2 RETURNING a",
        "UPDATE t SET a = 1 WHERE CURRENT OF c",
        "UPDATE t SET (a, b = 1",
        "UPDATE t SET a",
        "UPDATE t SET a.b",
        "UPDATE t SET a[1 = 2",
        "UPDATE t SET a = 1 RETURNING o.returning",
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        struct update_statement update;
        struct error err;

        if (update_statement_parse(slice_of(rows[i]), true, &update, &err))
            fail_msg("read: %s", rows[i]);
        assert_int_equal(err.class, ERROR_CLEAN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_put_beside_its_own_condition),
        cmocka_unit_test(what_it_sets_is_known),
        cmocka_unit_test(what_can_be_repeated_is_known),
        cmocka_unit_test(a_backslash_escapes_where_the_server_says_so),
        cmocka_unit_test(what_can_not_be_done_in_parts_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
