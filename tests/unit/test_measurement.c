#include "base/memory.h"
#include "check.h"
#include "schema/measurement.h"

/* A statement of one finding, and what was measured of it. */
struct sample {
    struct arena *arena;
    struct finding finding;
    struct prediction prediction;
    struct measured_relation relation;
    struct measurement measurement;
};

static void judge(struct sample *sample, const char *rule, enum table_lock lock, enum work work)
{
    sample->arena = arena_new();
    sample->finding = (struct finding) { .rule = effect_named(rule) };
    sample->finding.level = sample->finding.rule->level;
    sample->prediction = (struct prediction) { .findings = &sample->finding, .count = 1 };
    sample->relation = (struct measured_relation) { .name = { "public", "t" }, .lock = lock, .work = work };
    sample->measurement = (struct measurement) { .relations = &sample->relation,
                                                 .count = lock != TABLE_LOCK_NONE,
                                                 .lock = lock,
                                                 .held = lock,
                                                 .work = work };
    measurement_judge(sample->arena, &sample->prediction, &sample->measurement);
    prediction_settle(&sample->prediction);
}

static void what_a_rule_claims_and_more_was_measured_is_a_defect(void **state)
{
    struct sample sample;

    (void)state;
    judge(&sample, "create-index", TABLE_LOCK_ACCESS_EXCLUSIVE, WORK_REWRITE);
    assert_int_equal(sample.prediction.count, 2);
    assert_ptr_equal(sample.prediction.findings[1].rule, &RULE_DIFFERS);
    assert_string_equal(sample.prediction.findings[1].seen,
                        "claimed: ShareLock, index build; measured: AccessExclusiveLock on \"public\".\"t\" "
                        "(rewrite)");
    arena_free(sample.arena);
}

static void the_worse_of_both_counts(void **state)
{
    struct sample sample;

    (void)state;
    judge(&sample, "add-column", TABLE_LOCK_ACCESS_EXCLUSIVE, WORK_REWRITE);
    assert_int_equal(sample.prediction.level, LEVEL_DANGEROUS);
    arena_free(sample.arena);
    judge(&sample, "drop-column", TABLE_LOCK_ACCESS_EXCLUSIVE, WORK_INSTANT);
    assert_int_equal(sample.prediction.level, LEVEL_DANGEROUS);
    assert_int_equal(sample.prediction.count, 1);
    arena_free(sample.arena);
}

static void what_others_wait_for_is_never_safe(void **state)
{
    struct sample sample;

    (void)state;
    judge(&sample, "new-table", TABLE_LOCK_NONE, WORK_INSTANT);
    assert_int_equal(sample.prediction.level, LEVEL_SAFE);
    sample.measurement.held = TABLE_LOCK_SHARE_ROW_EXCLUSIVE;
    sample.measurement.work = WORK_SCAN;
    sample.finding.rule = effect_named("update-rows"); /* which claims that scan */
    measurement_judge(sample.arena, &sample.prediction, &sample.measurement);
    prediction_settle(&sample.prediction);
    assert_int_equal(sample.prediction.level, LEVEL_DANGEROUS);
    arena_free(sample.arena);
}

static void where_a_rule_varies_the_measurement_decides(void **state)
{
    struct sample sample;

    (void)state;
    judge(&sample, "set-not-null", TABLE_LOCK_ACCESS_EXCLUSIVE, WORK_INSTANT);
    assert_int_equal(sample.prediction.level, LEVEL_SAFE);
    arena_free(sample.arena);
    judge(&sample, "add-column-own-type", TABLE_LOCK_ACCESS_EXCLUSIVE, WORK_REWRITE);
    assert_int_equal(sample.prediction.level, LEVEL_DANGEROUS);
    assert_int_equal(sample.prediction.count, 1);
    arena_free(sample.arena);
}

static void what_the_rows_say_counts_as_well(void **state)
{
    struct sample sample;

    (void)state;
    judge(&sample, "set-not-null", TABLE_LOCK_ACCESS_EXCLUSIVE, WORK_SCAN);
    sample.finding.is_small = true;
    sample.finding.level = LEVEL_CAREFUL;
    measurement_judge(sample.arena, &sample.prediction, &sample.measurement);
    assert_int_equal(sample.finding.level, LEVEL_CAREFUL);
    sample.finding.is_refuted = true;
    sample.finding.level = LEVEL_DANGEROUS;
    sample.measurement.work = WORK_INSTANT;
    measurement_judge(sample.arena, &sample.prediction, &sample.measurement);
    assert_int_equal(sample.finding.level, LEVEL_DANGEROUS);
    arena_free(sample.arena);
}

static void what_was_unknown_has_the_verdict_that_was_measured(void **state)
{
    static const struct {
        const char *rule;
        enum table_lock lock;
        enum work work;
        enum level level;
    } cases[] = {
        { "not-understood", TABLE_LOCK_NONE, WORK_INSTANT, LEVEL_SAFE },
        /* Code may do more where there are rows. */
        { "code", TABLE_LOCK_NONE, WORK_INSTANT, LEVEL_CAREFUL },
        { "code", TABLE_LOCK_ACCESS_SHARE, WORK_INSTANT, LEVEL_CAREFUL },
        { "code", TABLE_LOCK_ACCESS_EXCLUSIVE, WORK_INSTANT, LEVEL_CAREFUL },
        { "code", TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE, WORK_SCAN, LEVEL_CAREFUL },
        { "code", TABLE_LOCK_SHARE, WORK_INDEX, LEVEL_DANGEROUS },
        { "code", TABLE_LOCK_ACCESS_EXCLUSIVE, WORK_REWRITE, LEVEL_DANGEROUS },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct sample sample;

        judge(&sample, cases[i].rule, cases[i].lock, cases[i].work);
        assert_int_equal(sample.prediction.level, cases[i].level);
        assert_int_equal(sample.prediction.count, 1);
        arena_free(sample.arena);
    }
}

static void locks_that_hinder_nobody_are_not_compared(void **state)
{
    struct sample sample;

    (void)state;
    judge(&sample, "query", TABLE_LOCK_ROW_EXCLUSIVE, WORK_INSTANT);
    assert_int_equal(sample.prediction.level, LEVEL_SAFE);
    arena_free(sample.arena);
}

static void the_new_file_of_an_emptied_table_is_no_rewrite(void **state)
{
    struct sample sample;

    (void)state;
    judge(&sample, "truncate", TABLE_LOCK_ACCESS_EXCLUSIVE, WORK_REWRITE);
    assert_int_equal(sample.prediction.count, 1);
    arena_free(sample.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_rule_claims_and_more_was_measured_is_a_defect),
        cmocka_unit_test(the_worse_of_both_counts),
        cmocka_unit_test(what_others_wait_for_is_never_safe),
        cmocka_unit_test(where_a_rule_varies_the_measurement_decides),
        cmocka_unit_test(what_the_rows_say_counts_as_well),
        cmocka_unit_test(what_was_unknown_has_the_verdict_that_was_measured),
        cmocka_unit_test(locks_that_hinder_nobody_are_not_compared),
        cmocka_unit_test(the_new_file_of_an_emptied_table_is_no_rewrite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
