#include <stdio.h>
#include <string.h>

#include "check.h"
#include "execution/mode.h"
#include "sql/segment.h"
#include "sql/transaction_head.h"

/* A script's segments as one line: "kind first+count" each. */
static const char *units_by(const char *script, struct segment_rules rules, char *line, size_t size)
{
    static const char *const kinds[] = { "plain", "block", "alone" };
    struct segment_reader reader =
        segment_reader_of(script_reader_of("a.sql", slice_of(script), 150000, true), 0, &rules);
    enum segment_answer answer;
    struct error err;
    struct segment segment;
    size_t used = 0;

    line[0] = '\0';
    while ((answer = segment_next(&reader, &segment, &err)) == SEGMENT_FOUND)
        used += (size_t)snprintf(line + used, size - used, "%s%s %zu+%zu", used == 0 ? "" : ", ",
                                 kinds[segment.kind], segment.first, segment.count);
    if (answer == SEGMENT_ERROR)
        (void)snprintf(line, size, "error: %.200s", err.message);
    return line;
}

static const char *units_of(const char *script, bool is_grouping, char *line, size_t size)
{
    return units_by(script, (struct segment_rules) { .is_grouping = is_grouping }, line, size);
}

static void what_commits_together_is_one_unit(void **state)
{
    static const struct {
        const char *script;
        bool is_grouping;
        const char *segments;
    } cases[] = {
        { "A; B; C", true, "plain 0+3" },
        { "A; B; C", false, "plain 0+1, plain 1+1, plain 2+1" },
        { "BEGIN; A; COMMIT; B; C", true, "block 0+3, plain 3+2" },
        { "A; BEGIN; B; ROLLBACK; C", true, "plain 0+1, block 1+3, plain 4+1" },
        { "CREATE INDEX CONCURRENTLY i ON t(a); A; B", true, "alone 0+1, plain 1+2" },
        { "A; VACUUM; B", false, "plain 0+1, alone 1+1, plain 2+1" },
        { "A; COMMIT; B", true, "plain 0+2, plain 2+1" },
        { "COMMIT; A", true, "plain 0+1, plain 1+1" },
        { "BEGIN; SAVEPOINT s; A; ROLLBACK TO s; COMMIT", true, "block 0+5" },
        { "BEGIN; COMMIT", true, "block 0+2" },
        { "", true, "" },
        { "-- nothing\n;;", true, "" },
    };
    char line[512];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(units_of(cases[i].script, cases[i].is_grouping, line, sizeof line),
                            cases[i].segments);
}

static void what_the_server_refused_is_cut_out(void **state)
{
    const struct segment_rules refused = { .is_grouping = true, .has_refused = true, .refused = 2 };
    const struct segment_rules value = { .is_grouping = true, .ends_at_value = true };
    char line[512];

    (void)state;
    assert_string_equal(units_by("A; B; CALL p(); D; E", refused, line, sizeof line),
                        "plain 0+2, alone 2+1, plain 3+2");
    assert_string_equal(units_by("A; B; COMMIT; D", refused, line, sizeof line), "plain 0+3, plain 3+1");
    assert_string_equal(
        units_by("A; ALTER TYPE t ADD VALUE 'b'; alter type s.t add value if not exists 'c'; D; E", value,
                 line, sizeof line),
        "plain 0+2, plain 2+1, plain 3+2");
    assert_string_equal(units_by("ALTER TYPE t RENAME VALUE 'b' TO 'c'; A", value, line, sizeof line),
                        "plain 0+2");
}

