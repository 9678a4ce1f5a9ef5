#include "check.h"
#include "schema/duration.h"

static struct duration_range of(enum work work, double rows, int64_t indexes, double speed)
{
    return duration_estimate(work,
                             &(const struct duration_table) {
                                 .rows = rows, .pages = rows / 60, .indexes = indexes, .speed = speed });
}

static void a_range_grows_with_the_table_and_a_rewrite_with_its_indexes(void **state)
{
    struct duration_range scan = of(WORK_SCAN, 1e6, 3, 1);
    struct duration_range index = of(WORK_INDEX, 1e6, 3, 1);
    struct duration_range few = of(WORK_REWRITE, 1e6, 1, 1);
    struct duration_range many = of(WORK_REWRITE, 1e6, 4, 1);

    (void)state;
    assert_true(0 < scan.least_ms && scan.least_ms < scan.most_ms);
    assert_true(scan.most_ms < index.most_ms && index.most_ms < few.most_ms);
    assert_true(few.least_ms < many.least_ms && few.most_ms < many.most_ms);
    assert_int_equal(of(WORK_INDEX, 2e6, 3, 1).least_ms, 2 * index.least_ms);
    assert_int_equal(of(WORK_INDEX, 1e6, 3, 2).least_ms, 2 * index.least_ms);
}

static void without_work_or_a_measure_there_is_no_range(void **state)
{
    (void)state;
    assert_int_equal(of(WORK_INSTANT, 1e6, 0, 1).most_ms, 0);
    assert_int_equal(of(WORK_INDEX, 1e6, 0, 0).most_ms, 0);
    assert_true(duration_speed(0, 20000, 60) <= 0);
    assert_true(duration_speed(1, 0, 60) <= 0);
}

static void speed_is_that_of_the_server_whatever_the_width_of_its_rows(void **state)
{
    (void)state;
    assert_true(duration_speed(0.7, 20000, 226) > 0.8 && duration_speed(0.7, 20000, 226) < 1.2);
    assert_true(duration_speed(2.5, 20000, 17) > 0.8 && duration_speed(2.5, 20000, 17) < 1.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_grows_with_the_table_and_a_rewrite_with_its_indexes),
        cmocka_unit_test(without_work_or_a_measure_there_is_no_range),
        cmocka_unit_test(speed_is_that_of_the_server_whatever_the_width_of_its_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
