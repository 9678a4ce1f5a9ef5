#include "notice.h"

static struct json *webhook(enum notice notice, const struct progress *progress, const struct error *err)
{
    auto_text struct text body = text_init(BODY_MOST);

    notice_webhook(&(const struct occurrence) { notice, progress, err, &SPEAKER, NOW }, &body);
    return parsed(&body);
}

static void each_notice_is_one_line_for_people(void **state)
{
    static const char *const lines[] = {
        [NOTICE_STARTED] = "tidelock: applying 3 migrations on \"shop\"",
        [NOTICE_BLOCKED] = "tidelock: 3_c is blocked on \"shop\": process 7 (\"report\") holds it",
        [NOTICE_SUCCEEDED] = "tidelock: applied 2 migrations in 12.5 s on \"shop\"",
        [NOTICE_FAILED] =
            "tidelock: the deployment failed (exit 6) on \"shop\": migration \"3_c\" failed: division by zero",
    };
    const struct progress progress = progress_of(6);
    const struct error err = failure();

    (void)state;
    for (int i = 0; i < NOTICES; i++) {
        auto_text struct text line = text_init(1024);

        notice_line((enum notice)i, &progress, i == NOTICE_FAILED ? &err : NULL, &line);
        assert_string_equal(line.at, lines[i]);
    }
}

static void one_migration_is_not_called_migrations(void **state)
{
    auto_text struct text line = text_init(1024);
    struct progress progress = progress_of(0);

    (void)state;
    progress.due = progress.applied = 1;
    notice_line(NOTICE_STARTED, &progress, NULL, &line);
    text_add_string(&line, "; ");
    notice_line(NOTICE_SUCCEEDED, &progress, NULL, &line);
    assert_string_equal(line.at,
                        "tidelock: applying 1 migration on \"shop\"; "
                        "tidelock: applied 1 migration in 12.5 s on \"shop\"");
}

static void what_is_not_known_is_left_out_of_the_line(void **state)
{
    auto_text struct text line = text_init(1024);
    struct progress progress = progress_of(6);

    (void)state;
    progress.database = progress.current = NULL;
    progress.in_the_way[0] = '\0';
    notice_line(NOTICE_BLOCKED, &progress, NULL, &line);
    assert_string_equal(line.at, "tidelock: a migration is blocked");
}

static void a_webhook_says_what_happened_and_when(void **state)
{
    static const char *const events[] = { "started", "blocked", "succeeded", "failed" };
    const struct progress progress = progress_of(6);
    const struct error err = failure();

    (void)state;
    for (int i = 0; i < NOTICES; i++) {
        auto_text struct text line = text_init(1024);
        const struct error *said = i == NOTICE_FAILED ? &err : NULL;
        auto_json struct json *object = webhook((enum notice)i, &progress, said);

        notice_line((enum notice)i, &progress, said, &line);
        assert_member(object, "text", line.at);
        assert_member(object, "event", events[i]);
        assert_member(object, "time", "2024-05-01T10:00:12Z");
        assert_int_equal(json_get_number(object, "duration_ms", -1), 12500);
    }
}

static void a_webhook_says_who_speaks_of_what(void **state)
{
    const struct progress progress = progress_of(0);
    auto_json struct json *object = webhook(NOTICE_SUCCEEDED, &progress, NULL);

    (void)state;
    assert_member(object, "database", "shop");
    assert_member(object, "migration", "2_b");
    assert_member(object, "pod", "pod-1");
    assert_member(object, "namespace", "apps");
}

static void a_webhook_leaves_out_what_is_not_known(void **state)
{
    static const struct speaker nobody = { .pod = NULL };
    static const char *const keys[] = { "\"database\"", "\"migration\"", "\"pod\"",  "\"namespace\"",
                                        "\"pending\"",  "\"exit_code\"", "\"next\"", "null" };
    auto_text struct text body = text_init(BODY_MOST);
    const struct progress progress = { .started_at = NOW };

    (void)state;
    notice_webhook(&(const struct occurrence) { NOTICE_STARTED, &progress, NULL, &nobody, NOW }, &body);
    json_free(parsed(&body));
    for (size_t i = 0; i < array_length(keys); i++)
        assert_null(strstr(body.at, keys[i]));
}

