#include "base/clock.h"
#include "check.h"

static void durations_need_a_unit(void **state)
{
    static const struct {
        const char *text;
        bool is_valid;
        int64_t ms;
    } cases[] = {
        { "250ms", true, 250 },
        { "5s", true, 5000 },
        { "10m", true, 600000 },
        { "10min", true, 600000 },
        { "1h30m", true, 5400000 },
        { "2d", true, 172800000 },
        { "0", true, 0 },
        { "0s", true, 0 },
        { "5", false, 0 },
        { "", false, 0 },
        { "s", false, 0 },
        { "-1s", false, 0 },
        { "1.5s", false, 0 },
        { "5 s", false, 0 },
        { "5S", false, 0 },
        { "99999999999999999999s", false, 0 },
        { "9223372036854775807d", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -7;

        assert_int_equal(duration_parse(slice_of(cases[i].text), &ms), cases[i].is_valid);
        assert_int_equal(ms, cases[i].is_valid ? cases[i].ms : -7);
    }
}

static void durations_are_written_for_people(void **state)
{
    char buffer[32];

    (void)state;
    assert_string_equal(duration_text(4, buffer, sizeof buffer), "4 ms");
    assert_string_equal(duration_text(1234, buffer, sizeof buffer), "1.2 s");
    assert_string_equal(duration_text(185000, buffer, sizeof buffer), "3 min 5 s");
    assert_string_equal(duration_text(7800000, buffer, sizeof buffer), "2 h 10 min");
    assert_string_equal(duration_text(60000, buffer, sizeof buffer), "1 min");
    assert_string_equal(duration_text(3599999, buffer, sizeof buffer), "59 min 59 s");
    assert_string_equal(duration_text(3600000, buffer, sizeof buffer), "1 h");
    assert_string_equal(duration_text(3659999, buffer, sizeof buffer), "1 h");
    assert_string_equal(duration_text(90060000, buffer, sizeof buffer), "25 h 1 min");
}

static void pauses_grow_to_a_bound_and_never_below_half(void **state)
{
    (void)state;
    for (unsigned attempt = 0; attempt < 200; attempt++) {
        int64_t most = attempt > 5 ? 3000 : 100 << attempt;
        int64_t pause = backoff_pause_ms(attempt, 3000);

        assert_in_range(pause, (most > 3000 ? 3000 : most) / 2, most > 3000 ? 3000 : most);
    }
}

static void pauses_that_grow_by_half_never_exceed_half_of_what_was_waited(void **state)
{
    int64_t most = 100;
    int64_t waited = 0;

    (void)state;
    for (unsigned attempt = 0; attempt < 200; attempt++) {
        int64_t pause = backoff_by_half_ms(attempt, 3000);

        assert_in_range(pause, most / 2, most);
        assert_true(pause <= waited / 2 + 100);
        waited += most;
        most = most + most / 2 > 3000 ? 3000 : most + most / 2;
    }
}

static void never_is_later_than_any_deadline(void **state)
{
    struct deadline soon = deadline_in(0);

    (void)state;
    assert_true(deadline_passed(soon));
    assert_false(deadline_passed(deadline_never()));
    assert_true(deadline_is_never(deadline_in(-1)));
    assert_true(deadline_is_never(deadline_in(INT64_MAX)));
    assert_int_equal(deadline_earlier(deadline_never(), soon).at_ms, soon.at_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(durations_are_written_for_people),
        cmocka_unit_test(pauses_grow_to_a_bound_and_never_below_half),
        cmocka_unit_test(pauses_that_grow_by_half_never_exceed_half_of_what_was_waited),
        cmocka_unit_test(never_is_later_than_any_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
