#include "base/memory.h"
#include "check.h"
#include "traffic/retry.h"

static void the_wait_for_a_table_grows_to_a_second(void **state)
{
    static const int64_t expected[] = { 25, 30, 60, 120, 250, 500, 1000, 1000, 1000 };
    struct retry retry = { .tries = 0 };

    (void)state;
    for (size_t i = 0; i < array_length(expected); i++) {
        assert_int_equal(retry_lock_timeout_ms(&retry, WAIT_TABLE), expected[i]);
        retry_count(&retry, 50);
    }
}

static void no_try_ever_waits_without_end(void **state)
{
    struct retry retry = { .tries = 0 };

    (void)state;
    for (int i = 0; i < 1000; i++) {
        for (int wait = WAIT_TABLE; wait <= WAIT_ROWS; wait++) {
            int64_t ms = retry_lock_timeout_ms(&retry, (enum retry_wait)wait);

            assert_true(ms > 0 && ms <= 60 * 1000);
        }
        retry_count(&retry, 50);
    }
}

static void what_the_user_said_is_taken(void **state)
{
    struct retry retry = { .lock_timeout_ms = 77, .tries = 3 };

    (void)state;
    for (int wait = WAIT_TABLE; wait <= WAIT_ROWS; wait++)
        assert_int_equal(retry_lock_timeout_ms(&retry, (enum retry_wait)wait), 77);
}

static void rows_are_waited_for_longer_but_not_beyond_the_end(void **state)
{
    struct retry retry = { .retry_for_ms = 25 * 1000 };

    (void)state;
    assert_int_equal(retry_lock_timeout_ms(&retry, WAIT_ROWS), 10 * 1000);
    retry_count(&retry, 10 * 1000);
    assert_true(retry_lock_timeout_ms(&retry, WAIT_ROWS) <= 15 * 1000);
    retry = (struct retry) { .retry_for_ms = 2000 };
    assert_int_equal(retry_lock_timeout_ms(&retry, WAIT_ROWS), 2000);
    retry_count(&retry, 2000);
    assert_int_equal(retry_lock_timeout_ms(&retry, WAIT_ROWS), 25);
    assert_true(patience_is_over(&retry.patience));
    retry = (struct retry) { .retry_for_ms = 0 };
    assert_int_equal(retry_lock_timeout_ms(&retry, WAIT_ROWS), 10 * 1000);
}

static void rests_grow_within_bounds(void **state)
{
    struct retry retry = { .tries = 0 };

    (void)state;
    for (int i = 0; i < 100; i++) {
        int64_t rest = retry_rest_ms(&retry);

        assert_true(rest >= 200 && rest <= 20 * 1000);
        if (i == 0)
            assert_true(rest <= 500);
        retry_count(&retry, 50);
    }
}

static void only_what_others_caused_is_worth_a_try(void **state)
{
    (void)state;
    assert_int_equal(retry_reason_of("55P03"), RETRY_LOCK_TIMEOUT);
    assert_int_equal(retry_reason_of("40P01"), RETRY_DEADLOCK);
    assert_int_equal(retry_reason_of("40001"), RETRY_SERIALIZATION);
    assert_int_equal(retry_reason_of("42P01"), RETRY_REASONS);
    assert_int_equal(retry_reason_of(""), RETRY_REASONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_for_a_table_grows_to_a_second),
        cmocka_unit_test(no_try_ever_waits_without_end),
        cmocka_unit_test(what_the_user_said_is_taken),
        cmocka_unit_test(rows_are_waited_for_longer_but_not_beyond_the_end),
        cmocka_unit_test(rests_grow_within_bounds),
        cmocka_unit_test(only_what_others_caused_is_worth_a_try),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
