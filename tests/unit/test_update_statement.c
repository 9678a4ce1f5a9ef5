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
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_text struct text out = text_init(1024);
        struct update_statement update;
        struct error err;

        if (!update_statement_parse(slice_of(rows[i].sql), &update, &err))
            fail_msg("not read: %s: %s", rows[i].sql, err.message);
        assert_string_equal(update.alias, rows[i].alias);
        update_statement_add(slice_of(rows[i].sql), &update, "(R)", &out);
        assert_string_equal(out.at, rows[i].with_range);
    }
}

static void what_it_sets_is_known(void **state)
{
    static const char SQL[] =
        "UPDATE t SET a = f(1, 2), (B, \"C\") = (x, y), d = e FROM o, p WHERE z IN (1, 2)";
    static const char *const columns[] = { "a", "b", "C", "d" };
    struct update_statement update;
    struct error err;

    (void)state;
    assert_true(update_statement_parse(slice_of(SQL), &update, &err));
    assert_int_equal(update.column_count, array_length(columns));
    for (size_t i = 0; i < array_length(columns); i++)
        assert_string_equal(update.columns[i], columns[i]);
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
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        struct update_statement update;
        struct error err;

        if (update_statement_parse(slice_of(rows[i]), &update, &err))
            fail_msg("read: %s", rows[i]);
        assert_int_equal(err.class, ERROR_CLEAN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_put_beside_its_own_condition),
        cmocka_unit_test(what_it_sets_is_known),
        cmocka_unit_test(what_can_not_be_done_in_parts_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
