#include <string.h>

#include "check.h"
#include "fleet/outage.h"

static const struct tenant FIRST = { .name = "first" };
static const struct tenant SECOND = { .name = "second" };

static struct config config_of(void)
{
    return (struct config) { .connect_deadline_ms = 60 * 1000, .connect_timeout_ms = 5000 };
}

static struct error unreachable(const char *sqlstate)
{
    struct error err;

    error_set(&err, ERROR_UNREACHABLE, "could not connect to db:5432: no answer within 5 s");
    text_copy_cut(err.sqlstate, sizeof err.sqlstate, sqlstate);
    return err;
}

static void is_tried_as_ever(const struct outage *outage)
{
    struct config config = config_of();
    struct error err;

    assert_true(outage_allows(outage, &config, &err));
    assert_int_equal(config.connect_deadline_ms, 60 * 1000);
    assert_int_equal(config.connect_timeout_ms, 5000);
}

static void is_tried_once(const struct outage *outage)
{
    struct config config = config_of();
    struct error err;

    assert_true(outage_allows(outage, &config, &err));
    assert_int_equal(config.connect_deadline_ms, 0);
    assert_int_equal(config.connect_timeout_ms, 1000);
}

static void is_not_tried(const struct outage *outage)
{
    struct config config = config_of();
    struct error err;

    assert_false(outage_allows(outage, &config, &err));
    assert_int_equal(err.class, ERROR_UNREACHABLE);
    assert_string_equal(err.message, "could not connect to db:5432: no answer within 5 s");
    assert_non_null(strstr(err.detail, "\"first\""));
}

static void the_others_share_what_one_has_found(void **state)
{
    auto_arena struct arena *arena = arena_new();
    const struct error err = unreachable("");
    struct outage outage = { .is_on = false };

    (void)state;
    is_tried_as_ever(&outage);
    outage_note(&outage, arena, &FIRST, &err);
    is_not_tried(&outage);
    outage.known_until = deadline_in(0);
    is_tried_once(&outage);
    outage_note(&outage, arena, &SECOND, &err);
    is_not_tried(&outage);
}

static void a_server_that_answers_is_tried_for_each(void **state)
{
    static const char *const refusals[] = { "57P03", "08P01" };
    auto_arena struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < array_length(refusals); i++) {
        const struct error err = unreachable(refusals[i]);
        struct outage outage = { .is_on = false };

        outage_note(&outage, arena, &FIRST, &err);
        is_tried_once(&outage);
        outage_note(&outage, arena, &SECOND, &err);
        is_tried_once(&outage);
    }
}

static void any_answer_ends_it(void **state)
{
    auto_arena struct arena *arena = arena_new();
    const struct error lost = unreachable("");
    const struct error full = unreachable("53100");
    struct error failed;
    struct outage outage = { .is_on = false };

    (void)state;
    error_set(&failed, ERROR_CLEAN, "migration failed");
    outage_note(&outage, arena, &FIRST, &lost);
    outage_note(&outage, arena, &SECOND, NULL);
    is_tried_as_ever(&outage);
    outage_note(&outage, arena, &FIRST, &lost);
    outage_note(&outage, arena, &SECOND, &failed);
    is_tried_as_ever(&outage);
    outage_note(&outage, arena, &SECOND, &full);
    is_tried_as_ever(&outage);
}

static void a_signal_tells_nothing_of_it(void **state)
{
    auto_arena struct arena *arena = arena_new();
    const struct error lost = unreachable("");
    const struct error stopped = { .class = ERROR_INTERRUPTED };
    struct outage outage = { .is_on = false };

    (void)state;
    outage_note(&outage, arena, &FIRST, &lost);
    outage_note(&outage, arena, &SECOND, &stopped);
    is_not_tried(&outage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_others_share_what_one_has_found),
        cmocka_unit_test(a_server_that_answers_is_tried_for_each),
        cmocka_unit_test(any_answer_ends_it),
        cmocka_unit_test(a_signal_tells_nothing_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
