#include "check.h"
#include "postgres/budget.h"

static struct budget server(void)
{
    return (struct budget) { .max_connections = 100,
                             .superuser_reserved = 3,
                             .reserved = 5,
                             .used = 40,
                             .role_limit = BUDGET_NO_LIMIT,
                             .role_used = 15,
                             .role_here = 10,
                             .database_limit = BUDGET_NO_LIMIT,
                             .database_used = 30 };
}

static void what_is_free_depends_on_who_asks(void **state)
{
    struct budget budget = server();

    (void)state;
    assert_int_equal(budget_free(&budget), 52);
    budget.may_use_reserved = true;
    assert_int_equal(budget_free(&budget), 57);
    budget.is_superuser = true;
    assert_int_equal(budget_free(&budget), 60);
    assert_int_equal(budget_room(&budget), 52);
}

static void the_tightest_limit_counts(void **state)
{
    struct budget budget = server();

    (void)state;
    budget.role_limit = 17;
    assert_int_equal(budget_free(&budget), 2);
    assert_int_equal(budget_room(&budget), 52);
    budget.database_limit = 31;
    assert_int_equal(budget_free(&budget), 1);
    assert_int_equal(budget_room(&budget), 1);
    budget.is_superuser = true;
    assert_int_equal(budget_free(&budget), 60);
}

static void nothing_is_ever_less_than_none(void **state)
{
    struct budget budget = server();

    (void)state;
    budget.role_limit = 0;
    assert_int_equal(budget_free(&budget), 0);
    budget.used = 200;
    budget.role_limit = BUDGET_NO_LIMIT;
    assert_int_equal(budget_free(&budget), 0);
    assert_int_equal(budget_room(&budget), 0);
    assert_int_equal(budget_share(&budget, 3, 20, 1), 0);
}

static void a_share_is_within_every_limit(void **state)
{
    struct budget budget = server();

    (void)state;
    /* What the role holds in other databases is not for this one's replicas. */
    budget.database_limit = 32;
    assert_int_equal(budget_share(&budget, 1, 1, 1), 10);
    budget.role_limit = 16;
    assert_int_equal(budget_share(&budget, 1, 1, 1), 9);
    /* Three too many are open, ten of them by this role. */
    budget.database_limit = 27;
    assert_int_equal(budget_free(&budget), 0);
    assert_int_equal(budget_share(&budget, 1, 1, 1), 5);
}

static void replicas_share_what_is_left_beside_us(void **state)
{
    struct budget budget = server();

    (void)state;
    /* 52 free and 10 theirs already, less 1 and 1. */
    assert_int_equal(budget_share(&budget, 1, 1, 1), 60);
    assert_int_equal(budget_share(&budget, 7, 1, 1), 8);
    assert_int_equal(budget_share(&budget, 61, 1, 1), 0);
    assert_int_equal(budget_share(&budget, 0, 1, 1), 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_free_depends_on_who_asks),
        cmocka_unit_test(the_tightest_limit_counts),
        cmocka_unit_test(nothing_is_ever_less_than_none),
        cmocka_unit_test(a_share_is_within_every_limit),
        cmocka_unit_test(replicas_share_what_is_left_beside_us),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