static void a_webhook_counts_what_is_applied_and_what_is_pending(void **state)
{
    const struct progress progress = progress_of(6);

    (void)state;
    for (int i = 0; i < NOTICES; i++) {
        auto_json struct json *object = webhook((enum notice)i, &progress, NULL);

        assert_int_equal(json_get_number(object, "applied", -1), 2);
        assert_int_equal(json_get_number(object, "pending", -1), 3);
    }
}

static void only_an_end_has_an_exit_code(void **state)
{
    static const int codes[] = { -1, -1, 6, 6 };
    const struct progress progress = progress_of(6);

    (void)state;
    for (int i = 0; i < NOTICES; i++) {
        auto_json struct json *object = webhook((enum notice)i, &progress, NULL);

        assert_int_equal(json_get_number(object, "exit_code", -1), codes[i]);
    }
}

static void only_a_block_says_what_is_in_the_way(void **state)
{
    const struct progress progress = progress_of(6);

    (void)state;
    for (int i = 0; i < NOTICES; i++) {
        auto_json struct json *object = webhook((enum notice)i, &progress, NULL);

        assert_member(object, "in_the_way", i == NOTICE_BLOCKED ? "process 7 (\"report\") holds it" : NULL);
    }
}

static void a_failure_says_what_where_what_the_database_holds_and_what_next(void **state)
{
    const struct progress progress = progress_of(6);
    const struct error err = failure();
    auto_json struct json *object = webhook(NOTICE_FAILED, &progress, &err);

    (void)state;
    assert_member(object, "code", "P3018");
    assert_member(object, "sqlstate", "22012");
    assert_member(object, "message", "migration \"3_c\" failed: division by zero");
    assert_member(object, "at", "c.sql:3:1");
    assert_member(object, "holds", "Nothing of 3_c.");
    assert_member(object, "next", "Correct it.");
}

/* Slack and Mattermost read color, fallback and text of an attachment, Teams contentType and content. */
static void one_attachment_serves_every_chat(void **state)
{
    const struct progress progress = progress_of(0);
    auto_text struct text body = text_init(BODY_MOST);

    (void)state;
    notice_webhook(&(const struct occurrence) { NOTICE_STARTED, &progress, NULL, &SPEAKER, NOW }, &body);
    assert_non_null(strstr(
        body.at,
        "\"attachments\":[{\"color\":\"#439fe0\",\"fallback\":\"tidelock: applying 3 migrations on \\\"shop\\\"\","
        "\"text\":\"\",\"contentType\":\"application/vnd.microsoft.card.adaptive\",\"content\":"
        "{\"$schema\":\"http://adaptivecards.io/schemas/adaptive-card.json\",\"type\":\"AdaptiveCard\","
        "\"version\":\"1.2\",\"body\":[{\"type\":\"TextBlock\",\"text\":"
        "\"tidelock: applying 3 migrations on \\\"shop\\\"\",\"wrap\":true,\"weight\":\"Bolder\","
        "\"color\":\"accent\"}]}}]"));
}

static void an_attachment_tells_a_failure_s_detail_to_every_chat(void **state)
{
    static const char detail[] =
        "\"text\":\"At c.sql:3:1.\\nThe database now: Nothing of 3_c.\\nNext: Correct it.\\n\"";
    const struct progress progress = progress_of(6);
    const struct error err = failure();
    auto_text struct text body = text_init(BODY_MOST);
    const char *first;

    (void)state;
    notice_webhook(&(const struct occurrence) { NOTICE_FAILED, &progress, &err, &SPEAKER, NOW }, &body);
    first = strstr(body.at, detail);
    assert_non_null(first);
    assert_non_null(strstr(first + 1, detail));
}

