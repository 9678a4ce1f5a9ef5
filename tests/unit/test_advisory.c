#include <string.h>

#include "check.h"
#include "postgres/advisory.h"

static void only_a_key_that_was_not_to_be_had_is_lost(void **state)
{
    static const char *const others[] = { "57014", "55P03", "40001", "" };
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        error_set(&err, ERROR_CLEAN, "canceling statement due to statement timeout");
        strcpy(err.sqlstate, others[i]);
        assert_false(advisory_failed(&err));
        assert_int_equal(err.class, ERROR_CLEAN);
    }
    strcpy(err.sqlstate, "22012");
    assert_false(advisory_failed(&err));
    assert_int_equal(err.class, ERROR_LEADER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_key_that_was_not_to_be_had_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
