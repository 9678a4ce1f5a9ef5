#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "lock/lease_object.h"

enum { JSON_MOST = 64 * 1024 };

static const char THEN[] = "2024-05-01T10:00:00.000000Z";
static const char NOW[] = "2024-05-01T10:00:07.250000Z";

/* As client-go's leader election leaves one behind, with what newer servers add. */
static const char HELD[] =
    "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"shop\","
    "\"namespace\":\"apps\",\"uid\":\"1f0c\",\"resourceVersion\":\"812\",\"labels\":{\"team\":\"a\"}},"
    "\"spec\":{\"holderIdentity\":\"pod-1\",\"leaseDurationSeconds\":15,"
    "\"acquireTime\":\"2024-05-01T10:00:00.000000Z\",\"renewTime\":\"2024-05-01T10:00:00.000000Z\","
    "\"leaseTransitions\":4,\"strategy\":\"OldestEmulationVersion\",\"preferredHolder\":\"pod-9\"}}";

static struct json *lease_of(const char *text)
{
    struct json *lease = json_read(slice_of(text));

    assert_non_null(lease);
    return lease;
}

static const char *spec_text(const struct json *lease, const char *key)
{
    return json_get_text(json_get_object(lease, "spec"), key);
}

static int64_t spec_number(const struct json *lease, const char *key)
{
    return json_get_number(json_get_object(lease, "spec"), key, -1);
}

static void assert_written(const struct json *lease, const char *text)
{
    auto_text struct text out = text_init(JSON_MOST);

    json_add(lease, &out);
    assert_string_equal(out.at, text);
}

static void record_of(const struct json *lease, struct text *out)
{
    *out = text_init(1024);
    lease_add_record(lease, out);
}

static void a_time_has_exactly_six_fractional_digits(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000000Z" },          { 0.000001, "1970-01-01T00:00:00.000001Z" },
        { 0.999999, "1970-01-01T00:00:00.999999Z" },   { 0.5, "1970-01-01T00:00:00.500000Z" },
        { 1709251199, "2024-02-29T23:59:59.000000Z" }, { 1709251199.25, "2024-02-29T23:59:59.250000Z" },
        { 1709251200, "2024-03-01T00:00:00.000000Z" }, { 4102444799.75, "2099-12-31T23:59:59.750000Z" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        char out[LEASE_TIME_SIZE];

        lease_time(cases[i].seconds, out);
        assert_string_equal(out, cases[i].text);
    }
}

/* The API server takes a microsecond of six digits and no other. */
static void almost_a_second_has_six_digits_too(void **state)
{
    static const double almost[] = { 0.9999999, 0.99999999999, 1709251199.9999995, 1709251199.9999998 };

    (void)state;
    for (size_t i = 0; i < array_length(almost); i++) {
        char out[LEASE_TIME_SIZE];

        lease_time(almost[i], out);
        assert_int_equal(strlen(out), strlen(NOW));
        assert_int_equal(out[strlen("2024-02-29T23:59:59")], '.');
        assert_int_equal(strspn(out + strlen("2024-02-29T23:59:59."), "0123456789"), 6);
        assert_string_equal(out + strlen("2024-02-29T23:59:59.000000"), "Z");
    }
}

static void a_new_one_is_all_that_the_api_asks_for(void **state)
{
    auto_json struct json *lease = lease_new("apps", "shop", "pod-1", 15, THEN);

    (void)state;
    assert_written(lease,
                   "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":"
                   "{\"namespace\":\"apps\",\"name\":\"shop\"},\"spec\":{\"holderIdentity\":\"pod-1\","
                   "\"leaseDurationSeconds\":15,\"acquireTime\":\"2024-05-01T10:00:00.000000Z\","
                   "\"renewTime\":\"2024-05-01T10:00:00.000000Z\",\"leaseTransitions\":0}}");
}

static void its_holder_and_its_time_can_be_read(void **state)
{
    auto_json struct json *lease = lease_of(HELD);

    (void)state;
    assert_string_equal(lease_holder(lease), "pod-1");
    assert_int_equal(lease_duration_ms(lease), 15000);
}

static void a_claim_by_another_counts_as_a_transition(void **state)
{
    auto_json struct json *lease = lease_of(HELD);

    (void)state;
    lease_claim(lease, "pod-2", 30, NOW);
    assert_string_equal(lease_holder(lease), "pod-2");
    assert_int_equal(spec_number(lease, "leaseTransitions"), 5);
    assert_string_equal(spec_text(lease, "acquireTime"), NOW);
    assert_string_equal(spec_text(lease, "renewTime"), NOW);
    assert_int_equal(lease_duration_ms(lease), 30000);
}

