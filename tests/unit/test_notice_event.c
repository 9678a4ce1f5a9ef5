#include "notice.h"

enum { MESSAGE_MOST = 1024 };

static const struct event_subject SUBJECT = {
    .api_version = "batch/v1", .kind = "Job", .name = "migrate", .namespace = "apps", .uid = "1f0c"
};

static struct json *event(enum notice notice, const struct error *err, const struct event_subject *subject)
{
    auto_text struct text body = text_init(BODY_MOST);
    struct progress progress = progress_of(err == NULL ? 0 : 6);

    notice_event(&(const struct occurrence) { notice, &progress, err, &SPEAKER, NOW }, subject, &body);
    return parsed(&body);
}

static void an_event_is_as_the_api_asks(void **state)
{
    static const struct {
        const char *type;
        const char *reason;
    } looks[] = {
        [NOTICE_STARTED] = { "Normal", "MigrationsStarted" },
        [NOTICE_BLOCKED] = { "Warning", "MigrationBlocked" },
        [NOTICE_SUCCEEDED] = { "Normal", "MigrationsApplied" },
        [NOTICE_FAILED] = { "Warning", "MigrationFailed" },
    };

    (void)state;
    for (int i = 0; i < NOTICES; i++) {
        auto_json struct json *object = event((enum notice)i, NULL, &SUBJECT);

        assert_member(object, "apiVersion", "v1");
        assert_member(object, "kind", "Event");
        assert_member(object, "type", looks[i].type);
        assert_member(object, "reason", looks[i].reason);
        assert_member(object, "firstTimestamp", "2024-05-01T10:00:12Z");
        assert_member(object, "lastTimestamp", "2024-05-01T10:00:12Z");
        assert_int_equal(json_get_number(object, "count", -1), 1);
        assert_member(object, "reportingComponent", "tidelock");
        assert_member(object, "reportingInstance", "pod-1");
        assert_member(json_get_object(object, "source"), "component", "tidelock");
    }
}

static void an_event_is_about_its_subject_and_lies_beside_it(void **state)
{
    auto_json struct json *object = event(NOTICE_SUCCEEDED, NULL, &SUBJECT);
    const struct json *involved = json_get_object(object, "involvedObject");

    (void)state;
    assert_member(involved, "apiVersion", "batch/v1");
    assert_member(involved, "kind", "Job");
    assert_member(involved, "name", "migrate");
    assert_member(involved, "namespace", "apps");
    assert_member(involved, "uid", "1f0c");
    assert_member(json_get_object(object, "metadata"), "namespace", "apps");
}

static void a_subject_of_unknown_uid_has_none(void **state)
{
    struct event_subject subject = SUBJECT;
    auto_text struct text body = text_init(BODY_MOST);
    const struct progress progress = progress_of(0);

    (void)state;
    subject.uid = NULL;
    notice_event(&(const struct occurrence) { NOTICE_SUCCEEDED, &progress, NULL, &SPEAKER, NOW }, &subject,
                 &body);
    json_free(parsed(&body));
    assert_null(strstr(body.at, "\"uid\""));
}

static void an_event_says_the_line_and_what_next(void **state)
{
    const struct error err = failure();
    auto_json struct json *object = event(NOTICE_FAILED, &err, &SUBJECT);

    (void)state;
    assert_member(
        object, "message",
        "tidelock: the deployment failed (exit 6) on \"shop\": migration \"3_c\" failed: division by "
        "zero\nAt c.sql:3:1.\nThe database now: Nothing of 3_c.\nNext: Correct it.\n");
}

static void an_event_s_message_is_bounded_and_cut_between_characters(void **state)
{
    static const char *const fillings[] = {
        "x", "\"", "\x01", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8C\x8A"
    };

    (void)state;
    for (size_t i = 0; i < array_length(fillings); i++) {
        auto_text struct text filling = text_init(1023);
        auto_json struct json *object = NULL;
        struct error err;
        const char *message;

        while (!filling.has_overflowed)
            text_add_string(&filling, fillings[i]);
        error_set(&err, ERROR_PARTIAL, "%s", filling.at);
        object = event(NOTICE_FAILED, &err, &SUBJECT);
        message = json_get_text(object, "message");
        assert_true(strlen(message) <= MESSAGE_MOST && strlen(message) > MESSAGE_MOST - 8);
        assert_null(strstr(message, "\uFFFD"));
        assert_string_equal(message + strlen(message) - strlen("…"), "…");
    }
}

