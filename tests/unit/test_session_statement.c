#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "sql/session_statement.h"

static void only_what_changes_nothing_but_the_session_is_said_again(void **state)
{
    static const struct {
        const char *text;
        bool is_repeatable;
    } all[] = {
        { "SET search_path = a, b", true },
        { "set local x.y = 1", true },
        { "RESET ALL", true },
        { "SELECT set_config('a.b', 'c', false)", true },
        { "select pg_catalog . set_config('a.b', $$c$$, TRUE)", true },
        { "SELECT set_config('a.b', nextval('s')::text, false)", false },
        { "SELECT set_config('a.b', 'c', false), nextval('s')", false },
        { "SELECT set_config('a.b', 'c', false) FROM f()", false },
        { "SELECT f()", false },
        { "settle()", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (session_statement_is_repeatable(slice_of(all[i].text), true) != all[i].is_repeatable)
            fail_msg("%s", all[i].text);
    }
}

static void what_outlives_its_transaction_is_seen(void **state)
{
    static const char *const lasting[] = { "SET x = 1",
                                           "SET SESSION AUTHORIZATION a",
                                           "RESET ROLE",
                                           "DISCARD ALL",
                                           "CREATE TEMP TABLE a ()",
                                           "create temporary view v as select 1",
                                           "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1",
                                           "PREPARE p AS SELECT 1",
                                           "LISTEN c",
                                           "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
                                           "DO $$ BEGIN PERFORM set_config('a.b', 'c', false); END $$",
                                           "SELECT pg_advisory_lock(1)" };
    static const char *const passing[] = {
        "SET LOCAL x = 1",      "SET TRANSACTION READ ONLY", "SET CONSTRAINTS ALL DEFERRED",
        "CREATE TABLE temp ()", "UPDATE t SET a = 1",        "SELECT 1"
    };

    (void)state;
    for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++) {
        if (!session_statement_is_lasting(slice_of(lasting[i])))
            fail_msg("%s", lasting[i]);
    }
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (session_statement_is_lasting(slice_of(passing[i])))
            fail_msg("%s", passing[i]);
    }
}

static void what_ends_with_its_transaction_is_seen(void **state)
{
    static const char *const ending[] = { "SET LOCAL x = 1",
                                          "SET TRANSACTION READ ONLY",
                                          "SET CONSTRAINTS ALL DEFERRED",
                                          "SELECT set_config('a.b', 'c', true)",
                                          "SELECT pg_advisory_xact_lock(1)",
                                          "CREATE TEMP TABLE a () ON COMMIT DROP",
                                          "DECLARE c CURSOR FOR SELECT 1",
                                          "LOCK TABLE a",
                                          "SAVEPOINT s",
                                          "release s",
                                          "DO $$ BEGIN SET LOCAL x = 1; END $$" };
    static const char *const others[] = { "SET x = 1", "CREATE TEMP TABLE a ()", "UPDATE lock SET a = 1",
                                          "SELECT 1" };

    (void)state;
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        if (!session_statement_ends_with_transaction(slice_of(ending[i])))
            fail_msg("%s", ending[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (session_statement_ends_with_transaction(slice_of(others[i])))
            fail_msg("%s", others[i]);
    }
}

static void a_word_is_found_in_any_case(void **state)
{
    static const char *const words[] = { "Kept", "kEPT", "_kept", "\"Kept", "1kept", "\xc3\x84kept" };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        (void)snprintf(text, sizeof text, "FETCH ALL FROM %s", words[i]);
        assert_true(session_statement_mentions(slice_of(text), words[i]));
    }
    assert_true(session_statement_mentions(slice_of("FETCH FROM KEPT"), "kept"));
    assert_true(session_statement_mentions(slice_of("fetch from kept"), "KEPT"));
    assert_false(session_statement_mentions(slice_of("FETCH FROM kep"), "kept"));
}

static void its_signs_are_seen_in_one_pass(void **state)
{
    static const struct {
        const char *text;
        bool is_advisory;
        bool is_reset;
    } all[] = {
        { "SELECT pg_ADVISORY_lock(1)", true, false },
        { "RESET ALL", false, true },
        { "a; Discard Temp", false, true },
        { "SELECT pg_advisory_unlock_all(); reset role", true, true },
        { "CREATE TABLE addresses (rest int, disc card)", false, false },
        { "rese", false, false },
        { "advisor", false, false },
        { "", false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct session_signs signs = session_signs_of(slice_of(all[i].text));

        if (signs.is_advisory != all[i].is_advisory || signs.is_reset != all[i].is_reset ||
            signs.is_reset != session_statement_is_reset(slice_of(all[i].text)))
            fail_msg("%s", all[i].text);
    }
}

static void a_sign_is_seen_wherever_it_stands(void **state)
{
    static const char *const words[] = { "advisory", "DISCARD", "reset" };

    (void)state;
    for (int before = 0; before < 9; before++) {
        for (size_t i = 0; i < array_length(words); i++) {
            char text[64];
            struct session_signs signs;

            (void)snprintf(text, sizeof text, "%*s%s", before, "", words[i]);
            signs = session_signs_of(slice_of(text));
            assert_int_equal(signs.is_advisory, i == 0);
            assert_int_equal(signs.is_reset, i > 0);
            text[strlen(text) - 1] = '.';
            signs = session_signs_of(slice_of(text));
            assert_false(signs.is_advisory || signs.is_reset);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_changes_nothing_but_the_session_is_said_again),
        cmocka_unit_test(what_outlives_its_transaction_is_seen),
        cmocka_unit_test(what_ends_with_its_transaction_is_seen),
        cmocka_unit_test(a_word_is_found_in_any_case),
        cmocka_unit_test(its_signs_are_seen_in_one_pass),
        cmocka_unit_test(a_sign_is_seen_wherever_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
