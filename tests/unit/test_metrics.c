#include <stdio.h>
#include <string.h>

#include "check.h"
#include "report/metrics.h"
#include "report/status_file.h"

enum { TEXT_MOST = 64 * 1024 };

static struct progress example(void)
{
    return (struct progress) {
        .build = { .version = "1.2.3", .libpq = "17.1", .openssl = "3.5" },
        .phase = PROGRESS_APPLYING,
        .started_at = 1700000000.125,
        .written_at = 1700000001.5,
        .is_compared = true,
        .migrations = { [VERDICT_PENDING] = 2, [VERDICT_APPLIED] = 3 },
        .applied = 1,
        .current = "001_a",
        .mode = "atomic",
        .current_started_at = 1700000001,
        .last_seconds = 0.25,
        .is_leader = true,
    };
}

static void assert_line(const struct text *text, const char *line)
{
    const char *found = strstr(text->at, line);

    if (found == NULL || found[strlen(line)] != '\n' || (found > text->at && found[-1] != '\n'))
        fail_msg("no line %s in\n%s", line, text->at);
}

static void each_sample_is_a_line(void **state)
{
    auto_text struct text text = text_init(TEXT_MOST);
    struct progress progress = example();

    (void)state;
    metrics_write(&progress, &text);
    assert_line(&text, "tidelock_build_info{version=\"1.2.3\",libpq=\"17.1\",openssl=\"3.5\"} 1");
    assert_line(&text, "tidelock_ready 0");
    assert_line(&text, "tidelock_phase{phase=\"applying\"} 1");
    assert_line(&text, "tidelock_phase{phase=\"complete\"} 0");
    assert_line(&text, "tidelock_run_start_timestamp_seconds 1700000000.125");
    assert_line(&text, "tidelock_migrations{state=\"pending\"} 2");
    assert_line(&text, "tidelock_migrations{state=\"missing\"} 0");
    assert_line(&text, "tidelock_current_migration_info{migration=\"001_a\",mode=\"atomic\"} 1");
    assert_line(&text, "tidelock_last_migration_duration_seconds 0.25");
    assert_line(&text, "tidelock_leader 1");
    assert_int_equal(text.at[text.length - 1], '\n');
}

static void what_is_not_known_yet_is_absent(void **state)
{
    auto_text struct text text = text_init(TEXT_MOST);
    struct progress progress = progress_begin(NULL, (struct build) { "", "", "" });

    (void)state;
    metrics_write(&progress, &text);
    assert_null(strstr(text.at, "tidelock_exit_code"));
    assert_null(strstr(text.at, "tidelock_run_end"));
    assert_null(strstr(text.at, "tidelock_migrations{"));
    assert_null(strstr(text.at, "tidelock_current"));
    assert_null(strstr(text.at, "tidelock_last_migration"));
}

static void exactly_one_phase_is_one(void **state)
{
    (void)state;
    for (int phase = 0; phase < PROGRESS_PHASES; phase++) {
        auto_text struct text text = text_init(TEXT_MOST);
        struct progress progress = { .phase = (enum progress_phase)phase, .build = { "", "", "" } };
        size_t ones = 0;

        metrics_write(&progress, &text);
        for (const char *at = text.at; (at = strstr(at, "tidelock_phase{")) != NULL; at++)
            ones += strncmp(strstr(at, "} ") + 2, "1\n", 2) == 0;
        assert_int_equal(ones, 1);
    }
}

static void labels_are_escaped(void **state)
{
    auto_text struct text text = text_init(TEXT_MOST);
    struct progress progress = example();

    (void)state;
    progress.current = "a\"b\\c\nxyz";
    metrics_write(&progress, &text);
    assert_line(&text, "tidelock_current_migration_info{migration=\"a\\\"b\\\\c\\nxyz\",mode=\"atomic\"} 1");
}

static void every_sample_has_the_labels_of_all(void **state)
{
    auto_text struct text text = text_init(TEXT_MOST);
    struct progress progress = example();
    struct error err;

    (void)state;
    assert_true(labels_parse("team=a \"b\",mode=mine,schema=other", &progress.labels, &err));
    labels_add(&progress.labels, "database", "shop");
    labels_add(&progress.labels, "schema", "public");
    metrics_write(&progress, &text);
    assert_line(&text,
                "tidelock_ready{team=\"a \\\"b\\\"\",mode=\"mine\",schema=\"other\",database=\"shop\"} 0");
    assert_line(&text,
                "tidelock_phase{phase=\"applying\",team=\"a \\\"b\\\"\",mode=\"mine\",schema="
                "\"other\",database=\"shop\"} 1");
    /* Its own label stays. */
    assert_line(&text,
                "tidelock_current_migration_info{migration=\"001_a\",mode=\"atomic\",team=\"a "
                "\\\"b\\\"\",schema=\"other\",database=\"shop\"} 1");
    for (const char *line = strstr(text.at, "\ntidelock_"); line != NULL;
         line = strstr(line + 1, "\ntidelock_"))
        assert_non_null(memmem(line + 1, strcspn(line + 1, "\n"), "database=\"shop\"", 15));
}

