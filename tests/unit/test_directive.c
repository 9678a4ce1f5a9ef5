#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/release.h"
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
        "-- tidelocked\n-- for tidelock: nothing\n-- tidelock-like\n-- tidelock.yaml says more\nSELECT 1;",
        "SELECT 1; -- tidelock is a tool",
        "SELECT 1; -- TIDELOCK",
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
        assert_int_equal(directives.require_backup_ms, -1);
        assert_false(directives.wants_restore_point);
    }
}

static void all_keys_on_one_line(void **state)
{
    struct directives directives = parse(
        "-- tidelock: transaction=off lock-timeout=5s restore-point statement-timeout=1h30m "
        "require-backup=24h\nSELECT 1;");

    (void)state;
    assert_int_equal(directives.transaction, TRANSACTION_OFF);
    assert_int_equal(directives.lock_timeout_ms, 5000);
    assert_int_equal(directives.statement_timeout_ms, 5400000);
    assert_int_equal(directives.require_backup_ms, 86400000);
    assert_true(directives.wants_restore_point);
}

static void a_floor_and_a_contract_are_on_one_line_or_on_two(void **state)
{
    static const char *const scripts[] = {
        "-- tidelock: lock-timeout=5s floor=v1.5.0-rc.1 contract strict wait=30m\nSELECT 1;",
        "-- tidelock: contract wait=30m strict\n-- tidelock: floor=v1.5.0-rc.1 lock-timeout=5s\nSELECT 1;",
    };

    (void)state;
    for (size_t i = 0; i < array_length(scripts); i++) {
        struct directives directives = parse(scripts[i]);

        assert_true(slice_equals(directives.floor, "v1.5.0-rc.1"));
        assert_int_equal(directives.lock_timeout_ms, 5000);
        assert_true(directives.contract.is_said && directives.contract.is_strict);
        assert_int_equal(directives.contract.wait_ms, 1800000);
    }
    assert_false(parse("-- tidelock: floor=1\nSELECT 1").contract.is_said);
    assert_int_equal(parse("-- tidelock: floor=1 contract\nSELECT 1").contract.wait_ms, 0);
}

static void several_comments_add_up(void **state)
{
    struct directives directives = parse(
        "\xEF\xBB\xBF-- A header\r\n--tidelock:transaction=on\r\n/* text */ ;\n"
        "  --  tidelock:\t lock-timeout=0 \t\r\nSELECT 1;");

    (void)state;
    assert_int_equal(directives.transaction, TRANSACTION_ON);
    assert_int_equal(directives.lock_timeout_ms, 0);
    assert_int_equal(directives.statement_timeout_ms, -1);
}

#define NAMELESS                                                                                             \
    "a comment that begins with \"tidelock\" must be a directive: a colon right behind the name is missing"
