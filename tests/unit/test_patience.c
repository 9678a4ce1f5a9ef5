#include "base/patience.h"
#include "check.h"

static void the_same_is_said_once(void **state)
{
    struct patience patience = { .until = deadline_in(1000) };

    (void)state;
    assert_true(patience_has_word(&patience, "pid 1"));
    assert_false(patience_has_word(&patience, "pid 1"));
    assert_false(patience_has_word(&patience, NULL));
    assert_true(patience_has_word(&patience, "pid 2"));
}

static void the_same_is_said_again_when_it_is_time(void **state)
{
    struct patience patience = { .until = deadline_in(1000) };

    (void)state;
    assert_true(patience_has_word(&patience, "pid 1"));
    patience.next_word = deadline_in(0);
    assert_true(patience_has_word(&patience, "pid 1"));
}

static void no_pause_outlasts_the_deadline(void **state)
{
    struct patience patience = { .until = deadline_in(10) };
    struct error err = { .class = ERROR_NONE };
    int64_t started = clock_now_ms();

    (void)state;
    assert_true(patience_pause(&patience, 60 * 1000, &err));
    assert_true(clock_now_ms() - started < 10 * 1000);
    assert_true(patience_is_over(&patience));
    assert_int_equal(patience.pauses, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_said_once),
        cmocka_unit_test(the_same_is_said_again_when_it_is_time),
        cmocka_unit_test(no_pause_outlasts_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