static void a_head_is_what_may_precede_the_first_query(void **state)
{
    static const struct {
        const char *script;
        size_t statements;
        const char *rest;
    } cases[] = {
        { "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; A", 1, "A" },
        { "-- why\n set local transaction_isolation = 'serializable' ; A", 1, "A" },
        { "SET a = b; SHOW a; LOCK t; SET SESSION TRANSACTION READ ONLY; SET c = d; A", 4, "SET c = d; A" },
        { "SET transaction_deferrable TO on", 1, "" },
        { "SET a = b; A; SET TRANSACTION READ ONLY", 0, NULL },
        { "A; SET TRANSACTION READ ONLY", 0, NULL },
        { "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; A", 0, NULL },
        { "SAVEPOINT a; SET TRANSACTION READ ONLY", 0, NULL },
        { "", 0, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice script = slice_of(cases[i].script);
        struct transaction_head head =
            transaction_head_of(script_reader_of("a.sql", script, 150000, true), 0, script.length);

        assert_int_equal(head.statements, cases[i].statements);
        if (cases[i].rest != NULL)
            assert_string_equal(script.at + head.rest, cases[i].rest);
    }
}

static void settings_are_told_from_what_lasts(void **state)
{
    static const struct {
        const char *script;
        bool is_setting;
    } cases[] = { { "SET lock_timeout = '5s'", true },
                  { "/* x */ reset all", true },
                  { "SETTINGS", false },
                  { "SELECT set_config('a', 'b', false)", false } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice script = slice_of(cases[i].script);
        struct script_reader reader = script_reader_of("a.sql", script, 150000, true);
        struct statement statement;
        struct error err;

        assert_int_equal(script_next(&reader, &statement, &err), SCRIPT_STATEMENT);
        assert_int_equal(statement_is_setting(script, &statement), cases[i].is_setting);
    }
}

static bool decide(const char *text, enum transaction_wish wish, enum mode *mode, struct error *err)
{
    struct directives directives = { .transaction = wish, .lock_timeout_ms = -1, .statement_timeout_ms = -1 };
    struct slice script = slice_of(text);
    struct script_summary summary;
    const struct mode_question question = {
        .file = "a.sql", .script = script, .summary = &summary, .directives = &directives
    };

    return script_summarize(script_reader_of("a.sql", script, 150000, true), &summary, err) &&
           mode_decide(&question, mode, err);
}

static void the_mode_follows_from_the_script(void **state)
{
    static const struct {
        const char *script;
        enum transaction_wish wish;
        enum mode mode;
    } cases[] = {
        { "A; B", TRANSACTION_AUTO, MODE_ATOMIC },
        { "", TRANSACTION_AUTO, MODE_ATOMIC },
        { "BEGIN; A; COMMIT", TRANSACTION_AUTO, MODE_SELF_MANAGED },
        { "A; COMMIT; B", TRANSACTION_AUTO, MODE_SELF_MANAGED },
        { "CREATE INDEX CONCURRENTLY i ON t(a)", TRANSACTION_AUTO, MODE_STEPWISE },
        { "BEGIN; A; COMMIT; VACUUM t", TRANSACTION_AUTO, MODE_SELF_MANAGED },
        { "A; B", TRANSACTION_OFF, MODE_STEPWISE },
        { "A; B", TRANSACTION_ON, MODE_ATOMIC },
        { "SAVEPOINT a; A; RELEASE a", TRANSACTION_AUTO, MODE_ATOMIC },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum mode mode = MODES;
        struct error err;

        assert_true(decide(cases[i].script, cases[i].wish, &mode, &err));
        assert_int_equal(mode, cases[i].mode);
    }
}

static void what_could_only_half_work_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *script;
        enum transaction_wish wish;
        const char *says;
        size_t line;
    } cases[] = {
        { "A;\nBEGIN; B", TRANSACTION_AUTO, "begins a transaction that it does not end", 2 },
        { "BEGIN; A;\nPREPARE TRANSACTION 'x'", TRANSACTION_AUTO, "two-phase commit", 1 },
        { "BEGIN; A; COMMIT AND CHAIN; B; COMMIT", TRANSACTION_AUTO, "chain", 1 },
        { "A;\n\nVACUUM t", TRANSACTION_ON, "cannot run in a transaction, but the directive", 3 },
        { "BEGIN; A; COMMIT", TRANSACTION_ON, "controls its own transactions", 1 },
        { "BEGIN;\nVACUUM t;\nCOMMIT", TRANSACTION_AUTO, "cannot run inside the transaction", 2 },
        { "A;\nROLLBACK; B", TRANSACTION_AUTO, "ROLLBACK outside", 2 },
        { "BEGIN; A; COMMIT;\n\nabort work and no chain", TRANSACTION_AUTO, "ROLLBACK outside", 3 },
        { "A;\nROLLBACK", TRANSACTION_OFF, "ROLLBACK outside", 2 },
        { "A; ROLLBACK AND CHAIN; B; COMMIT", TRANSACTION_AUTO, "chain", 1 },
        { "A;\nSAVEPOINT s; B; ROLLBACK TO s", TRANSACTION_OFF, "a savepoint outside", 2 },
        { "BEGIN; A; COMMIT;\nRELEASE s", TRANSACTION_AUTO, "a savepoint outside", 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum mode mode;
        struct error err;

        assert_false(decide(cases[i].script, cases[i].wish, &mode, &err));
        assert_int_equal(err.class, ERROR_CLEAN);
        assert_non_null(strstr(err.message, cases[i].says));
        assert_int_equal(err.place.line, cases[i].line);
        assert_true(err.hint[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_commits_together_is_one_unit),
        cmocka_unit_test(what_the_server_refused_is_cut_out),
        cmocka_unit_test(a_head_is_what_may_precede_the_first_query),
        cmocka_unit_test(settings_are_told_from_what_lasts),
        cmocka_unit_test(the_mode_follows_from_the_script),
        cmocka_unit_test(what_could_only_half_work_is_refused_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
