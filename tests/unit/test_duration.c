#include "check.h"
#include "schema/duration.h"

static void a_range_grows_with_the_table_and_a_rewrite_with_its_indexes(void **state)
{
    struct duration_range scan = duration_estimate(WORK_SCAN, 100, 3);
    struct duration_range index = duration_estimate(WORK_INDEX, 100, 3);
    struct duration_range few = duration_estimate(WORK_REWRITE, 100, 1);
    struct duration_range many = duration_estimate(WORK_REWRITE, 100, 4);

    (void)state;
    assert_true(0 < scan.least_ms && scan.least_ms < scan.most_ms);
    assert_int_equal(duration_estimate(WORK_SCAN, 200, 3).least_ms, 2 * scan.least_ms);
    assert_true(scan.most_ms < index.most_ms && index.most_ms < few.most_ms);
    assert_true(few.least_ms < many.least_ms && few.most_ms < many.most_ms);
}

static void without_work_or_a_measure_there_is_no_range(void **state)
{
    (void)state;
    assert_int_equal(duration_estimate(WORK_INSTANT, 100, 0).most_ms, 0);
    assert_int_equal(duration_estimate(WORK_INDEX, 0, 0).most_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_grows_with_the_table_and_a_rewrite_with_its_indexes),
        cmocka_unit_test(without_work_or_a_measure_there_is_no_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
