#include <string.h>

#include "check.h"
#include "gate/ready.h"
#include "report/metrics.h"

static bool decide(enum progress_phase phase, double age_seconds, struct text *why)
{
    auto_text struct text text = text_init(64 * 1024);
    struct progress progress = { .phase = phase,
                                 .is_ready = phase == PROGRESS_COMPLETE,
                                 .written_at = 1700000000,
                                 .build = { "", "", "" } };

    metrics_write(&progress, &text);
    text_reset(why);
    return ready_decide(text_slice(&text), 1700000000 + age_seconds, 30000, why);
}

static void only_complete_is_ready(void **state)
{
    auto_text struct text why = text_init(1024);

    (void)state;
    assert_true(decide(PROGRESS_COMPLETE, 1, &why));
    assert_string_equal(why.at, "complete");
    assert_false(decide(PROGRESS_CONNECTING, 1, &why));
    assert_string_equal(why.at, "not complete: connecting");
    assert_false(decide(PROGRESS_WAITING_LEADER, 1, &why));
    assert_false(decide(PROGRESS_APPLYING, 1, &why));
    assert_false(decide(PROGRESS_FAILED, 1, &why));
    assert_string_equal(why.at, "not complete: the run failed");
    assert_false(decide(PROGRESS_INTERRUPTED, 1, &why));
    assert_string_equal(why.at, "not complete: the run was interrupted");
}

static void only_what_should_still_be_written_grows_stale(void **state)
{
    auto_text struct text why = text_init(1024);

    (void)state;
    assert_false(decide(PROGRESS_APPLYING, 29, &why));
    assert_string_equal(why.at, "not complete: applying");
    assert_false(decide(PROGRESS_APPLYING, 31, &why));
    assert_string_equal(why.at, "stale: last written 31.0 s ago while applying; its writer is gone");
    assert_true(decide(PROGRESS_COMPLETE, 1e6, &why));
    assert_false(decide(PROGRESS_FAILED, 1e6, &why));
    assert_string_equal(why.at, "not complete: the run failed");
}

static void anything_else_is_malformed(void **state)
{
    auto_text struct text why = text_init(1024);

    (void)state;
    assert_false(ready_decide(slice_of("hello\n"), 0, 30000, &why));
    assert_non_null(strstr(why.at, "malformed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_complete_is_ready),
        cmocka_unit_test(only_what_should_still_be_written_grows_stale),
        cmocka_unit_test(anything_else_is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
