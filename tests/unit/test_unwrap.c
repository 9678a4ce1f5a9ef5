#include "base/memory.h"
#include "check.h"
#include "sql/unwrap.h"

enum { TEXT_MOST = 1000 };

static void a_transaction_around_all_of_it_becomes_blank(void **state)
{
    static const char *const rows[][2] = {
        { "BEGIN; SELECT 1; COMMIT", "     ; SELECT 1;       " },
        { "-- a\nstart transaction;\nDROP TABLE t;\nEND WORK;\n-- b\n",
          "-- a\n                 ;\nDROP TABLE t;\n        ;\n-- b\n" },
        { "BEGIN; COMMIT;", "     ;       ;" },
        { "\xEF\xBB\xBF"
          "BEGIN; SELECT 1; COMMIT",
          "\xEF\xBB\xBF"
          "     ; SELECT 1;       " },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_text struct text text = text_init(TEXT_MOST);

        text_add_string(&text, rows[i][0]);
        script_unwrap(&text);
        assert_string_equal(text.at, rows[i][1]);
    }
}

static void anything_else_stays_as_it_is(void **state)
{
    static const char *const rows[] = {
        "",
        "SELECT 1",
        "SELECT 0; BEGIN; SELECT 1; COMMIT",
        "BEGIN; SELECT 1; COMMIT; SELECT 2",
        "BEGIN; SELECT 1",
        "BEGIN; SELECT 1; ROLLBACK",
        "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT",
        "BEGIN; SAVEPOINT s; COMMIT",
        "BEGIN READ ONLY, DEFERRABLE; SELECT 1; COMMIT",
        "BEGIN; SELECT 1; COMMIT AND CHAIN",
        "BEGIN; SELECT 1; COMMIT AND NO CHAIN",
        "BEGIN; SELECT 'never ends; COMMIT",
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_text struct text text = text_init(TEXT_MOST);

        text_add_string(&text, rows[i]);
        script_unwrap(&text);
        assert_string_equal(text.at == NULL ? "" : text.at, rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_around_all_of_it_becomes_blank),
        cmocka_unit_test(anything_else_stays_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
