#include "base/memory.h"
#include "check.h"
#include "sql/directive.h"

static struct directives parse(const char *script)
{
    struct directives directives;
    struct error err;

    if (!directive_parse("m.sql", slice_of(script), &directives, &err))
        fail_msg("%s: %s", script, err.message);
    return directives;
}

static void a_script_without_directives_says_nothing(void **state)
{
    static const char *const scripts[] = {
        "",
        "SELECT 1;",
        "-- CreateTable\nCREATE TABLE t ();",
        "-- tidelocked\n-- for tidelock: nothing\n-- tidelock\n-- tidelock-like\nSELECT 1;",
        "SELECT 1; -- tidelock is a tool",
        "SELECT '-- tidelock: transaction=off';",
        "SELECT $$\n-- tidelock: transaction=off\n$$;",
        "SELECT \"tidelock:\"::text;",
        "SELECT '/* tidelock: ';",
    };

    (void)state;
    for (size_t i = 0; i < array_length(scripts); i++) {
        struct directives directives = parse(scripts[i]);

        assert_int_equal(directives.transaction, TRANSACTION_AUTO);
        assert_int_equal(directives.lock_timeout_ms, -1);
        assert_int_equal(directives.statement_timeout_ms, -1);
    }
}

static void all_keys_on_one_line(void **state)
{
    struct directives directives =
        parse("-- tidelock: transaction=off lock-timeout=5s statement-timeout=1h30m\nSELECT 1;");

    (void)state;
    assert_int_equal(directives.transaction, TRANSACTION_OFF);
    assert_int_equal(directives.lock_timeout_ms, 5000);
    assert_int_equal(directives.statement_timeout_ms, 5400000);
}

static void several_comments_add_up(void **state)
{
    struct directives directives = parse(
        "\xEF\xBB\xBF-- A header\r\n--Tidelock:transaction=on\r\n/* text */ ;\n"
        "  --  TIDELOCK:\t lock-timeout=0 \t\r\nSELECT 1;");

    (void)state;
    assert_int_equal(directives.transaction, TRANSACTION_ON);
    assert_int_equal(directives.lock_timeout_ms, 0);
    assert_int_equal(directives.statement_timeout_ms, -1);
}

#define NAMELESS                                                                                             \
    "a comment that begins with \"tidelock\" must be a directive: a colon right behind the name is missing"
#define REWORD "Write \"-- tidelock: key=value\"; begin what is no directive with another word."

static void what_would_not_be_obeyed_is_refused_at_its_place(void **state)
{
    static const struct {
        const char *script;
        size_t line;
        size_t column;
        const char *message;
        const char *hint;
    } rows[] = {
        { "-- tidelock: lock-timout=5s", 1, 14, "unknown directive \"lock-timout\"",
          "Did you mean \"lock-timeout\"?" },
        { "-- tidelock: qqq=5s", 1, 14, "unknown directive \"qqq\"",
          "The directives are assert, backfill, throttle, verify, transaction, lock-timeout, migration-timeout, "
          "retry-for and statement-timeout." },
        { "-- x\n-- tidelock: Transaction=off", 2, 14, "unknown directive \"Transaction\"",
          "Did you mean \"transaction\"?" },
        { "-- tidelock: transaction", 1, 14, "directive \"transaction\" has no value",
          "Write transaction=VALUE, without spaces." },
        { "-- tidelock: transaction=", 1, 26, "directive \"transaction\" cannot be \"\"",
          "Write auto, on or off." },
        { "-- tidelock: transaction = off", 1, 14, "directive \"transaction\" has no value",
          "Write transaction=VALUE, without spaces." },
        { "-- tidelock: transaction=no", 1, 26, "directive \"transaction\" cannot be \"no\"",
          "Write auto, on or off." },
        { "-- tidelock: lock-timeout=5", 1, 27, "directive \"lock-timeout\" cannot be \"5\"",
          "Write a time with its unit, such as 250ms, 5s or 1h30m; 0 means none." },
        { "-- tidelock: transaction=on\n-- tidelock: transaction=on", 2, 14,
          "directive \"transaction\" is given twice", "Remove one of them." },
        { "/* tidelock: transaction=on */", 1, 1, "a directive cannot be in a block comment",
          "Write it on a line of its own, after two hyphens: -- tidelock: key=value" },
        { "-- tidelock transaction=off", 1, 1, NAMELESS, REWORD },
        { "-- x\n--  Tidelock : transaction=off", 2, 1, NAMELESS, REWORD },
        { "-- tidelock is a tool", 1, 1, NAMELESS, REWORD },
        { "/* tidelock\ttransaction=off */", 1, 1, NAMELESS, REWORD },
        { "-- tidelock: backfil t", 1, 14, "unknown directive \"backfil\"", "Did you mean \"backfill\"?" },
        { "SELECT 1; -- tidelock: transaction=on", 1, 11, "a directive cannot follow the first statement",
          "Move it to the top of the script." },
        { "SELECT\n /* tidelock: transaction=on */ 1", 2, 2, "a directive cannot follow the first statement",
          "Move it to the top of the script." },
    };

    (void)state;
    for (size_t i = 0; i < array_length(rows); i++) {
        struct directives directives = { .lock_timeout_ms = 77 };
        struct error err;

        if (directive_parse("m.sql", slice_of(rows[i].script), &directives, &err))
            fail_msg("accepted: %s", rows[i].script);
        assert_int_equal(err.class, ERROR_CLEAN);
        assert_string_equal(err.message, rows[i].message);
        assert_string_equal(err.hint, rows[i].hint);
        assert_string_equal(err.place.file, "m.sql");
        assert_int_equal(err.place.line, rows[i].line);
        assert_int_equal(err.place.column, rows[i].column);
        assert_int_equal(directives.lock_timeout_ms, 77);
    }
}

static void a_long_unknown_key_is_cut_between_characters(void **state)
{
    struct directives directives;
    struct error err;

    (void)state;
    assert_false(directive_parse(
        "m.sql", slice_of("-- tidelock: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaää=1"),
        &directives, &err));
    assert_string_equal(
        err.message, "unknown directive \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"");
}

static void assertions_are_taken_with_their_words(void **state)
{
    struct directives directives = parse(
        "-- tidelock: assert  a = 1 AND b\n-- tidelock: lock-timeout=5s assert wait=10m SELECT true\n"
        "-- tidelock: assert after NOT c\r\nSELECT 1;");

    (void)state;
    assert_int_equal(directives.assertion_count, 3);
    assert_true(slice_equals(directives.assertions[0].expression, "a = 1 AND b"));
    assert_false(directives.assertions[0].is_after);
    assert_int_equal(directives.assertions[0].wait_ms, 0);
    assert_int_equal(directives.lock_timeout_ms, 5000);
    assert_true(slice_equals(directives.assertions[1].expression, "SELECT true"));
    assert_int_equal(directives.assertions[1].wait_ms, 10 * 60 * 1000);
    assert_true(slice_equals(directives.assertions[2].expression, "NOT c"));
    assert_true(directives.assertions[2].is_after);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_without_directives_says_nothing),
        cmocka_unit_test(all_keys_on_one_line),
        cmocka_unit_test(several_comments_add_up),
        cmocka_unit_test(what_would_not_be_obeyed_is_refused_at_its_place),
        cmocka_unit_test(a_long_unknown_key_is_cut_between_characters),
        cmocka_unit_test(assertions_are_taken_with_their_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