#define IN_CASE "a directive must begin with exactly \"-- tidelock:\", in lower case"
#define IN_BLOCK "a directive cannot be in a block comment"
#define REWORD "Begin what is no directive with another word. To see all directives: tidelock help directives"
#define WRITE "Write, on a line of its own: -- tidelock: "

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
          "The directives are transaction, lock-timeout, retry-for, statement-timeout, migration-timeout, "
          "require-backup, restore-point, floor, contract, assert, backfill, throttle, verify and allow. To see what they do: "
          "tidelock help directives" },
        { "-- tidelock: restore-point=on", 1, 14, "directive \"restore-point\" takes no value",
          "Write restore-point alone." },
        { "-- tidelock: restore-point restore-point", 1, 28, "directive \"restore-point\" is given twice",
          "Remove one of them." },
        { "-- tidelock restore-point=on", 1, 1, NAMELESS, WRITE "restore-point" },
        { "-- tidelock: allow create-index\nSELECT 1", 1, 20, "directive \"allow\" needs a rule and a reason",
          "Write -- tidelock: allow RULE because REASON, on the line before the statement." },
        { "SELECT 1;\n-- tidelock: allow create-index because\nSELECT 2", 2, 20,
          "directive \"allow\" needs a rule and a reason",
          "Write -- tidelock: allow RULE because REASON, on the line before the statement." },
        { "-- x\n-- tidelock: Transaction=off", 2, 14, "unknown directive \"Transaction\"",
          "Did you mean \"transaction\"?" },
        { "-- tidelock: transaction", 1, 14, "directive \"transaction\" has no value",
          "Write transaction=VALUE, without spaces." },
        { "-- tidelock: transaction=", 1, 26, "directive \"transaction\" cannot be \"\"",
          "Write auto, on or off." },
        { "-- tidelock: transaction = off", 1, 14, "directive \"transaction\" has no value",
          "Write transaction=VALUE, without spaces." },
        { "-- tidelock: floor=3f2a91c", 1, 20, "directive \"floor\" cannot be \"3f2a91c\"", RELEASE_HINT },
        { "-- tidelock: floor=1\n-- tidelock: floor=2", 2, 14, "directive \"floor\" is given twice",
          "Remove one of them." },
        { "-- tidelock: contract wait=1m", 1, 1, "\"contract\" needs a floor, but the script has none",
          "Write which release can run after it: -- tidelock: floor=1.5.0 contract wait=30m" },
        { "-- tidelock: floor=1 contract soon", 1, 31, "\"contract\" knows only wait=TIME and strict",
          "Write: contract wait=30m" },
        { "-- tidelock: transaction=no", 1, 26, "directive \"transaction\" cannot be \"no\"",
          "Write auto, on or off." },
        { "-- tidelock: lock-timeout=5", 1, 27, "directive \"lock-timeout\" cannot be \"5\"",
          "Write a time with its unit, such as 250ms, 5s or 1h30m; 0 means none." },
        { "-- tidelock: transaction=on\n-- tidelock: transaction=on", 2, 14,
          "directive \"transaction\" is given twice", "Remove one of them." },
        { "/* tidelock: transaction=on */", 1, 1, IN_BLOCK, WRITE "transaction=on" },
        { "/*\n * tidelock: transaction=on\n * retry-for=1h\n */", 1, 1, IN_BLOCK, WRITE "transaction=on" },
        { "/* tidelock\ttransaction=off */", 1, 1, IN_BLOCK, WRITE "transaction=off" },
        { "/*tidelock*/", 1, 1, IN_BLOCK, REWORD },
        { "-- tidelock transaction=off", 1, 1, NAMELESS, WRITE "transaction=off" },
        { "-- x\n--  tidelock : transaction=off", 2, 1, NAMELESS, WRITE "transaction=off" },
        { "-- tidelock; Transaction=off", 1, 1, NAMELESS, WRITE "transaction=off" },
        { "-- tidelock transaction = off", 1, 1, NAMELESS, WRITE "transaction=auto|on|off" },
        { "-- tidelock lock-timout=5s", 1, 1, NAMELESS, WRITE "lock-timeout=5s" },
        { "-- TideLock assert EXISTS (SELECT)", 1, 1, NAMELESS, WRITE "assert EXISTS (SELECT)" },
        { "-- tidelock is a tool", 1, 1, NAMELESS, REWORD },
        { "-- tidelock", 1, 1, NAMELESS, REWORD },
        { "-- TIDELOCK\r\nSELECT 1;", 1, 1, NAMELESS, REWORD },
        { "-- TIDELOCK: transaction=off", 1, 1, IN_CASE, WRITE "transaction=off" },
        { "--Tidelock:backfil t key=id", 1, 1, IN_CASE, WRITE "backfill t key=id" },
        { "--- tidelock: verify true", 1, 1, IN_CASE, WRITE "verify true" },
        { "-- tidelock: backfil t", 1, 14, "unknown directive \"backfil\"", "Did you mean \"backfill\"?" },
        { "SELECT 1; -- tidelock: transaction=on", 1, 11, "a directive cannot follow the first statement",
          "Move it to the top of the script." },
        { "SELECT 1; -- TIDELOCK: transaction=on", 1, 11, "a directive cannot follow the first statement",
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

/* The words of a directive are in a table of their own: an error lists them. */
static void check_words(const char *name, const char *script)
{
    const struct directive *row = DIRECTIVES;
    struct directives directives;
    struct error err;

    while (row->name != NULL && strcmp(row->name, name) != 0)
        row++;
    assert_non_null(row->name);
    assert_false(directive_parse("m.sql", slice_of(script), &directives, &err));
    assert_int_equal(strncmp(err.hint, "Use ", 4), 0);
    for (const char *word = err.hint + 4; *word != '\0'; word += strspn(word, " ,.")) {
        char setting[64];
        size_t length = strcspn(word, " ,.");

        assert_true(length < sizeof setting);
        (void)snprintf(setting, sizeof setting, "%.*s", (int)length, word);
        if (strcmp(setting, "or") != 0 && strstr(row->usage, setting) == NULL)
            fail_msg("%s is not in: %s", setting, row->usage);
        word += length;
    }
}

static void the_table_tells_how_each_directive_is_written(void **state)
{
    (void)state;
    for (const struct directive *row = DIRECTIVES; row->name != NULL; row++) {
        assert_int_equal(strncmp(row->usage, row->name, strlen(row->name)), 0);
        assert_int_equal(row->usage[strlen(row->name)], row->type == DIRECTIVE_LINE   ? ' '
                                                        : row->type == DIRECTIVE_FLAG ? '\0'
                                                                                      : '=');
        assert_int_equal(row->read != NULL, row->type == DIRECTIVE_LINE);
        assert_true(row->meaning[strlen(row->meaning) - 1] == '.');
    }
    check_words("backfill", "-- tidelock: backfill t qqq=1");
    check_words("throttle", "-- tidelock: throttle qqq=1");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_without_directives_says_nothing),
        cmocka_unit_test(all_keys_on_one_line),
        cmocka_unit_test(a_floor_and_a_contract_are_on_one_line_or_on_two),
        cmocka_unit_test(several_comments_add_up),
        cmocka_unit_test(what_would_not_be_obeyed_is_refused_at_its_place),
        cmocka_unit_test(a_long_unknown_key_is_cut_between_characters),
        cmocka_unit_test(assertions_are_taken_with_their_words),
        cmocka_unit_test(the_table_tells_how_each_directive_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