static void of_many_durations_the_longest_are_kept(void **state)
{
    auto_text struct text text = text_init(TEXT_MOST);
    struct progress progress = example();
    char names[DURATIONS_MOST + 2][8];
    size_t count = 0;

    (void)state;
    for (int i = 0; i < DURATIONS_MOST + 2; i++) {
        (void)snprintf(names[i], sizeof names[i], "m%d", i);
        progress_applied(&progress, names[i], i == DURATIONS_MOST + 1 ? 0 : 1 + i);
    }
    metrics_write(&progress, &text);
    for (const char *at = text.at; (at = strstr(at, "tidelock_migration_duration_seconds{")) != NULL; at++)
        count++;
    assert_int_equal(count, DURATIONS_MOST);
    /* The first was the shortest, and the last is shorter still. */
    assert_null(strstr(text.at, "migration=\"m0\""));
    assert_null(strstr(text.at, "migration=\"m65\""));
    assert_line(&text, "tidelock_migration_duration_seconds{migration=\"m1\"} 2");
    assert_line(&text, "tidelock_migration_duration_seconds{migration=\"m64\"} 65");
    assert_line(&text, "tidelock_last_migration_duration_seconds 0");
    assert_int_equal(progress.applied, 1 + DURATIONS_MOST + 2);
}

static void a_renamed_metric_keeps_its_old_name(void **state)
{
    auto_text struct text text = text_init(TEXT_MOST);
    struct progress progress = example();

    (void)state;
    progress.leader_wait_seconds = 1.5;
    metrics_write(&progress, &text);
    assert_line(&text, "tidelock_leader_lock_wait_seconds_total 1.5");
    assert_line(&text, "tidelock_lock_wait_seconds_total 1.5");
}

static void every_metric_is_named_once_and_described(void **state)
{
    (void)state;
    for (const struct metric *one = METRICS; one->name != NULL; one++) {
        assert_int_equal(strncmp(one->name, "tidelock_", 9), 0);
        assert_int_equal(one->help[strlen(one->help) - 1], '.');
        assert_int_equal(one->type == METRIC_COUNTER,
                         strcmp(one->name + strlen(one->name) - strlen("_total"), "_total") == 0);
        for (int i = 0; i < METRIC_LABELS_MOST; i++)
            assert_int_equal(one->labels[i].name != NULL, one->labels[i].value != NULL);
        for (const struct metric *other = METRICS; other != one; other++)
            assert_string_not_equal(one->name, other->name);
    }
}

static void what_is_written_can_be_read(void **state)
{
    (void)state;
    for (int phase = 0; phase < PROGRESS_PHASES; phase++) {
        auto_text struct text text = text_init(TEXT_MOST);
        struct progress progress = example();
        struct status status;

        progress.phase = (enum progress_phase)phase;
        progress.is_ready = phase == PROGRESS_COMPLETE;
        labels_add(&progress.labels, "database", "a} 1 {b\"c,phase=\"failed");
        metrics_write(&progress, &text);
        assert_true(status_parse(text_slice(&text), &status));
        assert_int_equal(status.phase, phase);
        assert_int_equal(status.is_ready, phase == PROGRESS_COMPLETE);
        assert_true(status.written_at == 1700000001.5);
        /* No beginning of it passes for the whole, up to the line that comes last of those that count. */
        for (size_t length = 0; length < text.length; length++) {
            struct slice part = { text.at, length };

            if (status_parse(part, &status))
                assert_true(length > 0 && part.at[length - 1] == '\n');
        }
    }
}

static void what_is_no_status_file_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "\n",
        "tidelock_ready 1\n",
        "tidelock_ready 1\ntidelock_phase{phase=\"complete\"} 1\n",
        "tidelock_ready x\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready 1\ntidelock_phase{phase=\"done\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready 1\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds 1",
        "tidelock_ready 1\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds \n",
        "tidelock_ready{} x\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready{a=\"b\" 1\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready 1\ntidelock_phase{a=\"phase=complete\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready 1\ntidelock_phase{phase=\"completed\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready 1\ntidelock_phase{phase=\"complete\"} 0\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready_at 1\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready  1\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready +1\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready 0x1\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready 1e0\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready 1.0\ntidelock_phase{phase=\"complete\"} 1\ntidelock_status_update_timestamp_seconds 1\n",
        "tidelock_ready 0\ntidelock_phase{phase=\"applying\"} 1\ntidelock_status_update_timestamp_seconds nan\n",
        "tidelock_ready 0\ntidelock_phase{phase=\"applying\"} 1\ntidelock_status_update_timestamp_seconds -1\n",
        "tidelock_ready 0\ntidelock_phase{phase=\"applying\"} 1\ntidelock_status_update_timestamp_seconds 1e300\n",
        "tidelock_ready 0\ntidelock_phase{phase=\"applying\"} 1\ntidelock_status_update_timestamp_seconds  1\n",
    };

    (void)state;
    for (size_t i = 0; i < array_length(bad); i++) {
        struct status status;

        if (status_parse(slice_of(bad[i]), &status))
            fail_msg("case %zu was taken", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_is_a_line),
        cmocka_unit_test(what_is_not_known_yet_is_absent),
        cmocka_unit_test(exactly_one_phase_is_one),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(every_sample_has_the_labels_of_all),
        cmocka_unit_test(of_many_durations_the_longest_are_kept),
        cmocka_unit_test(a_renamed_metric_keeps_its_old_name),
        cmocka_unit_test(every_metric_is_named_once_and_described),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(what_is_no_status_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
