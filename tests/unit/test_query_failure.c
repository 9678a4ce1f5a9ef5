#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "postgres/query_failure.h"

static void a_time_out_and_a_server_in_trouble_may_be_tried_again(void **state)
{
    static const struct {
        const char *sqlstate;
        enum error_class class;
    } cases[] = {
        { "57014", ERROR_TABLE_LOCK },  { "55P03", ERROR_TABLE_LOCK },  { "25P04", ERROR_TABLE_LOCK },
        { "40001", ERROR_TABLE_LOCK },  { "40P01", ERROR_TABLE_LOCK },  { "53100", ERROR_UNREACHABLE },
        { "58030", ERROR_UNREACHABLE }, { "XX001", ERROR_UNREACHABLE }, { "42939", ERROR_DENIED },
        { "22P02", ERROR_DENIED },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct error err;

        error_set(&err, ERROR_CLEAN, "boom");
        strcpy(err.sqlstate, cases[i].sqlstate);
        assert_false(query_failure_explain(&err, "Nothing was changed."));
        if (err.class != cases[i].class)
            fail_msg("%s: class %d", cases[i].sqlstate, err.class);
        assert_string_equal(err.holds, "Nothing was changed.");
        assert_true(err.hint[0] != '\0' && strstr(err.hint, "…") == NULL);
    }
}

static void what_somebody_knows_better_stays(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_DENIED, "permission denied");
    strcpy(err.sqlstate, "42501");
    error_holds(&err, "One row.");
    error_hint(&err, "GRANT it.");
    assert_false(query_failure_explain(&err, "Nothing was changed."));
    assert_int_equal(err.class, ERROR_DENIED);
    assert_string_equal(err.holds, "One row.");
    assert_string_equal(err.hint, "GRANT it.");
}

static void what_is_no_query_s_failure_stays_as_it_is(void **state)
{
    static const struct {
        enum error_class class;
        const char *sqlstate;
    } cases[] = {
        { ERROR_CLEAN, "" },       { ERROR_LOST, "57P01" },
        { ERROR_USAGE, "" },       { ERROR_UNREACHABLE, "57P03" },
        { ERROR_BUDGET, "53300" }, { ERROR_LEADER, "" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct error err;

        error_set(&err, cases[i].class, "boom");
        strcpy(err.sqlstate, cases[i].sqlstate);
        assert_false(query_failure_explain(&err, "Nothing was changed."));
        assert_int_equal(err.class, cases[i].class);
        assert_string_equal(err.holds, "");
        assert_string_equal(err.hint, "");
    }
}

static void who_was_stopped_hears_what_there_is(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_INTERRUPTED, "stopped by SIGTERM");
    assert_false(query_failure_explain(&err, "Nothing was changed."));
    assert_int_equal(err.class, ERROR_INTERRUPTED);
    assert_string_equal(err.holds, "Nothing was changed.");
    assert_string_equal(err.hint, "Type the same again.");
    error_hint(&err, "Deploy again.");
    error_holds(&err, "One migration.");
    assert_false(query_failure_explain(&err, "Nothing was changed."));
    assert_string_equal(err.holds, "One migration.");
    assert_string_equal(err.hint, "Deploy again.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_out_and_a_server_in_trouble_may_be_tried_again),
        cmocka_unit_test(what_somebody_knows_better_stays),
        cmocka_unit_test(what_is_no_query_s_failure_stays_as_it_is),
        cmocka_unit_test(who_was_stopped_hears_what_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