static void a_renewal_is_no_transition(void **state)
{
    auto_json struct json *lease = lease_of(HELD);

    (void)state;
    lease_claim(lease, "pod-1", 15, NOW);
    assert_int_equal(spec_number(lease, "leaseTransitions"), 4);
    assert_string_equal(spec_text(lease, "acquireTime"), THEN);
    assert_string_equal(spec_text(lease, "renewTime"), NOW);
    assert_string_equal(lease_holder(lease), "pod-1");
}

static void what_is_not_ours_to_know_is_written_back(void **state)
{
    auto_json struct json *lease = lease_of(HELD);

    (void)state;
    lease_claim(lease, "pod-2", 30, NOW);
    lease_give_back(lease, NOW);
    lease_claim(lease, "pod-1", 15, THEN);
    json_set_number(json_get_object(lease, "spec"), "leaseTransitions", 4);
    assert_written(lease, HELD);
}

static void one_that_was_given_back_is_nobody_s_and_soon_over(void **state)
{
    auto_json struct json *lease = lease_of(HELD);

    (void)state;
    lease_give_back(lease, NOW);
    assert_string_equal(lease_holder(lease), "");
    assert_int_equal(lease_duration_ms(lease), 1000);
    assert_string_equal(spec_text(lease, "renewTime"), NOW);
    assert_int_equal(spec_number(lease, "leaseTransitions"), 4);
}

static void taking_up_one_that_was_given_back_is_a_transition(void **state)
{
    auto_json struct json *lease = lease_of(HELD);

    (void)state;
    lease_give_back(lease, THEN);
    lease_claim(lease, "pod-1", 15, NOW);
    assert_int_equal(spec_number(lease, "leaseTransitions"), 5);
    assert_string_equal(spec_text(lease, "acquireTime"), NOW);
}

static void every_renewal_changes_the_record(void **state)
{
    auto_json struct json *lease = lease_of(HELD);
    auto_text struct text before = { .at = NULL };
    auto_text struct text after = { .at = NULL };

    (void)state;
    record_of(lease, &before);
    lease_claim(lease, "pod-1", 15, NOW);
    record_of(lease, &after);
    assert_string_not_equal(before.at, after.at);
}

static void the_record_changes_with_each_of_its_parts(void **state)
{
    static const struct {
        const char *key;
        const char *text; /* NULL: the number */
        int64_t number;
    } changes[] = {
        { "holderIdentity", "pod-2", 0 },     { "acquireTime", NOW, 0 },       { "renewTime", NOW, 0 },
        { "leaseDurationSeconds", NULL, 16 }, { "leaseTransitions", NULL, 5 },
    };

    (void)state;
    for (size_t i = 0; i < array_length(changes); i++) {
        auto_json struct json *lease = lease_of(HELD);
        auto_text struct text before = { .at = NULL };
        auto_text struct text after = { .at = NULL };

        record_of(lease, &before);
        if (changes[i].text != NULL)
            json_set_text(json_get_object(lease, "spec"), changes[i].key, changes[i].text);
        else
            json_set_number(json_get_object(lease, "spec"), changes[i].key, changes[i].number);
        record_of(lease, &after);
        assert_string_not_equal(before.at, after.at);
    }
}

static void what_others_write_into_the_metadata_is_no_sign_of_life(void **state)
{
    auto_json struct json *lease = lease_of(HELD);
    auto_text struct text before = { .at = NULL };
    auto_text struct text after = { .at = NULL };

    (void)state;
    record_of(lease, &before);
    json_set_text(json_get_object(lease, "metadata"), "resourceVersion", "813");
    record_of(lease, &after);
    assert_string_equal(before.at, after.at);
}

/* Made by hand, or by something that is no API server. */
static const char *const ODD[] = {
    "{}",
    "[]",
    "[{\"spec\":{\"holderIdentity\":\"pod-1\"}}]",
    "{\"spec\":null}",
    "{\"spec\":5}",
    "{\"spec\":[]}",
    "{\"spec\":\"holderIdentity\"}",
    "{\"spec\":{}}",
    "{\"spec\":{\"holderIdentity\":null,\"leaseDurationSeconds\":null,\"renewTime\":null}}",
    "{\"spec\":{\"holderIdentity\":1,\"acquireTime\":2,\"renewTime\":3}}",
    "{\"spec\":{\"holderIdentity\":{},\"leaseDurationSeconds\":\"15\",\"leaseTransitions\":[]}}",
    "{\"spec\":{\"holderIdentity\":\"\",\"leaseDurationSeconds\":15.5,\"leaseTransitions\":true}}",
    "{\"spec\":{\"leaseDurationSeconds\":0}}",
    "{\"spec\":{\"leaseDurationSeconds\":-1}}",
    "{\"spec\":{\"leaseDurationSeconds\":9223372036854775807}}",
    "{\"metadata\":7}",
};

