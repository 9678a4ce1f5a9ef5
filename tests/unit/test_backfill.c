#include "base/memory.h"
#include "check.h"
#include "sql/backfill.h"

static void all_can_be_said(void **state)
{
    struct backfill_wish wish;
    struct throttle_wish throttle;
    const char *at;
    struct error err;

    (void)state;
    assert_true(backfill_wish_parse(
        slice_of("Public.\"Or ders\"  key=tenant,\"Id \"\"x\" target=1s rows=10..20 rest=0"), &wish, &at,
        &err));
    assert_true(wish.is_said);
    assert_string_equal(wish.schema, "public");
    assert_string_equal(wish.table, "Or ders");
    assert_int_equal(wish.key_count, 2);
    assert_string_equal(wish.keys[0], "tenant");
    assert_string_equal(wish.keys[1], "Id \"x");
    assert_int_equal(wish.target_ms, 1000);
    assert_int_equal(wish.rows_least, 10);
    assert_int_equal(wish.rows_most, 20);
    assert_int_equal(wish.rest_percent, 0);

    assert_true(
        throttle_wish_parse(slice_of("lag=250ms lag-size=1GB slot=0 active=95%"), &throttle, &at, &err));
    assert_int_equal(throttle.lag_ms, 250);
    assert_int_equal(throttle.lag_size, 1LL << 30);
    assert_int_equal(throttle.slot_size, 0);
    assert_int_equal(throttle.active_percent, 95);
}

static void what_is_not_said_is_the_default(void **state)
{
    struct backfill_wish wish;
    const char *at;
    struct error err;

    (void)state;
    assert_true(backfill_wish_parse(slice_of("orders"), &wish, &at, &err));
    assert_int_equal(wish.key_count, 0);
    assert_int_equal(wish.target_ms, BACKFILL_DEFAULTS.target_ms);
    assert_int_equal(wish.rows_most, BACKFILL_DEFAULTS.rows_most);
}

/* Each with what the error points at. */
static void what_is_wrong_is_pointed_at(void **state)
{
    static const struct {
        const char *words;
        const char *at;
    } backfills[] = {
        { "", "" },
        { "orders()", "orders()" },
        { "a.b.c.d", "a.b.c.d" },
        { "orders key", "key" },
        { "orders key=", "" },
        { "orders key=a,,b", "a,,b" },
        { "orders key=a,b,c,d,e", "a,b,c,d,e" },
        { "orders rest=50", "50" },
        { "orders rows=5..", "5.." },
        { "orders rows=0..5", "0..5" },
        { "orders rows=1..9999999999", "1..9999999999" },
        { "orders target=5", "5" },
        { "orders target=0", "0" },
        { "orders target=0ms", "0ms" },
        { "orders target=61s", "61s" },
        { "orders rest=100001%", "100001%" },
        { "orders rows=1..10000001", "1..10000001" },
        { "orders key=id,\"id\"", "id,\"id\"" },
        { "orders target=5ms target=5ms", "target=5ms" },
    };
    static const struct {
        const char *words;
        const char *at;
    } throttles[] = {
        { "slot=2", "2" },
        { "slot=2QB", "2QB" },
        { "slot=999999999TB", "999999999TB" },
        { "lags=1s", "lags=1s" },
        { "lag=25h", "25h" },
        { "active=101%", "101%" },
        { "lag=5s slot=0 lag=5s", "lag=5s" },
    };
    struct backfill_wish wish;
    struct throttle_wish throttle;
    struct error err;
    const char *at;

    (void)state;
    for (size_t i = 0; i < array_length(backfills); i++) {
        if (backfill_wish_parse(slice_of(backfills[i].words), &wish, &at, &err))
            fail_msg("read: %s", backfills[i].words);
        assert_string_equal(at, backfills[i].at);
    }
    for (size_t i = 0; i < array_length(throttles); i++) {
        if (throttle_wish_parse(slice_of(throttles[i].words), &throttle, &at, &err))
            fail_msg("read: %s", throttles[i].words);
        assert_string_equal(at, throttles[i].at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_can_be_said),
        cmocka_unit_test(what_is_not_said_is_the_default),
        cmocka_unit_test(what_is_wrong_is_pointed_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
