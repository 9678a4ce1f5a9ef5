#include <string.h>

#include "check.h"
#include "traffic/blockers.h"

static struct blocker prepared(const char *name, const char *held, const char *database)
{
    struct blocker blocker = { .age = 7200 };

    strcpy(blocker.name, name);
    strcpy(blocker.user, "app");
    strcpy(blocker.held, held);
    strcpy(blocker.database, database);
    return blocker;
}

static void a_prepared_transaction_is_ended_by_its_name(void **state)
{
    static const struct {
        const char *name;
        const char *database;
        const char *remedy;
    } cases[] = {
        { "x", "", "ROLLBACK PREPARED 'x'; (or COMMIT PREPARED 'x';)" },
        { "it's", "", "ROLLBACK PREPARED 'it''s'; (or COMMIT PREPARED 'it''s';)" },
        { "a\\b", "", "ROLLBACK PREPARED E'a\\\\b'; (or COMMIT PREPARED E'a\\\\b';)" },
        { "x", "other", "in database \"other\": ROLLBACK PREPARED 'x'; (or COMMIT PREPARED 'x';)" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct blocker blocker = prepared(cases[i].name, "ShareLock", cases[i].database);
        auto_text struct text remedy = text_init(1024);

        blocker_add_remedy(&blocker, &remedy);
        assert_string_equal(remedy.at, cases[i].remedy);
    }
}

static void a_prepared_transaction_is_described(void **state)
{
    struct blocker blocker = prepared("x", "RowExclusiveLock", "other");
    auto_text struct text text = text_init(1024);

    (void)state;
    blocker_describe(&blocker, &text);
    assert_string_equal(text.at,
                        "the prepared transaction \"x\" (in database \"other\", of user app, prepared 2 h "
                        "ago), which holds RowExclusiveLock");
}

static void whose_transaction_is_waited_for_holds_nothing_to_be_named(void **state)
{
    struct blocker blocker = prepared("x", "", "");
    auto_text struct text text = text_init(1024);

    (void)state;
    blocker_describe(&blocker, &text);
    assert_string_equal(text.at,
                        "the prepared transaction \"x\" (of user app, prepared 2 h ago), which has to end");
    text_reset(&text);
    blocker = (struct blocker) { .pid = 4711, .user = "etl", .state = "active", .age = 2 };
    blocker_describe(&blocker, &text);
    assert_string_equal(
        text.at, "pid 4711 (user etl, active, transaction open for 2.0 s), whose transaction has to end");
}

static void as_many_as_fit_are_named(void **state)
{
    static const struct {
        size_t sessions;
        size_t prepared;
        bool is_superuser;
        const char *names;
        const char *remedy;
    } cases[] = {
        { 1, 0, false, "pid 11", ": SELECT pg_terminate_backend(11);" },
        { 1, 0, true, "pid 11", ", as a superuser: SELECT pg_terminate_backend(11);" },
        { 2, 0, false, "pids 11 and 12",
          ": SELECT pg_terminate_backend(11); SELECT pg_terminate_backend(12);" },
        { 3, 0, false, "pids 11, 12 and 13",
          ": SELECT pg_terminate_backend(11); SELECT pg_terminate_backend(12); SELECT "
          "pg_terminate_backend(13);" },
        { 5, 0, false, "pids 11, 12, 13 and 2 more",
          ": SELECT pg_terminate_backend(11); SELECT pg_terminate_backend(12); SELECT "
          "pg_terminate_backend(13);" },
        { 1, 1, false, "pid 11 and a prepared transaction",
          ": SELECT pg_terminate_backend(11); ROLLBACK PREPARED 'x'; (or COMMIT PREPARED 'x';)" },
        { 0, 1, false, "", ": ROLLBACK PREPARED 'x'; (or COMMIT PREPARED 'x';)" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct blockers blockers = { .count = 0 };
        auto_text struct text names = text_init(1024);
        auto_text struct text remedy = text_init(1024);

        for (size_t n = 0; n < cases[i].sessions; n++)
            blockers.list[blockers.count++] =
                (struct blocker) { .pid = 11 + (int)n, .is_superuser = cases[i].is_superuser };
        for (size_t n = 0; n < cases[i].prepared; n++)
            blockers.list[blockers.count++] = prepared("x", "ShareLock", "");
        blockers_name(&blockers, &names);
        blockers_add_remedy(&blockers, &remedy);
        assert_string_equal(names.at, cases[i].names);
        assert_string_equal(remedy.at, cases[i].remedy);
    }
}

static void only_a_prepared_transaction_in_conflict_is_named(void **state)
{
    static const struct {
        const char *wanted;
        const char *held;
        bool is_kept;
    } cases[] = {
        { "AccessExclusiveLock", "AccessShareLock", true },
        { "ShareLock", "RowExclusiveLock", true },
        { "ShareLock", "AccessShareLock, RowShareLock", false },
        { "ShareLock", "AccessShareLock, RowExclusiveLock", true },
        { "ShareLock", "ExclusiveLock", true },
        { "ShareUpdateExclusiveLock", "RowExclusiveLock", false },
        { "RowExclusiveLock", "ShareUpdateExclusiveLock", false },
        { "AccessShareLock", "ExclusiveLock", false },
        { "ShareLock", "", true },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        struct blockers blockers = { .count = 2 };

        blockers.list[0] = prepared("x", cases[i].held, "");
        blockers.list[1] = (struct blocker) { .pid = 4711 };
        blockers_drop_harmless(cases[i].wanted, &blockers);
        assert_int_equal(blockers.count, cases[i].is_kept ? 2 : 1);
        assert_int_equal(blockers.list[blockers.count - 1].pid, 4711);
    }
}

static void who_queues_for_a_strong_mode_keeps_writers_out(void **state)
{
    (void)state;
    assert_true(blocker_mode_is_strong("AccessExclusiveLock"));
    assert_true(blocker_mode_is_strong("ShareRowExclusiveLock"));
    assert_true(blocker_mode_is_strong("ShareLock"));
    assert_false(blocker_mode_is_strong("ShareUpdateExclusiveLock"));
    assert_false(blocker_mode_is_strong("RowExclusiveLock"));
    assert_false(blocker_mode_is_strong("AccessShareLock"));
    assert_false(blocker_mode_is_strong(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_queues_for_a_strong_mode_keeps_writers_out),
        cmocka_unit_test(a_prepared_transaction_is_ended_by_its_name),
        cmocka_unit_test(a_prepared_transaction_is_described),
        cmocka_unit_test(whose_transaction_is_waited_for_holds_nothing_to_be_named),
        cmocka_unit_test(as_many_as_fit_are_named),
        cmocka_unit_test(only_a_prepared_transaction_in_conflict_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