static void each_notice_has_its_color(void **state)
{
    static const char *const colors[] = { "\"#439fe0\"", "\"#daa038\"", "\"#2eb886\"", "\"#a30200\"" };
    const struct progress progress = progress_of(0);

    (void)state;
    for (int i = 0; i < NOTICES; i++) {
        auto_text struct text body = text_init(BODY_MOST);

        notice_webhook(&(const struct occurrence) { (enum notice)i, &progress, NULL, &SPEAKER, NOW }, &body);
        assert_non_null(strstr(body.at, colors[i]));
    }
}

static void a_webhook_never_says_a_secret(void **state)
{
    static const char *const secrets[] = { "s3cretpw", "quo\"ted\\pw", "päßwörd" };

    (void)state;
    for (size_t i = 0; i < array_length(secrets); i++) {
        const struct speaker speaker = { .pod = secrets[i], .namespace = secrets[i] };
        struct progress progress;
        struct error err;

        indiscreet(secrets[i], &progress, &err);
        redact_register(secrets[i], strlen(secrets[i]));
        for (int notice = 0; notice < NOTICES; notice++) {
            auto_text struct text body = text_init(BODY_MOST);
            auto_json struct json *object = NULL;

            notice_webhook(&(const struct occurrence) { (enum notice)notice, &progress, &err, &speaker, NOW },
                           &body);
            object = parsed(&body);
            assert_member(object, "message", "password *** refused, ***");
            assert_non_null(strstr(body.at, "***"));
            assert_null(strstr(body.at, secrets[i]));
            assert_null(strstr(body.at, "ted\\\\pw"));
        }
        redact_clear();
    }
}

static void bytes_that_are_no_utf8_become_replacement_characters(void **state)
{
    const struct progress progress = progress_of(6);
    auto_json struct json *object = NULL;
    struct error err;

    (void)state;
    error_set(&err, ERROR_CLEAN, "caf\xe9 \xff\xfe \xc3");
    object = webhook(NOTICE_FAILED, &progress, &err);
    assert_member(object, "message", "caf\uFFFD \uFFFD\uFFFD \uFFFD");
}

static void the_longest_failure_fits_the_body(void **state)
{
    static const char *const fillings[] = { "x", "\"", "\x01", "\xC3\xA9", "\xFF" };
    const struct progress progress = progress_of(6);

    (void)state;
    for (size_t i = 0; i < array_length(fillings); i++) {
        auto_text struct text filling = text_init(1023);
        auto_json struct json *object = NULL;
        struct error err;

        while (!filling.has_overflowed)
            text_add_string(&filling, fillings[i]);
        error_set(&err, ERROR_PARTIAL, "%s", filling.at);
        error_holds(&err, "%s", filling.at);
        error_hint(&err, "%s", filling.at);
        object = webhook(NOTICE_FAILED, &progress, &err);
        assert_non_null(json_get_text(object, "next"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_notice_is_one_line_for_people),
        cmocka_unit_test(one_migration_is_not_called_migrations),
        cmocka_unit_test(what_is_not_known_is_left_out_of_the_line),
        cmocka_unit_test(a_webhook_says_what_happened_and_when),
        cmocka_unit_test(a_webhook_says_who_speaks_of_what),
        cmocka_unit_test(a_webhook_leaves_out_what_is_not_known),
        cmocka_unit_test(a_webhook_counts_what_is_applied_and_what_is_pending),
        cmocka_unit_test(only_an_end_has_an_exit_code),
        cmocka_unit_test(only_a_block_says_what_is_in_the_way),
        cmocka_unit_test(a_failure_says_what_where_what_the_database_holds_and_what_next),
        cmocka_unit_test(one_attachment_serves_every_chat),
        cmocka_unit_test(an_attachment_tells_a_failure_s_detail_to_every_chat),
        cmocka_unit_test(each_notice_has_its_color),
        cmocka_unit_test(a_webhook_never_says_a_secret),
        cmocka_unit_test(bytes_that_are_no_utf8_become_replacement_characters),
        cmocka_unit_test(the_longest_failure_fits_the_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
