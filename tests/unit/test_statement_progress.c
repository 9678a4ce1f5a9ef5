#include "check.h"
#include "traffic/statement_progress.h"

static void nothing_is_known_at_first(void **state)
{
    struct statement_progress statement_progress = { .command = "" };

    (void)state;
    assert_true(statement_progress_ratio(&statement_progress) < 0);
}

static void a_rate_needs_time(void **state)
{
    auto_text struct text text = text_init(1024);
    struct statement_progress statement_progress = { .command = "" };

    (void)state;
    statement_progress_see(&statement_progress, &(const struct progress_sample) {
                                                    "create index", "scanning table", 100, 1000, 5000 });
    statement_progress_see(&statement_progress, &(const struct progress_sample) {
                                                    "create index", "scanning table", 200, 1000, 6000 });
    statement_progress_describe(&statement_progress, &text);
    assert_string_equal(text.at, "20 %, create index: scanning table, 200 of 1000");
    text_reset(&text);
    statement_progress_see(&statement_progress, &(const struct progress_sample) {
                                                    "create index", "scanning table", 500, 1000, 9000 });
    statement_progress_describe(&statement_progress, &text);
    assert_string_equal(text.at, "50 %, about 5.0 s left, create index: scanning table, 500 of 1000, 100/s");
}

static void a_new_phase_begins_anew(void **state)
{
    auto_text struct text text = text_init(1024);
    struct statement_progress statement_progress = { .command = "" };

    (void)state;
    statement_progress_see(&statement_progress, &(const struct progress_sample) {
                                                    "create index", "scanning table", 900, 1000, 5000 });
    statement_progress_see(&statement_progress, &(const struct progress_sample) {
                                                    "create index", "waiting for writers", 0, 0, 60000 });
    statement_progress_describe(&statement_progress, &text);
    assert_string_equal(text.at, "create index: waiting for writers");
    assert_true(statement_progress_ratio(&statement_progress) < 0);
}

static void more_than_all_is_all(void **state)
{
    struct statement_progress statement_progress = { .command = "" };

    (void)state;
    statement_progress_see(&statement_progress,
                           &(const struct progress_sample) { "vacuum", "scanning heap", 1001, 1000, 1 });
    assert_true(statement_progress_ratio(&statement_progress) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_at_first),
        cmocka_unit_test(a_rate_needs_time),
        cmocka_unit_test(a_new_phase_begins_anew),
        cmocka_unit_test(more_than_all_is_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