static void one_that_says_nothing_is_held_by_nobody_for_no_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_length(ODD); i++) {
        auto_json struct json *lease = lease_of(ODD[i]);

        assert_string_equal(lease_holder(lease), "");
        assert_int_equal(lease_duration_ms(lease), 0);
    }
}

static void nothing_at_all_is_held_by_nobody_for_no_time(void **state)
{
    (void)state;
    assert_string_equal(lease_holder(NULL), "");
    assert_int_equal(lease_duration_ms(NULL), 0);
}

static void whatever_stood_in_it_a_claim_makes_it_ours(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_length(ODD); i++) {
        auto_json struct json *lease = lease_of(ODD[i]);

        lease_claim(lease, "pod-2", 15, NOW);
        if (ODD[i][0] == '[')
            continue; /* no object, and stays none */
        assert_string_equal(lease_holder(lease), "pod-2");
        assert_int_equal(lease_duration_ms(lease), 15000);
        assert_string_equal(spec_text(lease, "acquireTime"), NOW);
        assert_string_equal(spec_text(lease, "renewTime"), NOW);
        assert_int_equal(spec_number(lease, "leaseTransitions"), 1);
    }
}

static void whatever_stood_in_it_it_can_be_given_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_length(ODD); i++) {
        auto_json struct json *lease = lease_of(ODD[i]);

        lease_give_back(lease, NOW);
        assert_string_equal(lease_holder(lease), "");
    }
}

static void whatever_stood_in_it_there_is_a_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_length(ODD); i++) {
        auto_json struct json *lease = lease_of(ODD[i]);
        auto_text struct text record = { .at = NULL };

        record_of(lease, &record);
        assert_true(record.length > 0);
    }
}

/* A double holds no microsecond exactly: what is meant is the nearest. */
static void a_time_is_the_nearest_microsecond(void **state)
{
    char out[LEASE_TIME_SIZE];

    (void)state;
    lease_time(1714557600.123, out);
    assert_string_equal(out, "2024-05-01T10:00:00.123000Z");
    lease_time(1714557600.000001, out);
    assert_string_equal(out, "2024-05-01T10:00:00.000001Z");
    lease_time(1714557600.9999998, out);
    assert_string_equal(out, "2024-05-01T10:00:01.000000Z");
}

static void transitions_beyond_counting_do_no_harm(void **state)
{
    auto_json struct json *lease = lease_of("{\"spec\":{\"leaseTransitions\":9223372036854775807}}");

    (void)state;
    lease_claim(lease, "pod-2", 15, NOW);
    assert_true(spec_number(lease, "leaseTransitions") >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_has_exactly_six_fractional_digits),
        cmocka_unit_test(almost_a_second_has_six_digits_too),
        cmocka_unit_test(a_new_one_is_all_that_the_api_asks_for),
        cmocka_unit_test(its_holder_and_its_time_can_be_read),
        cmocka_unit_test(a_claim_by_another_counts_as_a_transition),
        cmocka_unit_test(a_renewal_is_no_transition),
        cmocka_unit_test(what_is_not_ours_to_know_is_written_back),
        cmocka_unit_test(one_that_was_given_back_is_nobody_s_and_soon_over),
        cmocka_unit_test(taking_up_one_that_was_given_back_is_a_transition),
        cmocka_unit_test(every_renewal_changes_the_record),
        cmocka_unit_test(the_record_changes_with_each_of_its_parts),
        cmocka_unit_test(what_others_write_into_the_metadata_is_no_sign_of_life),
        cmocka_unit_test(one_that_says_nothing_is_held_by_nobody_for_no_time),
        cmocka_unit_test(nothing_at_all_is_held_by_nobody_for_no_time),
        cmocka_unit_test(whatever_stood_in_it_a_claim_makes_it_ours),
        cmocka_unit_test(whatever_stood_in_it_it_can_be_given_back),
        cmocka_unit_test(whatever_stood_in_it_there_is_a_record),
        cmocka_unit_test(a_time_is_the_nearest_microsecond),
        cmocka_unit_test(transitions_beyond_counting_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
