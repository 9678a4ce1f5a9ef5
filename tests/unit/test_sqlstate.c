#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "postgres/sqlstate.h"

static void a_code_is_known_by_itself_or_by_its_class(void **state)
{
    static const struct {
        const char *code;
        const char *row; /* "" = none of its own */
        enum error_class class;
        bool is_worth_reconnecting;
    } cases[] = {
        { "08006", "08", ERROR_LOST, true },
        { "08P01", "08P01", ERROR_REFUSED, true },
        { "25006", "25006", ERROR_READ_ONLY, false },
        { "25P03", "25P03", ERROR_LOST, true },
        { "25P04", "25P04", ERROR_CLEAN, false },
        { "28P01", "28P01", ERROR_LOGIN, false },
        { "28000", "28000", ERROR_LOGIN, false },
        { "3D000", "3D000", ERROR_LOGIN, false },
        { "40001", "40001", ERROR_TABLE_LOCK, false },
        { "40P01", "40P01", ERROR_TABLE_LOCK, false },
        { "42501", "42501", ERROR_DENIED, false },
        { "53300", "53300", ERROR_BUDGET, true },
        { "53200", "53", ERROR_CLEAN, true },
        { "55P03", "55P03", ERROR_TABLE_LOCK, false },
        { "57P01", "57P01", ERROR_LOST, true },
        { "57P02", "57P02", ERROR_LOST, true },
        { "57P03", "57P03", ERROR_UNREACHABLE, true },
        { "57P05", "57P05", ERROR_LOST, true },
        { "58030", "58", ERROR_CLEAN, true },
        { "XX000", "XX", ERROR_CLEAN, true },
        { "57014", "", ERROR_CLEAN, false },
        { "42601", "", ERROR_CLEAN, false },
        { "23505", "", ERROR_CLEAN, false },
        { "0", "", ERROR_CLEAN, false },
        { "", "", ERROR_CLEAN, false },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        const struct sqlstate *found = sqlstate_find(cases[i].code);

        assert_string_equal(found->code, cases[i].row);
        assert_int_equal(found->class, cases[i].class);
        assert_int_equal(found->is_worth_reconnecting, cases[i].is_worth_reconnecting);
    }
}

/* Of dblink, postgres_fdw or RAISE: our own session goes on. */
static void what_a_statement_says_of_another_session_is_its_own_failure(void **state)
{
    static const char *const codes[] = { "08000", "08006", "08P01", "25P03", "25P04", "28P01", "28000",
                                         "3D000", "53300", "57P01", "57P02", "57P03", "57P05" };

    (void)state;
    for (size_t i = 0; i < array_length(codes); i++) {
        assert_int_equal(sqlstate_of_statement(codes[i])->class, ERROR_CLEAN);
        assert_null(sqlstate_of_statement(codes[i])->prisma);
        assert_null(sqlstate_of_statement(codes[i])->hint);
    }
    assert_int_equal(sqlstate_of_statement("55P03")->class, ERROR_TABLE_LOCK);
    assert_int_equal(sqlstate_of_statement("42501")->class, ERROR_DENIED);
}

static void a_session_that_the_server_ends_is_lost_unless_a_limit_ended_it(void **state)
{
    static const char *const codes[] = { "08P01", "25P03", "53300", "57P01", "57P02",
                                         "57P03", "57P05", "XX000", "42601", "" };

    (void)state;
    for (size_t i = 0; i < array_length(codes); i++)
        assert_int_equal(sqlstate_of_end(codes[i])->class, ERROR_LOST);
    assert_int_equal(sqlstate_of_end("25P04")->class, ERROR_CLEAN);
}

static void the_codes_that_prisma_s_users_know_are_given(void **state)
{
    static const struct {
        const char *code;
        const char *prisma; /* NULL = none */
    } cases[] = {
        { "28P01", "P1000" }, { "28000", "P1010" }, { "42501", "P1010" }, { "3D000", "P1003" },
        { "08006", "P1017" }, { "57P01", "P1017" }, { "57P03", NULL },    { "42601", NULL },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        const char *prisma = sqlstate_find(cases[i].code)->prisma;

        assert_int_equal(prisma == NULL, cases[i].prisma == NULL);
        if (prisma != NULL)
            assert_string_equal(prisma, cases[i].prisma);
    }
}

/* What a person has to change comes with what to do. */
static void what_is_not_worth_reconnecting_has_a_hint(void **state)
{
    static const char *const codes[] = { "25006", "28P01", "28000", "3D000", "42501" };

    (void)state;
    for (size_t i = 0; i < array_length(codes); i++)
        assert_non_null(sqlstate_find(codes[i])->hint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_is_known_by_itself_or_by_its_class),
        cmocka_unit_test(what_a_statement_says_of_another_session_is_its_own_failure),
        cmocka_unit_test(a_session_that_the_server_ends_is_lost_unless_a_limit_ended_it),
        cmocka_unit_test(the_codes_that_prisma_s_users_know_are_given),
        cmocka_unit_test(what_is_not_worth_reconnecting_has_a_hint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