static const char *event_name(const struct json *object)
{
    return json_get_text(json_get_object(object, "metadata"), "name");
}

/* RFC 1123, as the API server checks it: a subdomain of lower-case letters, digits, "-" and ".". */
static void an_event_s_name_is_its_subject_s_and_something_that_differs(void **state)
{
    auto_json struct json *one = event(NOTICE_SUCCEEDED, NULL, &SUBJECT);
    auto_json struct json *other = event(NOTICE_SUCCEEDED, NULL, &SUBJECT);
    const char *name = event_name(one);

    (void)state;
    assert_true(slice_starts_with(slice_of(name), "migrate."));
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-."), strlen(name));
    assert_true(name[strlen(name) - 1] != '-' && name[strlen(name) - 1] != '.');
    assert_string_not_equal(name, event_name(other));
}

static void an_event_never_says_a_secret(void **state)
{
    struct progress progress;
    struct error err;

    (void)state;
    indiscreet("s3cretpw", &progress, &err);
    redact_register("s3cretpw", strlen("s3cretpw"));
    for (int notice = 0; notice < NOTICES; notice++) {
        auto_text struct text body = text_init(BODY_MOST);

        notice_event(&(const struct occurrence) { (enum notice)notice, &progress, &err, &SPEAKER, NOW },
                     &SUBJECT, &body);
        assert_null(strstr(body.at, "s3cret"));
        assert_null(strstr(body.at, "cretpw"));
    }
    redact_clear();
}

static void what_is_blanked_takes_nothing_else_along(void **state)
{
    const struct error err = failure();
    auto_json struct json *object = NULL;

    (void)state;
    redact_register("division by zero", strlen("division by zero"));
    object = event(NOTICE_FAILED, &err, &SUBJECT);
    redact_clear();
    assert_member(object, "message",
                  "tidelock: the deployment failed (exit 6) on \"shop\": migration \"3_c\" failed: ***\n"
                  "At c.sql:3:1.\nThe database now: Nothing of 3_c.\nNext: Correct it.\n");
}

static void bytes_that_are_no_utf8_do_not_make_the_message_longer_than_it_may_be(void **state)
{
    char bytes[1000];
    auto_json struct json *object = NULL;
    struct error err;

    (void)state;
    memset(bytes, 0xFF, sizeof bytes);
    error_set(&err, ERROR_PARTIAL, "%.*s", (int)sizeof bytes, bytes);
    object = event(NOTICE_FAILED, &err, &SUBJECT);
    assert_true(strlen(json_get_text(object, "message")) <= MESSAGE_MOST);
}

/* RFC 1123: 253 characters at most, and none of the labels between the dots ends in "-" or is empty. */
static void a_long_subject_s_event_has_a_valid_name(void **state)
{
    static const char others[] = { 'a', '-', '.' };

    (void)state;
    for (size_t i = 0; i < sizeof others; i++) {
        for (size_t length = 230; length <= 253; length++) {
            char name[254];
            struct event_subject subject = SUBJECT;
            auto_json struct json *object = NULL;

            memset(name, 'a', sizeof name);
            for (size_t at = 1; at + 1 < length; at += 2)
                name[at] = others[i];
            name[length] = '\0';
            subject.name = name;
            object = event(NOTICE_SUCCEEDED, NULL, &subject);
            assert_true(strlen(event_name(object)) <= 253);
            assert_null(strstr(event_name(object), "-."));
            assert_null(strstr(event_name(object), ".."));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_as_the_api_asks),
        cmocka_unit_test(an_event_is_about_its_subject_and_lies_beside_it),
        cmocka_unit_test(a_subject_of_unknown_uid_has_none),
        cmocka_unit_test(an_event_says_the_line_and_what_next),
        cmocka_unit_test(an_event_s_message_is_bounded_and_cut_between_characters),
        cmocka_unit_test(an_event_s_name_is_its_subject_s_and_something_that_differs),
        cmocka_unit_test(an_event_never_says_a_secret),
        cmocka_unit_test(what_is_blanked_takes_nothing_else_along),
        cmocka_unit_test(bytes_that_are_no_utf8_do_not_make_the_message_longer_than_it_may_be),
        cmocka_unit_test(a_long_subject_s_event_has_a_valid_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
