#include <math.h>

#include "backfill/pace.h"
#include "check.h"

static void it_begins_small_and_within_its_bounds(void **state)
{
    (void)state;
    assert_int_equal(pace_begin(150, 100, 50000).rows, 500);
    assert_int_equal(pace_begin(150, 1000, 50000).rows, 1000);
    assert_int_equal(pace_begin(150, 10, 200).rows, 200);
}

/* Every row takes a hundredth of a millisecond: 15,000 of them take the target. */
static void it_finds_the_size_that_takes_the_target(void **state)
{
    struct pace pace = pace_begin(150, 100, 50000);

    (void)state;
    for (int i = 0; i < 40; i++)
        pace_steer(&pace, (double)pace.rows * 0.01);
    assert_true(fabs((double)pace.rows - 15000) < 1500);
}

/* Half of the batches take three times as long as the others: hardly one of the larger ones gets to the
 * limit. */
static void where_batches_differ_they_are_smaller(void **state)
{
    struct pace even = pace_begin(150, 100, 50000);
    struct pace uneven = pace_begin(150, 100, 50000);

    (void)state;
    for (int i = 0; i < 100; i++) {
        pace_steer(&even, (double)even.rows * 0.02);
        pace_steer(&uneven, (double)uneven.rows * (i % 2 == 0 ? 0.01 : 0.03));
    }
    assert_true(uneven.rows < even.rows);
    assert_true((double)uneven.rows * 0.03 < PACE_LIMIT * 150);
}

/* Those that are thrown away are learnt from, too: the next ones do not run into the limit again. */
static void after_a_limit_it_grows_slowly(void **state)
{
    struct pace pace = pace_begin(150, 100, 50000);
    int64_t before;

    (void)state;
    for (int i = 0; i < 40; i++)
        pace_steer(&pace, (double)pace.rows * 0.01);
    before = pace.rows;
    pace_halve(&pace, 300);
    pace_steer(&pace, (double)pace.rows * 0.01);
    pace_steer(&pace, (double)pace.rows * 0.01);
    assert_in_range(pace.rows, before / 2, before - 1);
}

static void no_step_is_larger_than_its_factors(void **state)
{
    struct pace pace = pace_begin(150, 100, 50000);

    (void)state;
    pace_steer(&pace, 0.001);
    assert_int_equal(pace.rows, 750);
    pace_steer(&pace, 1000000);
    assert_int_equal(pace.rows, 375);
    for (int i = 0; i < 20; i++)
        pace_steer(&pace, 1000000);
    assert_int_equal(pace.rows, 100);
    assert_true(pace_is_too_slow(&pace));
}

static void halving_ends_at_the_least(void **state)
{
    struct pace pace = pace_begin(150, 200, 50000);

    (void)state;
    pace_halve(&pace, 300);
    assert_int_equal(pace.rows, 250);
    assert_false(pace_is_smallest(&pace));
    pace_halve(&pace, 300);
    assert_int_equal(pace.rows, 200);
    assert_true(pace_is_smallest(&pace));
    pace_halve(&pace, 300);
    assert_int_equal(pace.rows, 200);
}

static void for_a_lock_it_goes_down_to_one_row_and_back_by_doubling(void **state)
{
    struct pace pace = pace_begin(150, 200, 50000);

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_true(pace_yield(&pace));
    assert_int_equal(pace.rows, 1);
    assert_false(pace_yield(&pace));
    pace_halve(&pace, 300);
    assert_int_equal(pace.rows, 1);
    for (int64_t rows = 2; rows < 200; rows *= 2) {
        pace_steer(&pace, 0.001);
        assert_int_equal(pace.rows, rows);
    }
    pace_steer(&pace, 0.001);
    assert_int_equal(pace.rows, 200);
}

static void what_is_left_is_a_range(void **state)
{
    struct pace pace = pace_begin(150, 100, 50000);
    int64_t least;
    int64_t most;

    (void)state;
    for (int i = 0; i < 4; i++)
        pace_note(&pace, 0.01, 100);
    assert_false(pace_left(&pace, 0.5, &least, &most));
    for (int i = 0; i < 4; i++)
        pace_note(&pace, 0.01, 200);
    pace_note(&pace, 0, 1000); /* nothing is learnt from that */
    assert_true(pace_left(&pace, 0.5, &least, &most));
    assert_int_equal(least, 5000);
    assert_int_equal(most, 10000);
    assert_true(pace_left(&pace, 1, &least, &most));
    assert_int_equal(most, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_small_and_within_its_bounds),
        cmocka_unit_test(it_finds_the_size_that_takes_the_target),
        cmocka_unit_test(where_batches_differ_they_are_smaller),
        cmocka_unit_test(after_a_limit_it_grows_slowly),
        cmocka_unit_test(no_step_is_larger_than_its_factors),
        cmocka_unit_test(halving_ends_at_the_least),
        cmocka_unit_test(for_a_lock_it_goes_down_to_one_row_and_back_by_doubling),
        cmocka_unit_test(what_is_left_is_a_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
